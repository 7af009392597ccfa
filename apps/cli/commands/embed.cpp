#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_writer.hpp"
#include "cli/model_session.hpp"
#include "cli/progress.hpp"
#include "cli/text_lines.hpp"
#include "client/names.hpp"

namespace mullama::cli {
namespace {

constexpr const char *examples = R"(Examples:
  mullama embed model.gguf "A text" "Another one"
  mullama embed model.gguf --file lines.txt --format ndjson
  cat lines.txt | mullama embed model.gguf --format raw > rows.f32)";

enum class Format { text, json, ndjson, raw };

constexpr std::array<client::Name<Format>, 4> formats{{
    {"text", Format::text},
    {"json", Format::json},
    {"ndjson", Format::ndjson},
    {"raw", Format::raw},
}};

struct Arguments {
    ModelArguments model;
    client::Embed request;
    std::optional<std::string> file;
    Format format = Format::text;
    bool json = false;

    [[nodiscard]] bool normalized() const { return request.normalize.value_or(true); }
};

// The rows of one text: one, or one for each of its tokens.
class Rows {
public:
    Rows(const client::Embeddings &made, std::size_t text) : width_(made.width) {
        const bool each = made.context.pooling == MULLAMA_POOLING_NONE;
        std::size_t first = each ? 0 : text;
        for (std::size_t i = 0; each && i < text; ++i) {
            first += made.n_tokens[i];
        }
        count_ = each ? made.n_tokens[text] : 1;
        numbers_ = std::span(made.rows).subspan(first * width_, count_ * width_);
    }

    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] std::span<const float> operator[](std::size_t row) const {
        return numbers_.subspan(row * width_, width_);
    }

private:
    std::size_t width_;
    std::size_t count_;
    std::span<const float> numbers_;
};

void write_row(JsonWriter &out, std::span<const float> row) {
    out.begin_array();
    for (const float number : row) {
        out.value(number);
    }
    out.end_array();
}

// A list of numbers; of tokens, a list of those.
void write_rows(JsonWriter &out, const Rows &rows, bool each_token) {
    if (!each_token) {
        write_row(out, rows[0]);
        return;
    }
    out.begin_array();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        write_row(out, rows[i]);
    }
    out.end_array();
}

std::string to_text(const Rows &rows) {
    std::string text;
    std::array<char, 32> buffer{};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const char *between = "";
        for (const float number : rows[i]) {
            const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
            text += between;
            text.append(buffer.data(), result.ptr);
            between = " ";
        }
        text += '\n';
    }
    return text;
}

std::string to_bytes(const Rows &rows) {
    std::string bytes;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (const float number : rows[i]) {
            const auto bits = std::bit_cast<std::uint32_t>(number);
            for (unsigned shift = 0; shift < 32; shift += 8) {
                bytes += static_cast<char>(bits >> shift & 0xFFU);
            }
        }
    }
    return bytes;
}

std::string to_line(const Rows &rows, std::size_t index, const Arguments &arguments,
                    const client::Embeddings &made) {
    const bool each = made.context.pooling == MULLAMA_POOLING_NONE;
    JsonWriter out;
    out.begin_object()
        .member("index", index)
        .member("text", arguments.request.texts[index])
        .member("tokens", made.n_tokens[index])
        .key(each ? "embeddings" : "embedding");
    write_rows(out, rows, each);
    out.end_object();
    return out.text() + '\n';
}

std::string to_json(const Arguments &arguments, const client::Embeddings &made) {
    const bool each = made.context.pooling == MULLAMA_POOLING_NONE;
    JsonWriter out;
    out.begin_object()
        .member("n_embd", made.width)
        .member("pooling", client::name_of(client::poolings, made.context.pooling))
        .member("normalized", arguments.normalized());
    out.key("tokens").begin_array();
    for (const std::size_t count : made.n_tokens) {
        out.value(count);
    }
    out.end_array().key("embeddings").begin_array();
    for (std::size_t i = 0; i < made.n_tokens.size(); ++i) {
        write_rows(out, Rows(made, i), each);
    }
    out.end_array().end_object();
    return out.text() + '\n';
}

