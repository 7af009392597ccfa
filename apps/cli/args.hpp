// Arguments that several commands share.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/numbers.hpp"
#include "client/client.hpp"

namespace mullama::cli {

// Which model, and how it is loaded.
struct ModelArguments {
    std::string path;
    client::ModelSettings settings;
    mullama_log_level_t log_level = MULLAMA_LOG_NONE;
    // PATH[=SCALE], as typed.
    std::vector<std::string> loras;
    std::vector<std::string> control_vectors;
    std::optional<client::LayerRange> control_vector_layers;
};

// PATH.
void add_model_path(CLI::App &app, ModelArguments &arguments);
// What every command that opens a model understands.
void add_engine_options(CLI::App &app, ModelArguments &arguments);
// The same, and where and how weights are kept.
void add_model_options(CLI::App &app, ModelArguments &arguments);
// What is applied to the model.
void add_adapter_options(CLI::App &app, ModelArguments &arguments);
[[nodiscard]] std::vector<client::AdapterSettings> adapters_of(const ModelArguments &arguments);
// How large a context is and how it computes; `threads`: with -t as well.
void add_context_options(CLI::App &app, client::ContextSettings &settings, bool threads = true);
// How the embeddings of a text's tokens become one.
void add_pooling_option(CLI::App &app, client::ContextSettings &settings);
// One flag for each setting in the table of sampling stages, made from the table.
void add_sampling_options(CLI::App &app, const std::vector<client::SamplingStage> &table,
                          const std::vector<client::SamplingPreset> &presets,
                          client::Sampling &sampling);
void add_json_flag(CLI::App &app, bool &json, const std::string &description);

// An option with one value; given twice, the last one counts. `take` gets the text.
CLI::Option *add_value(CLI::App &app, const std::string &flags, const std::string &value_name,
                       const std::function<void(const std::string &)> &take,
                       const std::string &description);
// An option that can be given several times, with one value each, taken as it is.
CLI::Option *add_repeatable(CLI::App &app, const std::string &flags, const std::string &value_name,
                            std::vector<std::string> &out, const std::string &description);

// "--ctx-size" of "-c,--ctx-size".
[[nodiscard]] std::string long_flag(const std::string &flags);

template <class Integer>
CLI::Option *add_integer(CLI::App &app, const std::string &flags, std::optional<Integer> &out,
                         const std::string &description) {
    return add_value(
        app, flags, "N",
        [&out, flag = long_flag(flags)](const std::string &text) {
            out = parse_integer<Integer>(flag, text);
        },
        description);
}

// An engine that reads no files takes no PATH; then the first argument is what comes after PATH,
// and is handed over here. Throws UsageError where a PATH is needed and missing.
[[nodiscard]] std::optional<std::string> take_argument_for_path(ModelArguments &arguments);

// The flag that sets a parameter of the contract: "--ctx-size" for "n_ctx"; the parameter's own
// name where no flag does; nothing for an object that the program made.
[[nodiscard]] std::string flag_of(const std::string &parameter);

} // namespace mullama::cli
