// A chain of stages: logits in, a token out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/sampling/candidates.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

// Thread safety: one thread at a time.
class Chain {
public:
    Chain() = default;
    // The usual stages, at their defaults.
    [[nodiscard]] static Chain usual();

    Chain(const Chain &) = delete;
    Chain &operator=(const Chain &) = delete;
    Chain(Chain &&) = default;
    Chain &operator=(Chain &&) = default;
    ~Chain() = default;

    // A copy with all state.
    [[nodiscard]] Chain clone() const;

    // Adds a stage at the end and returns its index.
    std::size_t add(std::string_view name);

    // Sets a parameter of a stage, whose state then starts afresh.
    void set(std::size_t stage, std::string_view parameter, std::int64_t value);
    void set(std::size_t stage, std::string_view parameter, double value);
    void set(std::size_t stage, std::string_view parameter, bool value);

    [[nodiscard]] std::size_t size() const noexcept { return stages_.size(); }
    // Static; nullptr for an index outside the chain.
    [[nodiscard]] const char *stage_name(std::size_t stage) const noexcept;

    // Selects a token and accepts it.
    Token sample(std::span<const float> logits);
    // Tells the stages of a token that they did not select.
    void accept(Token token);
    void reset();

private:
    struct Link {
        const StageKind *kind;
        std::unique_ptr<Stage> stage;
    };

    // The parameter's row, and the stage it belongs to.
    const StageParameter &find(std::size_t stage, std::string_view parameter,
                               mullama_parameter_type_t type) const;
    template <class Value>
    void set_number(std::size_t stage, const StageParameter &row, Value value);
    void store(std::size_t stage, const StageParameter &row, double value);

    std::vector<Link> stages_;
    Candidates candidates_;
};

} // namespace mullama::core::sampling
