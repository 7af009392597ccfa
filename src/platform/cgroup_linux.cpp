#include "platform/cgroup_linux.hpp"

#include "platform/path.hpp"
#include "platform/system_file_linux.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace mullama::platform {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

// The number that `text` starts with; nothing for "max" and "-1", which mean no limit.
std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc())
        return std::nullopt;
    return value;
}

// The value of `key` in lines of "key value".
std::optional<std::uint64_t> value_of(std::string_view key, std::string_view lines) {
    for (const std::string_view line : split(lines, '\n')) {
        if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ')
            return number(line.substr(key.size() + 1));
    }
    return std::nullopt;
}

// mountinfo writes blanks and backslashes as three octal digits.
std::string unescape(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ptr ==
                text.data() + i + 4) {
            plain += static_cast<char>(value);
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

// Where a hierarchy of groups is mounted, and which of its groups is the top of what is visible.
struct Mount {
    bool version_2;
    std::vector<std::string> controllers; // version 1: the mount options, "cpu" among them
    std::string visible_root;
    std::string folder;
};

std::vector<Mount> find_mounts(std::string_view mountinfo) {
    std::vector<Mount> mounts;
    for (const std::string_view line : split(mountinfo, '\n')) {
        // id parent device root folder options [optional fields] - type source options
        const std::size_t dash = line.find(" - ");
        if (dash == std::string_view::npos)
            continue;
        const auto before = split(line.substr(0, dash), ' ');
        const auto after = split(line.substr(dash + 3), ' ');
        if (before.size() < 5 || after.size() < 3)
            continue;
        if (after[0] != "cgroup" && after[0] != "cgroup2")
            continue;
        Mount mount{after[0] == "cgroup2", {}, unescape(before[3]), unescape(before[4])};
        for (const std::string_view option : split(after[2], ','))
            mount.controllers.emplace_back(option);
        mounts.push_back(std::move(mount));
    }
    return mounts;
}

// The folders of this process's group under one controller, innermost first.
std::vector<std::string> group_folders(std::string_view root, std::string_view controller,
                                       bool version_2, std::string_view groups,
                                       const std::vector<Mount> &mounts) {
    std::vector<std::string> folders;
    for (const std::string_view line : split(groups, '\n')) {
        // hierarchy:controllers:group, where version 2 has hierarchy 0 and no controllers
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos)
            continue;
        const auto controllers = split(line.substr(first + 1, second - first - 1), ',');
        const bool fits = version_2 ? line.substr(0, first) == "0" && controllers.empty()
                                    : std::find(controllers.begin(), controllers.end(),
                                                controller) != controllers.end();
        if (!fits)
            continue;
        for (const Mount &mount : mounts) {
            if (mount.version_2 != version_2 ||
                (!version_2 && std::find(mount.controllers.begin(), mount.controllers.end(),
                                         controller) == mount.controllers.end())) {
                continue;
            }
            std::string group(line.substr(second + 1));
            // A container may see its own group as the top, while the name has all of the path.
            if (mount.visible_root != "/" && group.starts_with(mount.visible_root))
                group.erase(0, mount.visible_root.size());
            while (!group.empty() && group != "/") {
                folders.push_back(std::string(root) + mount.folder + group);
                group = parent_path(group);
            }
            folders.push_back(std::string(root) + mount.folder);
            return folders;
        }
    }
    return folders;
}

template <class Value>
void narrow(std::optional<Value> &limit, Value value) {
    limit = limit ? std::min(*limit, value) : value;
}

void narrow_cpus(CgroupLimits &limits, std::optional<std::uint64_t> quota,
                 std::optional<std::uint64_t> period) {
    if (quota && period && *quota > 0 && *period > 0)
        narrow(limits.cpus, static_cast<double>(*quota) / static_cast<double>(*period));
}

void narrow_memory(CgroupLimits &limits, std::optional<std::uint64_t> limit,
                   std::optional<std::uint64_t> used, std::optional<std::uint64_t> cached) {
    // Version 1 says "none" with a number just below 2^63.
    if (!limit || *limit >= std::uint64_t{1} << 62)
        return;
    narrow(limits.memory, *limit);
    if (!used)
        return;
    const std::uint64_t taken = *used - std::min(*used, cached.value_or(0));
    narrow(limits.memory_left, *limit - std::min(*limit, taken));
}

} // namespace

CgroupLimits cgroup_limits(std::string_view root) {
    const std::string prefix(root);
    const std::string groups = read_system_file(prefix + "/proc/self/cgroup");
    const std::string mountinfo = read_system_file(prefix + "/proc/self/mountinfo");
    const std::vector<Mount> mounts = find_mounts(mountinfo);

    CgroupLimits limits;
    for (const std::string &folder : group_folders(root, "", true, groups, mounts)) {
        const std::string cpu = read_system_file(folder + "/cpu.max"); // "quota period"
        const std::size_t blank = std::min(cpu.find(' '), cpu.size());
        narrow_cpus(limits, number(cpu),
                    number(std::string_view(cpu).substr(std::min(blank + 1, cpu.size()))));
        narrow_memory(limits, number(read_system_file(folder + "/memory.max")),
                      number(read_system_file(folder + "/memory.current")),
                      value_of("inactive_file", read_system_file(folder + "/memory.stat")));
    }
    for (const std::string &folder : group_folders(root, "cpu", false, groups, mounts)) {
        narrow_cpus(limits, number(read_system_file(folder + "/cpu.cfs_quota_us")),
                    number(read_system_file(folder + "/cpu.cfs_period_us")));
    }
    for (const std::string &folder : group_folders(root, "memory", false, groups, mounts)) {
        narrow_memory(limits, number(read_system_file(folder + "/memory.limit_in_bytes")),
                      number(read_system_file(folder + "/memory.usage_in_bytes")),
                      value_of("total_inactive_file", read_system_file(folder + "/memory.stat")));
    }
    return limits;
}

} // namespace mullama::platform
