#include "cli/args.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "client/names.hpp"

namespace mullama::cli {
namespace {

constexpr const char *loading_group = "Loading";
constexpr const char *adapter_group = "Adapters";
constexpr const char *context_group = "Context";
constexpr const char *sampling_group = "Sampling";

// Where the contract's name and the flag's are not the same but for '_' and '-'.
constexpr auto flag_names = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"path", "PATH"},
    {"prompt", "PROMPT"},
    {"text", "TEXT"},
    {"tokens", "IDS"},
    {"backend", "--backend"},
    {"n_gpu_layers", "--gpu-layers"},
    {"split_mode", "--split-mode"},
    {"main_gpu", "--main-gpu"},
    {"tensor_split", "--tensor-split"},
    {"devices", "--devices"},
    {"load_mode", "--load-mode"},
    {"state_load", "--state-load"},
    {"state_save", "--state-save"},
    {"metadata_overrides", "--override-kv"},
    {"n_ctx", "--ctx-size"},
    {"n_batch", "--batch-size"},
    {"n_ubatch", "--ubatch-size"},
    {"n_threads", "--threads"},
    {"n_threads_batch", "--threads-batch"},
    {"flash_attention", "--flash-attention"},
    {"type_k", "--cache-type-k"},
    {"type_v", "--cache-type-v"},
    {"top_logprobs", "--logprobs"},
    {"max_tokens", "--max-tokens"},
    {"stages", "--samplers"},
    {"pooling", "--pooling"},
    {"window", "--ctx-size"},
    {"stride", "--stride"},
    {"max_windows", "--chunks"},
    {"query", "--query"},
    {"file", "--file"},
    {"preset", "--preset"},
    {"grammar", "--grammar"},
    {"root", "--grammar-root"},
    {"grammar_root", "--grammar-root"},
    {"trigger_words", "--grammar-triggers"},
    {"grammar_triggers", "--grammar-triggers"},
    {"logit_bias", "--logit-bias"},
    {"dry_sequence_breakers", "--dry-sequence-breakers"},
    {"layer_first", "--control-vector-layer-range"},
    {"layer_last", "--control-vector-layer-range"},
    // What the program made, and nobody typed.
    {"model", ""},
    {"context", ""},
    {"sampler", ""},
    {"adapter", ""},
});

// The words of a table, as in "auto|read|mmap".
template <class Names>
std::string words_of(const Names &names) {
    std::string result;
    for (const auto &[name, value] : names) {
        result += result.empty() ? "" : "|";
        result += name;
    }
    return result;
}

// An option whose value is one of a table's words.
template <class Names, class Out>
void add_choice(CLI::App &app, const std::string &flag, const Names &names, Out &out,
                const std::string &description, const char *group) {
    const std::string words = words_of(names);
    add_value(
        app, flag, words,
        [&names, &out, flag, words](const std::string &text) {
            for (const auto &[name, value] : names) {
                if (name == text) {
                    out = value;
                    return;
                }
            }
            throw UsageError(flag + " must be one of " + words + ", not '" + text + "'");
        },
        description)
        ->group(group);
}

std::string flag_of_setting(const std::string &setting) {
    std::string flag = "--" + setting;
    std::replace(flag.begin(), flag.end(), '_', '-');
    return flag;
}

std::string format_limit(const client::SamplingParameter &parameter, double limit) {
    if (parameter.type == MULLAMA_PARAMETER_INT) {
        return std::to_string(static_cast<std::int64_t>(limit));
    }
    std::array<char, 64> buffer{};
    const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), limit,
                                      std::chars_format::general, 6);
    return {buffer.data(), result.ptr};
}

// "between 0 and 1", "at least -1".
std::string format_range(const client::SamplingParameter &parameter) {
    const std::string least = format_limit(parameter, parameter.min_value);
    if (parameter.max_value >= std::numeric_limits<std::int32_t>::max()) {
        return "at least " + least;
    }
    return "between " + least + " and " + format_limit(parameter, parameter.max_value);
}

