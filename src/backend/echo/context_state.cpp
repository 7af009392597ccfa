// Saved states of the pretend engine: for each sequence its number, how many tokens it holds, then
// each token and its cell, all as 32-bit numbers.
#include "backend/echo/context.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace mullama::backend::echo {

using base::Error;

namespace {

struct SavedToken {
    Token token = 0;
    std::uint32_t cell = 0;
};

struct SavedSequence {
    SequenceId sequence = 0;
    std::vector<SavedToken> tokens;
};

template <class Number>
void append_to(std::string &to, Number number) {
    to.append(reinterpret_cast<const char *>(&number), sizeof number);
}

class Bytes {
public:
    explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }

    [[nodiscard]] std::uint32_t take() {
        std::uint32_t number = 0;
        require(left() >= sizeof number, "it ends too early");
        std::memcpy(&number, bytes_.data() + at_, sizeof number);
        at_ += sizeof number;
        return number;
    }

    void require(bool right, const std::string &why) const {
        if (!right) {
            throw Error(MULLAMA_ERROR_BAD_STATE, "the engine's part of the state is wrong: " + why)
                .parameter("data")
                .offset(static_cast<std::int64_t>(at_));
        }
    }

private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

std::vector<SavedSequence> read(std::span<const std::byte> state, std::int32_t vocab_size,
                                std::span<const StateExtent> extents) {
    Bytes in(state);
    std::vector<SavedSequence> saved;
    for (const StateExtent &extent : extents) {
        SavedSequence &its = saved.emplace_back();
        its.sequence = static_cast<SequenceId>(in.take());
        in.require(its.sequence == extent.sequence, "a sequence is missing");
        const std::uint32_t count = in.take();
        in.require(count == static_cast<std::uint32_t>(extent.last) + 1,
                   "a sequence holds other positions than the state says");
        in.require(count <= in.left() / sizeof(SavedToken), "it ends too early");
        its.tokens.reserve(count);
        std::unordered_set<std::uint32_t> cells;
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto token = static_cast<Token>(in.take());
            in.require(token >= 0 && token < vocab_size, "a token is outside the vocabulary");
            its.tokens.push_back({token, in.take()});
            in.require(cells.insert(its.tokens.back().cell).second,
                       "a sequence holds one cell twice");
        }
    }
    in.require(in.left() == 0, "something follows what should be its end");
    return saved;
}

} // namespace

StateLayout EchoContext::state_layout() const {
    return {{"memories", std::to_string(kv_unified_ ? 1 : sequences_.size())}};
}

void EchoContext::save_state(SequenceId id, std::string &to) {
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
        const Sequence &its = sequences_[i];
        if (its.empty() || (id != all_sequences && id != static_cast<SequenceId>(i))) {
            continue;
        }
        append_to(to, static_cast<SequenceId>(i));
        append_to(to, static_cast<std::uint32_t>(its.size()));
        for (const Entry &entry : its) {
            append_to(to, entry.token);
            append_to(to, entry.cell);
        }
    }
}

void EchoContext::load_state(SequenceId id, std::span<const std::byte> state,
                             std::span<const StateExtent> extents) {
    const bool whole = id == all_sequences;
    const std::vector<SavedSequence> saved = read(state, options_.vocab_size, extents);
    // Cells by their numbers in the state: how many sequences of it hold each.
    std::unordered_map<std::uint32_t, std::uint16_t> cells;
    for (const SavedSequence &its : saved) {
        for (const SavedToken &token : its.tokens) {
            ++cells[token.cell];
        }
        if (whole) {
            static_cast<void>(sequence(its.sequence));
        }
    }
    std::size_t room = free_cells_.size();
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
        for (const Entry &entry : sequences_[i]) {
            const bool goes = id == static_cast<SequenceId>(i) && holders_[entry.cell] == 1;
            room += goes ? 1 : 0;
        }
    }
    room = whole ? n_ctx_ : room;
    const bool fits_each = std::ranges::all_of(saved, [this](const SavedSequence &its) {
        return kv_unified_ || its.tokens.size() <= n_ctx_seq_;
    });
    if (cells.size() > room || !fits_each) {
        throw Error(MULLAMA_ERROR_NO_SPACE, "the state holds " + std::to_string(cells.size()) +
                                                " tokens, and there is room for " +
                                                std::to_string(room))
            .parameter("n_ctx")
            .expected("at most " + std::to_string(room))
            .actual(cells.size());
    }
    std::vector<Sequence> made(saved.size());
    for (std::size_t i = 0; i < saved.size(); ++i) {
        made[i].reserve(saved[i].tokens.size());
    }
    std::unordered_map<std::uint32_t, std::uint32_t> new_cells;
    new_cells.reserve(cells.size());

    // Nothing fails from here on but memory for the map's nodes, which comes first.
    for (const auto &[cell, holders] : cells) {
        new_cells.emplace(cell, 0);
    }
    if (whole) {
        clear();
    } else {
        shorten(sequence(id), 0);
    }
    for (auto &[cell, fresh] : new_cells) {
        fresh = free_cells_.back();
        free_cells_.pop_back();
        holders_[fresh] = cells.at(cell);
    }
    for (std::size_t i = 0; i < saved.size(); ++i) {
        Progress progress;
        for (const SavedToken &token : saved[i].tokens) {
            const auto position = static_cast<Position>(made[i].size());
            progress = advance(progress, token.token, position);
            made[i].push_back({token.token, new_cells.at(token.cell), progress});
        }
        sequence(whole ? saved[i].sequence : id) = std::move(made[i]);
    }
}

} // namespace mullama::backend::echo
