// Saved states, altered: loaded, each is refused or harmless. After a refusal the context holds to
// the last bit what it held; what was accepted can be gone on with, saved and loaded again.
//
// An input says what to alter, not the whole of a state: a state has the fingerprint of its model
// and the engine's version in it, and would be stale with the next of either. Its bytes:
//
//     0      which context (see `kinds`)
//     1      bits, see `Flag`
//     then   alterations, see `Script`
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/state.hpp"
#include "mullama/mullama.hpp"

namespace {

using mullama::Context;
using mullama::Error;
using mullama::Token;

// What a context is like. Small ones: an input is to take no longer than a few milliseconds.
struct Kind {
    // "": the engine without weights.
    const char *fixture;
    bool unified = true;
    bool flash_attention = true;
    bool swa_full = true;
    mullama_cache_type_t cache = MULLAMA_CACHE_TYPE_F16;
    std::uint32_t n_seq_max = 3;
};

constexpr Kind kinds[] = {
    {"", true},
    {"", false},
    {"llama"},
    {"llama", false, false},
    {"llama_wide", true, true, true, MULLAMA_CACHE_TYPE_Q8_0},
    {"swa", true, true, false},
    {"swa", false, false, true},
    {"recurrent"},
    {"rwkv"},
    {"hybrid"},
    {"hybrid", false},
    {"plamo2", true, true, true, MULLAMA_CACHE_TYPE_F16, 1},
};

enum Flag : std::uint8_t {
    flag_whole = 1,  // a state of all sequences, not of one
    flag_mend = 2,   // the checksum is made right again
    flag_raw = 4,    // what follows is the state itself
    flag_decode = 8, // go on after a refusal, too
};

[[noreturn]] void fail(const std::string &what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::abort();
}

mullama::Model open_model(const Kind &kind) {
    auto options = mullama::options<mullama_model_options_t>();
    options.n_gpu_layers = 0;
    const std::string name = kind.fixture;
    if (name.empty()) {
        options.backend = "echo";
        return mullama::Model("", options);
    }
    return mullama::Model(std::string(MULLAMA_FUZZ_FIXTURES) + "/" + name + ".gguf", options);
}

mullama_context_options_t context_options(const Kind &kind) {
    auto options = mullama::options<mullama_context_options_t>();
    options.n_ctx = kind.unified ? 256 : 256 * kind.n_seq_max;
    options.n_batch = 32;
    options.n_ubatch = 32;
    options.n_seq_max = kind.n_seq_max;
    options.n_threads = 1;
    options.n_threads_batch = 1;
    options.kv_unified = kind.unified;
    options.swa_full = kind.swa_full;
    options.flash_attention = kind.flash_attention ? MULLAMA_SWITCH_AUTO : MULLAMA_SWITCH_OFF;
    options.type_k = kind.cache;
    options.type_v = kind.cache;
    return options;
}

// A context that holds something, and genuine states of another one like it.
class Subject {
public:
    explicit Subject(const Kind &kind)
        : kind_(kind), model_(open_model(kind)), context_(model_, context_options(kind)) {
        Context other(model_, context_options(kind));
        fill(other, 11);
        whole_ = other.save_state();
        single_ = other.save_state(0);
        fill(context_, 7);
        home_ = context_.save_state();
        held_ = home_;
    }

    [[nodiscard]] const std::string &genuine(bool whole) const { return whole ? whole_ : single_; }

    void load(const std::string &state, bool whole, bool decode) {
        try {
            context_.load_state(state, whole ? MULLAMA_SEQUENCE_ALL : 0);
        } catch (const Error &error) {
            require_useful(error, state.size());
            if (context_.save_state() != held_) {
                fail(std::string("a refusal changed the context: ") + error.what());
            }
            if (decode) {
                go_on();
                go_home();
            }
            return;
        }
        go_on();
        const std::string again = context_.save_state();
        context_.load_state(again);
        go_home();
    }

private:
    // Sequences that share tokens where they can, and differ in length.
    void fill(Context &context, Token first) const {
        append(context, 0, first, 9);
        if (kind_.n_seq_max > 1) {
            try {
                context.copy_sequence(0, 1);
            } catch (const Error &) {
                append(context, 1, first, 3);
            }
            // What memories of their own copy, they do at the next decode.
            append(context, 1, first + 20, 4);
        }
    }

