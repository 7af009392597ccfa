// Loads a model so that another process need not: how src/core/probe.hpp asks whether a file makes
// the engine crash. Its arguments and its answers are that page's; people have `show --probe`.
#include <memory>
#include <optional>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "client/failure.hpp"

namespace mullama::cli {
namespace {

struct Arguments {
    client::ModelSettings settings;
    std::vector<std::string> devices;
    bool cpu_only = false;
    std::vector<std::string> paths;
};

// As small as contexts get; the thread count is given, so that nothing is measured.
constexpr std::uint32_t context_size = 256;
constexpr std::uint32_t batch_size = 32;

void decode_one(client::Model &model) {
    const std::uint64_t capabilities = model.describe().info.capabilities;
    if ((capabilities & MULLAMA_CAPABILITY_DECODER) == 0) {
        return;
    }
    client::ContextSettings context;
    context.n_ctx = context_size;
    context.n_batch = batch_size;
    context.n_ubatch = batch_size;
    context.n_threads = 1;
    context.n_threads_batch = 1;
    if ((capabilities & MULLAMA_CAPABILITY_ENCODER) != 0) {
        // Its decoder needs something encoded.
        client::Generate request;
        request.context = context;
        request.prompt = "a";
        request.max_tokens = 1;
        model.generate(request, {});
        return;
    }
    client::Bench bench;
    bench.context = context;
    bench.n_prompt = 1;
    bench.repetitions = 0;
    model.bench(bench, {});
}

int run(Session &session, Arguments arguments) {
    if (arguments.cpu_only || !arguments.devices.empty()) {
        arguments.settings.devices = arguments.devices;
    }
    try {
        const auto model = session.client.open(arguments.paths, arguments.settings, {});
        if (!arguments.settings.vocab_only.value_or(false)) {
            decode_one(*model);
        }
    } catch (const client::Failure &failure) {
        const client::FailureParts &parts = failure.parts();
        session.out.write(std::to_string(parts.code) + '\n' + parts.parameter + '\n' +
                          parts.message);
        session.out.flush();
        return exit_model;
    }
    session.out.write("ok\n");
    session.out.flush();
    return exit_ok;
}

// An enum by its number.
template <class Enum>
void add_enum(CLI::App &app, const std::string &flag, std::optional<Enum> &out) {
    add_value(
        app, flag, "N",
        [&out, flag](const std::string &text) {
            out = static_cast<Enum>(parse_integer<int>(flag, text));
        },
        "");
}

} // namespace

Command add_probe(CLI::App &program) {
    CLI::App *app = program.add_subcommand("probe", "Load a model and answer whether that worked");
    app->group(""); // Not in the help.
    const auto arguments = std::make_shared<Arguments>();
    client::ModelSettings &settings = arguments->settings;
    add_value(
        *app, "--backend", "NAME",
        [&settings](const std::string &name) { settings.backend = name; }, "");
    add_integer(*app, "--n-gpu-layers", settings.n_gpu_layers, "");
    add_enum(*app, "--split-mode", settings.split_mode);
    add_integer(*app, "--main-gpu", settings.main_gpu, "");
    add_value(
        *app, "--tensor-split", "X,...",
        [&settings](const std::string &text) {
            settings.tensor_split = parse_shares("--tensor-split", text);
        },
        "");
    add_repeatable(*app, "--device", "NAME", arguments->devices, "");
    app->add_flag("--cpu-only", arguments->cpu_only);
    add_enum(*app, "--load-mode", settings.load_mode);
    app->add_flag_callback("--vocab-only", [&settings] { settings.vocab_only = true; });
    app->add_flag_callback("--check-tensors", [&settings] { settings.check_tensors = true; });
    app->add_flag_callback("--no-repack", [&settings] { settings.repack = false; });
    add_repeatable(*app, "--override", "KEY=TYPE:VALUE", settings.metadata_overrides, "");
    add_repeatable(*app, "PATHS", "PATH", arguments->paths, "")->expected(-1);
    return {app, [arguments](Session &session) { return run(session, *arguments); },
            [] { return false; }};
}

} // namespace mullama::cli
