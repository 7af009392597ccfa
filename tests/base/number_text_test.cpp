#include "base/number_text.hpp"

#include <clocale>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace {

using mullama::base::Error;
using mullama::base::exact_text;

TEST(NumberText, IsTheShortestThatReadsBack) {
    EXPECT_EQ(exact_text(0.1F), "0.1");
    EXPECT_EQ(exact_text(0.1), "0.1");
    EXPECT_EQ(exact_text(static_cast<double>(0.1F)), "0.10000000149011612");
    EXPECT_EQ(exact_text(-1.5F), "-1.5");
    EXPECT_EQ(exact_text(3.0F), "3");
    EXPECT_EQ(exact_text(1e30F), "1e+30");
    EXPECT_EQ(exact_text(std::numeric_limits<float>::infinity()), "inf");
    EXPECT_EQ(std::stod(exact_text(std::numeric_limits<double>::lowest())),
              std::numeric_limits<double>::lowest());
}

TEST(NumberText, IsWhatErrorsShow) {
    EXPECT_EQ(Error(MULLAMA_ERROR_OUT_OF_RANGE, "").actual(1e-7F).parts().actual, "1e-07");
    EXPECT_EQ(Error(MULLAMA_ERROR_OUT_OF_RANGE, "").actual(2.5).parts().actual, "2.5");
    EXPECT_EQ(Error(MULLAMA_ERROR_OUT_OF_RANGE, "").actual(-7).parts().actual, "-7");
}

TEST(NumberText, HasAPointInEveryLocale) {
    // Whichever of these the machine has writes a comma.
    const char *set = nullptr;
    for (const char *const name : {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8"}) {
        set = set == nullptr ? std::setlocale(LC_NUMERIC, name) : set;
    }
    const std::string text = Error(MULLAMA_ERROR_OUT_OF_RANGE, "").actual(0.25F).parts().actual;
    std::setlocale(LC_NUMERIC, "C");
    EXPECT_EQ(text, "0.25");
    if (set == nullptr) {
        GTEST_SKIP() << "this machine has no locale with a comma";
    }
}

} // namespace
