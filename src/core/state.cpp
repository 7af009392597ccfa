#include "core/state.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "core/hash.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>
#include <unordered_map>

namespace mullama::core {

using base::Error;

namespace {

constexpr std::string_view magic = "MULLAMAS";
constexpr std::size_t size_at = 16;
constexpr std::size_t checksum_at = 24;
constexpr std::size_t checksum_size = 16;
constexpr std::size_t sections_at = checksum_at + checksum_size;

enum class Section : std::uint32_t { identity = 1, origin, sequences, logits, engine };

const char *name_of(Section section) noexcept {
    switch (section) {
    case Section::identity:
        return "identity";
    case Section::origin:
        return "origin";
    case Section::sequences:
        return "sequences";
    case Section::logits:
        return "logits";
    case Section::engine:
        return "engine";
    }
    return "";
}

template <class Number>
[[nodiscard]] std::array<char, sizeof(Number)> to_bytes(Number value) noexcept {
    auto bytes = std::bit_cast<std::array<char, sizeof(Number)>>(value);
    if constexpr (std::endian::native == std::endian::big) {
        std::ranges::reverse(bytes);
    }
    return bytes;
}

template <class Number>
void put(std::string &to, Number value) {
    const auto bytes = to_bytes(value);
    to.append(bytes.data(), bytes.size());
}

template <class Number>
void put_at(std::span<std::byte> to, std::size_t offset, Number value) noexcept {
    const auto bytes = to_bytes(value);
    std::memcpy(to.data() + offset, bytes.data(), bytes.size());
}

[[nodiscard]] std::array<std::byte, checksum_size> checksum(std::span<const std::byte> bytes) {
    return hash_bytes({bytes.first(checksum_at), bytes.subspan(sections_at)});
}

// Where a section begins; closed with end_section().
std::size_t begin_section(std::string &to, Section section) {
    put(to, static_cast<std::uint32_t>(section));
    put(to, std::uint32_t{0});
    put(to, std::uint64_t{0});
    return to.size();
}

std::span<std::byte> writable(std::string &bytes) noexcept {
    return std::as_writable_bytes(std::span(bytes));
}

void end_section(std::string &to, std::size_t begin) {
    put_at(writable(to), begin - sizeof(std::uint64_t),
           static_cast<std::uint64_t>(to.size() - begin));
}

void put_text(std::string &to, std::string_view text) {
    put(to, static_cast<std::uint32_t>(text.size()));
    to.append(text);
}

void put_fields(std::string &to, Section section, const StateFields &fields) {
    const std::size_t begin = begin_section(to, section);
    put(to, static_cast<std::uint32_t>(fields.size()));
    for (const auto &[name, value] : fields) {
        put_text(to, name);
        put_text(to, value);
    }
    end_section(to, begin);
}

void put_sequences(std::string &to, const StateHeader &header) {
    const std::size_t begin = begin_section(to, Section::sequences);
    put(to, std::uint32_t{header.whole ? 1U : 0U});
    put(to, header.n_ctx);
    put(to, header.n_seq);
    put(to, static_cast<std::uint32_t>(header.sequences.size()));
    for (const StateSequence &its : header.sequences) {
        put(to, its.id);
        put(to, its.first);
        put(to, its.last);
        put(to, static_cast<std::uint32_t>(its.entries.size()));
        for (const StateEntry &entry : its.entries) {
            put(to, entry.position);
            put(to, entry.token);
            put(to, entry.cell);
        }
    }
    end_section(to, begin);
}

void put_logits(std::string &to, const StateHeader &header) {
    const std::size_t begin = begin_section(to, Section::logits);
    for (const StateSequence &its : header.sequences) {
        put(to, static_cast<std::uint32_t>(its.logits.size()));
        for (const float value : its.logits) {
            put(to, value);
        }
    }
    end_section(to, begin);
}

[[nodiscard]] Error bad(std::size_t offset, const std::string &why) {
    return Error(MULLAMA_ERROR_BAD_STATE, "this is no saved state that can be used: " + why)
        .parameter("data")
        .offset(static_cast<std::int64_t>(offset));
}

// Reads one section, or the whole, from its beginning.
class Reader {
public:
    Reader(std::span<const std::byte> bytes, std::size_t offset) : bytes_(bytes), offset_(offset) {}

    [[nodiscard]] std::size_t offset() const noexcept { return offset_ + at_; }
    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }

    [[nodiscard]] std::span<const std::byte> take(std::uint64_t size, const char *what) {
        if (size > left()) {
            throw bad(offset(), std::string(what) + " does not fit into what is left")
                .expected("at most " + std::to_string(left()) + " bytes")
                .actual(size);
        }
        const auto taken = bytes_.subspan(at_, static_cast<std::size_t>(size));
        at_ += taken.size();
        return taken;
    }

