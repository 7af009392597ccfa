// The container of saved states: what is in one, written and read. It knows no engine; the engine's
// own bytes are one section, which src/backend checks.
//
// All numbers are little-endian:
//
//     0   8  "MULLAMAS"
//     8   4  format version
//     12  4  0
//     16  8  size of everything
//     24  16 XXH3-128 of bytes 0 to 24 and 40 to the end
//     40     the sections, in this order: identity, origin, sequences, logits, engine;
//            each: 4 bytes id, 4 bytes 0, 8 bytes size, then that many bytes
//
// identity and origin are texts: what must be equal for the state to fit a context, by name, and
// what made it, for information.
#pragma once

#include "backend/port.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mullama::core {

inline constexpr std::uint32_t state_format_version = 1;

// One token that a sequence holds. Entries of several sequences that are one cell of the memory
// have the same cell number.
struct StateEntry {
    backend::Position position = 0;
    backend::Token token = 0;
    std::uint32_t cell = 0;
};

// What the state says about one sequence that is not empty.
struct StateSequence {
    backend::SequenceId id = 0;
    backend::Position first = 0;
    backend::Position last = 0;
    // Which tokens it holds; empty where that was not known.
    std::vector<StateEntry> entries;
    // The logits that it ends in; empty where they were not kept.
    std::vector<float> logits;
};

using StateFields = std::vector<std::pair<std::string, std::string>>;

// All but the engine's bytes.
struct StateHeader {
    // What must be equal, in the order in which it is compared.
    StateFields identity;
    // What made it.
    StateFields origin;
    // All sequences of a context, or one.
    bool whole = false;
    // The room of a context that would hold it: tokens and sequences.
    std::uint32_t n_ctx = 0;
    std::uint32_t n_seq = 0;
    // Rising by id.
    std::vector<StateSequence> sequences;
};

struct State {
    StateHeader header;
    // Borrowed from the bytes that were read.
    std::span<const std::byte> engine;
};

// Builds a container: the header, what is appended to bytes() as the engine's own, then finish().
class StateWriter {
public:
    explicit StateWriter(const StateHeader &header);

    [[nodiscard]] std::string &bytes() noexcept { return bytes_; }
    [[nodiscard]] std::string finish() &&;

private:
    std::string bytes_;
    // Where the engine's bytes begin.
    std::size_t engine_begin_;
};

// Throws MULLAMA_ERROR_BAD_STATE, with an offset, for what is no state, truncated or altered, and
// MULLAMA_ERROR_UNSUPPORTED for a format version that this library does not know. Sizes are
// compared with what is there before memory is set aside.
[[nodiscard]] State read_state(std::span<const std::byte> bytes);

// The value of a field; "" where it is missing.
[[nodiscard]] std::string_view field(const StateFields &fields, std::string_view name) noexcept;

// Makes the checksum right again after bytes were changed. For tests of what lies behind it.
void mend_checksum(std::span<std::byte> bytes) noexcept;

} // namespace mullama::core
