#include "core/sampling/presets.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "core/model.hpp"
#include "core/sampling/stages.hpp"

namespace mullama::core::sampling {

using base::Error;

namespace {

constexpr std::array table = {
    Preset{"precise", "For facts, code and extraction: little chance, no surprises.", false},
    Preset{"balanced", "The usual chain at its defaults: for conversation.", false},
    Preset{"creative",
           "For stories and ideas: a flatter distribution, and now and then not the obvious word.",
           false},
    Preset{"model", "What the model's file recommends (general.sampling.* in its metadata).", true},
};

// One parameter of a chain that is not at its default.
struct Setting {
    const char *stage;
    const char *parameter;
    double value;
};

constexpr std::array precise = {
    Setting{"top_p", "p", 0.9},
    Setting{"min_p", "p", 0.1},
    Setting{"temperature", "t", 0.2},
};

constexpr std::array creative = {
    Setting{"top_k", "k", 0},
    Setting{"top_p", "p", 1},
    Setting{"xtc", "probability", 0.5},
    Setting{"temperature", "t", 1.1},
};

// A key of a model's recommendation, and what it sets.
struct Recommendation {
    const char *key;
    const char *stage;
    const char *parameter;
};

constexpr const char *sequence_key = "general.sampling.sequence";
constexpr const char *mirostat_key = "general.sampling.mirostat";

constexpr std::array recommendations = {
    Recommendation{"general.sampling.top_k", "top_k", "k"},
    Recommendation{"general.sampling.top_p", "top_p", "p"},
    Recommendation{"general.sampling.min_p", "min_p", "p"},
    Recommendation{"general.sampling.xtc_probability", "xtc", "probability"},
    Recommendation{"general.sampling.xtc_threshold", "xtc", "threshold"},
    Recommendation{"general.sampling.temp", "temperature", "t"},
    Recommendation{"general.sampling.penalty_last_n", "penalties", "last_n"},
    Recommendation{"general.sampling.penalty_repeat", "penalties", "repeat"},
};

std::string preset_names() {
    std::string names;
    for (const Preset &preset : table) {
        names += names.empty() ? "" : ", ";
        names += preset.name;
    }
    return names;
}

void set(Chain &chain, std::size_t stage, const char *parameter, double value) {
    const std::span<const StageParameter> rows = find_stage(chain.stage_name(stage))->parameters;
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const StageParameter &candidate) {
        return std::string_view(candidate.name) == parameter;
    });
    if (row->type == MULLAMA_PARAMETER_INT) {
        chain.set(stage, parameter, static_cast<std::int64_t>(std::llround(value)));
    } else {
        chain.set(stage, parameter, value);
    }
}

Chain usual_with(std::span<const Setting> settings) {
    Chain chain = Chain::usual();
    for (const Setting &setting : settings) {
        set(chain, chain.ensure(setting.stage), setting.parameter, setting.value);
    }
    return chain;
}

