// Generation after save and load equals generation without: every decoder fixture, every way to
// store keys and values, shared memory or one for each sequence, a whole context or one sequence.
// Mutated states are refused or harmless, under every kind of memory.
#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "parity/raw_llama.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"
#include "support/state.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;

constexpr std::size_t n_generated = 16;

// Those that generate and have a memory that can be saved, each once.
std::vector<Json> decoders() {
    std::vector<Json> rows;
    for (const Json &row : fixtures("model")) {
        if (has(row, "decoder") && !has(row, "encoder") && !row.contains("type") &&
            !row.contains("same_as"))
            rows.push_back(row);
    }
    return rows;
}

// Without a prompt: goes on where the sequence ends.
Tokens generate(mullama_context_t *context, mullama_seq_id_t sequence, const Tokens &prompt,
                std::size_t count = n_generated) {
    mullama_generate_options_t options = generate_options();
    options.sequence = sequence;
    options.max_tokens = static_cast<std::int64_t>(count);
    options.ignore_end = true;
    Tokens result;
    options.user_data = &result;
    options.on_token = [](const mullama_token_event_t *event, void *user_data) {
        static_cast<Tokens *>(user_data)->push_back(event->token);
        return true;
    };
    EXPECT_OK(mullama_context_generate_tokens(context, nullptr, prompt.data(), prompt.size(),
                                              &options, nullptr, nullptr));
    return result;
}

struct Layout {
    mullama_cache_type_t type_k;
    mullama_cache_type_t type_v;
    mullama_switch_t flash_attention;
    bool unified;
};

ggml_type raw_type(mullama_cache_type_t type) {
    switch (type) {
    case MULLAMA_CACHE_TYPE_F16:
        return GGML_TYPE_F16;
    case MULLAMA_CACHE_TYPE_F32:
        return GGML_TYPE_F32;
    case MULLAMA_CACHE_TYPE_BF16:
        return GGML_TYPE_BF16;
    case MULLAMA_CACHE_TYPE_Q8_0:
        return GGML_TYPE_Q8_0;
    case MULLAMA_CACHE_TYPE_Q4_0:
        return GGML_TYPE_Q4_0;
    case MULLAMA_CACHE_TYPE_Q4_1:
        return GGML_TYPE_Q4_1;
    case MULLAMA_CACHE_TYPE_Q5_0:
        return GGML_TYPE_Q5_0;
    case MULLAMA_CACHE_TYPE_Q5_1:
        return GGML_TYPE_Q5_1;
    case MULLAMA_CACHE_TYPE_IQ4_NL:
        return GGML_TYPE_IQ4_NL;
    }
    return GGML_TYPE_COUNT;
}

llama_flash_attn_type raw_switch(mullama_switch_t choice) {
    switch (choice) {
    case MULLAMA_SWITCH_OFF:
        return LLAMA_FLASH_ATTN_TYPE_DISABLED;
    case MULLAMA_SWITCH_ON:
        return LLAMA_FLASH_ATTN_TYPE_ENABLED;
    case MULLAMA_SWITCH_AUTO:
        break;
    }
    return LLAMA_FLASH_ATTN_TYPE_AUTO;
}

mullama_context_options_t options_of(const Layout &layout, std::uint32_t n_seq_max) {
    mullama_context_options_t options = one_thread();
    options.n_ctx = 512 * n_seq_max;
    options.n_batch = 64;
    options.n_ubatch = 64;
    options.n_seq_max = n_seq_max;
    options.type_k = layout.type_k;
    options.type_v = layout.type_v;
    options.flash_attention = layout.flash_attention;
    options.kv_unified = layout.unified;
    return options;
}

