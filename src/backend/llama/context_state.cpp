// Saved states: llama.cpp's own bytes, checked before it gets them back.
#include "backend/llama/context.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>

#include "backend/llama/failure.hpp"

namespace mullama::backend::llama {

using base::Error;

namespace {

// Their memories have parts that stand in a state in a form of their own (indexers, compressed
// keys), or caches that must agree cell by cell, which llama.cpp restores apart.
constexpr std::array<std::string_view, 8> not_savable{"deepseek4",  "deepseek32", "glm-dsa",
                                                      "glm5-next",  "hy-v4",      "dots3note",
                                                      "minimax-m3", "qwen4exp"};

// Positions far beyond any text, with room to count on.
constexpr Position last_position_of_all = std::numeric_limits<Position>::max() / 2;

} // namespace

void LlamaContext::require_savable() const {
    const auto refuse = [&](const std::string &why) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "the state of a model of architecture \"" +
                                                   facts_.architecture +
                                                   "\" cannot be saved or loaded: " + why);
    };
    if (memory_ == nullptr) {
        refuse("it keeps none between decodes");
    }
    if (facts_.has_encoder) {
        refuse("its decoder looks at what was encoded, which llama.cpp cannot put back");
    }
    if (std::ranges::find(not_savable, facts_.architecture) != not_savable.end()) {
        refuse("llama.cpp keeps it in a form that cannot be checked");
    }
}

StateShape LlamaContext::state_shape() const {
    StateShape shape;
    shape.architecture = facts_.architecture;
    shape.n_seq_max = n_seq_max();
    shape.n_cells = n_ctx_seq();
    // Streams have the room of one sequence each; one that all share has all of it.
    shape.n_stream = n_ctx() == n_ctx_seq() ? 1 : n_seq_max();
    // Without rotation, positions are rows of a table.
    const bool table =
        llama_model_rope_type(llama_get_model(context_.get())) == LLAMA_ROPE_TYPE_NONE;
    shape.last_position = table && !facts_.is_recurrent && !facts_.is_hybrid
                              ? static_cast<Position>(n_ctx_seq()) - 1
                              : last_position_of_all;
    return shape;
}

bool LlamaContext::is_empty() const {
    for (std::uint32_t i = 0; i < n_seq_max(); ++i) {
        if (last_position(static_cast<SequenceId>(i)) >= 0) {
            return false;
        }
    }
    return true;
}

void LlamaContext::refuse_pending() {
    throw Error(MULLAMA_ERROR_INVALID_STATE,
                "sequences were copied or moved, which llama.cpp does at the next decode only: "
                "decode a token before the state is saved or replaced");
}

void LlamaContext::write_state(SequenceId sequence, std::string &to) {
    if (moves_pending_) {
        refuse_pending();
    }
    const LogCapture capture;
    const bool whole = sequence == all_sequences;
    const std::size_t size = guarded("measure a state", capture, [&] {
        return whole ? llama_state_get_size(context_.get())
                     : llama_state_seq_get_size(context_.get(), sequence);
    });
    const std::size_t begin = to.size();
    to.resize(begin + size);
    auto *const bytes = reinterpret_cast<std::uint8_t *>(to.data() + begin);
    const std::size_t written = guarded("save a state", capture, [&] {
        return whole ? llama_state_get_data(context_.get(), bytes, size)
                     : llama_state_seq_get_data(context_.get(), bytes, size, sequence);
    });
    if (size == 0 || written != size) {
        throw Error(MULLAMA_ERROR_ENGINE, "llama.cpp could not save the state").log(capture.text());
    }
}

bool LlamaContext::read_state(SequenceId sequence, std::span<const std::byte> state) {
    // What it reports is the error's to tell.
    const LogCapture capture(LogCapture::Also::keep_quiet);
    const auto *const bytes = reinterpret_cast<const std::uint8_t *>(state.data());
    const std::size_t read = guarded("load a state", capture, [&] {
        return sequence == all_sequences
                   ? llama_state_set_data(context_.get(), bytes, state.size())
                   : llama_state_seq_set_data(context_.get(), bytes, state.size(), sequence);
    });
    return read == state.size();
}

const StateParts &LlamaContext::learn_state(SequenceId sequence, std::span<const std::byte> state) {
    if (!state_parts_) {
        state_parts_ = learn_parts(state, sequence == all_sequences, state_shape());
    }
    if (!state_parts_) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "the state of a model of architecture \"" + facts_.architecture +
                        "\" cannot be saved or loaded: llama.cpp keeps it in an unknown form");
    }
    return *state_parts_;
}

const StateParts &LlamaContext::known_state() {
    if (state_parts_) {
        return *state_parts_;
    }
    SequenceId shortest = all_sequences;
    for (std::uint32_t i = 0; i < n_seq_max(); ++i) {
        const auto sequence = static_cast<SequenceId>(i);
        const Position last = last_position(sequence);
        if (last >= 0 && (shortest == all_sequences || last < last_position(shortest))) {
            shortest = sequence;
        }
    }
    if (shortest == all_sequences) {
        return probe_state();
    }
    std::string state;
    write_state(shortest, state);
    return learn_state(shortest, std::as_bytes(std::span(state)));
}