    static void append(Context &context, mullama_seq_id_t sequence, Token first, Token count) {
        std::vector<Token> tokens;
        for (Token i = 0; i < count; ++i) {
            tokens.push_back(first + i);
        }
        context.prefill(tokens, MULLAMA_OUTPUT_LAST, sequence);
    }

    static void require_useful(const Error &error, std::size_t size) {
        const mullama_error_code_t code = error.code();
        const auto position = error.position();
        const bool expected = code == MULLAMA_ERROR_BAD_STATE ||
                              code == MULLAMA_ERROR_INVALID_ARGUMENT ||
                              code == MULLAMA_ERROR_NO_SPACE || code == MULLAMA_ERROR_UNSUPPORTED;
        if (!expected || *error.what() == '\0' ||
            (position && position->offset > static_cast<std::int64_t>(size))) {
            fail(std::string("an error that does not help: ") + error.what());
        }
    }

    // One more token for each sequence. A full context refuses it, and so do positions that can't
    // go on; the numbers in an altered memory may be none, which is the model's affair.
    void go_on() {
        for (std::uint32_t i = 0; i < kind_.n_seq_max; ++i) {
            try {
                append(context_, static_cast<mullama_seq_id_t>(i), 5, 1);
            } catch (const Error &error) {
                if (error.code() != MULLAMA_ERROR_NO_SPACE &&
                    error.code() != MULLAMA_ERROR_INVALID_ARGUMENT &&
                    error.code() != MULLAMA_ERROR_OUT_OF_RANGE) {
                    fail(std::string("a context that loaded a state cannot go on: ") +
                         error.what());
                }
            }
        }
    }

    void go_home() {
        context_.load_state(home_);
        held_ = context_.save_state();
    }

    const Kind &kind_;
    mullama::Model model_;
    Context context_;
    std::string whole_;
    std::string single_;
    // What the context begins with, and what its state looks like at the moment: cells may be
    // numbered otherwise after loading.
    std::string home_;
    std::string held_;
};

// A state in its parts, so that a section can grow and its size still be right.
struct Parts {
    static constexpr std::size_t head_size = 40;
    static constexpr std::size_t section_head_size = 16;
    static constexpr std::size_t size_at = 16;

    explicit Parts(std::string_view state) : head(state.substr(0, head_size)) {
        for (std::size_t at = head_size; at < state.size();) {
            std::uint64_t size = 0;
            std::memcpy(&size, state.data() + at + 8, sizeof size);
            names.emplace_back(state.substr(at, 8));
            sections.emplace_back(state.substr(at + section_head_size, size));
            at += section_head_size + size;
        }
    }

    [[nodiscard]] std::string whole() const {
        std::string state = head;
        for (std::size_t i = 0; i < sections.size(); ++i) {
            state += names[i];
            append(state, sections[i].size());
            state += sections[i];
        }
        const std::uint64_t size = state.size();
        std::memcpy(state.data() + size_at, &size, sizeof size);
        return state;
    }

    static void append(std::string &to, std::uint64_t number) {
        to.append(reinterpret_cast<const char *>(&number), sizeof number);
    }

