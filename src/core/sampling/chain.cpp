#include "core/sampling/chain.hpp"

#include <cmath>
#include <sstream>
#include <string>

#include "base/error.hpp"
#include "core/sampling/stages.hpp"

namespace mullama::core::sampling {

using base::Error;

namespace {

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

// As short as it can be read: "0.95", "-1", "4294967295".
std::string number(double value) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text.precision(10);
    text << value;
    return text.str();
}

const char *type_name(mullama_parameter_type_t type) {
    switch (type) {
    case MULLAMA_PARAMETER_INT:
        return "a whole number";
    case MULLAMA_PARAMETER_FLOAT:
        return "a real number";
    case MULLAMA_PARAMETER_BOOL:
        return "true or false";
    }
    return "";
}

std::string parameter_names(const StageKind &kind) {
    std::string names;
    for (const StageParameter &row : kind.parameters) {
        names += names.empty() ? "" : ", ";
        names += row.name;
    }
    return names.empty() ? "no parameters" : names;
}

} // namespace

Chain Chain::usual() {
    Chain chain;
    for (const std::string_view name : default_chain()) {
        chain.add(name);
    }
    return chain;
}

Chain Chain::clone() const {
    Chain copy;
    copy.stages_.reserve(stages_.size());
    for (const Link &link : stages_) {
        copy.stages_.push_back({link.kind, link.stage->clone()});
    }
    return copy;
}

std::size_t Chain::add(std::string_view name) {
    const StageKind *kind = find_stage(name);
    if (kind == nullptr) {
        throw Error(MULLAMA_ERROR_NOT_FOUND,
                    "there is no sampler stage " + quoted(name) + "; there are: " + stage_names())
            .parameter("name")
            .expected(stage_names())
            .actual(name);
    }
    if (!stages_.empty() && stages_.back().kind->selects) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the chain ends with " + quoted(stages_.back().kind->name) +
                        ", which selects the token: nothing can follow it")
            .parameter("name")
            .actual(name);
    }
    stages_.push_back({kind, kind->make()});
    for (const StageParameter &row : kind->parameters) {
        stages_.back().stage->set(row.name, row.default_value);
    }
    stages_.back().stage->reset();
    return stages_.size() - 1;
}

const StageParameter &Chain::find(std::size_t stage, std::string_view parameter,
                                  mullama_parameter_type_t type) const {
    if (stage >= stages_.size()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the chain has no such stage")
            .parameter("stage")
            .expected(stages_.empty() ? "a chain with stages"
                                      : "0 to " + std::to_string(stages_.size() - 1))
            .actual(stage);
    }
    const StageKind &kind = *stages_[stage].kind;
    for (const StageParameter &row : kind.parameters) {
        if (parameter != row.name) {
            continue;
        }
        if (row.type != type) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "parameter " + quoted(parameter) +
                                                            " of stage " + quoted(kind.name) +
                                                            " is " + type_name(row.type))
                .parameter(parameter)
                .expected(type_name(row.type))
                .actual(type_name(type));
        }
        return row;
    }
    throw Error(MULLAMA_ERROR_NOT_FOUND, "stage " + quoted(kind.name) + " has no parameter " +
                                             quoted(parameter) +
                                             "; it has: " + parameter_names(kind))
        .parameter("parameter")
        .expected(parameter_names(kind))
        .actual(parameter);
}

template <class Value>
void Chain::set_number(std::size_t stage, const StageParameter &row, Value value) {
    const auto real = static_cast<double>(value);
    if (real < row.min_value || real > row.max_value) {
        std::string actual;
        if constexpr (std::is_integral_v<Value>) {
            actual = std::to_string(value);
        } else {
            actual = number(value);
        }
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "parameter " + quoted(row.name) + " of stage " +
                                                    quoted(stages_[stage].kind->name) +
                                                    " is out of range")
            .parameter(row.name)
            .expected(number(row.min_value) + " to " + number(row.max_value))
            .actual(actual);
    }
    store(stage, row, real);
}

void Chain::store(std::size_t stage, const StageParameter &row, double value) {
    stages_[stage].stage->set(row.name, value);
    stages_[stage].stage->reset();
}

void Chain::set(std::size_t stage, std::string_view parameter, std::int64_t value) {
    set_number(stage, find(stage, parameter, MULLAMA_PARAMETER_INT), value);
}

void Chain::set(std::size_t stage, std::string_view parameter, double value) {
    const StageParameter &row = find(stage, parameter, MULLAMA_PARAMETER_FLOAT);
    if (std::isnan(value)) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "parameter " + quoted(parameter) + " of stage " +
                        quoted(stages_[stage].kind->name) + " is not a number")
            .parameter(parameter)
            .expected(number(row.min_value) + " to " + number(row.max_value))
            .actual("not a number");
    }
    set_number(stage, row, value);
}

void Chain::set(std::size_t stage, std::string_view parameter, bool value) {
    store(stage, find(stage, parameter, MULLAMA_PARAMETER_BOOL), value ? 1 : 0);
}

const char *Chain::stage_name(std::size_t stage) const noexcept {
    return stage < stages_.size() ? stages_[stage].kind->name : nullptr;
}

Token Chain::sample(std::span<const float> logits) {
    candidates_.assign(logits);
    for (const Link &link : stages_) {
        link.stage->apply(candidates_);
    }
    const Token token = candidates_.token();
    accept(token);
    return token;
}

void Chain::accept(Token token) {
    for (const Link &link : stages_) {
        link.stage->accept(token);
    }
}

void Chain::reset() {
    for (const Link &link : stages_) {
        link.stage->reset();
    }
}

} // namespace mullama::core::sampling
