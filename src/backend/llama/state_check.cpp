#include "backend/llama/state_check.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <ggml.h>

namespace mullama::backend::llama {

using base::Error;

namespace {

// What llama.cpp begins the state of one sequence with.
constexpr std::uint32_t sequence_magic = 0xaf143cd8;
// Place x, place y, token.
constexpr std::size_t extension_size = 12;
// More than any model has; for telling one form of state from another.
constexpr std::uint32_t most_layers = 4096;

// Numbers are in the machine's own order: llama.cpp copies them as they are, and the core's
// container does not travel between machines of different order without being refused here.
class Bytes {
public:
    explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

    [[nodiscard]] std::size_t offset() const noexcept { return at_; }
    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }

    template <class Number>
    [[nodiscard]] Number take() {
        require(sizeof(Number), 1);
        Number number{};
        std::memcpy(&number, bytes_.data() + at_, sizeof number);
        at_ += sizeof number;
        return number;
    }

    [[nodiscard]] std::string_view take_text(std::size_t size) {
        require(size, 1);
        const std::string_view text(reinterpret_cast<const char *>(bytes_.data()) + at_, size);
        at_ += size;
        return text;
    }

    void skip(std::uint64_t size, std::uint64_t count) {
        require(size, count);
        at_ += static_cast<std::size_t>(size * count);
    }

    // The last `size` bytes that were taken are wrong.
    [[noreturn]] void refuse(std::size_t size, const std::string &why) const {
        throw Error(MULLAMA_ERROR_BAD_STATE, "the engine's part of the state is wrong: " + why)
            .parameter("data")
            .offset(static_cast<std::int64_t>(at_ - size));
    }

    // A number that can have one value only.
    template <class Number>
    void expect(Number expected, const char *what) {
        const auto actual = take<Number>();
        if (actual != expected) {
            throw Error(MULLAMA_ERROR_BAD_STATE,
                        std::string("the engine's part of the state does not fit this context: ") +
                            what + " is " + std::to_string(actual) + ", not " +
                            std::to_string(expected))
                .parameter("data")
                .expected(std::to_string(expected))
                .actual(actual)
                .offset(static_cast<std::int64_t>(at_ - sizeof(Number)));
        }
    }

private:
    void require(std::uint64_t size, std::uint64_t count) const {
        if (count != 0 && size > left() / count) {
            refuse(0, "it ends too early");
        }
    }

    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

// Walks through one state. The parts are either the measure, or known by their kinds only and
// learned on the way.
class Walk {
public:
    Walk(std::span<const std::byte> state, bool whole, const StateShape &shape, StateParts &parts,
         bool learning, SequenceId target)
        : in_(state), whole_(whole), shape_(shape), parts_(parts), learning_(learning),
          target_(target) {}

    std::vector<PartContent> run() {
        head();
        std::vector<PartContent> contents;
        for (StatePart &part : parts_) {
            PartContent &content = contents.emplace_back();
            content.kind = part.kind;
            content.last.fill(-1);
            if (part.kind == StatePart::Kind::attention) {
                attention(part, content);
            } else {
                recurrent(part, content);
            }
        }
        if (in_.left() != 0) {
            in_.refuse(0, "something follows what should be its end");
        }
        return contents;
    }

private:
    void head() {
        if (!whole_) {
            in_.expect(sequence_magic, "its beginning");
            saved_as_ = in_.take<SequenceId>();
            if (saved_as_ < 0 || saved_as_ >= static_cast<SequenceId>(max_sequences)) {
                in_.refuse(sizeof saved_as_, "there is no such sequence");
            }
            return;
        }
        in_.expect(static_cast<std::uint32_t>(shape_.architecture.size()),
                   "the length of the architecture's name");
        if (in_.take_text(shape_.architecture.size()) != shape_.architecture) {
            in_.refuse(shape_.architecture.size(), "it is of another architecture");
        }
    }