client::SettingValue parse_setting(const std::string &flag,
                                   const client::SamplingParameter &parameter,
                                   const std::string &text) {
    const bool whole = parameter.type == MULLAMA_PARAMETER_INT;
    const auto integer = whole ? parse_integer<std::int64_t>(flag, text) : 0;
    const double number = whole ? static_cast<double>(integer) : parse_real(flag, text);
    if (number < parameter.min_value || number > parameter.max_value) {
        throw UsageError(flag + " must be " + format_range(parameter) + ", not " + text);
    }
    return whole ? client::SettingValue(integer) : client::SettingValue(number);
}

// All of a file, as it is.
std::string read_file(const std::string &flag, const std::string &path) {
    std::ifstream file(std::filesystem::path(std::u8string(path.begin(), path.end())),
                       std::ios::binary);
    std::string text;
    std::array<char, 65536> buffer{};
    while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (!file.is_open() || file.bad()) {
        throw UsageError(flag + " names a file that cannot be read: '" + path + "'");
    }
    if (text.empty()) {
        throw UsageError(flag + " names an empty file: '" + path + "'");
    }
    return text;
}

void replace_setting(client::Sampling &sampling, const std::string &name,
                     const client::SettingValue &value) {
    std::erase_if(sampling.settings, [&](const auto &setting) { return setting.first == name; });
    sampling.settings.emplace_back(name, value);
}

// "15043=-2.5"; several at once separated by commas.
void parse_biases(const std::string &flag, const std::string &text, client::LogitBiases &biases) {
    for (const std::string_view entry : split_list(text)) {
        const std::size_t equals = entry.find('=');
        if (equals == entry.npos) {
            throw UsageError(flag + " takes ID=BIAS, not '" + std::string(entry) + "'");
        }
        const auto token = parse_integer<std::int32_t>(flag, std::string(entry.substr(0, equals)));
        const std::string number(entry.substr(equals + 1));
        float bias = -std::numeric_limits<float>::infinity();
        if (number != "-inf") {
            bias = static_cast<float>(parse_real(flag, number));
        }
        biases.emplace_back(token, bias);
    }
}

// A flag that takes a list, one element or more each time.
void add_list_setting(CLI::App &app, const std::string &flag, const std::string &description,
                      const client::SamplingParameter &parameter, client::Sampling &sampling) {
    const bool biases = parameter.type == MULLAMA_PARAMETER_BIASES;
    app.add_option_function<std::vector<std::string>>(
           flag,
           [&sampling, flag, biases,
            name = parameter.setting](const std::vector<std::string> &all) {
               if (!biases) {
                   replace_setting(sampling, name, all);
                   return;
               }
               client::LogitBiases list;
               for (const std::string &text : all) {
                   parse_biases(flag, text, list);
               }
               replace_setting(sampling, name, std::move(list));
           },
           description + " (can be repeated)")
        ->type_name(biases ? "ID=BIAS" : "TEXT")
        ->allow_extra_args(false)
        ->group(sampling_group);
}