    template <class Number>
    [[nodiscard]] Number number(const char *what) {
        std::array<std::byte, sizeof(Number)> bytes{};
        std::ranges::copy(take(sizeof(Number), what), bytes.begin());
        if constexpr (std::endian::native == std::endian::big) {
            std::ranges::reverse(bytes);
        }
        return std::bit_cast<Number>(bytes);
    }

    // A number of things that take at least `least` bytes each.
    [[nodiscard]] std::uint32_t count(std::size_t least, const char *what) {
        const std::size_t begin = offset();
        const auto count = number<std::uint32_t>(what);
        if (count > left() / least) {
            throw bad(begin, std::string(what) + " says more than there is room for")
                .expected("at most " + std::to_string(left() / least))
                .actual(count);
        }
        return count;
    }

    [[nodiscard]] std::string text(const char *what) {
        const std::uint32_t size = count(1, what);
        const std::size_t begin = offset();
        const auto bytes = take(size, what);
        const std::string_view view(reinterpret_cast<const char *>(bytes.data()), bytes.size());
        if (const std::size_t invalid = base::find_invalid_utf8(view);
            invalid != std::string_view::npos) {
            throw bad(begin + invalid, std::string(what) + " is not UTF-8");
        }
        return std::string(view);
    }

    void require_end(const char *what) const {
        if (left() != 0) {
            throw bad(offset(), std::string(what) + " is longer than what is in it");
        }
    }

private:
    std::span<const std::byte> bytes_;
    std::size_t offset_;
    std::size_t at_ = 0;
};

// The next section, which has to be this one.
[[nodiscard]] Reader section_of(Reader &all, Section section) {
    const std::size_t begin = all.offset();
    const auto id = all.number<std::uint32_t>("a section");
    const auto zero = all.number<std::uint32_t>("a section");
    if (id != static_cast<std::uint32_t>(section) || zero != 0) {
        throw bad(begin, std::string("the section \"") + name_of(section) + "\" should be here")
            .expected(std::to_string(static_cast<std::uint32_t>(section)))
            .actual(id);
    }
    const auto size = all.number<std::uint64_t>("a section's size");
    const std::size_t content = all.offset();
    return {all.take(size, "a section"), content};
}

[[nodiscard]] StateFields read_fields(Reader in) {
    StateFields fields;
    const std::uint32_t count = in.count(2 * sizeof(std::uint32_t), "the number of fields");
    fields.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        std::string name = in.text("the name of a field");
        fields.emplace_back(std::move(name), in.text("the value of a field"));
    }
    in.require_end("the list of fields");
    return fields;
}

// What stands in each cell so far, and the sequence that was read last of those that share it.
struct CellContent {
    StateEntry entry;
    backend::SequenceId sequence;
};
using Cells = std::unordered_map<std::uint32_t, CellContent>;

// A cell is one token of one position, and a sequence holds it once.
[[nodiscard]] bool agrees(Cells &cells, const StateEntry &entry, backend::SequenceId sequence) {
    const auto [place, is_new] = cells.try_emplace(entry.cell, CellContent{entry, sequence});
    CellContent &content = place->second;
    const bool right =
        is_new || (content.sequence != sequence && content.entry.position == entry.position &&
                   content.entry.token == entry.token);
    content.sequence = sequence;
    return right;
}

void read_entries(Reader &in, StateSequence &to, Cells &cells) {
    const std::uint32_t count = in.count(sizeof(StateEntry), "the number of tokens");
    to.entries.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::size_t begin = in.offset();
        StateEntry entry;
        entry.position = in.number<backend::Position>("a position");
        entry.token = in.number<backend::Token>("a token");
        entry.cell = in.number<std::uint32_t>("a cell");
        const backend::Position least = i == 0 ? to.first : to.entries.back().position;
        if (entry.position < least || entry.position > to.last ||
            entry.token < MULLAMA_TOKEN_NONE) {
            throw bad(begin, "a token stands where its sequence has none");
        }
        if (!agrees(cells, entry, to.id)) {
            throw bad(begin, "a cell of the memory holds two tokens");
        }
        to.entries.push_back(entry);
    }
    if (count != 0 &&
        (to.entries.front().position != to.first || to.entries.back().position != to.last)) {
        throw bad(in.offset(), "the tokens of a sequence do not reach from its first position to "
                               "its last");
    }
}