    void attention(StatePart &part, PartContent &content) {
        in_.expect(shape_.n_stream, "the number of streams");
        bool known = !learning_;
        for (std::uint32_t stream = 0; stream < shape_.n_stream; ++stream) {
            const auto n_cells = in_.take<std::uint32_t>();
            if (n_cells == 0) {
                continue;
            }
            if (!whole_ && content.n_cells != 0) {
                in_.refuse(sizeof n_cells, "one sequence lies in several streams");
            }
            if (n_cells > shape_.n_cells) {
                refuse_room(n_cells);
            }
            content.n_cells += n_cells;
            for (std::uint32_t i = 0; i < n_cells; ++i) {
                cell(part, stream, content);
            }
            tensors(part, n_cells, known);
            known = true;
        }
        if (!known) {
            in_.refuse(0, "it is empty");
        }
    }

    [[noreturn]] void refuse_room(std::uint32_t n_cells) const {
        throw Error(MULLAMA_ERROR_NO_SPACE, "the state holds " + std::to_string(n_cells) +
                                                " tokens, and this context has room for " +
                                                std::to_string(shape_.n_cells) +
                                                ": load it into one with a larger n_ctx")
            .parameter("n_ctx")
            .expected("at least " + std::to_string(n_cells))
            .actual(shape_.n_cells);
    }

    [[nodiscard]] Position position() {
        const auto position = in_.take<Position>();
        if (position < 0 || position > shape_.last_position) {
            in_.refuse(sizeof position,
                       "no token can have the position " + std::to_string(position));
        }
        return position;
    }

    void cell(const StatePart &part, std::uint32_t stream, PartContent &content) {
        const Position at = position();
        const auto n_sequences = in_.take<std::uint32_t>();
        const std::uint32_t most = whole_ && shape_.n_stream == 1 ? shape_.n_seq_max : 1;
        if (n_sequences == 0 || n_sequences > most) {
            in_.refuse(sizeof n_sequences,
                       "a token belongs to " + std::to_string(n_sequences) + " sequences");
        }
        if (part.extended) {
            in_.skip(extension_size, 1);
        }
        SequenceId before = -1;
        for (std::uint32_t i = 0; i < n_sequences; ++i) {
            const auto sequence = in_.take<SequenceId>();
            if (!belongs(sequence, before, stream)) {
                in_.refuse(sizeof sequence,
                           "a token belongs to sequence " + std::to_string(sequence));
            }
            before = sequence;
            Position &last = content.last[whole_ ? static_cast<std::size_t>(sequence) : 0];
            last = std::max(last, at);
        }
        if (n_sequences == 1 && before == target_) {
            ++content.n_cells_of_target;
        }
    }

    // Whether a token in a stream can belong to a sequence, after one it belongs to already.
    [[nodiscard]] bool belongs(SequenceId sequence, SequenceId before,
                               std::uint32_t stream) const noexcept {
        if (!whole_) {
            return sequence == saved_as_;
        }
        if (shape_.n_stream > 1) {
            return sequence == static_cast<SequenceId>(stream);
        }
        return sequence > before && sequence < static_cast<SequenceId>(shape_.n_seq_max);
    }

    void tensors(StatePart &part, std::uint32_t n_cells, bool known) {
        if (!known) {
            part.transposed = in_.take<std::uint32_t>();
            part.n_layer = in_.take<std::uint32_t>();
            if (part.transposed > 1 || part.n_layer > most_layers) {
                in_.refuse(0, "it has an unknown form");
            }
        } else {
            in_.expect(part.transposed, "whether values are transposed");
            in_.expect(part.n_layer, "the number of layers");
        }
        rows(part.keys, part.n_layer, false, n_cells, known);
        rows(part.values, part.has_values ? part.n_layer : 0, part.transposed != 0, n_cells, known);
    }

    void rows(std::vector<StateRow> &rows, std::size_t count, bool transposed,
              std::uint32_t n_cells, bool known) {
        for (std::size_t i = 0; i < count; ++i) {
            if (known) {
                expect_row(rows[i], transposed);
            } else {
                rows.push_back(learn_row(transposed));
            }
            in_.skip(rows[i].size * rows[i].width, n_cells);
        }
    }

    void expect_row(const StateRow &row, bool transposed) {
        in_.expect(row.type, "the type of a row");
        if (transposed) {
            in_.expect(static_cast<std::uint32_t>(row.size), "the size of a number");
            in_.expect(row.width, "the width of a row");
        } else {
            in_.expect(row.size, "the size of a row");
        }
    }

