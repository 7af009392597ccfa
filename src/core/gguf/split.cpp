#include "core/gguf/split.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>

#include "base/error.hpp"

namespace mullama::core::gguf {

using base::Error;

namespace {

constexpr std::string_view number_key = "split.no";
constexpr std::string_view count_key = "split.count";
constexpr std::string_view tensors_key = "split.tensors.count";

[[nodiscard]] Error bad_model(std::string_view message, std::string_view key) {
    return Error(MULLAMA_ERROR_BAD_MODEL, message).parameter(key);
}

// llama.cpp takes no other type, and aborts on another one in the parts after the first.
[[nodiscard]] std::uint32_t require_uint16(const File &file, std::string_view key) {
    const Value *value = file.find(key);
    if (value == nullptr || value->type() != ValueType::uint16) {
        throw bad_model(value == nullptr
                            ? "the file is a part of a split model, but does not say which"
                            : "the file is a part of a split model, but a number of it has the "
                              "wrong type",
                        key)
            .expected("uint16")
            .actual(value == nullptr ? "nothing" : value->description());
    }
    return static_cast<std::uint32_t>(value->as_uint());
}

[[nodiscard]] std::string suffix(std::uint32_t number, std::uint32_t count) {
    std::array<char, 64> text{};
    const int size =
        std::snprintf(text.data(), text.size(), "-%05u-of-%05u.gguf", number + 1, count);
    return {text.data(), static_cast<std::size_t>(size)};
}

void check_tensor_count(const File &first, std::size_t found) {
    const Value *value = first.find(tensors_key);
    if (value == nullptr || value->type() != ValueType::int32) {
        throw bad_model("the first part does not say how many tensors the split model has",
                        tensors_key)
            .expected("int32")
            .actual(value == nullptr ? "nothing" : value->description());
    }
    const std::int64_t expected = value->as_int();
    if (expected != static_cast<std::int64_t>(found)) {
        throw bad_model("the parts of the split model do not hold all its tensors", tensors_key)
            .expected(std::to_string(expected) + " tensors")
            .actual(std::to_string(found) + " tensors");
    }
}

void check_no_tensor_twice(std::span<const File *const> parts) {
    std::vector<std::string_view> names;
    for (const File *part : parts) {
        for (const TensorInfo &tensor : part->tensors()) {
            names.push_back(tensor.name);
        }
    }
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice != names.end()) {
        throw bad_model("two parts of the split model have the same tensor", *twice);
    }
}

} // namespace

std::optional<SplitInfo> split_info(const File &file) {
    if (file.find(count_key) == nullptr && file.find(number_key) == nullptr) {
        return std::nullopt;
    }
    SplitInfo info;
    if (file.find(count_key) != nullptr) {
        info.count = require_uint16(file, count_key);
    }
    if (info.count == 0) {
        throw bad_model("the file is a part of a split model that has no parts", count_key)
            .expected("1 to 65535")
            .actual(0);
    }
    // A file that says it is the only part is whole; llama.cpp looks no further either.
    if (info.count <= 1) {
        return std::nullopt;
    }
    info.number = require_uint16(file, number_key);
    if (info.number >= info.count) {
        throw bad_model("the file claims to be a part that its split model does not have",
                        number_key)
            .expected("less than " + std::to_string(info.count))
            .actual(info.number);
    }
    return info;
}

std::vector<std::string> split_names(std::string_view first, const SplitInfo &info) {
    const std::string own = suffix(info.number, info.count);
    if (!first.ends_with(own) || first.size() == own.size()) {
        throw Error(MULLAMA_ERROR_BAD_FILE,
                    "the file is a part of a split model, but is not named like one; without the "
                    "name that it was written under, the other parts cannot be found")
            .expected("NAME" + own)
            .actual(first);
    }
    const std::string prefix(first.substr(0, first.size() - own.size()));
    if (info.number != 0) {
        throw Error(MULLAMA_ERROR_BAD_FILE,
                    "the file is a later part of a split model; load the first part instead")
            .expected(prefix + suffix(0, info.count))
            .actual(first);
    }
    std::vector<std::string> names;
    names.reserve(info.count);
    for (std::uint32_t number = 0; number < info.count; ++number) {
        names.push_back(prefix + suffix(number, info.count));
    }
    return names;
}

void check_split(std::span<const File *const> parts) {
    if (parts.empty()) {
        throw Error(MULLAMA_ERROR_INTERNAL, "a model without files");
    }
    const std::optional<SplitInfo> first = split_info(*parts.front());
    const std::size_t count = first ? first->count : 1;
    if (parts.size() != count) {
        throw bad_model("the number of files is not what the first one says", count_key)
            .expected(std::to_string(count))
            .actual(parts.size());
    }
    if (!first) {
        return;
    }
    std::size_t tensors = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::uint32_t number = require_uint16(*parts[i], number_key);
        if (number != i) {
            throw bad_model("the parts of the split model are not in order", number_key)
                .expected(std::to_string(i))
                .actual(number);
        }
        if (parts[i]->find(count_key) != nullptr &&
            require_uint16(*parts[i], count_key) != first->count) {
            throw bad_model("the files are parts of different split models", count_key)
                .expected(std::to_string(first->count))
                .actual(parts[i]->find(count_key)->as_uint());
        }
        tensors += parts[i]->tensors().size();
    }
    check_no_tensor_twice(parts);
    check_tensor_count(*parts.front(), tensors);
}

} // namespace mullama::core::gguf
