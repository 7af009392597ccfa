#include <memory>
#include <optional>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/errors.hpp"
#include "cli/exit_codes.hpp"
#include "cli/format.hpp"
#include "cli/json_writer.hpp"
#include "cli/model_session.hpp"
#include "cli/table.hpp"
#include "cli/token_text.hpp"
#include "cli/utf8.hpp"
#include "client/failure.hpp"
#include "client/names.hpp"

namespace mullama::cli {
namespace {

constexpr const char *examples = R"(Examples:
  mullama show model.gguf
  mullama show --metadata model.gguf
  mullama show --json model.gguf | jq .parameters
  mullama show --probe download.gguf)";

// How much of an array, and of a long text, a table shows.
constexpr std::size_t shown_elements = 8;
constexpr std::size_t shown_characters = 200;

struct Arguments {
    ModelArguments model;
    client::ContextSettings context;
    bool metadata = false;
    bool chat_template = false;
    bool probe = false;
    bool json = false;
};

std::vector<std::string_view> words_of(std::uint64_t capabilities) {
    std::vector<std::string_view> words;
    for (const auto &[name, bit] : client::capabilities) {
        if ((capabilities & bit) != 0) {
            words.push_back(name);
        }
    }
    return words;
}

std::string join(const std::vector<std::string_view> &words) {
    std::string text;
    for (const std::string_view word : words) {
        text += text.empty() ? "" : ", ";
        text += word;
    }
    return text;
}

std::string shorten(const std::string &text) {
    std::string_view rest = text;
    for (std::size_t i = 0; i < shown_characters && !rest.empty(); ++i) {
        rest.remove_prefix(first_character(rest).size);
    }
    return rest.empty() ? text : text.substr(0, text.size() - rest.size()) + "...";
}

Table model_table(const client::Description &model) {
    const mullama_model_info_t &info = model.info;
    Table table;
    const auto add = [&](const char *label, const std::string &value) {
        if (!value.empty()) {
            table.add({label, visible(value)});
        }
    };
    const auto add_number = [&](const char *label, std::int64_t value) {
        if (value > 0) {
            table.add({label, std::to_string(value)});
        }
    };
    add("architecture", model.architecture);
    add("parameters", format_count(info.n_params));
    add("size", format_bytes(info.size_bytes));
    add("quantization", model.quantization);
    add_number("context length", info.n_ctx_train);
    add_number("embedding length", info.n_embd);
    if (info.n_embd_out != info.n_embd) {
        add_number("output length", info.n_embd_out);
    }
    add_number("layers", info.n_layer);
    add_number("heads", info.n_head);
    add_number("KV heads", info.n_head_kv);
    add_number("experts", info.n_expert);
    add_number("sliding window", info.n_swa);
    add_number("classes", info.n_cls_out);
    add("vocabulary", std::to_string(info.n_vocab) + " tokens, " +
                          std::string(client::name_of(client::vocab_types, info.vocab_type)));
    if (info.pooling != MULLAMA_POOLING_NONE) {
        add("pooling", std::string(client::name_of(client::poolings, info.pooling)));
    }
    add("capabilities", join(words_of(info.capabilities)));
    add("chat template", model.chat_template ? "yes" : "no");
    add("fingerprint", model.fingerprint);
    return table;
}

Table memory_table(const mullama_memory_estimate_t &memory) {
    Table table;
    const auto add = [&](const char *label, std::uint64_t host, std::uint64_t device) {
        std::string text = format_bytes(host);
        if (device > 0) {
            text += ", on GPUs " + format_bytes(device);
        }
        table.add({label, text});
    };
    add("weights", memory.host_weights, memory.device_weights);
    add("context", memory.host_context, memory.device_context);
    add("work space", memory.host_compute, memory.device_compute);
    table.add({"total", format_bytes(memory.total)});
    return table;
}

Table special_table(const client::Description &model) {
    Table table;
    for (const client::SpecialToken &special : model.special_tokens) {
        table.add({std::string(client::name_of(client::special_tokens, special.which)),
                   std::to_string(special.token), quote_piece(special.text)});
    }
    return table;
}

std::string type_of(const client::Metadata &item) {
    std::string type(client::name_of(client::metadata_types, item.type));
    return item.is_array ? type + '[' + std::to_string(item.count) + ']' : type;
}

Table metadata_table(client::Model &model) {
    Table table;
    for (const client::Metadata &item : model.metadata(shown_elements)) {
        table.add({visible(item.key), type_of(item), visible(shorten(item.value))});
    }
    return table;
}

std::string to_text(const Arguments &arguments, const Terminal &out, client::Model &model,
                    const client::Description &description,
                    const std::optional<mullama_memory_estimate_t> &memory) {
    std::string text;
    const auto add = [&](const std::string &title, const Table &table) {
        const std::string rows = table.plain(2);
        if (!rows.empty()) {
            text += (text.empty() ? "" : "\n") + out.styled(Style::bold, title) + '\n' + rows;
        }
    };
    add("Model", model_table(description));
    if (memory) {
        add("Memory with a context of " + std::to_string(memory->n_ctx) + " tokens",
            memory_table(*memory));
    }
    add("Special tokens", special_table(description));
    if (arguments.metadata) {
        add("Metadata", metadata_table(model));
    }
    return text;
}

void write_memory(JsonWriter &out, const std::optional<mullama_memory_estimate_t> &memory) {
    out.key("memory");
    if (!memory) {
        out.null();
        return;
    }
    out.begin_object()
        .member("n_ctx", memory->n_ctx)
        .member("host_weights", memory->host_weights)
        .member("host_context", memory->host_context)
        .member("host_compute", memory->host_compute)
        .member("device_weights", memory->device_weights)
        .member("device_context", memory->device_context)
        .member("device_compute", memory->device_compute)
        .member("total", memory->total)
        .end_object();
}

std::string to_json(const Arguments &arguments, client::Model &model,
                    const client::Description &description,
                    const std::optional<mullama_memory_estimate_t> &memory) {
    const mullama_model_info_t &info = description.info;
    JsonWriter out;
    out.begin_object()
        .member("architecture", description.architecture)
        .member("description", description.description)
        .member("quantization", description.quantization)
        .member("fingerprint", description.fingerprint)
        .member("parameters", info.n_params)
        .member("size_bytes", info.size_bytes)
        .member("context_length", info.n_ctx_train)
        .member("embedding_length", info.n_embd)
        .member("output_length", info.n_embd_out)
        .member("layers", info.n_layer)
        .member("heads", info.n_head)
        .member("kv_heads", info.n_head_kv)
        .member("experts", info.n_expert)
        .member("sliding_window", info.n_swa)
        .member("classes", info.n_cls_out)
        .member("vocabulary_size", info.n_vocab)
        .member("vocabulary_type", client::name_of(client::vocab_types, info.vocab_type))
        .member("pooling", client::name_of(client::poolings, info.pooling));
    out.key("capabilities").begin_array();
    for (const std::string_view word : words_of(info.capabilities)) {
        out.value(word);
    }
    out.end_array();
    out.key("special_tokens").begin_object();
    for (const client::SpecialToken &special : description.special_tokens) {
        out.key(client::name_of(client::special_tokens, special.which))
            .begin_object()
            .member("token", special.token)
            .member("text", special.text)
            .end_object();
    }
    out.end_object();
    out.member("chat_template", description.chat_template);
    write_memory(out, memory);
    if (arguments.metadata) {
        out.key("metadata").begin_object();
        for (const client::Metadata &item : model.metadata(0)) {
            out.key(item.key).raw(item.value);
        }
        out.end_object();
    }
    out.end_object();
    return out.text() + '\n';
}

// Nothing where the engine cannot say.
std::optional<mullama_memory_estimate_t> estimate(Session &session, const Arguments &arguments) {
    client::ModelSettings settings = arguments.model.settings;
    settings.vocab_only = false;
    settings.probe_program.clear();
    try {
        return session.client.estimate(arguments.model.path, settings, arguments.context);
    } catch (const client::Failure &failure) {
        if (failure.code() == MULLAMA_ERROR_UNSUPPORTED) {
            return std::nullopt;
        }
        throw LoadFailure(failure);
    }
}

int run(Session &session, Arguments arguments) {
    if (take_argument_for_path(arguments.model)) {
        throw UsageError("the echo engine takes no PATH");
    }
    // Weights are read only to see whether that works.
    arguments.model.settings.vocab_only = !arguments.probe;
    if (arguments.probe) {
        arguments.model.settings.probe_program = program_path();
    }
    const auto model = open_model(session, arguments.model);
    const client::Description description = model->describe();
    if (arguments.chat_template) {
        if (!description.chat_template) {
            throw client::Failure(
                {.code = MULLAMA_ERROR_NOT_FOUND, .message = "this model brings no chat template"});
        }
        session.out.write_foreign(*description.chat_template);
        if (session.out.is_terminal()) {
            session.out.write("\n");
        }
        session.out.flush();
        return exit_ok;
    }
    const auto memory = estimate(session, arguments);
    session.out.write(arguments.json
                          ? to_json(arguments, *model, description, memory)
                          : to_text(arguments, session.out, *model, description, memory));
    session.out.flush();
    return exit_ok;
}

} // namespace

Command add_show(CLI::App &program) {
    CLI::App *app =
        program.add_subcommand("show", "Describe a model: what it is, can do, and would need");
    app->footer(examples);
    const auto arguments = std::make_shared<Arguments>();
    add_model_path(*app, arguments->model);
    app->add_flag("--metadata", arguments->metadata,
                  "All keys of the file, long values cut short (with --json: whole)");
    app->add_flag("--template", arguments->chat_template, "Only the chat template, as it is");
    app->add_flag("--probe", arguments->probe,
                  "Load the whole model, first in a process of its own: a file on which the engine "
                  "would crash gives an error");
    add_json_flag(*app, arguments->json, "One JSON object");
    add_context_options(*app, arguments->context, false);
    add_model_options(*app, arguments->model);
    return {app, [arguments](Session &session) { return run(session, *arguments); },
            [arguments] { return arguments->json; }};
}

} // namespace mullama::cli