// A stage's name as llama.cpp writes it into files: "top-k", "topk", "typ_p", "temp".
std::string our_name(std::string_view written) {
    std::string plain;
    for (const char c : written) {
        if (c != '_' && c != '-' && c != ' ') {
            plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    if (plain == "typp" || plain == "typ") {
        return "typical";
    }
    if (plain == "temp") {
        return "temperature";
    }
    if (plain == "nucleus") {
        return "top_p";
    }
    for (const StageKind &kind : stages()) {
        std::string name = kind.name;
        std::erase(name, '_');
        if (name == plain) {
            return kind.name;
        }
    }
    throw Error(MULLAMA_ERROR_BAD_MODEL, "the model's file recommends a sampling stage that there "
                                         "is not: there are " +
                                             stage_names())
        .parameter(sequence_key)
        .expected(stage_names())
        .actual(written);
}

// What a model's file says about sampling, taken into a chain.
class Reader {
public:
    explicit Reader(const Metadata &metadata) : metadata_(metadata) {}

    Chain read() {
        const double mirostat = read_mirostat();
        Chain chain = mirostat == 0 ? read_sequence() : Chain();
        if (mirostat == 0) {
            for (const Recommendation &row : recommendations) {
                take(row, chain);
            }
            // A file lists the stages before the last one.
            chain.ensure("dist");
        } else {
            // It wants the whole distribution: as in llama.cpp, only the temperature comes before.
            chain.add("temperature");
            take({"general.sampling.temp", "temperature", "t"}, chain);
            const char *const name = mirostat == 1 ? "mirostat" : "mirostat_v2";
            chain.add(name);
            take({"general.sampling.mirostat_tau", name, "tau"}, chain);
            take({"general.sampling.mirostat_eta", name, "eta"}, chain);
        }
        if (!found_) {
            throw Error(MULLAMA_ERROR_NOT_FOUND,
                        "the model's file recommends no sampling: it has no general.sampling.* "
                        "keys; choose another preset")
                .parameter("model");
        }
        return chain;
    }

private:
    const gguf::Value *find(const char *key) {
        const std::optional<std::size_t> index = metadata_.find(key);
        if (!index) {
            return nullptr;
        }
        found_ = true;
        return &metadata_.at(*index).value;
    }

    std::optional<double> number(const char *key) {
        const gguf::Value *value = find(key);
        if (value == nullptr) {
            return std::nullopt;
        }
        if (value->is_array() || !(value->is_integer() || value->is_float())) {
            throw Error(MULLAMA_ERROR_BAD_MODEL, "the model's file recommends a value for sampling "
                                                 "that is not a number")
                .parameter(key)
                .expected("a number")
                .actual(value->description());
        }
        return value->as_float();
    }

    Chain read_sequence() {
        const gguf::Value *value = find(sequence_key);
        if (value == nullptr) {
            return Chain::usual();
        }
        if (value->is_array() || value->type() != gguf::ValueType::string) {
            throw Error(MULLAMA_ERROR_BAD_MODEL, "the stages of sampling that the model's file "
                                                 "recommends are not a text")
                .parameter(sequence_key)
                .expected("names separated by ';'")
                .actual(value->description());
        }
        Chain chain;
        std::string_view rest = value->as_string();
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find(';'), rest.size());
            const std::string_view name = rest.substr(0, end);
            if (!name.empty()) {
                chain.add(our_name(name));
            }
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return chain;
    }

    double read_mirostat() {
        const double version = number(mirostat_key).value_or(0);
        if (version != 0 && version != 1 && version != 2) {
            throw Error(MULLAMA_ERROR_BAD_MODEL,
                        "the model's file recommends a version of Mirostat that there is not")
                .parameter(mirostat_key)
                .expected("0, 1 or 2")
                .actual(version);
        }
        return version;
    }

    void take(const Recommendation &row, Chain &chain) {
        const std::optional<double> value = number(row.key);
        if (!value) {
            return;
        }
        try {
            set(chain, chain.ensure(row.stage), row.parameter, *value);
        } catch (const Error &error) {
            throw Error(MULLAMA_ERROR_BAD_MODEL,
                        std::string("the model's file recommends a value for sampling that makes "
                                    "no sense: ") +
                            row.key)
                .parameter(row.key)
                .expected(error.parts().expected)
                .actual(error.parts().actual);
        }
    }

    const Metadata &metadata_;
    bool found_ = false;
};

} // namespace

std::span<const Preset> presets() noexcept {
    return table;
}

Chain preset_chain(std::string_view name, const std::shared_ptr<const Model> &model) {
    if (name == "precise") {
        return usual_with(precise);
    }
    if (name == "balanced") {
        return Chain::usual();
    }
    if (name == "creative") {
        return usual_with(creative);
    }
    if (name != "model") {
        throw Error(MULLAMA_ERROR_NOT_FOUND, "there is no sampling preset \"" + std::string(name) +
                                                 "\"; there are: " + preset_names())
            .parameter("name")
            .expected(preset_names())
            .actual(name);
    }
    if (model == nullptr) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "the preset \"model\" follows a model's recommendation: say which model")
            .parameter("model")
            .expected("a model")
            .actual("NULL");
    }
    Chain chain = Reader(model->metadata()).read();
    chain.set_model(model);
    return chain;
}

} // namespace mullama::core::sampling
