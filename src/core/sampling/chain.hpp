// A chain of stages: logits in, a token out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/sampling/candidates.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core {
class Model;
}

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
    // Adds a stage in front of the one at `index`.
    void insert(std::size_t index, std::string_view name);
    // The same with a stage that stands in no table. `kind` has no parameters.
    void insert(std::size_t index, std::shared_ptr<const StageKind> kind,
                std::unique_ptr<Stage> stage);
    // The first stage of that name, added where the table has it among the others if there is none.
    std::size_t ensure(std::string_view name);
    void remove(std::size_t stage);

    // Whose tokens these are; nullptr: nobody says.
    void set_model(std::shared_ptr<const Model> model);
    // The same if no model is set yet and a stage needs one. Throws where it has another.
    void adopt_model(const std::shared_ptr<const Model> &model);

    // Sets a parameter of a stage, whose state then starts afresh.
    void set(std::size_t stage, std::string_view parameter, std::int64_t value);
    void set(std::size_t stage, std::string_view parameter, double value);
    void set(std::size_t stage, std::string_view parameter, bool value);
    void set(std::size_t stage, std::string_view parameter, std::string text);
    void set(std::size_t stage, std::string_view parameter, std::vector<std::string> texts);
    void set(std::size_t stage, std::string_view parameter, std::vector<Bias> biases);

    // Sets the seed of every stage that has one; -1: one that nobody can foresee.
    void reseed(std::int64_t seed);
    // Whether a stage stands in no table: it runs code of the caller's.
    [[nodiscard]] bool has_custom_stage() const noexcept;

    // What a parameter is set to. Throws for one of another type.
    [[nodiscard]] double number(std::size_t stage, std::string_view parameter) const;
    // Also one of a list. It lives until the chain changes.
    [[nodiscard]] const std::string &text(std::size_t stage, std::string_view parameter,
                                          std::size_t index) const;
    [[nodiscard]] Bias bias(std::size_t stage, std::string_view parameter, std::size_t index) const;
    // The length of a list; 1 of anything else.
    [[nodiscard]] std::size_t value_count(std::size_t stage, std::string_view parameter) const;

    [[nodiscard]] std::size_t size() const noexcept { return stages_.size(); }
    // It lives as long as the stage; nullptr for an index outside the chain.
    [[nodiscard]] const char *stage_name(std::size_t stage) const noexcept;

    // Selects a token and accepts it.
    Token sample(std::span<const float> logits);
    // Runs the stages over candidates, of which there is at least one.
    void apply(Candidates &candidates);
    // Tells the stages of a token that they did not select.
    void accept(Token token);
    void accept_prompt(Token token);
    void reset();

private:
    using Value = std::variant<double, std::string, std::vector<std::string>, std::vector<Bias>>;

    struct Link {
        // Shared where it stands in no table.
        std::shared_ptr<const StageKind> kind;
        std::unique_ptr<Stage> stage;
        // Of the parameters, in the table's order.
        std::vector<Value> values;
    };

    // A parameter of a stage in the chain.
    struct Place {
        std::size_t stage;
        std::size_t parameter;
        const StageParameter *row;
    };

    [[nodiscard]] Link make_link(std::string_view name) const;
    [[nodiscard]] static Link default_link(const StageKind &kind);
    void insert_link(std::size_t index, Link link);
    void require_stage(std::size_t stage) const;

    [[nodiscard]] Place find(std::size_t stage, std::string_view parameter) const;
    [[nodiscard]] Place find(std::size_t stage, std::string_view parameter,
                             mullama_parameter_type_t type) const;
    template <class Number>
    void set_number(const Place &place, Number value);
    void store(const Place &place, Value value);

    std::vector<Link> stages_;
    std::shared_ptr<const Model> model_;
    Candidates candidates_;
};

} // namespace mullama::core::sampling