// NULL, and a refusal that names the type, where llama.cpp refuses such a context as well.
ContextHandle make(llama_model *raw, mullama_model_t *model, const Layout &layout,
                   std::uint32_t n_seq_max) {
    const mullama_context_options_t options = options_of(layout, n_seq_max);
    llama_context_params params = raw_params(options.n_ctx);
    params.n_seq_max = n_seq_max;
    params.type_k = raw_type(layout.type_k);
    params.type_v = raw_type(layout.type_v);
    params.flash_attn_type = raw_switch(layout.flash_attention);
    params.kv_unified = layout.unified;
    const RawContext theirs(llama_init_from_model(raw, params));
    mullama_context_t *context = nullptr;
    mullama_error_t *const error = mullama_context_new(model, &options, &context);
    ContextHandle made(context);
    EXPECT_EQ(made == nullptr, theirs == nullptr);
    if (made == nullptr) {
        const ErrorHandle owned(error);
        const std::string type = mullama_error_actual(error, nullptr);
        EXPECT_EQ(mullama_error_code(error), MULLAMA_ERROR_UNSUPPORTED);
        EXPECT_NE(message_of(error).find("the cache type " + type + " does not fit this model"),
                  std::string::npos)
            << message_of(error);
    } else {
        EXPECT_OK(error);
    }
    return made;
}

constexpr mullama_switch_t automatic = MULLAMA_SWITCH_AUTO;
constexpr mullama_switch_t off = MULLAMA_SWITCH_OFF;
constexpr mullama_switch_t on = MULLAMA_SWITCH_ON;

// Every type for both, then such that differ.
constexpr Layout layouts[] = {
    {MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_F16, automatic, true},
    {MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_F16, off, true},
    {MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_F16, automatic, false},
    {MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_F16, off, false},
    {MULLAMA_CACHE_TYPE_F32, MULLAMA_CACHE_TYPE_F32, automatic, true},
    {MULLAMA_CACHE_TYPE_BF16, MULLAMA_CACHE_TYPE_BF16, automatic, true},
    {MULLAMA_CACHE_TYPE_Q8_0, MULLAMA_CACHE_TYPE_Q8_0, on, true},
    {MULLAMA_CACHE_TYPE_Q8_0, MULLAMA_CACHE_TYPE_Q8_0, on, false},
    {MULLAMA_CACHE_TYPE_Q4_0, MULLAMA_CACHE_TYPE_Q4_0, on, true},
    {MULLAMA_CACHE_TYPE_Q4_1, MULLAMA_CACHE_TYPE_Q4_1, on, true},
    {MULLAMA_CACHE_TYPE_Q5_0, MULLAMA_CACHE_TYPE_Q5_0, on, true},
    {MULLAMA_CACHE_TYPE_Q5_1, MULLAMA_CACHE_TYPE_Q5_1, on, true},
    {MULLAMA_CACHE_TYPE_IQ4_NL, MULLAMA_CACHE_TYPE_IQ4_NL, on, true},
    {MULLAMA_CACHE_TYPE_Q4_1, MULLAMA_CACHE_TYPE_Q5_1, on, true},
    {MULLAMA_CACHE_TYPE_Q5_0, MULLAMA_CACHE_TYPE_IQ4_NL, on, true},
    {MULLAMA_CACHE_TYPE_Q8_0, MULLAMA_CACHE_TYPE_F16, on, true},
};

std::string description_of(const Layout &layout) {
    return "type_k " + std::to_string(layout.type_k) + " type_v " + std::to_string(layout.type_v) +
           " flash " + std::to_string(layout.flash_attention) + " unified " +
           std::to_string(layout.unified);
}

// PLaMo-2 has one sequence only.
std::uint32_t n_seq_max_of(const Json &row) {
    return row["name"] == "plamo2" ? 1 : 2;
}

