#include "core/sampling/chain.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "core/model.hpp"
#include "core/sampling/stages.hpp"

namespace mullama::core::sampling {

using base::Error;

namespace {

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

// A row of the table lives for ever.
std::shared_ptr<const StageKind> in_table(const StageKind &kind) {
    return {std::shared_ptr<const StageKind>(), &kind};
}

const StageKind &require_kind(std::string_view name) {
    const StageKind *kind = find_stage(name);
    if (kind == nullptr) {
        throw Error(MULLAMA_ERROR_NOT_FOUND,
                    "there is no sampler stage " + quoted(name) + "; there are: " + stage_names())
            .parameter("name")
            .expected(stage_names())
            .actual(name);
    }
    return *kind;
}

// Where the table has a stage; custom stages stand before all of them.
std::ptrdiff_t row_of(const StageKind &kind) {
    return find_stage(kind.name) == &kind ? &kind - stages().data() : -1;
}

} // namespace

Chain Chain::usual() {
    Chain chain;
    for (const std::string_view name : default_chain()) {
        chain.add(name);
    }
    return chain;
}

Chain Chain::clone() const {
    Chain copy;
    copy.stages_.reserve(stages_.size());
    for (const Link &link : stages_) {
        copy.stages_.push_back({link.kind, link.stage->clone(), link.values});
    }
    copy.model_ = model_;
    return copy;
}

Chain::Link Chain::default_link(const StageKind &kind) {
    Link link{in_table(kind), kind.make(), {}};
    for (const StageParameter &row : kind.parameters) {
        switch (row.type) {
        case MULLAMA_PARAMETER_INT:
        case MULLAMA_PARAMETER_FLOAT:
        case MULLAMA_PARAMETER_BOOL:
            link.stage->set(row.name, row.default_value);
            link.values.emplace_back(row.default_value);
            break;
        case MULLAMA_PARAMETER_TEXT: {
            std::string text = row.default_texts.empty() ? "" : row.default_texts.front();
            link.stage->set_text(row.name, text);
            link.values.emplace_back(std::move(text));
            break;
        }
        case MULLAMA_PARAMETER_TEXTS: {
            std::vector<std::string> texts(row.default_texts.begin(), row.default_texts.end());
            link.stage->set_texts(row.name, texts);
            link.values.emplace_back(std::move(texts));
            break;
        }
        case MULLAMA_PARAMETER_BIASES:
            link.stage->set_biases(row.name, {});
            link.values.emplace_back(std::vector<Bias>());
            break;
        }
    }
    return link;
}

Chain::Link Chain::make_link(std::string_view name) const {
    const StageKind &kind = require_kind(name);
    Link link = default_link(kind);
    if (kind.needs_model && model_ != nullptr) {
        link.stage->bind(&model_->vocab());
    }
    link.stage->reset();
    return link;
}

void Chain::reseed(std::int64_t seed) {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        for (const StageParameter &row : stages_[i].kind->parameters) {
            if (std::string_view(row.name) == "seed") {
                set(i, row.name, seed);
            }
        }
    }
}

bool Chain::has_custom_stage() const noexcept {
    return std::ranges::any_of(stages_, [](const Link &link) { return row_of(*link.kind) < 0; });
}

void Chain::insert_link(std::size_t index, Link link) {
    if (index > stages_.size()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the chain has no such place")
            .parameter("index")
            .expected("0 to " + std::to_string(stages_.size()))
            .actual(index);
    }
    if (index == stages_.size() && index > 0 && stages_.back().kind->selects) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the chain ends with " + quoted(stages_.back().kind->name) +
                        ", which selects the token: nothing can follow it")
            .parameter("name")
            .actual(link.kind->name);
    }
    if (link.kind->selects && index < stages_.size()) {
        throw Error(MULLAMA_ERROR_INVALID_STATE, quoted(link.kind->name) +
                                                     " selects the token: it can only stand at "
                                                     "the end of the chain")
            .parameter("name")
            .actual(link.kind->name);
    }
    stages_.insert(stages_.begin() + static_cast<std::ptrdiff_t>(index), std::move(link));
}