void write(Session &session, const Arguments &arguments, const client::Embeddings &made) {
    if (arguments.format == Format::json) {
        session.out.write(to_json(arguments, made));
    } else {
        for (std::size_t i = 0; i < made.n_tokens.size(); ++i) {
            const Rows rows(made, i);
            session.out.write(arguments.format == Format::ndjson ? to_line(rows, i, arguments, made)
                              : arguments.format == Format::raw  ? to_bytes(rows)
                                                                 : to_text(rows));
        }
    }
    session.out.flush();
}

int run(Session &session, Arguments arguments) {
    if (auto first = take_argument_for_path(arguments.model)) {
        arguments.request.texts.insert(arguments.request.texts.begin(), std::move(*first));
    }
    if (arguments.format == Format::raw && session.out.is_terminal()) {
        throw UsageError("--format raw writes bytes that are not for a terminal: redirect them to "
                         "a file or a program");
    }
    const Interrupt interrupt;
    arguments.request.texts = texts_of(std::move(arguments.request.texts), arguments.file, "TEXT");
    const auto model = open_model(session, arguments.model);
    std::optional<mullama_pooling_t> &pooling = arguments.request.context.pooling;
    if (!pooling && model->describe().info.pooling == MULLAMA_POOLING_NONE) {
        throw UsageError("this model does not say how the embeddings of a text's tokens become "
                         "one: --pooling mean, cls or last; or none, for those of its tokens");
    }
    const client::Embeddings made = stoppable([&] {
        Progress progress(session.err, "embedding");
        return model->embed(arguments.request, [&](float done) { return progress.update(done); });
    });
    write(session, arguments, made);
    return exit_ok;
}

} // namespace

Command add_embed(CLI::App &program) {
    CLI::App *app = program.add_subcommand("embed", "Turn texts into embeddings");
    app->footer(examples);
    const auto arguments = std::make_shared<Arguments>();
    client::Embed &request = arguments->request;
    add_model_path(*app, arguments->model);
    app->add_option("TEXT", request.texts,
                    "The texts; - or nothing: the lines of what comes in on standard input");
    add_value(
        *app, "-f,--file", "PATH", [arguments](const std::string &path) { arguments->file = path; },
        "Embed the lines of this file");
    add_value(
        *app, "--format", "text|json|ndjson|raw",
        [arguments](const std::string &text) {
            for (const auto &[name, value] : formats) {
                if (name == text) {
                    arguments->format = value;
                    arguments->json = value == Format::json || value == Format::ndjson;
                    return;
                }
            }
            throw UsageError("--format must be one of text|json|ndjson|raw, not '" + text + "'");
        },
        "A line of numbers for each text (default), one JSON object, one for each text, or 32-bit "
        "floats, little-endian");
    app->add_flag_callback(
        "--json",
        [arguments] {
            arguments->format = Format::json;
            arguments->json = true;
        },
        "One JSON object: the same as --format json");
    app->add_flag_callback(
        "--no-normalize", [&request] { request.normalize = false; },
        "Leave embeddings as long as the model makes them, rather than 1");
    app->add_flag_callback(
        "--truncate", [&request] { request.truncate = true; },
        "Cut texts that are too long at their end");
    app->add_flag_callback(
        "--no-special", [&request] { request.add_special = false; },
        "Do not add the beginning and end tokens that the model wants");
    app->add_flag_callback(
        "--parse-special", [&request] { request.parse_special = true; },
        "Read the spelling of a special token in a text as that token");
    add_pooling_option(*app, request.context);
    add_context_options(*app, request.context);
    add_model_options(*app, arguments->model);
    add_adapter_options(*app, arguments->model);
    return {app, [arguments](Session &session) { return run(session, *arguments); },
            [arguments] { return arguments->json; }};
}

} // namespace mullama::cli