// Whether the model can have such a context.
bool expect_round_trip(const Json &row, llama_model *raw, mullama_model_t *model,
                       const Layout &layout) {
    SCOPED_TRACE(description_of(layout));
    const std::uint32_t n_seq_max = n_seq_max_of(row);
    const auto another = [&] { return make(raw, model, layout, n_seq_max); };
    const ContextHandle context = another();
    if (context == nullptr)
        return false;
    const auto n_vocab = row["n_vocab"].get<std::int32_t>();
    std::vector<Tokens> heads;
    for (std::uint32_t i = 0; i < n_seq_max; ++i) {
        const auto sequence = static_cast<mullama_seq_id_t>(i);
        const Tokens head =
            generate(context.get(), sequence, prompt_of(60 + 30 * i, n_vocab, i), 9);
        EXPECT_EQ(head.size(), 9U);
    }
    const std::string whole = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
    std::vector<std::string> single;
    for (std::uint32_t i = 0; i < n_seq_max; ++i)
        single.push_back(save_state(context.get(), static_cast<mullama_seq_id_t>(i)));
    // A generated token that ended a generation is not in memory: it comes again.
    const Tokens more{1, 2, 3};
    std::vector<Tokens> expected;
    for (std::uint32_t i = 0; i < n_seq_max; ++i)
        expected.push_back(generate(context.get(), static_cast<mullama_seq_id_t>(i), more));

    const ContextHandle other = another();
    EXPECT_OK(load_state(other.get(), MULLAMA_SEQUENCE_ALL, whole));
    for (std::uint32_t i = 0; i < n_seq_max; ++i)
        EXPECT_EQ(generate(other.get(), static_cast<mullama_seq_id_t>(i), more), expected[i]);
    // Over what is there, and into the other one's place.
    for (std::uint32_t i = 0; i < n_seq_max; ++i) {
        const auto place = static_cast<mullama_seq_id_t>(n_seq_max - 1 - i);
        EXPECT_OK(load_state(other.get(), place, single[i]));
        EXPECT_EQ(generate(other.get(), place, more), expected[i]);
    }
    const ContextHandle third = another();
    EXPECT_OK(load_state(third.get(), 0, single.back()));
    EXPECT_EQ(generate(third.get(), 0, more), expected.back());
    // And all of it over all of it.
    EXPECT_OK(load_state(third.get(), MULLAMA_SEQUENCE_ALL, whole));
    for (std::uint32_t i = 0; i < n_seq_max; ++i)
        EXPECT_EQ(generate(third.get(), static_cast<mullama_seq_id_t>(i), more), expected[i]);
    return true;
}

TEST(StateParity, GoesOnAsIfNothingHadHappened) {
    std::map<mullama_cache_type_t, std::set<std::string>> models;
    for (const Json &row : decoders()) {
        SCOPED_TRACE(name_of(row));
        const ModelHandle model = load_model(path_of(row));
        const RawModel raw = load_raw(path_of(row));
        ASSERT_NE(model, nullptr);
        for (const Layout &layout : layouts) {
            if (expect_round_trip(row, raw.get(), model.get(), layout))
                models[layout.type_k].insert(name_of(row));
        }
    }
    // None goes untested because no fixture can have it.
    EXPECT_EQ(models.size(), 9U);
    for (const auto &[type, names] : models) {
        for (const char *const name : {"llama_wide", "swa_wide", "hybrid_wide"})
            EXPECT_TRUE(names.contains(name)) << "type " << type;
    }
}

// The logits that a sequence ends in travel along: an empty prompt goes on from them.
TEST(StateParity, KeepsTheLastLogits) {
    for (const Json &row : decoders()) {
        SCOPED_TRACE(name_of(row));
        const ModelHandle model = load_model(path_of(row));
        const ContextHandle context = new_context(model.get());
        const Tokens prompt = prompt_of(70, row["n_vocab"].get<std::int32_t>(), 5);
        ASSERT_OK(mullama_context_prefill(context.get(), 0, prompt.data(), prompt.size(),
                                          MULLAMA_OUTPUT_LAST));
        const std::string whole = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
        const std::string single = save_state(context.get(), 0);
        const Tokens expected = generate(context.get(), 0, {});
        const ContextHandle other = new_context(model.get());
        ASSERT_OK(load_state(other.get(), 0, single));
        EXPECT_EQ(generate(other.get(), 0, {}), expected);
        ASSERT_OK(load_state(other.get(), MULLAMA_SEQUENCE_ALL, whole));
        EXPECT_EQ(generate(other.get(), 0, {}), expected);
    }
}

