#include "core/sampling/mirostat_control.hpp"

#include <cmath>

#include "core/sampling/random.hpp"
#include "core/sampling/softmax.hpp"

namespace mullama::core::sampling {

void MirostatControl::set(std::string_view parameter, double value) {
    if (parameter == "tau") {
        tau_ = static_cast<float>(value);
    } else if (parameter == "eta") {
        eta_ = static_cast<float>(value);
    } else {
        seed_ = static_cast<std::int64_t>(value);
    }
}

void MirostatControl::reset() {
    mu_ = 2 * tau_;
    seed_engine(engine_, seed_);
}

void MirostatControl::select(Candidates &candidates) {
    softmax(candidates);
    const std::size_t place = draw_place(candidates.anonymous_list(), engine_);
    candidates.select(place);
    mu_ -= eta_ * (-std::log2(candidates.anonymous_list()[place].p) - tau_);
}

} // namespace mullama::core::sampling