    [[nodiscard]] StateRow learn_row(bool transposed) {
        StateRow row;
        row.type = in_.take<std::int32_t>();
        if (transposed) {
            row.size = in_.take<std::uint32_t>();
            row.width = in_.take<std::uint32_t>();
        } else {
            row.size = in_.take<std::uint64_t>();
        }
        constexpr std::uint64_t longest = std::uint64_t{1} << 31;
        if (row.type < 0 || row.type >= GGML_TYPE_COUNT || row.size == 0 || row.size > longest) {
            in_.refuse(0, "it has an unknown form");
        }
        return row;
    }

    void recurrent(StatePart &part, PartContent &content) {
        const auto n_cells = in_.take<std::uint32_t>();
        if (n_cells > (whole_ ? shape_.n_seq_max : 1)) {
            in_.refuse(sizeof n_cells, "it has more recurrent states than sequences");
        }
        content.n_cells = n_cells;
        for (std::uint32_t i = 0; i < n_cells; ++i) {
            recurrent_cell(content);
        }
        in_.expect(std::uint32_t{0}, "whether states are transposed");
        if (!learning_) {
            in_.expect(part.n_layer, "the number of layers");
            rows(part.keys, part.keys.size(), false, n_cells, true);
            return;
        }
        part.n_layer = in_.take<std::uint32_t>();
        if (n_cells == 0) {
            in_.refuse(0, "it is empty");
        }
        // It is the last part: what is left are its tensors.
        while (in_.left() != 0) {
            part.keys.push_back(learn_row(false));
            in_.skip(part.keys.back().size, n_cells);
        }
    }

    void recurrent_cell(PartContent &content) {
        const Position at = position();
        const auto n_sequences = in_.take<std::uint32_t>();
        if (!whole_) {
            if (n_sequences != 0) {
                in_.refuse(sizeof n_sequences, "a recurrent state belongs to nobody here");
            }
            content.last[0] = at;
            return;
        }
        if (n_sequences == 0 || n_sequences > shape_.n_seq_max) {
            in_.refuse(sizeof n_sequences, "a recurrent state belongs to " +
                                               std::to_string(n_sequences) + " sequences");
        }
        SequenceId before = -1;
        for (std::uint32_t i = 0; i < n_sequences; ++i) {
            const auto sequence = in_.take<SequenceId>();
            if (sequence <= before || sequence >= static_cast<SequenceId>(shape_.n_seq_max) ||
                content.last[static_cast<std::size_t>(sequence)] >= 0) {
                in_.refuse(sizeof sequence,
                           "a recurrent state belongs to sequence " + std::to_string(sequence));
            }
            before = sequence;
            content.last[static_cast<std::size_t>(sequence)] = at;
        }
    }

    Bytes in_;
    bool whole_;
    const StateShape &shape_;
    StateParts &parts_;
    bool learning_;
    SequenceId target_;
    SequenceId saved_as_ = 0;
};

// What models are known to have: one or two caches, recurrent states, or both.
std::vector<StateParts> known_forms() {
    std::vector<StateParts> forms;
    for (const bool extended : {false, true}) {
        for (const bool has_values : {true, false}) {
            for (const std::size_t n_caches : {1U, 2U}) {
                StatePart cache;
                cache.extended = extended;
                cache.has_values = has_values;
                StateParts parts(n_caches, cache);
                forms.push_back(parts);
                parts.emplace_back().kind = StatePart::Kind::recurrent;
                forms.push_back(std::move(parts));
            }
        }
    }
    forms.emplace_back().emplace_back().kind = StatePart::Kind::recurrent;
    return forms;
}

} // namespace

std::optional<StateParts> learn_parts(std::span<const std::byte> state, bool whole,
                                      const StateShape &shape) {
    for (StateParts &parts : known_forms()) {
        try {
            Walk(state, whole, shape, parts, true, all_sequences).run();
            return std::move(parts);
        } catch (const Error &) {
            continue;
        }
    }
    return std::nullopt;
}

std::vector<PartContent> check_state(std::span<const std::byte> state, bool whole,
                                     const StateShape &shape, const StateParts &parts,
                                     SequenceId target) {
    // Not changed when nothing is to be learned.
    return Walk(state, whole, shape, const_cast<StateParts &>(parts), false, target).run();
}

} // namespace mullama::backend::llama