// llama.cpp takes a state without cells for one that leaves those which are there.
TEST(StateParity, AnEmptyStateEmptiesItsPlace) {
    for (const Json &row : decoders()) {
        SCOPED_TRACE(name_of(row));
        const ModelHandle model = load_model(path_of(row));
        for (const bool unified : {true, false}) {
            const mullama_context_options_t options =
                options_of({MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_F16, automatic, unified},
                           n_seq_max_of(row));
            const ContextHandle empty = new_context(model.get(), options);
            const std::string single = save_state(empty.get(), 0);
            const std::string whole = save_state(empty.get(), MULLAMA_SEQUENCE_ALL);
            const Tokens prompt = prompt_of(20, row["n_vocab"].get<std::int32_t>(), 3);
            const Tokens expected = generate(empty.get(), 0, prompt);
            const ContextHandle context = new_context(model.get(), options);
            for (const bool all : {false, true}) {
                SCOPED_TRACE(all ? "all" : "one");
                ASSERT_OK(mullama_context_prefill(context.get(), 0, prompt.data(), prompt.size(),
                                                  MULLAMA_OUTPUT_LAST));
                ASSERT_OK(load_state(context.get(), all ? MULLAMA_SEQUENCE_ALL : 0,
                                     all ? whole : single));
                mullama_pos_t first = 0;
                mullama_pos_t last = 0;
                ASSERT_OK(mullama_context_sequence_positions(context.get(), 0, &first, &last));
                EXPECT_EQ(first, -1);
                EXPECT_EQ(last, -1);
                EXPECT_EQ(tokens_of(context.get(), 0), Tokens());
                EXPECT_EQ(generate(context.get(), 0, prompt), expected);
                ASSERT_OK(mullama_context_clear(context.get()));
            }
        }
    }
}

// Copies between memories of their own wait for the next decode, even if their sequences were
// emptied since: what was loaded meanwhile must not be overwritten by them.
TEST(StateParity, ACopyThatWaitsDoesNotReachWhatIsLoaded) {
    for (const Json &row : decoders()) {
        if (n_seq_max_of(row) < 2)
            continue;
        SCOPED_TRACE(name_of(row));
        const ModelHandle model = load_model(path_of(row));
        const mullama_context_options_t options =
            options_of({MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_F16, automatic, false}, 2);
        const auto n_vocab = row["n_vocab"].get<std::int32_t>();
        const Tokens one = prompt_of(20, n_vocab, 1);
        const Tokens other = prompt_of(20, n_vocab, 2);
        const ContextHandle source = new_context(model.get(), options);
        ASSERT_OK(mullama_context_prefill(source.get(), 1, other.data(), other.size(),
                                          MULLAMA_OUTPUT_LAST));
        const std::string whole = save_state(source.get(), MULLAMA_SEQUENCE_ALL);
        const std::string single = save_state(source.get(), 1);
        const Tokens expected = generate(source.get(), 1, one);

        const ContextHandle context = new_context(model.get(), options);
        mullama_context_t *const it = context.get();
        const auto copy = [&] {
            ASSERT_OK(mullama_context_clear(it));
            ASSERT_OK(mullama_context_prefill(it, 0, one.data(), one.size(), MULLAMA_OUTPUT_NONE));
            ASSERT_OK(mullama_context_sequence_copy(it, 0, 1, 0, MULLAMA_POSITION_END));
        };
        copy();
        ASSERT_OK(mullama_context_clear(it));
        ASSERT_OK(load_state(it, MULLAMA_SEQUENCE_ALL, whole));
        EXPECT_EQ(generate(it, 1, one), expected);
        copy();
        ASSERT_OK(mullama_context_clear(it));
        ASSERT_OK(load_state(it, 1, single));
        EXPECT_EQ(generate(it, 1, one), expected);
        // Here something would be lost by a decode that does nothing else.
        copy();
        ASSERT_OK(mullama_context_sequence_remove(it, 1, 0, MULLAMA_POSITION_END));
        EXPECT_REFUSED(load_state(it, 1, single), MULLAMA_ERROR_INVALID_STATE, "", {},
                       "decode a token before");
        EXPECT_EQ(tokens_of(it, 0), one);
        ASSERT_OK(mullama_context_prefill(it, 0, one.data(), 1, MULLAMA_OUTPUT_NONE));
        ASSERT_OK(load_state(it, 1, single));
        EXPECT_EQ(generate(it, 1, one), expected);
    }
}

class Mutations {
public:
    explicit Mutations(std::uint32_t seed) : random_(seed) {}

    std::string of(std::string state) {
        const std::size_t times = 1 + below(3);
        for (std::size_t i = 0; i < times; ++i)
            once(state);
        if (below(8) != 0)
            fit_size(state);
        if (below(2) == 0)
            mend(state);
        return state;
    }

    std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }

