#include "core/adapter.hpp"

#include "base/error.hpp"
#include "core/gguf/check_adapter.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "core/model_files.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <utility>

namespace mullama::core {
namespace {

using base::Error;

std::string text_of(const Metadata &metadata, std::string_view key) {
    const auto index = metadata.find(key);
    if (!index)
        return {};
    const gguf::Value &value = metadata.at(*index).value;
    return value.type() == gguf::ValueType::string ? std::string(value.as_string()) : std::string();
}

gguf::AdapterTarget target_of(const Model &model) {
    const backend::ModelFacts &facts = model.facts();
    gguf::AdapterTarget target;
    target.architecture = facts.architecture;
    target.tensors = model.tensors();
    target.n_vocab = model.vocab().size();
    target.n_embd = facts.n_embd;
    target.n_layer = facts.n_layer;
    target.has_decoder = facts.has_decoder;
    return target;
}

void require_weights(const Model &model) {
    if (!model.backend().reads_files()) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "the engine '" +
                                                   std::string(model.backend().name()) +
                                                   "' has no weights that an adapter could change")
            .parameter("model");
    }
    if (model.vocab_only()) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "the model was loaded for its vocabulary only and has no weights that an "
                    "adapter could change: load it without vocab_only")
            .parameter("model");
    }
}

void refuse_layer(const char *parameter, std::int32_t layer, std::int32_t least,
                  std::int32_t most) {
    throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                std::string(parameter) + " is no layer that a control vector changes here")
        .parameter(parameter)
        .expected("0, or " + std::to_string(least) + " to " + std::to_string(most))
        .actual(layer);
}

void check_layers(const AdapterRequest &request, std::int32_t n_layer) {
    const std::int32_t last = n_layer - 1;
    if (request.layer_first < 0 || request.layer_first > last)
        refuse_layer("layer_first", request.layer_first, 1, last);
    const std::int32_t first = std::max(request.layer_first, 1);
    if (request.layer_last != 0 && (request.layer_last < first || request.layer_last > last))
        refuse_layer("layer_last", request.layer_last, first, last);
}

void refuse_layers_of_lora(const AdapterRequest &request) {
    for (const auto &[name, layer] : {std::pair("layer_first", request.layer_first),
                                      std::pair("layer_last", request.layer_last)}) {
        if (layer != 0) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                        std::string(name) + " is for control vectors, and the file is a LoRA")
                .parameter(name)
                .expected("0")
                .actual(layer);
        }
    }
}

} // namespace

// Fills an adapter in.
class Adapter::Loader {
public:
    Loader(Adapter &adapter, const std::string &path, const AdapterRequest &request)
        : adapter_(adapter), path_(path), request_(request), files_(ModelFiles::open({path})) {}

    void load() {
        if (files_.paths().size() > 1) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED,
                        "the adapter is split over several files, and llama.cpp reads it from one")
                .parameter("path");
        }
        files_.check_first([&](const gguf::File &file) {
            adapter_.kind_ = gguf::adapter_kind(file) == gguf::AdapterKind::lora
                                 ? MULLAMA_ADAPTER_LORA
                                 : MULLAMA_ADAPTER_CONTROL_VECTOR;
        });
        adapter_.metadata_ = files_.metadata({});
        adapter_.name_ = text_of(adapter_.metadata_, "general.name");
        adapter_.description_ = text_of(adapter_.metadata_, "general.description");
        adapter_.fingerprint_ = files_.fingerprint({});
        if (adapter_.kind_ == MULLAMA_ADAPTER_LORA)
            load_lora();
        else
            load_control_vector();
    }

private:
    void load_lora();
    void load_control_vector();
    void read_direction(const gguf::Direction &direction);
    [[nodiscard]] std::span<float> direction_of(std::int32_t layer) {
        const auto n_embd = static_cast<std::size_t>(adapter_.model().facts().n_embd);
        return std::span(adapter_.directions_)
            .subspan(n_embd * static_cast<std::size_t>(layer - 1), n_embd);
    }

    Adapter &adapter_;
    const std::string &path_;
    const AdapterRequest &request_;
    ModelFiles files_;
};

