#include <cmath>
#include <locale>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "core/sampling/chain.hpp"

namespace mullama::core::sampling {

using base::Error;

namespace {

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

// As short as it can be read: "0.95", "-1", "4294967295".
std::string shown(double value) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text.precision(10);
    text << value;
    return text.str();
}

std::string range(const StageParameter &row) {
    return shown(row.min_value) + " to " + shown(row.max_value);
}

const char *type_name(mullama_parameter_type_t type) {
    switch (type) {
    case MULLAMA_PARAMETER_INT:
        return "a whole number";
    case MULLAMA_PARAMETER_FLOAT:
        return "a real number";
    case MULLAMA_PARAMETER_BOOL:
        return "true or false";
    case MULLAMA_PARAMETER_TEXT:
        return "a text";
    case MULLAMA_PARAMETER_TEXTS:
        return "a list of texts";
    case MULLAMA_PARAMETER_BIASES:
        return "a list of tokens with a number for each";
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

Error other_type(const StageKind &kind, const StageParameter &row, const char *asked) {
    return Error(MULLAMA_ERROR_INVALID_ARGUMENT, "parameter " + quoted(row.name) + " of stage " +
                                                     quoted(kind.name) + " is " +
                                                     type_name(row.type))
        .parameter(row.name)
        .expected(type_name(row.type))
        .actual(asked);
}

Error beyond(const StageKind &kind, const StageParameter &row, std::string_view what) {
    return Error(MULLAMA_ERROR_OUT_OF_RANGE, std::string(what) + " of parameter " +
                                                 quoted(row.name) + " of stage " +
                                                 quoted(kind.name) + " is out of range")
        .parameter(row.name);
}

// A text of that many bytes is what the table allows.
void require_size(const StageKind &kind, const StageParameter &row, std::size_t size) {
    if (static_cast<double>(size) > row.max_value) {
        throw beyond(kind, row, "the length")
            .expected("at most " + shown(row.max_value) + " bytes")
            .actual(size);
    }
}

void require_index(std::size_t size, std::size_t index, const StageParameter &row) {
    if (index >= size) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "parameter " + quoted(row.name) + " does not have that many values")
            .parameter("index")
            .expected(size == 0 ? "an empty list has none" : "0 to " + std::to_string(size - 1))
            .actual(index);
    }
}

} // namespace

Chain::Place Chain::find(std::size_t stage, std::string_view parameter) const {
    require_stage(stage);
    const StageKind &kind = *stages_[stage].kind;
    for (std::size_t i = 0; i < kind.parameters.size(); ++i) {
        if (parameter == kind.parameters[i].name) {
            return {stage, i, &kind.parameters[i]};
        }
    }
    throw Error(MULLAMA_ERROR_NOT_FOUND, "stage " + quoted(kind.name) + " has no parameter " +
                                             quoted(parameter) +
                                             "; it has: " + parameter_names(kind))
        .parameter("parameter")
        .expected(parameter_names(kind))
        .actual(parameter);
}

Chain::Place Chain::find(std::size_t stage, std::string_view parameter,
                         mullama_parameter_type_t type) const {
    const Place place = find(stage, parameter);
    if (place.row->type != type) {
        throw other_type(*stages_[stage].kind, *place.row, type_name(type));
    }
    return place;
}

void Chain::store(const Place &place, Value value) {
    Link &link = stages_[place.stage];
    const char *const name = place.row->name;
    if (const auto *number = std::get_if<double>(&value)) {
        link.stage->set(name, *number);
    } else if (const auto *text = std::get_if<std::string>(&value)) {
        link.stage->set_text(name, *text);
    } else if (const auto *texts = std::get_if<std::vector<std::string>>(&value)) {
        link.stage->set_texts(name, *texts);
    } else {
        link.stage->set_biases(name, std::get<std::vector<Bias>>(value));
    }
    link.values[place.parameter] = std::move(value);
    link.stage->reset();
}

template <class Number>
void Chain::set_number(const Place &place, Number value) {
    const auto real = static_cast<double>(value);
    const StageParameter &row = *place.row;
    if (real < row.min_value || real > row.max_value) {
        std::string actual;
        if constexpr (std::is_integral_v<Number>) {
            actual = std::to_string(value);
        } else {
            actual = shown(value);
        }
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "parameter " + quoted(row.name) + " of stage " +
                                                    quoted(stages_[place.stage].kind->name) +
                                                    " is out of range")
            .parameter(row.name)
            .expected(range(row))
            .actual(actual);
    }
    store(place, real);
}