private:
    void once(std::string &state) {
        // The head of each part is where the structure is.
        const std::size_t reach =
            below(2) == 0 ? state.size() : std::min<std::size_t>(state.size(), 4096);
        const std::size_t at = below(reach);
        switch (below(6)) {
        case 0:
            state[at] = static_cast<char>(random_());
            break;
        case 1:
            state[at] = static_cast<char>(state[at] ^ (1 << below(8)));
            break;
        case 2:
            put(state, at, interesting());
            break;
        case 3:
            state.resize(at);
            break;
        case 4:
            state.insert(at, std::string(1 + below(40), static_cast<char>(random_())));
            break;
        default:
            state.erase(at, 1 + below(40));
            break;
        }
    }

    std::uint32_t interesting() {
        constexpr std::uint32_t numbers[] = {0,   1,   2,          255,        256,       512,
                                             513, 768, 0x7fffffff, 0x80000000, 0xffffffff};
        return numbers[below(std::size(numbers))];
    }

    static void put(std::string &state, std::size_t at, std::uint32_t number) {
        at = at / 4 * 4;
        if (at + sizeof number <= state.size())
            std::memcpy(state.data() + at, &number, sizeof number);
    }

    static void fit_size(std::string &state) {
        const std::uint64_t size = state.size();
        if (state.size() >= 24)
            std::memcpy(state.data() + 16, &size, sizeof size);
    }

    std::mt19937 random_;
};

void expect_harmless(const Json &row, std::size_t count, std::uint32_t seed) {
    SCOPED_TRACE(name_of(row) + ", seed " + std::to_string(seed));
    const ModelHandle model = load_model(path_of(row));
    Mutations mutations(seed);
    for (const bool unified : {true, false}) {
        const mullama_context_options_t options = options_of(
            {MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_F16, unified ? automatic : off, unified},
            n_seq_max_of(row));
        const ContextHandle context = new_context(model.get(), options);
        ASSERT_NE(context, nullptr);
        const auto n_vocab = row["n_vocab"].get<std::int32_t>();
        generate(context.get(), 0, prompt_of(12, n_vocab, seed), 4);
        const std::string whole = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
        const std::string single = save_state(context.get(), 0);
        const ContextHandle target = new_context(model.get(), options);
        std::size_t loaded = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const bool all = mutations.below(2) == 0;
            const std::string state = mutations.of(all ? whole : single);
            std::size_t before = 0;
            ASSERT_OK(mullama_context_sequence_size(target.get(), 0, &before));
            const ErrorHandle error(
                load_state(target.get(), all ? MULLAMA_SEQUENCE_ALL : 0, state));
            std::size_t after = 0;
            ASSERT_OK(mullama_context_sequence_size(target.get(), 0, &after));
            if (error != nullptr) {
                EXPECT_EQ(before, after);
                EXPECT_NE(mullama_error_code(error.get()), MULLAMA_ERROR_INTERNAL);
                EXPECT_NE(mullama_error_code(error.get()), MULLAMA_ERROR_ENGINE)
                    << message_of(error.get());
                continue;
            }
            ++loaded;
            // What was loaded must not bring the engine down.
            const mullama_token_t token = 1;
            const ErrorHandle failed(
                mullama_context_prefill(target.get(), 0, &token, 1, MULLAMA_OUTPUT_LAST));
            if (failed != nullptr)
                continue;
            mullama_generate_options_t two = generate_options();
            two.max_tokens = 2;
            two.ignore_end = true;
            const ErrorHandle broken(mullama_context_generate_tokens(target.get(), nullptr, nullptr,
                                                                     0, &two, nullptr, nullptr));
            // Keys and values that were altered can be no numbers, and then no logits come of them.
            EXPECT_TRUE(broken == nullptr ||
                        mullama_error_code(broken.get()) == MULLAMA_ERROR_INVALID_ARGUMENT)
                << message_of(broken.get());
        }
        EXPECT_GT(loaded, 0U); // numbers of the cells themselves were altered
        ASSERT_OK(load_state(target.get(), MULLAMA_SEQUENCE_ALL, whole));
    }
}

TEST(StateParity, MutatedStatesAreRefusedOrHarmless) {
    const char *const today = std::getenv("MULLAMA_TEST_SEED");
    const auto seed = static_cast<std::uint32_t>(today == nullptr ? 1 : std::atoi(today));
    for (const Json &row : decoders())
        expect_harmless(row, 500, seed);
}

} // namespace
