#include "parity/twins.hpp"

#include <algorithm>
#include <utility>

namespace mullama::test {
namespace {

bool in_range(std::int32_t at, std::int32_t begin, std::int32_t end) {
    return at >= begin && (end == MULLAMA_POSITION_END || at < end);
}

std::string range(std::int32_t begin, std::int32_t end) {
    return " [" + std::to_string(begin) + ", " +
           (end == MULLAMA_POSITION_END ? "end" : std::to_string(end)) + ")";
}

BatchHandle batch_of(const std::vector<Twins::Token> &tokens) {
    BatchHandle batch = new_batch();
    for (const Twins::Token &token : tokens)
        EXPECT_OK(add(batch.get(), token.token, token.position, {token.sequence}, true));
    return batch;
}

void fill(RawBatch &batch, const std::vector<Twins::Token> &tokens) {
    for (const Twins::Token &token : tokens)
        batch.add(token.token, token.position, token.sequence);
}

} // namespace

TwinModels::TwinModels(const Json &row)
    : ours_(load_model(path_of(row))), raw_(load_raw(path_of(row))),
      n_vocab_(n_vocab_of(raw_.get())), has_encoder_(has(row, "encoder")),
      has_decoder_(has(row, "decoder")) {
    for (const Json &adapter : fixtures("adapter")) {
        if (adapter["model"] != row["name"])
            continue;
        const std::string path = path_of(adapter);
        mullama_adapter_t *loaded = nullptr;
        const ErrorHandle error(
            mullama_adapter_load(ours_.get(), path.data(), path.size(), nullptr, &loaded));
        AdapterHandle ours(loaded);
        if (ours == nullptr) {
            // llama.cpp cannot apply it; tests/capi/adapter_test.cpp knows which those are.
            EXPECT_EQ(mullama_error_code(error.get()), MULLAMA_ERROR_UNSUPPORTED)
                << message_of(error.get());
            continue;
        }
        mullama_adapter_info_t info;
        mullama_adapter_info_init(&info, sizeof info);
        EXPECT_OK(mullama_adapter_get_info(ours.get(), &info));
        RawLora lora;
        if (info.kind == MULLAMA_ADAPTER_LORA)
            lora.reset(llama_adapter_lora_init(raw_.get(), path.c_str()));
        adapters_.push_back({path, std::move(ours), std::move(lora)});
    }
}

Twins::Twins(const TwinModels &models, const TwinOptions &options)
    : models_(models), options_(options), held_(static_cast<std::size_t>(options.n_sequences)),
      next_(static_cast<std::size_t>(options.n_sequences)) {
    make_contexts();
}

void Twins::make_contexts() {
    mullama_context_options_t options = one_thread();
    const auto n_sequences = static_cast<std::uint32_t>(options_.n_sequences);
    options.n_ctx = options_.unified ? n_ctx : n_ctx * n_sequences;
    options.n_seq_max = n_sequences;
    options.n_ubatch = n_ubatch;
    options.kv_unified = options_.unified;
    options.swa_full = options_.swa_full;
    options.flash_attention = options_.flash_attention ? MULLAMA_SWITCH_AUTO : MULLAMA_SWITCH_OFF;
    ours_ = new_context(models_.ours(), options);
    mullama_context_info_t info;
    mullama_context_info_init(&info, sizeof info);
    EXPECT_OK(mullama_context_get_info(ours_.get(), &info));
    pooling_ = info.pooling;
    embeddings_ = info.embeddings;

    llama_context_params params = raw_params(options.n_ctx);
    params.n_seq_max = n_sequences;
    params.n_ubatch = n_ubatch;
    params.kv_unified = options_.unified;
    params.swa_full = options_.swa_full;
    params.flash_attn_type =
        options_.flash_attention ? LLAMA_FLASH_ATTN_TYPE_AUTO : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.embeddings = embeddings_;
    raw_.reset(llama_init_from_model(models_.raw(), params));
    EXPECT_NE(raw_, nullptr);
    memory_ = llama_get_memory(raw_.get());
}

// Takes an error, and says whether the call succeeded. Nothing else than a refusal is right.
bool Twins::accepted(mullama_error_t *error) {
    const ErrorHandle owned(error);
    const mullama_error_code_t code = mullama_error_code(error);
    if (error != nullptr)
        trace_ += std::string(": refused, ") + mullama_error_code_name(code);
    EXPECT_TRUE(code == MULLAMA_OK || code == MULLAMA_ERROR_UNSUPPORTED ||
                code == MULLAMA_ERROR_INVALID_STATE || code == MULLAMA_ERROR_OUT_OF_RANGE ||
                code == MULLAMA_ERROR_INVALID_ARGUMENT || code == MULLAMA_ERROR_NO_SPACE ||
                code == MULLAMA_ERROR_CANCELLED)
        << mullama_error_code_name(code) << ": " << message_of(error) << "\n"
        << mullama_error_log(error, nullptr) << trace_;
    return error == nullptr;
}

std::int32_t Twins::last_of(std::int32_t sequence) const {
    return llama_memory_seq_pos_max(memory_, sequence);
}

void Twins::copy(std::int32_t from, std::int32_t to, std::int32_t begin, std::int32_t end) {
    note("copy " + std::to_string(from) + " to " + std::to_string(to) + range(begin, end));
    if (accepted(mullama_context_sequence_copy(ours_.get(), from, to, begin, end))) {
        const auto copied = [&](std::int32_t at) { return in_range(at, begin, end); };
        const Positions its = held(from);
        std::ranges::copy_if(its, std::back_inserter(held(to)), copied);
        // Nothing, copied between memories of their own, is all that another one holds.
        if (!held(to).empty()) {
            const bool whole = std::ranges::all_of(its, copied);
            llama_memory_seq_cp(memory_, from, to, whole ? -1 : begin, whole ? -1 : end);
            copies_wait_ = copies_wait_ || !options_.unified;
        }
    }
    compare_positions();
}

void Twins::remove(std::int32_t sequence, std::int32_t begin, std::int32_t end) {
    note("remove from " + std::to_string(sequence) + range(begin, end));
    if (accepted(mullama_context_sequence_remove(ours_.get(), sequence, begin, end))) {
        std::erase_if(held(sequence), [&](std::int32_t at) { return in_range(at, begin, end); });
        EXPECT_TRUE(llama_memory_seq_rm(memory_, sequence, begin, end) || last_of(sequence) < begin)
            << trace_;
    }
    compare_positions();
}

void Twins::shift(std::int32_t sequence, std::int32_t begin, std::int32_t end, std::int32_t delta) {
    note("shift " + std::to_string(sequence) + " by " + std::to_string(delta) + range(begin, end));
    if (accepted(mullama_context_sequence_shift(ours_.get(), sequence, begin, end, delta))) {
        // A range without tokens makes llama.cpp look for room elsewhere, no more.
        if (move(sequence, begin, end, [&](std::int32_t at) { return at + delta; }))
            llama_memory_seq_add(memory_, sequence, begin, end, delta);
    }
    compare_positions();
}

void Twins::divide(std::int32_t sequence, std::int32_t begin, std::int32_t end,
                   std::int32_t divisor) {
    note("divide " + std::to_string(sequence) + " by " + std::to_string(divisor) +
         range(begin, end));
    if (accepted(mullama_context_sequence_divide(ours_.get(), sequence, begin, end, divisor))) {
        if (move(sequence, begin, end, [&](std::int32_t at) { return at / divisor; }))
            llama_memory_seq_div(memory_, sequence, begin, end, divisor);
    }
    compare_positions();
}

void Twins::keep(std::int32_t sequence) {
    note("keep " + std::to_string(sequence));
    if (accepted(mullama_context_sequence_keep(ours_.get(), sequence))) {
        for (std::int32_t other = 0; other < n_sequences(); ++other) {
            if (other != sequence) {
                held(other).clear();
                llama_memory_seq_rm(memory_, other, -1, -1);
            }
        }
    }
    compare_positions();
}

void Twins::clear() {
    note("clear");
    EXPECT_OK(mullama_context_clear(ours_.get()));
    llama_memory_clear(memory_, false);
    for (Positions &its : held_)
        its.clear();
    compare_positions();
}

void Twins::set_embeddings(bool embeddings) {
    note(embeddings ? "embeddings" : "no embeddings");
    if (accepted(mullama_context_set_embeddings(ours_.get(), embeddings))) {
        llama_set_embeddings(raw_.get(), embeddings);
        embeddings_ = embeddings;
    }
}

void Twins::apply(const std::vector<TwinScale> &scales) {
    std::vector<llama_adapter_lora *> loras;
    std::vector<float> lora_scales;
    std::vector<std::pair<std::string, float>> vectors;
    for (const TwinScale &its : scales) {
        const TwinAdapter &adapter = models_.adapters()[its.adapter];
        if (its.scale == 0.0F)
            continue;
        if (adapter.lora != nullptr) {
            loras.push_back(adapter.lora.get());
            lora_scales.push_back(its.scale);
        } else {
            vectors.emplace_back(adapter.path, its.scale);
        }
    }
    EXPECT_EQ(llama_set_adapters_lora(raw_.get(), loras.data(), loras.size(), lora_scales.data()),
              0);
    if (vectors.empty()) {
        EXPECT_EQ(llama_set_adapter_cvec(raw_.get(), nullptr, 0, 0, 0, 0), 0);
        return;
    }
    const std::vector<float> sum = sum_of_directions(models_.raw(), vectors);
    EXPECT_EQ(llama_set_adapter_cvec(raw_.get(), sum.data(), sum.size(),
                                     llama_model_n_embd(models_.raw()), 1,
                                     llama_model_n_layer(models_.raw())),
              0);
}

void Twins::set_adapters(const std::vector<TwinScale> &scales) {
    std::string what = "adapters";
    std::vector<mullama_adapter_t *> adapters;
    std::vector<float> numbers;
    for (const TwinScale &its : scales) {
        what += " " + std::to_string(its.adapter) + " * " + std::to_string(its.scale);
        adapters.push_back(models_.adapters()[its.adapter].ours.get());
        numbers.push_back(its.scale);
    }
    note(what);
    ASSERT_OK(mullama_context_set_adapters(ours_.get(), adapters.data(), numbers.data(),
                                           adapters.size()));
    apply(scales);
    scales_ = scales;
    compare_positions();
}

void Twins::decode(const std::vector<Token> &tokens) {
    note("decode " + std::to_string(tokens.size()) + " from " +
         std::to_string(tokens.front().sequence));
    if (accepted(mullama_context_decode(ours_.get(), batch_of(tokens).get()))) {
        RawBatch raw(static_cast<std::int32_t>(tokens.size()));
        fill(raw, tokens);
        ASSERT_EQ(llama_decode(raw_.get(), raw.get()), 0) << trace_;
        copies_wait_ = false;
        compare_outputs(tokens);
        for (const Token &token : tokens) {
            if (memory_ != nullptr)
                held(token.sequence).push_back(token.position);
        }
    }
    compare_positions();
}

void Twins::decode_aborted(const std::vector<Token> &tokens) {
    note("abort");
    EXPECT_OK(mullama_context_abort(ours_.get()));
    const ErrorHandle error(mullama_context_decode(ours_.get(), batch_of(tokens).get()));
    EXPECT_NE(error, nullptr) << trace_;
    if (error != nullptr && mullama_error_code(error.get()) != MULLAMA_ERROR_CANCELLED) {
        // Refused before it was started: the abort still waits for a decode.
        const BatchHandle batch = new_batch();
        EXPECT_OK(add(batch.get(), 1, last_of(0) + 1, {0}, true));
        const ErrorHandle other(mullama_context_decode(ours_.get(), batch.get()));
        EXPECT_NE(other, nullptr) << trace_;
    }
    compare_positions();
}

void Twins::encode(const std::vector<Token> &tokens) {
    note("encode " + std::to_string(tokens.size()));
    if (accepted(mullama_context_encode(ours_.get(), batch_of(tokens).get()))) {
        RawBatch raw(static_cast<std::int32_t>(tokens.size()));
        fill(raw, tokens);
        ASSERT_EQ(llama_encode(raw_.get(), raw.get()), 0) << trace_;
    }
    compare_positions();
}

std::vector<std::uint8_t> Twins::raw_state(std::int32_t sequence) const {
    const bool whole = sequence == MULLAMA_SEQUENCE_ALL;
    std::vector<std::uint8_t> bytes(whole ? llama_state_get_size(raw_.get())
                                          : llama_state_seq_get_size(raw_.get(), sequence));
    const std::size_t written =
        whole ? llama_state_get_data(raw_.get(), bytes.data(), bytes.size())
              : llama_state_seq_get_data(raw_.get(), bytes.data(), bytes.size(), sequence);
    EXPECT_EQ(written, bytes.size()) << trace_;
    return bytes;
}

void Twins::load_raw_state(const State &state, std::int32_t sequence) {
    if (copies_wait_) {
        // They would overwrite what is loaded. Ours accepts a state only where nothing is held.
        RawBatch one(1);
        one.add(0, 0, 0);
        EXPECT_EQ(llama_decode(raw_.get(), one.get()), 0) << trace_;
        llama_memory_clear(memory_, false);
        copies_wait_ = false;
    }
    if (!state.whole && state.held.front().empty()) {
        // llama.cpp takes "no cells" for "leave those that are there".
        llama_memory_seq_rm(memory_, sequence, -1, -1);
        return;
    }
    const std::size_t read =
        state.whole
            ? llama_state_set_data(raw_.get(), state.raw.data(), state.raw.size())
            : llama_state_seq_set_data(raw_.get(), state.raw.data(), state.raw.size(), sequence);
    EXPECT_EQ(read, state.raw.size()) << trace_;
}

void Twins::save(std::int32_t sequence, std::size_t place) {
    const bool whole = sequence == MULLAMA_SEQUENCE_ALL;
    const auto next = next_;
    note("save " + std::to_string(sequence));
    // Saving changes nothing.
    next_ = next;
    mullama_text_t *text = nullptr;
    if (!accepted(mullama_context_save_state(ours_.get(), sequence, &text)))
        return;
    const TextHandle owned(text);
    State state;
    state.whole = whole;
    state.ours = text_of(text);
    state.raw = raw_state(sequence);
    state.held = whole ? held_ : std::vector<Positions>{held(sequence)};
    if (whole)
        state.next = next_;
    else
        state.next = {next_[static_cast<std::size_t>(sequence)]};
    if (place >= states_.size())
        states_.push_back(std::move(state));
    else
        states_[place] = std::move(state);
    compare_positions();
}

void Twins::load(std::size_t place, std::int32_t sequence) {
    const State &state = states_[place];
    const std::int32_t target = state.whole ? MULLAMA_SEQUENCE_ALL : sequence;
    note("load " + std::to_string(place) + " into " + std::to_string(target));
    if (accepted(load_state(ours_.get(), target, state.ours))) {
        load_raw_state(state, target);
        if (state.whole) {
            held_ = state.held;
            for (std::int32_t id = 0; id < n_sequences(); ++id)
                require_same_next(id, state.next[static_cast<std::size_t>(id)]);
        } else {
            held(target) = state.held.front();
            require_same_next(target, state.next.front());
        }
    }
    compare_positions();
}

void Twins::restart() {
    const std::size_t place = states_.size();
    save(MULLAMA_SEQUENCE_ALL, place);
    if (states_.size() == place)
        return; // refused
    note("restart");
    const bool embeddings = embeddings_;
    ours_.reset();
    raw_.reset();
    make_contexts();
    copies_wait_ = false;
    for (Positions &its : held_)
        its.clear();
    set_embeddings(embeddings);
    set_adapters(scales_);
    load(place, MULLAMA_SEQUENCE_ALL);
    states_.pop_back();
}

void Twins::note(const std::string &what) {
    trace_ += "\n" + what;
    // Whatever it is, the last decode's logits may be no sequence's end any more.
    std::ranges::fill(next_, std::nullopt);
}

void Twins::require_same_next(std::int32_t sequence, const std::optional<std::int32_t> &next) {
    if (!next)
        return;
    mullama_generate_options_t options = generate_options();
    options.sequence = sequence;
    options.max_tokens = 1;
    std::int32_t token = -1;
    options.user_data = &token;
    options.on_token = [](const mullama_token_event_t *event, void *user_data) {
        *static_cast<std::int32_t *>(user_data) = event->token;
        return true;
    };
    EXPECT_OK(mullama_context_generate_tokens(ours_.get(), nullptr, nullptr, 0, &options, nullptr,
                                              nullptr))
        << trace_;
    EXPECT_EQ(token, *next) << trace_;
}

void Twins::compare_positions() {
    for (std::int32_t id = 0; id < n_sequences(); ++id) {
        mullama_pos_t first = -2;
        mullama_pos_t last = -2;
        ASSERT_OK(mullama_context_sequence_positions(ours_.get(), id, &first, &last));
        ASSERT_EQ(first, llama_memory_seq_pos_min(memory_, id)) << id << trace_;
        ASSERT_EQ(last, llama_memory_seq_pos_max(memory_, id)) << id << trace_;
    }
}

void Twins::compare_outputs(const std::vector<Token> &tokens) {
    const float *row = nullptr;
    std::size_t count = 0;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(tokens.size()); ++i) {
        const std::int32_t sequence = tokens[static_cast<std::size_t>(i)].sequence;
        if (models_.has_decoder() && (pooling_ == MULLAMA_POOLING_NONE || !embeddings_)) {
            compare_logits(i);
            const float *const logits = llama_get_logits_ith(raw_.get(), i);
            next_[static_cast<std::size_t>(sequence)] = static_cast<std::int32_t>(
                std::max_element(logits, logits + models_.n_vocab()) - logits);
        }
        if (!embeddings_)
            continue;
        if (pooling_ == MULLAMA_POOLING_NONE) {
            ASSERT_OK(mullama_context_embedding(ours_.get(), i, &row, &count));
            compare_rows(row, count, llama_get_embeddings_ith(raw_.get(), i), "embedding", i);
        } else {
            ASSERT_OK(mullama_context_sequence_embedding(ours_.get(), sequence, &row, &count));
            compare_rows(row, count, llama_get_embeddings_seq(raw_.get(), sequence),
                         "embedding of the sequence", i);
        }
    }
}

void Twins::compare_logits(std::int32_t index) {
    const float *logits = nullptr;
    std::size_t count = 0;
    ASSERT_OK(mullama_context_logits(ours_.get(), index, &logits, &count));
    compare_rows(logits, count, llama_get_logits_ith(raw_.get(), index), "logits", index);
}

void Twins::compare_rows(const float *ours, std::size_t count, const float *raw, const char *what,
                         std::int32_t index) {
    ASSERT_NE(raw, nullptr) << trace_;
    ASSERT_TRUE(std::equal(ours, ours + count, raw))
        << "the " << what << " of token " << index << " differ" << trace_;
}

bool Twins::move(std::int32_t sequence, std::int32_t begin, std::int32_t end,
                 const std::function<std::int32_t(std::int32_t)> &to) {
    bool moved = false;
    for (std::int32_t &at : held(sequence)) {
        if (in_range(at, begin, end)) {
            at = to(at);
            moved = true;
        }
    }
    return moved;
}

} // namespace mullama::test