void add_setting(CLI::App &app, const client::SamplingParameter &parameter,
                 client::Sampling &sampling) {
    const std::string flag = flag_of_setting(parameter.setting);
    std::string description = parameter.description;
    if (!description.empty() && description.back() == '.') {
        description.pop_back();
    }
    if (parameter.type == MULLAMA_PARAMETER_TEXT) {
        add_value(
            app, flag, "TEXT",
            [&sampling, name = parameter.setting](const std::string &text) {
                replace_setting(sampling, name, text);
            },
            description)
            ->group(sampling_group);
        return;
    }
    if (parameter.type == MULLAMA_PARAMETER_TEXTS || parameter.type == MULLAMA_PARAMETER_BIASES) {
        add_list_setting(app, flag, description, parameter, sampling);
        return;
    }
    if (parameter.type == MULLAMA_PARAMETER_BOOL) {
        description += parameter.default_value != 0 ? " (default: on)" : " (default: off)";
        app.add_flag_function(
               flag + ",!--no-" + flag.substr(2),
               [&sampling, name = parameter.setting](std::int64_t count) {
                   replace_setting(sampling, name, count > 0);
               },
               description)
            ->group(sampling_group);
        return;
    }
    description += " (" + format_range(parameter) +
                   "; default: " + format_limit(parameter, parameter.default_value) + ")";
    add_value(
        app, flag, parameter.type == MULLAMA_PARAMETER_INT ? "N" : "X",
        [&sampling, flag, parameter](const std::string &text) {
            replace_setting(sampling, parameter.setting, parse_setting(flag, parameter, text));
        },
        description)
        ->group(sampling_group);
}

// "adapter.gguf=0.5"; a name may have a '=' of its own, with no number behind it.
client::AdapterSettings parse_adapter(const char *flag, mullama_adapter_kind_t kind,
                                      const std::string &text) {
    client::AdapterSettings settings{.path = text, .kind = kind, .scale = 1.0F, .layers = {}};
    if (const std::size_t equals = text.rfind('='); equals != std::string::npos) {
        const char *const end = text.data() + text.size();
        const auto result = std::from_chars(text.data() + equals + 1, end, settings.scale);
        if (result.ec == std::errc::result_out_of_range ||
            (result.ptr == end && !std::isfinite(settings.scale))) {
            throw UsageError(std::string(flag) + " takes a finite scale, not '" +
                             text.substr(equals + 1) + "'");
        }
        if (result.ec == std::errc() && result.ptr == end) {
            settings.path.resize(equals);
        } else {
            settings.scale = 1.0F;
        }
    }
    if (settings.path.empty()) {
        throw UsageError(std::string(flag) + " needs a path: PATH or PATH=SCALE");
    }
    return settings;
}

// "1,8": the layers from 1 to 8.
client::LayerRange parse_layer_range(const std::string &flag, const std::string &text) {
    const std::vector<std::string_view> parts = split_list(text);
    if (parts.size() != 2) {
        throw UsageError(flag + " takes FIRST,LAST, not '" + text + "'");
    }
    const client::LayerRange range{parse_integer<std::int32_t>(flag, std::string(parts[0])),
                                   parse_integer<std::int32_t>(flag, std::string(parts[1]))};
    if (range.first < 1 || range.last < range.first) {
        throw UsageError(flag + " takes layers from 1 on, the first before the last, not '" + text +
                         "'");
    }
    return range;
}

} // namespace

std::string long_flag(const std::string &flags) {
    const std::size_t begin = flags.find("--");
    return begin == flags.npos ? flags : flags.substr(begin, flags.find(',', begin) - begin);
}

CLI::Option *add_value(CLI::App &app, const std::string &flags, const std::string &value_name,
                       const std::function<void(const std::string &)> &take,
                       const std::string &description) {
    return app.add_option_function<std::string>(flags, take, description)
        ->type_name(value_name)
        ->take_last();
}

CLI::Option *add_repeatable(CLI::App &app, const std::string &flags, const std::string &value_name,
                            std::vector<std::string> &out, const std::string &description) {
    // Without this CLI11 would take every argument that follows, and "[a,b]" for a list.
    return app.add_option(flags, out, description)->type_name(value_name)->allow_extra_args(false);
}

void add_model_path(CLI::App &app, ModelArguments &arguments) {
    app.add_option("PATH", arguments.path,
                   "The model: a GGUF file, or the first part of one that is split");
}

