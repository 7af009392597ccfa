#include "core/model_files.hpp"

#include "core/gguf/check_model.hpp"
#include "core/gguf/fingerprint.hpp"
#include "core/gguf/split.hpp"
#include "core/hash.hpp"
#include "core/tensor_values.hpp"
#include "platform/file.hpp"
#include "platform/system_error.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace mullama::core {
namespace {

using base::Error;

class FileSource final : public gguf::Source {
public:
    explicit FileSource(platform::File file) : file_(std::move(file)) {}

    [[nodiscard]] std::uint64_t size() const override { return file_.size(); }

    void read(std::uint64_t offset, std::span<std::byte> to) const override {
        const std::size_t got = file_.read(offset, to);
        if (got < to.size()) {
            throw Error(MULLAMA_ERROR_IO, "the file became shorter while it was read")
                .expected(std::to_string(file_.size()) + " bytes")
                .actual(std::to_string(offset + got) + " bytes")
                .offset(static_cast<std::int64_t>(offset + got));
        }
    }

private:
    platform::File file_;
};

// The same error, with the file that it is about in front, and the key or tensor in the message.
[[noreturn]] void rethrow_with_name(const Error &error, const std::string &name) {
    const Error::Parts &parts = error.parts();
    std::string message = name + ": " + parts.message;
    if (message.find(parts.parameter) == std::string::npos)
        message += " (" + parts.parameter + ")";
    Error named(parts.code, message);
    named.parameter(parts.parameter.empty() ? "path" : parts.parameter)
        .expected(parts.expected)
        .actual(parts.actual)
        .log(parts.log)
        .offset(parts.offset)
        .at(parts.line, parts.column);
    if (parts.retryable)
        named.retryable();
    throw named;
}

template <class Body>
decltype(auto) naming(const std::string &name, Body &&body) {
    try {
        return std::forward<Body>(body)();
    } catch (const Error &error) {
        rethrow_with_name(error, name);
    }
}

} // namespace

ModelFiles ModelFiles::open(const std::vector<std::string> &paths) {
    ModelFiles files;
    std::vector<std::string> all = paths;
    for (std::size_t part = 0; part < all.size(); ++part) {
        platform::File file = platform::File::open(all[part]);
        files.read(std::make_unique<FileSource>(std::move(file)), all[part]);
        if (all.size() > 1)
            continue;
        all = naming(files.name(0), [&] {
            const std::optional<gguf::SplitInfo> split = gguf::split_info(files.first());
            return split ? gguf::split_names(all.front(), *split) : all;
        });
    }
    return files;
}

ModelFiles ModelFiles::from_memory(std::span<const std::byte> bytes) {
    ModelFiles files;
    files.read(std::make_unique<gguf::SpanSource>(bytes), {});
    return files;
}

void ModelFiles::read(std::unique_ptr<gguf::Source> source, std::string path) {
    paths_.push_back(std::move(path));
    files_.push_back(naming(name(files_.size()), [&] { return gguf::File::parse(*source); }));
    sources_.push_back(std::move(source));
}

std::string ModelFiles::name(std::size_t part) const {
    return paths_[part].empty() ? "the file in memory" : platform::quoted(paths_[part]);
}

void ModelFiles::check(const backend::Backend &backend, const backend::ModelParams &params) const {
    std::vector<const gguf::File *> parts;
    parts.reserve(files_.size());
    for (const gguf::File &file : files_)
        parts.push_back(&file);
    std::vector<gguf::Override> overrides;
    for (const backend::MetadataOverride &override : params.overrides) {
        std::visit([&](const auto &value) { overrides.push_back({override.key, value}); },
                   override.value);
    }
    gguf::CheckOptions options;
    options.vocab_only = params.vocab_only;
    options.overrides = overrides;
    options.knows_architecture = [&](std::string_view architecture) {
        return backend.knows_architecture(architecture);
    };
    naming(name(0), [&] { gguf::check_model(parts, options); });
}

void ModelFiles::check_first(const std::function<void(const gguf::File &)> &check) const {
    naming(name(0), [&] { check(first()); });
}

void ModelFiles::check_values(const std::function<void()> &between) const {
    for (std::size_t i = 0; i < files_.size(); ++i)
        naming(name(i), [&] { check_tensor_values(files_[i], *sources_[i], between); });
}

Metadata ModelFiles::metadata(std::span<const backend::MetadataOverride> overrides) const {
    Metadata metadata;
    for (const gguf::Entry &entry : first().metadata())
        metadata.add(entry.key, entry.value);
    for (const backend::MetadataOverride &override : overrides)
        metadata.override_with(override);
    return metadata;
}

std::string ModelFiles::fingerprint(std::span<const backend::MetadataOverride> overrides) const {
    std::vector<gguf::Part> parts;
    parts.reserve(files_.size());
    for (std::size_t i = 0; i < files_.size(); ++i)
        parts.push_back({&files_[i], sources_[i].get()});
    std::string content = gguf::fingerprint(parts);
    if (overrides.empty())
        return content;
    std::vector<std::string> texts{std::move(content)};
    for (const backend::MetadataOverride &override : overrides)
        texts.push_back(to_text(override));
    return hash_texts(texts);
}

std::vector<gguf::TensorInfo> ModelFiles::tensors() const {
    std::vector<gguf::TensorInfo> all;
    for (const gguf::File &file : files_)
        all.insert(all.end(), file.tensors().begin(), file.tensors().end());
    std::ranges::sort(all, {}, &gguf::TensorInfo::name);
    return all;
}

void ModelFiles::read(const gguf::TensorInfo &tensor, std::span<std::byte> to) const {
    sources_.front()->read(first().data_offset() + tensor.offset, to);
}

bool ModelFiles::mappable() const noexcept {
    return std::ranges::all_of(files_, [](const gguf::File &file) { return file.mappable(); });
}

std::uint64_t ModelFiles::tensor_bytes() const noexcept {
    std::uint64_t bytes = 0;
    for (const gguf::File &file : files_) {
        for (const gguf::TensorInfo &tensor : file.tensors())
            bytes += tensor.nbytes;
    }
    return bytes;
}

} // namespace mullama::core
