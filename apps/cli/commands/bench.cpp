#include <cmath>
#include <memory>
#include <numeric>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/format.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_writer.hpp"
#include "cli/model_session.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "client/failure.hpp"

namespace mullama::cli {
namespace {

constexpr const char *examples = R"(Examples:
  mullama bench model.gguf
  mullama bench model.gguf -p 512,2048 -n 0 -t 1,2,4
  mullama bench model.gguf --json)";

struct Arguments {
    ModelArguments model;
    client::ContextSettings context;
    std::vector<std::size_t> n_prompt{512};
    std::vector<std::size_t> n_generate{128};
    // 0: measured.
    std::vector<std::int32_t> n_threads{0};
    std::optional<std::size_t> repetitions;
    bool json = false;
};

// One row.
struct Measurement {
    std::size_t n_prompt;
    std::size_t n_generate;
    client::BenchResult result;

    // Tokens a second, one for each repetition.
    [[nodiscard]] std::vector<double> rates() const {
        std::vector<double> rates;
        rates.reserve(result.times.size());
        for (const auto time : result.times) {
            rates.push_back(rate_of(n_prompt + n_generate, time));
        }
        return rates;
    }
    [[nodiscard]] std::string name() const {
        return n_prompt > 0 ? "pp" + std::to_string(n_prompt) : "tg" + std::to_string(n_generate);
    }
    // The thread count that mattered.
    [[nodiscard]] std::int32_t n_threads() const {
        return n_prompt > 0 ? result.context.n_threads_batch : result.context.n_threads;
    }
};

double mean_of(const std::vector<double> &numbers) {
    return std::accumulate(numbers.begin(), numbers.end(), 0.0) /
           static_cast<double>(numbers.size());
}

// Of a sample, as llama-bench has it.
double deviation_of(const std::vector<double> &numbers) {
    if (numbers.size() < 2) {
        return 0;
    }
    const double mean = mean_of(numbers);
    double sum = 0;
    for (const double number : numbers) {
        sum += (number - mean) * (number - mean);
    }
    return std::sqrt(sum / static_cast<double>(numbers.size() - 1));
}

// What the model computes on: the engine's back ends, in the order of the devices.
std::string backends(Session &session, const client::Description &model) {
    std::string names;
    for (const client::Device &device : session.client.devices()) {
        const bool gpu =
            device.type == MULLAMA_DEVICE_GPU || device.type == MULLAMA_DEVICE_INTEGRATED_GPU;
        if (device.available && gpu && model.info.n_gpu_layers > 0 &&
            names.find(device.backend) == names.npos) {
            names += (names.empty() ? "" : ",") + device.backend;
        }
    }
    return names.empty() ? "CPU" : names;
}

std::string to_text(const std::vector<Measurement> &measurements, const std::string &backend,
                    const client::Description &model) {
    Table table;
    table.add({"model", "size", "params", "backend", "threads", "test", "t/s"});
    for (const Measurement &measurement : measurements) {
        const std::vector<double> rates = measurement.rates();
        table.add({model.description, format_bytes(model.info.size_bytes),
                   format_count(model.info.n_params), backend,
                   std::to_string(measurement.n_threads()), measurement.name(),
                   format_fixed(mean_of(rates), 2) + " ± " + format_fixed(deviation_of(rates), 2)});
    }
    using enum Table::Align;
    return table.markdown({left, right, right, left, right, right, right});
}

std::string to_json(const std::vector<Measurement> &measurements, const std::string &backend,
                    const client::Description &model) {
    JsonWriter out;
    out.begin_object()
        .member("model", model.description)
        .member("fingerprint", model.fingerprint)
        .member("size_bytes", model.info.size_bytes)
        .member("parameters", model.info.n_params)
        .member("backend", backend);
    out.key("tests").begin_array();
    for (const Measurement &measurement : measurements) {
        const std::vector<double> rates = measurement.rates();
        out.begin_object()
            .member("test", measurement.name())
            .member("n_prompt", measurement.n_prompt)
            .member("n_generate", measurement.n_generate)
            .member("n_threads", measurement.n_threads())
            .member("n_batch", measurement.result.context.n_batch)
            .member("n_ubatch", measurement.result.context.n_ubatch)
            .member("tokens_per_second", mean_of(rates))
            .member("deviation", deviation_of(rates));
        out.key("nanoseconds").begin_array();
        for (const auto time : measurement.result.times) {
            out.value(time.count());
        }
        out.end_array().end_object();
    }
    out.end_array().end_object();
    return out.text() + '\n';
}

Measurement measure(Session &session, client::Model &model, const Arguments &arguments,
                    std::int32_t n_threads, std::size_t n_prompt, std::size_t n_generate) {
    client::Bench bench{.context = arguments.context,
                        .n_prompt = n_prompt,
                        .n_generate = n_generate,
                        .repetitions = arguments.repetitions.value_or(5)};
    bench.context.n_threads = n_threads;
    bench.context.n_threads_batch = n_threads;
    Measurement measurement{n_prompt, n_generate, {}};
    Progress progress(session.err, "measuring " + measurement.name());
    measurement.result = model.bench(bench, [&](float done) { return progress.update(done); });
    return measurement;
}

int run(Session &session, Arguments arguments) {
    if (take_argument_for_path(arguments.model)) {
        throw UsageError("the echo engine takes no PATH");
    }
    if (arguments.repetitions == 0) {
        throw UsageError("--repetitions must be at least 1");
    }
    const Interrupt interrupt;
    const auto model = open_model(session, arguments.model);
    const client::Description description = model->describe();
    std::vector<Measurement> measurements;
    try {
        for (const std::int32_t n_threads : arguments.n_threads) {
            for (const std::size_t count : arguments.n_prompt) {
                if (count > 0) {
                    measurements.push_back(
                        measure(session, *model, arguments, n_threads, count, 0));
                }
            }
            for (const std::size_t count : arguments.n_generate) {
                if (count > 0) {
                    measurements.push_back(
                        measure(session, *model, arguments, n_threads, 0, count));
                }
            }
        }
    } catch (const client::Failure &failure) {
        if (failure.code() != MULLAMA_ERROR_CANCELLED) {
            throw;
        }
    }
    // What was measured before Ctrl-C is worth showing.
    if (!measurements.empty()) {
        const std::string backend = backends(session, description);
        session.out.write(arguments.json ? to_json(measurements, backend, description)
                                         : to_text(measurements, backend, description));
        session.out.flush();
    }
    return Interrupt::requested() ? exit_interrupted : exit_ok;
}

// A list of numbers between commas, as llama-bench takes it.
template <class Integer>
void add_numbers(CLI::App &app, const std::string &flags, std::vector<Integer> &out,
                 const std::string &description) {
    add_value(
        app, flags, "N,...",
        [&out, flag = long_flag(flags)](const std::string &text) {
            out.clear();
            for (const std::string_view number : split_list(text)) {
                out.push_back(parse_integer<Integer>(flag, number));
            }
        },
        description);
}

} // namespace

Command add_bench(CLI::App &program) {
    CLI::App *app = program.add_subcommand("bench", "Measure a model's speed, as llama-bench does");
    app->footer(examples);
    const auto arguments = std::make_shared<Arguments>();
    add_model_path(*app, arguments->model);
    add_numbers(*app, "-p,--n-prompt", arguments->n_prompt,
                "Lengths of prompt to measure, in tokens; 0: none (default: 512)");
    add_numbers(*app, "-n,--n-gen", arguments->n_generate,
                "How many tokens to generate, one by one; 0: none (default: 128)");
    add_integer(*app, "-r,--repetitions", arguments->repetitions,
                "How often each is measured, after one round that is not counted (default: 5)");
    add_numbers(*app, "-t,--threads", arguments->n_threads,
                "Threads to compute with; 0: as many as are measured to be fastest (default)");
    add_json_flag(*app, arguments->json, "One JSON object instead of a Markdown table");
    add_context_options(*app, arguments->context, false);
    add_model_options(*app, arguments->model);
    add_adapter_options(*app, arguments->model);
    return {app, [arguments](Session &session) { return run(session, *arguments); },
            [arguments] { return arguments->json; }};
}

} // namespace mullama::cli
