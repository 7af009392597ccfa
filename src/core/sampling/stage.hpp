// One stage of a chain: it narrows or reshapes the candidates, or selects one.
//
// A stage is one source file beside this one and one row of the table in stages.cpp.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/sampling/candidates.hpp"
#include "mullama/sampler.h"

namespace mullama::core {
class Vocab;
}

namespace mullama::core::sampling {

// What is added to the logit of one token.
struct Bias {
    Token token;
    float value;
};

// Thread safety: one thread at a time.
class Stage {
public:
    Stage() = default;
    Stage &operator=(const Stage &) = delete;
    virtual ~Stage() = default;

    // Each sets a parameter of the table, to a value that the table allows. Whole numbers and truth
    // values come as doubles, exactly. The caller resets the stage afterwards. One that throws has
    // changed nothing. A stage overrides those that its row has parameters for.
    virtual void set(std::string_view /*parameter*/, double /*value*/) {}
    virtual void set_text(std::string_view /*parameter*/, const std::string & /*text*/) {}
    virtual void set_texts(std::string_view /*parameter*/, std::span<const std::string> /*texts*/) {
    }
    virtual void set_biases(std::string_view /*parameter*/, std::span<const Bias> /*biases*/) {}
    // The vocabulary of the tokens to come, which outlives the stage or the next call; nullptr:
    // unknown. For stages whose row says that they need a model. The caller resets the stage
    // afterwards.
    virtual void bind(const Vocab * /*vocab*/) {}

    // There is at least one candidate, and one is left.
    virtual void apply(Candidates &candidates) = 0;
    // Throws where a token that is to be accepted cannot come next.
    virtual void check(Token /*token*/) const {}
    // A token was generated.
    virtual void accept(Token /*token*/) {}
    // A token of the prompt.
    virtual void accept_prompt(Token /*token*/) {}
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
    // Of numbers and truth values; texts and lists begin empty, or with default_texts.
    double default_value;
    double min_value;
    double max_value;
    // Its name in a flat list of settings.
    const char *setting;
    std::span<const char *const> default_texts = {};
};

// A row of the table. Text is static and NUL-terminated.
struct StageKind {
    const char *name;
    const char *description;
    std::span<const StageParameter> parameters;
    bool selects;
    std::unique_ptr<Stage> (*make)();
    // Works on a vocabulary: bind() comes before apply().
    bool needs_model = false;
};

} // namespace mullama::core::sampling
