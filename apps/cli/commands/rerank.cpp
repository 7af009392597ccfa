#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <span>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/format.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_writer.hpp"
#include "cli/model_session.hpp"
#include "cli/progress.hpp"
#include "cli/text_lines.hpp"

namespace mullama::cli {
namespace {

constexpr const char *examples = R"(Examples:
  mullama rerank model.gguf --query "What is a panda?" "A bear." "A city."
  mullama rerank model.gguf --query "What is a panda?" --file lines.txt --top 3)";

struct Arguments {
    ModelArguments model;
    client::Rerank request;
    std::optional<std::string> query;
    std::optional<std::string> file;
    std::optional<std::size_t> top;
    bool sort = true;
    bool json = false;
};

// The documents to show, by their places.
std::vector<std::size_t> order_of(const client::Ranking &ranking, const Arguments &arguments) {
    std::vector<std::size_t> order(arguments.request.documents.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (arguments.sort) {
        std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
            return ranking.scores[a * ranking.width] > ranking.scores[b * ranking.width];
        });
    }
    order.resize(std::min(order.size(), arguments.top.value_or(order.size())));
    return order;
}

std::string to_json(const client::Ranking &ranking, const std::vector<std::size_t> &order,
                    const Arguments &arguments) {
    JsonWriter out;
    out.begin_object().member("query", arguments.request.query).key("results").begin_array();
    for (const std::size_t index : order) {
        const auto scores = std::span(ranking.scores).subspan(index * ranking.width, ranking.width);
        out.begin_object().member("index", index).member("score", scores.front());
        if (scores.size() > 1) {
            out.key("scores").begin_array();
            for (const float score : scores) {
                out.value(score);
            }
            out.end_array();
        }
        out.member("document", arguments.request.documents[index]).end_object();
    }
    out.end_array().end_object();
    return out.text() + '\n';
}

std::string to_text(const client::Ranking &ranking, const std::vector<std::size_t> &order,
                    const Arguments &arguments) {
    std::string text;
    for (const std::size_t index : order) {
        text += format_fixed(static_cast<double>(ranking.scores[index * ranking.width]), 6) + '\t' +
                std::to_string(index) + '\t' + arguments.request.documents[index] + '\n';
    }
    return text;
}

int run(Session &session, Arguments arguments) {
    if (auto first = take_argument_for_path(arguments.model)) {
        arguments.request.documents.insert(arguments.request.documents.begin(), std::move(*first));
    }
    if (!arguments.query) {
        throw UsageError("--query is missing: what are the documents to answer?");
    }
    arguments.request.query = *arguments.query;
    const Interrupt interrupt;
    arguments.request.documents =
        texts_of(std::move(arguments.request.documents), arguments.file, "DOCUMENT");
    const auto model = open_model(session, arguments.model);
    if (model->describe().info.n_cls_out > 0) {
        arguments.request.context.pooling = MULLAMA_POOLING_RANK;
    }
    const client::Ranking ranking = stoppable([&] {
        Progress progress(session.err, "scoring");
        return model->rerank(arguments.request, [&](float done) { return progress.update(done); });
    });
    const std::vector<std::size_t> order = order_of(ranking, arguments);
    if (arguments.json) {
        session.out.write(to_json(ranking, order, arguments));
    } else {
        session.out.write_foreign(to_text(ranking, order, arguments));
    }
    session.out.flush();
    return exit_ok;
}

} // namespace

Command add_rerank(CLI::App &program) {
    CLI::App *app = program.add_subcommand("rerank", "Score documents against a query");
    app->footer(examples);
    const auto arguments = std::make_shared<Arguments>();
    client::Rerank &request = arguments->request;
    add_model_path(*app, arguments->model);
    app->add_option("DOCUMENT", request.documents,
                    "The documents; - or nothing: the lines of what comes in on standard input");
    add_value(
        *app, "-q,--query", "TEXT",
        [arguments](const std::string &text) { arguments->query = text; },
        "What the documents are to answer");
    add_value(
        *app, "-f,--file", "PATH", [arguments](const std::string &path) { arguments->file = path; },
        "Score the lines of this file");
    add_integer(*app, "--top", arguments->top, "Show the best N only");
    app->add_flag_callback(
        "--no-sort", [arguments] { arguments->sort = false; },
        "Show documents in the order in which they came, rather than the best first");
    app->add_flag_callback(
        "--truncate", [&request] { request.truncate = true; },
        "Cut documents that are too long at their end");
    add_json_flag(*app, arguments->json, "One JSON object");
    add_context_options(*app, request.context);
    add_model_options(*app, arguments->model);
    add_adapter_options(*app, arguments->model);
    return {app, [arguments](Session &session) { return run(session, *arguments); },
            [arguments] { return arguments->json; }};
}

} // namespace mullama::cli
