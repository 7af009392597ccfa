#include <memory>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/format.hpp"
#include "cli/json_writer.hpp"
#include "cli/table.hpp"
#include "client/names.hpp"

namespace mullama::cli {
namespace {

std::string to_json(const std::vector<client::Device> &devices) {
    JsonWriter out;
    out.begin_object().key("devices").begin_array();
    for (const client::Device &device : devices) {
        out.begin_object()
            .member("name", device.name)
            .member("type", client::name_of(client::device_types, device.type))
            .member("available", device.available)
            .member("description", device.description)
            .member("backend", device.backend)
            .member("features", device.features)
            .member("reason", device.reason)
            .member("memory_total", device.memory_total)
            .member("memory_free", device.memory_free)
            .end_object();
    }
    out.end_array().end_object();
    return out.text() + '\n';
}

std::string to_text(const std::vector<client::Device> &devices, const Terminal &out) {
    std::string text;
    for (const client::Device &device : devices) {
        const bool named = !device.name.empty();
        text += out.styled(Style::bold, named ? device.name : device.backend);
        text += device.available ? "\n" : "  not available\n";
        Table table;
        const auto add = [&](const char *label, const std::string &value) {
            if (!value.empty()) {
                table.add({label, value});
            }
        };
        add("description", device.description);
        add("type", std::string(client::name_of(client::device_types, device.type)));
        add("back end", device.backend);
        if (device.memory_total > 0) {
            add("memory", format_bytes(device.memory_total) + ", " +
                              format_bytes(device.memory_free) + " free");
        }
        add("code for", device.features);
        add("reason", device.reason);
        text += table.plain(2);
    }
    return text;
}

int run(Session &session, bool json) {
    const std::vector<client::Device> devices = session.client.devices();
    session.out.write(json ? to_json(devices) : to_text(devices, session.out));
    session.out.flush();
    return exit_ok;
}

} // namespace

Command add_devices(CLI::App &program) {
    CLI::App *app =
        program.add_subcommand("devices", "List what can compute here, and why the rest cannot");
    const auto json = std::make_shared<bool>(false);
    add_json_flag(*app, *json, "One JSON object");
    return {app, [json](Session &session) { return run(session, *json); },
            [json] { return *json; }};
}

} // namespace mullama::cli