void LlamaContext::decode_one() {
    const SequenceId sequence = 0;
    Batch batch;
    batch.add(0, 0, std::span(&sequence, 1), false);
    switch (decode(batch)) {
    case DecodeStatus::ok:
        break;
    case DecodeStatus::aborted:
        throw Error(MULLAMA_ERROR_CANCELLED, "loading the state was stopped");
    case DecodeStatus::no_space:
        throw Error(MULLAMA_ERROR_ENGINE, "llama.cpp has no room for a single token");
    }
}

const StateParts &LlamaContext::probe_state() {
    decode_one();
    std::string state;
    try {
        write_state(0, state);
    } catch (...) {
        clear();
        throw;
    }
    clear();
    return learn_state(0, std::as_bytes(std::span(state)));
}

void LlamaContext::finish_copies() {
    if (!is_empty()) {
        refuse_pending();
    }
    decode_one();
    clear();
}

void LlamaContext::save_state(SequenceId sequence, std::string &to) {
    require_savable();
    const std::size_t begin = to.size();
    write_state(sequence, to);
    const bool empty = sequence == all_sequences ? is_empty() : last_position(sequence) < 0;
    if (!empty) {
        // So that a state of an unknown form is refused when it is saved already.
        learn_state(sequence, std::as_bytes(std::span(to).subspan(begin)));
    }
}

void LlamaContext::require_state_room(SequenceId sequence, std::span<const PartContent> contents) {
    std::uint32_t needed = 0;
    for (const PartContent &part : contents) {
        needed = std::max(needed, part.kind == StatePart::Kind::attention ? part.n_cells : 0);
    }
    const StateShape shape = state_shape();
    if (shape.n_stream > 1) {
        return; // check_state() has compared it with the sequence's own memory
    }
    // At most this many cells are others', if none is shared and no position was skipped.
    std::uint64_t used = 0;
    for (std::uint32_t i = 0; i < n_seq_max(); ++i) {
        const auto other = static_cast<SequenceId>(i);
        used += other == sequence ? 0 : static_cast<std::uint64_t>(last_position(other) + 1);
    }
    if (used + needed <= shape.n_cells) {
        return;
    }
    std::string state;
    write_state(all_sequences, state);
    const auto own =
        check_state(std::as_bytes(std::span(state)), true, shape, known_state(), sequence);
    for (std::size_t i = 0; i < own.size(); ++i) {
        if (own[i].kind != StatePart::Kind::attention) {
            continue;
        }
        const std::uint32_t free = shape.n_cells - (own[i].n_cells - own[i].n_cells_of_target);
        if (contents[i].n_cells > free) {
            throw Error(MULLAMA_ERROR_NO_SPACE,
                        "the state holds " + std::to_string(contents[i].n_cells) +
                            " tokens, and other sequences leave room for " + std::to_string(free) +
                            ": empty some of them, or make a context with a larger n_ctx")
                .parameter("n_ctx")
                .expected("at most " + std::to_string(free))
                .actual(contents[i].n_cells);
        }
    }
}

namespace {

void require_extents(std::span<const PartContent> contents, bool whole,
                     std::span<const StateExtent> extents) {
    for (const PartContent &part : contents) {
        std::array<Position, max_sequences> expected{};
        expected.fill(-1);
        for (const StateExtent &extent : extents) {
            expected[whole ? static_cast<std::size_t>(extent.sequence) : 0] = extent.last;
        }
        if (part.last != expected) {
            throw Error(MULLAMA_ERROR_BAD_STATE,
                        "the engine's part of the state holds other positions than the state says")
                .parameter("data")
                .offset(0);
        }
    }
}

} // namespace

void LlamaContext::load_state(SequenceId sequence, std::span<const std::byte> state,
                              std::span<const StateExtent> extents) {
    require_savable();
    const bool whole = sequence == all_sequences;
    const auto contents = check_state(state, whole, state_shape(), known_state());
    require_extents(contents, whole, extents);
    if (copies_pending_) {
        finish_copies();
    }
    if (!whole && extents.empty()) {
        // llama.cpp takes "no cells" for "leave those that are there".
        static_cast<void>(truncate(sequence, 0));
        return;
    }
    if (!whole) {
        require_state_room(sequence, contents);
    }
    std::string before;
    if (whole ? !is_empty() : last_position(sequence) >= 0) {
        write_state(all_sequences, before);
    }
    const LogCapture capture;
    bool loaded = false;
    try {
        loaded = read_state(sequence, state);
    } catch (const Error &error) {
        log_line(MULLAMA_LOG_ERROR, error.message());
    }
    if (loaded) {
        return;
    }
    // Never seen: everything that llama.cpp looks at was checked.
    bool restored = true;
    if (!before.empty()) {
        restored = read_state(all_sequences, std::as_bytes(std::span(before)));
    } else if (whole) {
        clear();
    } else {
        static_cast<void>(truncate(sequence, 0));
    }
    if (!restored) {
        clear();
    }
    throw Error(MULLAMA_ERROR_ENGINE, std::string("llama.cpp refused the state") +
                                          (restored ? "" : ", and the context is empty now"))
        .log(capture.text());
}

} // namespace mullama::backend::llama
