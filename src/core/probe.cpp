#include "core/probe.hpp"

#include "base/error.hpp"
#include "core/metadata.hpp"
#include "platform/process.hpp"
#include "platform/system_error.hpp"

#include <array>
#include <charconv>
#include <optional>

namespace mullama::core {
namespace {

using base::Error;

template <class Number>
std::string shortest(Number number) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return {buffer.data(), end.ptr};
}

// The first line of `text`, which then starts after it.
std::string_view take_line(std::string_view &text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

// What the program was refused with; nothing when its output is no such answer.
std::optional<Error> read_refusal(std::string_view output) {
    const std::string_view number = take_line(output);
    int code = 0;
    const auto [end, status] = std::from_chars(number.data(), number.data() + number.size(), code);
    if (status != std::errc() || end != number.data() + number.size() || code <= MULLAMA_OK)
        return std::nullopt;
    const std::string_view parameter = take_line(output);
    while (output.ends_with('\n') || output.ends_with('\r'))
        output.remove_suffix(1);
    return Error(static_cast<base::ErrorCode>(code), output).parameter(parameter);
}

// The end of what a process complained about.
std::string_view last_lines(std::string_view text) {
    constexpr std::size_t most = 4096;
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.remove_suffix(1);
    if (text.size() > most) {
        text.remove_prefix(text.size() - most);
        take_line(text);
    }
    return text;
}

} // namespace

std::vector<std::string> probe_arguments(const std::vector<std::string> &paths,
                                         std::string_view backend,
                                         const backend::ModelParams &params) {
    const backend::ModelParams defaults;
    std::vector<std::string> arguments{"probe", "--backend=" + std::string(backend)};
    const auto add_number = [&](std::string_view name, int value, int default_value) {
        if (value != default_value)
            arguments.push_back(std::string(name) + "=" + std::to_string(value));
    };
    add_number("--n-gpu-layers", params.n_gpu_layers, defaults.n_gpu_layers);
    add_number("--split-mode", params.split_mode, defaults.split_mode);
    add_number("--main-gpu", params.main_gpu, defaults.main_gpu);
    if (!params.tensor_split.empty()) {
        std::string shares;
        for (const float share : params.tensor_split)
            shares += (shares.empty() ? "" : ",") + shortest(share);
        arguments.push_back("--tensor-split=" + shares);
    }
    if (params.devices) {
        for (const std::string &name : *params.devices)
            arguments.push_back("--device=" + name);
        if (params.devices->empty())
            arguments.emplace_back("--cpu-only");
    }
    add_number("--load-mode", params.load_mode, defaults.load_mode);
    if (params.vocab_only)
        arguments.emplace_back("--vocab-only");
    if (params.check_tensors)
        arguments.emplace_back("--check-tensors");
    if (!params.repack)
        arguments.emplace_back("--no-repack");
    for (const backend::MetadataOverride &override : params.overrides)
        arguments.push_back("--override=" + to_text(override));
    arguments.emplace_back("--");
    arguments.insert(arguments.end(), paths.begin(), paths.end());
    return arguments;
}

void probe_model(const std::string &program, const std::vector<std::string> &paths,
                 std::string_view backend, const backend::ModelParams &params) {
    platform::ProcessOptions options;
    options.program = program;
    options.arguments = probe_arguments(paths, backend, params);
    platform::ProcessResult result;
    try {
        result = platform::run_process(options);
    } catch (Error &error) {
        if (error.parts().parameter.empty())
            error.parameter("probe_program");
        throw;
    }

    using End = platform::ProcessResult::End;
    const bool may_have_exited = result.end == End::exited || result.end == End::unknown;
    if (may_have_exited && result.code == 0 && result.output.starts_with("ok\n"))
        return;
    if (result.end == End::unknown ||
        (result.end == End::exited && result.code == probe_refused_exit_code)) {
        if (const auto refusal = read_refusal(result.output))
            throw *refusal;
    }
    throw Error(MULLAMA_ERROR_CRASHED, "loading " + platform::quoted(paths.front()) +
                                           " was tried in a child process first, which " +
                                           result.describe() +
                                           "; this process has not touched the file")
        .parameter("path")
        .expected("a model that the engine can load")
        .actual(result.describe())
        .log(last_lines(result.errors));
}

} // namespace mullama::core