void add_engine_options(CLI::App &app, ModelArguments &arguments) {
    add_value(
        app, "--backend", "NAME",
        [&arguments](const std::string &name) { arguments.settings.backend = name; },
        "The engine: llama (default), or echo, which needs no model and no PATH, for tests")
        ->group(loading_group);
    add_repeatable(app, "--override-kv", "KEY=TYPE:VALUE", arguments.settings.metadata_overrides,
                   "Change metadata before the model is built; TYPE is int, float, bool or str; "
                   "can be repeated")
        ->group(loading_group);
    add_choice(app, "--log-level", client::log_levels, arguments.log_level,
               "Show what the engine says, on standard error (default: none)", loading_group);
}

void add_model_options(CLI::App &app, ModelArguments &arguments) {
    add_engine_options(app, arguments);
    client::ModelSettings &settings = arguments.settings;
    add_integer(app, "--gpu-layers,--ngl", settings.n_gpu_layers,
                "Layers to keep in the memory of GPUs; -1: all (default)")
        ->group(loading_group);
    add_value(
        app, "--devices", "NAMES",
        [&settings](const std::string &text) {
            settings.devices.emplace();
            if (text != "none") {
                for (const std::string_view name : split_list(text)) {
                    settings.devices->emplace_back(name);
                }
            }
        },
        "Devices to use, separated by commas, as `mullama devices` names them; none: only the CPU "
        "(default: all)")
        ->group(loading_group);
    add_choice(app, "--split-mode", client::split_modes, settings.split_mode,
               "How to spread over several GPUs (default: layer)", loading_group);
    add_value(
        app, "--tensor-split", "X,Y,...",
        [&settings](const std::string &text) {
            settings.tensor_split = parse_shares("--tensor-split", text);
        },
        "Each GPU's share of the model (default: by free memory)")
        ->group(loading_group);
    add_integer(app, "--main-gpu", settings.main_gpu,
                "The GPU for --split-mode none, counted from 0 among the devices in use")
        ->group(loading_group);
    add_choice(app, "--load-mode", client::load_modes, settings.load_mode,
               "How weights come from the disk (default: auto)", loading_group);
    app.add_flag_callback(
           "--no-repack", [&settings] { settings.repack = false; },
           "Keep weights in the layout of the file, rather than in one that suits this CPU")
        ->group(loading_group);
    app.add_flag_callback(
           "--check-tensors", [&settings] { settings.check_tensors = true; },
           "Look at every weight for values that are not numbers; slow")
        ->group(loading_group);
}

void add_adapter_options(CLI::App &app, ModelArguments &arguments) {
    add_repeatable(app, "--lora", "PATH[=SCALE]", arguments.loras,
                   "Apply a LoRA, this strongly (default: 1); can be repeated")
        ->group(adapter_group);
    add_repeatable(app, "--control-vector", "PATH[=SCALE]", arguments.control_vectors,
                   "Apply a control vector, this strongly (default: 1); can be repeated")
        ->group(adapter_group);
    add_value(
        app, "--control-vector-layer-range", "FIRST,LAST",
        [&arguments](const std::string &text) {
            arguments.control_vector_layers =
                parse_layer_range("--control-vector-layer-range", text);
        },
        "The layers that control vectors change, counted from 0; the first, 0, cannot be changed "
        "(default: all that they have directions for)")
        ->group(adapter_group);
}

std::vector<client::AdapterSettings> adapters_of(const ModelArguments &arguments) {
    std::vector<client::AdapterSettings> adapters;
    adapters.reserve(arguments.loras.size() + arguments.control_vectors.size());
    for (const std::string &text : arguments.loras) {
        adapters.push_back(parse_adapter("--lora", MULLAMA_ADAPTER_LORA, text));
    }
    for (const std::string &text : arguments.control_vectors) {
        adapters.push_back(parse_adapter("--control-vector", MULLAMA_ADAPTER_CONTROL_VECTOR, text));
        adapters.back().layers = arguments.control_vector_layers;
    }
    if (arguments.control_vector_layers && arguments.control_vectors.empty()) {
        throw UsageError("--control-vector-layer-range needs a --control-vector");
    }
    return adapters;
}