std::size_t Chain::add(std::string_view name) {
    insert_link(stages_.size(), make_link(name));
    return stages_.size() - 1;
}

void Chain::insert(std::size_t index, std::string_view name) {
    insert_link(index, make_link(name));
}

void Chain::insert(std::size_t index, std::shared_ptr<const StageKind> kind,
                   std::unique_ptr<Stage> stage) {
    insert_link(index, {std::move(kind), std::move(stage), {}});
}

std::size_t Chain::ensure(std::string_view name) {
    const auto same = std::find_if(stages_.begin(), stages_.end(),
                                   [&](const Link &link) { return name == link.kind->name; });
    if (same != stages_.end()) {
        return static_cast<std::size_t>(same - stages_.begin());
    }
    Link link = make_link(name);
    if (link.kind->selects && !stages_.empty() && stages_.back().kind->selects) {
        stages_.back() = std::move(link);
        return stages_.size() - 1;
    }
    const std::ptrdiff_t row = row_of(*link.kind);
    const auto next = std::find_if(stages_.begin(), stages_.end(), [&](const Link &other) {
        return !link.kind->selects && (other.kind->selects || row_of(*other.kind) > row);
    });
    const auto place = static_cast<std::size_t>(next - stages_.begin());
    stages_.insert(next, std::move(link));
    return place;
}

void Chain::remove(std::size_t stage) {
    require_stage(stage);
    stages_.erase(stages_.begin() + static_cast<std::ptrdiff_t>(stage));
}

void Chain::set_model(std::shared_ptr<const Model> model) {
    // Into copies first: where one does not get on with the model, all are as they were.
    std::vector<std::unique_ptr<Stage>> bound(stages_.size());
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        if (stages_[i].kind->needs_model) {
            bound[i] = stages_[i].stage->clone();
            bound[i]->bind(model == nullptr ? nullptr : &model->vocab());
            bound[i]->reset();
        }
    }
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        if (bound[i] != nullptr) {
            stages_[i].stage = std::move(bound[i]);
        }
    }
    model_ = std::move(model);
}

void Chain::adopt_model(const std::shared_ptr<const Model> &model) {
    if (model_ == model || std::none_of(stages_.begin(), stages_.end(),
                                        [](const Link &link) { return link.kind->needs_model; })) {
        return;
    }
    if (model_ != nullptr) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "the sampler has stages that work on the vocabulary of another model: make "
                    "one for this model, or set the model")
            .parameter("sampler");
    }
    set_model(model);
}

void Chain::require_stage(std::size_t stage) const {
    if (stage >= stages_.size()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the chain has no such stage")
            .parameter("stage")
            .expected(stages_.empty() ? "a chain with stages"
                                      : "0 to " + std::to_string(stages_.size() - 1))
            .actual(stage);
    }
}

const char *Chain::stage_name(std::size_t stage) const noexcept {
    return stage < stages_.size() ? stages_[stage].kind->name : nullptr;
}

Token Chain::sample(std::span<const float> logits) {
    candidates_.assign(logits);
    apply(candidates_);
    const Token token = candidates_.token();
    accept(token);
    return token;
}

void Chain::apply(Candidates &candidates) {
    for (const Link &link : stages_) {
        if (link.kind->needs_model && model_ == nullptr) [[unlikely]] {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "the stage " + quoted(link.kind->name) +
                            " works on a model's vocabulary, and the sampler was not told of a "
                            "model")
                .parameter("sampler");
        }
        link.stage->apply(candidates);
    }
}

void Chain::accept(Token token) {
    for (const Link &link : stages_) {
        link.stage->check(token);
    }
    for (const Link &link : stages_) {
        link.stage->accept(token);
    }
}

void Chain::accept_prompt(Token token) {
    for (const Link &link : stages_) {
        link.stage->accept_prompt(token);
    }
}

void Chain::reset() {
    for (const Link &link : stages_) {
        link.stage->reset();
    }
}

} // namespace mullama::core::sampling
