#include "cli/model_session.hpp"

#include <filesystem>

#include "cli/errors.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "cli/utf8.hpp"
#include "client/names.hpp"

namespace mullama::cli {

std::unique_ptr<client::Model> open_model(Session &session, const ModelArguments &arguments) {
    if (arguments.log_level != MULLAMA_LOG_NONE) {
        session.client.set_log(arguments.log_level, [&err = session.err](mullama_log_level_t level,
                                                                         std::string_view line) {
            std::string text = "mullama: ";
            text += client::name_of(client::log_levels, level);
            text += ": " + visible(line) + '\n';
            err.write(text);
        });
    }
    client::ModelSettings settings = arguments.settings;
    settings.adapters = adapters_of(arguments);
    try {
        Progress progress(session.err, "loading the model");
        std::vector<std::string> parts;
        if (!arguments.path.empty()) {
            parts.push_back(arguments.path);
        }
        return session.client.open(parts, settings,
                                   [&](float done) { return progress.update(done); });
    } catch (const client::Failure &failure) {
        if (failure.code() == MULLAMA_ERROR_CANCELLED && Interrupt::requested()) {
            throw Interrupted();
        }
        throw LoadFailure(failure);
    }
}

std::string program_path() {
    return std::filesystem::read_symlink("/proc/self/exe").string();
}

} // namespace mullama::cli