void read_sequences(Reader in, StateHeader &to) {
    const std::size_t begin = in.offset();
    const auto whole = in.number<std::uint32_t>("the kind of state");
    if (whole > 1) {
        throw bad(begin, "there is no such kind of state").expected("0 or 1").actual(whole);
    }
    to.whole = whole == 1;
    to.n_ctx = in.number<std::uint32_t>("the room");
    to.n_seq = in.number<std::uint32_t>("the number of sequences");
    const std::uint32_t count = in.count(4 * sizeof(std::uint32_t), "the number of sequences");
    if (to.n_seq > backend::max_sequences || count > to.n_seq || (!to.whole && to.n_seq > 1)) {
        throw bad(begin, "it has more sequences than it says")
            .expected("at most " + std::to_string(to.n_seq))
            .actual(count);
    }
    Cells cells;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::size_t at = in.offset();
        StateSequence its;
        its.id = in.number<backend::SequenceId>("a sequence");
        its.first = in.number<backend::Position>("a first position");
        its.last = in.number<backend::Position>("a last position");
        const backend::SequenceId least = i == 0 ? 0 : to.sequences.back().id + 1;
        const auto most =
            static_cast<backend::SequenceId>(to.whole ? to.n_seq : backend::max_sequences);
        if (its.id < least || its.id >= most || its.first < 0 || its.last < its.first) {
            throw bad(at, "what it says about a sequence makes no sense");
        }
        read_entries(in, its, cells);
        to.sequences.push_back(std::move(its));
    }
    in.require_end("the list of sequences");
}

void read_logits(Reader in, StateHeader &to) {
    for (StateSequence &its : to.sequences) {
        const std::uint32_t count = in.count(sizeof(float), "the number of logits");
        its.logits.reserve(count);
        for (std::uint32_t i = 0; i < count; ++i) {
            its.logits.push_back(in.number<float>("a logit"));
        }
    }
    in.require_end("the list of logits");
}

void check_frame(std::span<const std::byte> bytes) {
    const bool begins =
        bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
    if (!begins) {
        throw bad(0, "it does not begin as one").expected("\"MULLAMAS\"");
    }
    if (bytes.size() < sections_at) {
        throw bad(bytes.size(), "it is truncated")
            .expected("at least " + std::to_string(sections_at) + " bytes")
            .actual(bytes.size());
    }
    Reader head(bytes.subspan(magic.size()), magic.size());
    const auto version = head.number<std::uint32_t>("the version");
    if (version != state_format_version) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "the state has format version " + std::to_string(version) +
                        ", and this library reads version " + std::to_string(state_format_version))
            .parameter("format_version")
            .expected(std::to_string(state_format_version))
            .actual(version);
    }
    static_cast<void>(head.number<std::uint32_t>("the head"));
    const auto size = head.number<std::uint64_t>("the size");
    if (size != bytes.size()) {
        throw bad(std::min<std::uint64_t>(size, bytes.size()),
                  size > bytes.size() ? "it is truncated" : "something follows it")
            .expected(std::to_string(size) + " bytes")
            .actual(bytes.size());
    }
    const auto expected = checksum(bytes);
    if (!std::ranges::equal(expected, bytes.subspan(checksum_at, checksum_size))) {
        throw bad(checksum_at, "its checksum does not fit its content: it was altered or damaged");
    }
}

} // namespace

StateWriter::StateWriter(const StateHeader &header) {
    bytes_.append(magic);
    put(bytes_, state_format_version);
    put(bytes_, std::uint32_t{0});
    bytes_.append(sections_at - size_at, '\0');
    put_fields(bytes_, Section::identity, header.identity);
    put_fields(bytes_, Section::origin, header.origin);
    put_sequences(bytes_, header);
    put_logits(bytes_, header);
    engine_begin_ = begin_section(bytes_, Section::engine);
}

std::string StateWriter::finish() && {
    end_section(bytes_, engine_begin_);
    put_at(writable(bytes_), size_at, static_cast<std::uint64_t>(bytes_.size()));
    mend_checksum(writable(bytes_));
    return std::move(bytes_);
}

State read_state(std::span<const std::byte> bytes) {
    check_frame(bytes);
    State state;
    Reader all(bytes.subspan(sections_at), sections_at);
    state.header.identity = read_fields(section_of(all, Section::identity));
    state.header.origin = read_fields(section_of(all, Section::origin));
    read_sequences(section_of(all, Section::sequences), state.header);
    read_logits(section_of(all, Section::logits), state.header);
    Reader engine = section_of(all, Section::engine);
    state.engine = engine.take(engine.left(), "the engine's part");
    all.require_end("the state");
    return state;
}

std::string_view field(const StateFields &fields, std::string_view name) noexcept {
    const auto found = std::ranges::find(fields, name, &StateFields::value_type::first);
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

void mend_checksum(std::span<std::byte> bytes) noexcept {
    if (bytes.size() >= sections_at) {
        std::ranges::copy(checksum(bytes), bytes.begin() + checksum_at);
    }
}

} // namespace mullama::core
