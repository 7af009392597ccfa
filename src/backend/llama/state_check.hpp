// llama.cpp's saved states, read by their own rules before llama.cpp sees them. It empties its
// memory first, believes most of what it reads, and asserts on some of it.
//
// A state is a head and one part for each memory: caches of keys and values (a second one for the
// layers with a sliding window), then recurrent states. Which parts a model has, how many layers
// and how wide their rows are, llama.cpp alone knows; so it is learned from a state of the same
// context, which is then the measure for those that come from outside.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/port.hpp"

namespace mullama::backend::llama {

// One tensor's row of one cell.
struct StateRow {
    std::int32_t type = 0;
    // In bytes; where values are transposed, of one number, of which there are `width`.
    std::uint64_t size = 0;
    std::uint32_t width = 1;

    bool operator==(const StateRow &) const = default;
};

struct StatePart {
    enum class Kind { attention, recurrent };

    Kind kind = Kind::attention;
    // Whether a cell has a place in an image and a token besides its position.
    bool extended = false;
    bool has_values = true;
    std::uint32_t transposed = 0;
    std::uint32_t n_layer = 0;
    // Of a recurrent part: all its tensors.
    std::vector<StateRow> keys;
    std::vector<StateRow> values;
};

using StateParts = std::vector<StatePart>;

// What the context that a state is for is like.
struct StateShape {
    std::string architecture;
    std::uint32_t n_seq_max = 1;
    std::uint32_t n_stream = 1;
    // The cells of one stream.
    std::uint32_t n_cells = 0;
    // The last position that a token may have.
    Position last_position = 0;
};

// What one part of a state holds.
struct PartContent {
    StatePart::Kind kind = StatePart::Kind::attention;
    // In all streams.
    std::uint32_t n_cells = 0;
    // Cells that belong to `target` alone.
    std::uint32_t n_cells_of_target = 0;
    // Of each sequence; -1 where it is empty. A state of one sequence has it as number 0.
    std::array<Position, max_sequences> last{};
};

// Reads a state of a context that is not empty; nothing where it has an unknown form.
[[nodiscard]] std::optional<StateParts> learn_parts(std::span<const std::byte> state, bool whole,
                                                    const StateShape &shape);

// Throws MULLAMA_ERROR_BAD_STATE, with the offset, unless all of the state is what llama.cpp would
// have written for a context of this shape, and MULLAMA_ERROR_NO_SPACE where one of its caches has
// more cells than a stream. `target`: see PartContent.
[[nodiscard]] std::vector<PartContent> check_state(std::span<const std::byte> state, bool whole,
                                                   const StateShape &shape, const StateParts &parts,
                                                   SequenceId target = all_sequences);

} // namespace mullama::backend::llama