    std::string head;
    std::vector<std::string> names;
    std::vector<std::string> sections;
};

// The alterations: a byte that says what (low bits) and where (high bits: a section, or all of the
// state once it is put together), an offset of two bytes, and what the alteration takes.
class Script {
public:
    explicit Script(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    [[nodiscard]] std::string apply(const std::string &genuine) {
        Parts parts(genuine);
        std::vector<std::span<const std::uint8_t>> later;
        while (at_ < bytes_.size()) {
            const std::size_t begin = at_;
            const std::uint8_t what = take();
            const std::size_t section = what >> 4U;
            if (section < parts.sections.size()) {
                alter(parts.sections[section], what);
            } else {
                skip(what);
                later.push_back(bytes_.subspan(begin, at_ - begin));
            }
        }
        std::string state = parts.whole();
        for (const auto &its : later) {
            bytes_ = its;
            at_ = 0;
            alter(state, take());
        }
        return state;
    }

private:
    enum What : std::uint8_t { put, flip, number, shorten, insert, erase, move, count };

    std::uint8_t take() { return at_ < bytes_.size() ? bytes_[at_++] : std::uint8_t{0}; }

    void skip(std::uint8_t what) {
        at_ += 2U + arguments_of(what);
        at_ = std::min(at_, bytes_.size());
    }

    static std::size_t arguments_of(std::uint8_t what) {
        constexpr std::size_t sizes[count] = {1, 1, 1, 0, 2, 1, 2};
        return what % 16U < 8U ? sizes[what % count] : 4;
    }

    void alter(std::string &text, std::uint8_t what) {
        const std::size_t low = take();
        const std::size_t offset = low | static_cast<std::size_t>(take()) << 8U;
        const std::size_t at = text.empty() ? 0 : offset % text.size();
        if (what % 16U >= 8U) {
            // Four bytes of the input's own, where numbers stand.
            const std::uint8_t four[] = {take(), take(), take(), take()};
            overwrite(text, at / 4 * 4, four, sizeof four);
            return;
        }
        switch (what % count) {
        case put: {
            const std::uint8_t byte = take();
            overwrite(text, at, &byte, 1);
            break;
        }
        case flip:
            if (!text.empty()) {
                text[at] = static_cast<char>(text[at] ^ (1 << (take() % 8)));
            }
            break;
        case number: {
            constexpr std::uint32_t interesting[] = {0,       1,          2,          3,
                                                     0xff,    0x100,      0x101,      0xffff,
                                                     0x10000, 0x7fffffff, 0x80000000, 0xffffffff};
            const std::uint32_t its = interesting[take() % std::size(interesting)];
            overwrite(text, at / 4 * 4, &its, sizeof its);
            break;
        }
        case shorten:
            text.resize(at);
            break;
        case insert: {
            const std::size_t size = 1 + take() % 64;
            text.insert(at, size, static_cast<char>(take()));
            break;
        }
        case erase:
            text.erase(at, 1 + take() % 64);
            break;
        default: {
            const std::size_t from = take() * std::size_t{4};
            const std::string moved = text.substr(std::min(from, text.size()), 1 + take() % 64);
            overwrite(text, at, moved.data(), moved.size());
        }
        }
    }

    static void overwrite(std::string &text, std::size_t at, const void *bytes, std::size_t size) {
        if (at + size <= text.size()) {
            std::memcpy(text.data() + at, bytes, size);
        }
    }

    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

Subject &subject(std::size_t kind) {
    static std::optional<Subject> subjects[std::size(kinds)];
    if (!subjects[kind]) {
        subjects[kind].emplace(kinds[kind]);
    }
    return *subjects[kind];
}

void inspect(const std::string &state) {
    try {
        const mullama::State opened = mullama::State::inspect(state);
        static_cast<void>(opened.info());
    } catch (const Error &error) {
        if (error.code() != MULLAMA_ERROR_BAD_STATE && error.code() != MULLAMA_ERROR_UNSUPPORTED) {
            fail(std::string("inspecting fails otherwise: ") + error.what());
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::uint8_t flags = data[1];
    const std::span<const std::uint8_t> rest(data + 2, size - 2);
    const bool whole = (flags & flag_whole) != 0;
    Subject &its = subject(data[0] % std::size(kinds));
    std::string state = (flags & flag_raw) != 0
                            ? std::string(reinterpret_cast<const char *>(rest.data()), rest.size())
                            : Script(rest).apply(its.genuine(whole));
    if ((flags & flag_mend) != 0) {
        mullama::core::mend_checksum(std::as_writable_bytes(std::span(state)));
    }
    inspect(state);
    its.load(state, whole, (flags & flag_decode) != 0);
    return 0;
}
