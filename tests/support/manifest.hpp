// The fixtures' manifest: what models/fixtures wrote, and what is to be expected of each.
#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mullama::test {

using Json = nlohmann::json;

// Where the fixtures are, or one of their files.
inline std::string fixture_path(const std::string &file = {}) {
    const std::string folder = MULLAMA_TEST_FIXTURES;
    return file.empty() ? folder : folder + "/" + file;
}

// The rows of one kind: "model", "vocabulary", "broken", "adapter", "broken_adapter".
inline std::vector<Json> fixtures(const std::string &kind) {
    std::ifstream file(fixture_path("manifest.json"));
    const Json manifest = Json::parse(file);
    std::vector<Json> rows;
    for (const Json &row : manifest["fixtures"]) {
        if (row["kind"] == kind)
            rows.push_back(row);
    }
    return rows;
}

// The row of one fixture.
inline Json fixture(const std::string &name) {
    std::ifstream file(fixture_path("manifest.json"));
    const Json manifest = Json::parse(file);
    for (const Json &row : manifest["fixtures"]) {
        if (row["name"] == name)
            return row;
    }
    return {};
}

// The path that a row's model is opened by.
inline std::string path_of(const Json &row) {
    return fixture_path(row["files"][0].get<std::string>());
}

// Of a model: "decoder", "encoder", "recurrent" and others.
inline bool has(const Json &row, const char *capability) {
    const auto &capabilities = row["capabilities"];
    return std::find(capabilities.begin(), capabilities.end(), capability) != capabilities.end();
}

// For tests with a row as their parameter.
inline std::string name_of(const Json &row) {
    return row["name"].get<std::string>();
}

} // namespace mullama::test
