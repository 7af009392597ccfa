#include <memory>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/json_writer.hpp"
#include "cli/table.hpp"

namespace mullama::cli {
namespace {

int run(Session &session, bool json) {
    const client::Version version = session.client.version();
    if (json) {
        JsonWriter out;
        out.begin_object()
            .member("version", version.library)
            .member("engine", version.engine)
            .member("abi", version.abi)
            .end_object();
        session.out.write(out.text() + '\n');
    } else {
        Table table;
        table.add({"mullama", version.library});
        table.add({"engine", version.engine});
        table.add({"abi", std::to_string(version.abi)});
        session.out.write(table.plain());
    }
    session.out.flush();
    return exit_ok;
}

} // namespace

Command add_version(CLI::App &program) {
    CLI::App *app = program.add_subcommand("version", "Print versions");
    const auto json = std::make_shared<bool>(false);
    add_json_flag(*app, *json, "One JSON object");
    return {app, [json](Session &session) { return run(session, *json); },
            [json] { return *json; }};
}

} // namespace mullama::cli