void Chain::set(std::size_t stage, std::string_view parameter, std::int64_t value) {
    set_number(find(stage, parameter, MULLAMA_PARAMETER_INT), value);
}

void Chain::set(std::size_t stage, std::string_view parameter, double value) {
    const Place place = find(stage, parameter, MULLAMA_PARAMETER_FLOAT);
    if (std::isnan(value)) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "parameter " + quoted(parameter) + " of stage " +
                        quoted(stages_[stage].kind->name) + " is not a number")
            .parameter(parameter)
            .expected(range(*place.row))
            .actual("not a number");
    }
    set_number(place, value);
}

void Chain::set(std::size_t stage, std::string_view parameter, bool value) {
    store(find(stage, parameter, MULLAMA_PARAMETER_BOOL), value ? 1.0 : 0.0);
}

void Chain::set(std::size_t stage, std::string_view parameter, std::string text) {
    const Place place = find(stage, parameter, MULLAMA_PARAMETER_TEXT);
    require_size(*stages_[stage].kind, *place.row, text.size());
    store(place, std::move(text));
}

void Chain::set(std::size_t stage, std::string_view parameter, std::vector<std::string> texts) {
    const Place place = find(stage, parameter, MULLAMA_PARAMETER_TEXTS);
    for (const std::string &text : texts) {
        require_size(*stages_[stage].kind, *place.row, text.size());
    }
    store(place, std::move(texts));
}

void Chain::set(std::size_t stage, std::string_view parameter, std::vector<Bias> biases) {
    const Place place = find(stage, parameter, MULLAMA_PARAMETER_BIASES);
    const StageKind &kind = *stages_[stage].kind;
    for (std::size_t i = 0; i < biases.size(); ++i) {
        const auto offset = static_cast<std::int64_t>(i);
        if (biases[i].token < 0) {
            throw beyond(kind, *place.row, "a token")
                .expected("at least 0")
                .actual(biases[i].token)
                .offset(offset);
        }
        if (std::isnan(biases[i].value)) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                        "a bias of parameter " + quoted(place.row->name) + " is not a number")
                .parameter(place.row->name)
                .expected(range(*place.row))
                .actual("not a number")
                .offset(offset);
        }
        if (biases[i].value < place.row->min_value || biases[i].value > place.row->max_value) {
            throw beyond(kind, *place.row, "a bias")
                .expected(range(*place.row))
                .actual(shown(biases[i].value))
                .offset(offset);
        }
    }
    store(place, std::move(biases));
}

double Chain::number(std::size_t stage, std::string_view parameter) const {
    const Place place = find(stage, parameter);
    const auto *value = std::get_if<double>(&stages_[stage].values[place.parameter]);
    if (value == nullptr) {
        throw other_type(*stages_[stage].kind, *place.row, "a number");
    }
    return *value;
}

const std::string &Chain::text(std::size_t stage, std::string_view parameter,
                               std::size_t index) const {
    const Place place = find(stage, parameter);
    const Value &value = stages_[stage].values[place.parameter];
    if (const auto *text = std::get_if<std::string>(&value)) {
        require_index(1, index, *place.row);
        return *text;
    }
    if (const auto *texts = std::get_if<std::vector<std::string>>(&value)) {
        require_index(texts->size(), index, *place.row);
        return (*texts)[index];
    }
    throw other_type(*stages_[stage].kind, *place.row, type_name(MULLAMA_PARAMETER_TEXT));
}

Bias Chain::bias(std::size_t stage, std::string_view parameter, std::size_t index) const {
    const Place place = find(stage, parameter, MULLAMA_PARAMETER_BIASES);
    const auto &list = std::get<std::vector<Bias>>(stages_[stage].values[place.parameter]);
    require_index(list.size(), index, *place.row);
    return list[index];
}

std::size_t Chain::value_count(std::size_t stage, std::string_view parameter) const {
    const Place place = find(stage, parameter);
    const Value &value = stages_[stage].values[place.parameter];
    if (const auto *texts = std::get_if<std::vector<std::string>>(&value)) {
        return texts->size();
    }
    if (const auto *biases = std::get_if<std::vector<Bias>>(&value)) {
        return biases->size();
    }
    return 1;
}

} // namespace mullama::core::sampling