void Adapter::Loader::load_lora() {
    refuse_layers_of_lora(request_);
    const Model &model = adapter_.model();
    gguf::Lora lora;
    files_.check_first(
        [&](const gguf::File &file) { lora = gguf::check_lora(file, target_of(model)); });
    if (request_.check_tensors)
        files_.check_values([] {});
    adapter_.alpha_ = lora.alpha;
    adapter_.rank_ = lora.rank;
    adapter_.layer_first_ = lora.layer_first;
    adapter_.layer_last_ = lora.layer_last;
    adapter_.n_tensors_ = 2 * lora.n_pairs;
    adapter_.size_bytes_ = lora.size_bytes;
    adapter_.invocation_tokens_ = std::move(lora.invocation_tokens);
    adapter_.memory_ = model.runtime()->reserve(lora.size_bytes, "the adapter");
    adapter_.engine_ = with_log(model.runtime()->log(),
                                [&] { return model.engine().load_lora(path_, lora.n_pairs); });
}

void Adapter::Loader::load_control_vector() {
    const Model &model = adapter_.model();
    const backend::ModelFacts &facts = model.facts();
    model.engine().require_control_vectors();
    check_layers(request_, facts.n_layer);
    std::vector<gguf::Direction> directions;
    files_.check_first([&](const gguf::File &file) {
        directions = gguf::check_control_vector(file, target_of(model));
    });
    const std::int32_t first = std::max(request_.layer_first, directions.front().layer);
    const std::int32_t last = request_.layer_last == 0
                                  ? directions.back().layer
                                  : std::min(request_.layer_last, directions.back().layer);
    std::erase_if(directions, [&](const gguf::Direction &direction) {
        return direction.layer < first || direction.layer > last;
    });
    if (directions.empty()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "the control vector has no direction for the layers asked for")
            .parameter(request_.layer_first != 0 ? "layer_first" : "layer_last")
            .actual(request_.layer_first != 0 ? request_.layer_first : request_.layer_last);
    }
    const std::size_t count =
        static_cast<std::size_t>(facts.n_embd) * static_cast<std::size_t>(facts.n_layer - 1);
    adapter_.memory_ = model.runtime()->reserve(count * sizeof(float), "the control vector");
    adapter_.directions_.resize(count);
    for (const gguf::Direction &direction : directions) {
        files_.check_first([&](const gguf::File &) { read_direction(direction); });
        ++adapter_.n_tensors_;
        adapter_.size_bytes_ += direction.tensor->nbytes;
    }
    adapter_.layer_first_ = directions.front().layer;
    adapter_.layer_last_ = directions.back().layer;
    if (request_.layer_first != 0 || request_.layer_last != 0) {
        const std::vector<std::string> texts{std::move(adapter_.fingerprint_),
                                             std::to_string(adapter_.layer_first_),
                                             std::to_string(adapter_.layer_last_)};
        adapter_.fingerprint_ = hash_texts(texts);
    }
}

void Adapter::Loader::read_direction(const gguf::Direction &direction) {
    std::vector<float> numbers(static_cast<std::size_t>(adapter_.model().facts().n_embd));
    files_.read(*direction.tensor, std::as_writable_bytes(std::span(numbers)));
    const auto bad = std::ranges::find_if_not(numbers, [](float n) { return std::isfinite(n); });
    if (bad != numbers.end()) {
        throw Error(MULLAMA_ERROR_BAD_MODEL, "the adapter's tensor '" + direction.tensor->name +
                                                 "' has a value that is not a finite number: "
                                                 "number " +
                                                 std::to_string(bad - numbers.begin()))
            .parameter(direction.tensor->name)
            .expected("a finite number");
    }
    // As llama.cpp's own loader has it, a file may give a layer several directions.
    std::ranges::transform(numbers, direction_of(direction.layer),
                           direction_of(direction.layer).begin(), std::plus());
}

Adapter::Adapter(std::shared_ptr<const Model> model, const std::string &path,
                 const AdapterRequest &request)
    : model_(std::move(model)) {
    require_weights(*model_);
    Loader(*this, path, request).load();
}

void Adapter::add_to(backend::ControlVector &sum, float scale) const {
    const bool first = sum.directions.empty();
    sum.directions.resize(directions_.size());
    for (std::size_t i = 0; i < directions_.size(); ++i)
        sum.directions[i] += directions_[i] * scale;
    sum.layer_first = first ? layer_first_ : std::min(sum.layer_first, layer_first_);
    sum.layer_last = first ? layer_last_ : std::max(sum.layer_last, layer_last_);
}

} // namespace mullama::core
