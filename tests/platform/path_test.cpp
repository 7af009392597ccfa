#include "platform/path.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mullama::platform {
namespace {

using namespace std::string_literals;

TEST(Path, RefusesNulWithItsOffset) {
    try {
        static_cast<void>(native_path("abc\0def"s));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_ARGUMENT);
        EXPECT_EQ(error.parts().offset, 3);
        EXPECT_EQ(error.parts().parameter, "path");
    }
}

TEST(Path, RefusesTheEmptyPath) {
    try {
        static_cast<void>(native_path(""));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_ARGUMENT);
    }
}

TEST(Path, BecomesTheSystemsOwnForm) {
#ifdef _WIN32
    EXPECT_EQ(native_path("gr\xC3\xBC\xC3\x9F.gguf"), L"gr\u00FC\u00DF.gguf");
    try {
        static_cast<void>(native_path("ab\xFF"));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_UTF8);
        EXPECT_EQ(error.parts().offset, 2);
    }
    EXPECT_TRUE(native_path("C:/" + std::string(300, 'x')).starts_with(L"\\\\?\\C:\\xxx"));
#else
    EXPECT_EQ(native_path("gr\xC3\xBC\xC3\x9F.gguf"), "gr\xC3\xBC\xC3\x9F.gguf");
    EXPECT_EQ(native_path("ab\xFF"), "ab\xFF") << "file names are bytes";
#endif
}

TEST(Path, FileNameAndParent) {
    struct Case {
        std::string_view path;
        std::string_view parent;
        std::string_view name;
    };
    const Case cases[] = {
        {"", "", ""},
        {"a", "", "a"},
        {"a/b.gguf", "a", "b.gguf"},
        {"a//b", "a", "b"},
        {"a/b/", "a", "b"},
        {"a/b//", "a", "b"},
        {"/", "/", ""},
        {"/a", "/", "a"},
        {"/a/", "/", "a"},
        {"/a/b", "/a", "b"},
        {"../x", "..", "x"},
        {"a/..", "a", ".."},
        {"a/\xC3\xA4/\xE2\x82\xAC", "a/\xC3\xA4", "\xE2\x82\xAC"},
#ifdef _WIN32
        {"a\\b", "a", "b"},
        {"C:", "C:", ""},
        {"C:a", "C:", "a"},
        {"C:\\", "C:\\", ""},
        {"C:\\a", "C:\\", "a"},
        {"c:/a\\b", "c:/a", "b"},
        {"\\\\server\\share\\a", "\\\\server\\share\\", "a"},
        {"\\\\server\\share", "\\\\server\\share", ""},
#else
        {"a\\b", "", "a\\b"},
        {"C:\\a", "", "C:\\a"},
#endif
    };
    for (const Case &test : cases) {
        EXPECT_EQ(file_name(test.path), test.name) << test.path;
        EXPECT_EQ(parent_path(test.path), test.parent) << test.path;
    }
}

TEST(Path, ExtensionAndStem) {
    struct Case {
        std::string_view path;
        std::string_view stem;
        std::string_view extension;
    };
    const Case cases[] = {
        {"a/b.gguf", "b", ".gguf"},
        {"b.tar.gz", "b.tar", ".gz"},
        {"b", "b", ""},
        {"b.", "b", "."},
        {".profile", ".profile", ""},
        {".profile.d", ".profile", ".d"},
        {"x.y/b", "b", ""},
        {"x.y/", "x", ".y"},
        {".", ".", ""},
        {"..", "..", ""},
        {"", "", ""},
    };
    for (const Case &test : cases) {
        EXPECT_EQ(extension(test.path), test.extension) << test.path;
        EXPECT_EQ(stem(test.path), test.stem) << test.path;
    }
}

TEST(Path, Join) {
    EXPECT_EQ(join("a", "b"), "a/b");
    EXPECT_EQ(join("a/", "b"), "a/b");
    EXPECT_EQ(join("", "b"), "b");
    EXPECT_EQ(join("a", ""), "a");
    EXPECT_EQ(join("/", "b"), "/b");
    EXPECT_EQ(join("a", "/b"), "/b");
    EXPECT_EQ(join("a", "../b"), "a/../b");
#ifdef _WIN32
    EXPECT_EQ(join("C:", "b"), "C:b");
    EXPECT_EQ(join("C:\\", "b"), "C:\\b");
    EXPECT_EQ(join("a", "C:\\b"), "C:\\b");
    EXPECT_EQ(join("\\\\server\\share", "b"), "\\\\server\\share/b");
#else
    EXPECT_EQ(join("a:", "b"), "a:/b");
#endif
}

} // namespace
} // namespace mullama::platform