void add_context_options(CLI::App &app, client::ContextSettings &settings, bool threads) {
    add_integer(app, "-c,--ctx-size", settings.n_ctx,
                "Room for prompt and text, in tokens; 0: what the model was trained for, at most "
                "4096 (default)")
        ->group(context_group);
    add_integer(app, "-b,--batch-size", settings.n_batch, "The most tokens in one decode")
        ->group(context_group);
    add_integer(app, "--ubatch-size", settings.n_ubatch, "The most tokens computed at once")
        ->group(context_group);
    if (threads) {
        add_integer(app, "-t,--threads", settings.n_threads,
                    "Threads for one token at a time; 0: as many as are measured to be fastest "
                    "(default)")
            ->group(context_group);
        add_integer(app, "--threads-batch", settings.n_threads_batch,
                    "Threads for many tokens at a time; 0: chosen likewise (default)")
            ->group(context_group);
    }
    add_choice(app, "--flash-attention", client::switches, settings.flash_attention,
               "Flash attention (default: auto)", context_group);
    add_choice(app, "--cache-type-k", client::cache_types, settings.type_k,
               "How keys are stored (default: f16)", context_group);
    add_choice(app, "--cache-type-v", client::cache_types, settings.type_v,
               "How values are stored (default: f16)", context_group);
}

void add_pooling_option(CLI::App &app, client::ContextSettings &settings) {
    add_choice(app, "--pooling", client::poolings, settings.pooling,
               "How the embeddings of a text's tokens become one; none: they do not, and each is "
               "shown (default: as the model was trained)",
               context_group);
}

void add_sampling_options(CLI::App &app, const std::vector<client::SamplingStage> &table,
                          const std::vector<client::SamplingPreset> &presets,
                          client::Sampling &sampling) {
    std::string names;
    for (const client::SamplingPreset &preset : presets) {
        names += (names.empty() ? "" : ", ") + preset.name;
    }
    add_value(
        app, "--preset", "NAME", [&sampling](const std::string &name) { sampling.preset = name; },
        "The sampling to begin with, which the other flags change, one of: " + names +
            " (default: balanced)")
        ->group(sampling_group);
    std::set<std::string> seen;
    std::string stages;
    for (const client::SamplingStage &stage : table) {
        stages += (stages.empty() ? "" : ", ") + stage.name;
        for (const client::SamplingParameter &parameter : stage.parameters) {
            if (!parameter.setting.empty() && seen.insert(parameter.setting).second) {
                add_setting(app, parameter, sampling);
            }
        }
    }
    if (seen.contains("grammar")) {
        add_value(
            app, "--grammar-file", "PATH",
            [&sampling](const std::string &path) {
                replace_setting(sampling, "grammar", read_file("--grammar-file", path));
            },
            "A file with the grammar")
            ->group(sampling_group);
    }
    add_value(
        app, "--samplers", "NAMES",
        [&sampling](const std::string &text) {
            sampling.stages.clear();
            for (const std::string_view name : split_list(text)) {
                sampling.stages.emplace_back(name);
            }
        },
        "The stages to sample with, in order, separated by commas, of: " + stages)
        ->group(sampling_group);
}

void add_json_flag(CLI::App &app, bool &json, const std::string &description) {
    app.add_flag("--json", json, description);
}

std::optional<std::string> take_argument_for_path(ModelArguments &arguments) {
    if (arguments.settings.backend == "echo") {
        if (arguments.path.empty()) {
            return std::nullopt;
        }
        return std::exchange(arguments.path, {});
    }
    if (arguments.path.empty()) {
        throw UsageError("PATH is missing: which model?");
    }
    return std::nullopt;
}

std::string flag_of(const std::string &parameter) {
    for (const auto &[name, flag] : flag_names) {
        if (name == parameter) {
            return std::string(flag);
        }
    }
    return parameter;
}

} // namespace mullama::cli
