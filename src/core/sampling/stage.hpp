// One stage of a chain: it narrows or reshapes the candidates, or selects one.
//
// A stage is one source file beside this one and one row of the table in stages.cpp.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "core/sampling/candidates.hpp"
#include "mullama/sampler.h"

namespace mullama::core::sampling {

// Thread safety: one thread at a time.
class Stage {
public:
    Stage() = default;
    Stage &operator=(const Stage &) = delete;
    virtual ~Stage() = default;

    // Sets a parameter of the table, to a value that the table allows. Whole numbers and truth
    // values come as doubles, exactly. The caller resets the stage afterwards.
    virtual void set(std::string_view parameter, double value) = 0;

    // There is at least one candidate, and one is left.
    virtual void apply(Candidates &candidates) = 0;
    // A token was selected, or belongs to the prompt.
    virtual void accept(Token /*token*/) {}
    // Back to the beginning, parameters kept.
    virtual void reset() {}
    // A copy with all state.
    [[nodiscard]] virtual std::unique_ptr<Stage> clone() const = 0;

protected:
    Stage(const Stage &) = default;
};

// A parameter of a stage. Text is static and NUL-terminated.
struct StageParameter {
    const char *name;
    const char *description;
    mullama_parameter_type_t type;
    double default_value;
    double min_value;
    double max_value;
    // Its name in a flat list of settings.
    const char *setting;
};

// A row of the table. Text is static and NUL-terminated.
struct StageKind {
    const char *name;
    const char *description;
    std::span<const StageParameter> parameters;
    bool selects;
    std::unique_ptr<Stage> (*make)();
};

} // namespace mullama::core::sampling
