// Random programs of context calls (decode, copy, remove, keep, shift, divide, clear, abort,
// embeddings on and off) on every kind of memory: whatever we accept, the same calls made to a raw
// llama.cpp give the same positions and, bit for bit, the same logits; whatever we refuse changes
// nothing. MULLAMA_TEST_SEED chooses the programs, MULLAMA_SOAK=1 runs 500.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <llama.h>

#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

constexpr std::int32_t n_sequences = 4;
constexpr std::uint32_t n_ctx = 256;
constexpr int calls_per_program = 60;

struct FreeModel {
    void operator()(llama_model *model) const { llama_model_free(model); }
};
struct FreeContext {
    void operator()(llama_context *context) const { llama_free(context); }
};

// The same model twice: behind the contract, and raw.
class Pair {
public:
    explicit Pair(const std::string &path) : ours_(load_model(path)) {
        llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
        llama_backend_init();
        llama_model_params params = llama_model_default_params();
        params.n_gpu_layers = 0;
        raw_.reset(llama_model_load_from_file(path.c_str(), params));
        n_vocab_ = llama_vocab_n_tokens(llama_model_get_vocab(raw_.get()));
    }

    [[nodiscard]] mullama_model_t *ours() const { return ours_.get(); }
    [[nodiscard]] llama_model *raw() const { return raw_.get(); }
    [[nodiscard]] std::int32_t n_vocab() const { return n_vocab_; }

private:
    ModelHandle ours_;
    std::unique_ptr<llama_model, FreeModel> raw_;
    std::int32_t n_vocab_ = 0;
};

class Program {
public:
    Program(const Pair &pair, std::uint32_t seed, bool unified, bool swa_full)
        : pair_(pair), random_(seed) {
        mullama_context_options_t options = one_thread();
        options.n_ctx = unified ? n_ctx : n_ctx * n_sequences;
        options.n_seq_max = n_sequences;
        options.n_ubatch = 16;
        options.kv_unified = unified;
        options.swa_full = swa_full;
        ours_ = new_context(pair.ours(), options);
        llama_context_params params = llama_context_default_params();
        params.n_ctx = options.n_ctx;
        params.n_seq_max = n_sequences;
        params.n_ubatch = 16;
        params.n_threads = 1;
        params.n_threads_batch = 1;
        params.kv_unified = unified;
        params.swa_full = swa_full;
        raw_.reset(llama_init_from_model(pair.raw(), params));
        memory_ = llama_get_memory(raw_.get());
    }

    void run() {
        for (int i = 0; i < calls_per_program && !testing::Test::HasFailure(); ++i) {
            step();
            compare_positions();
        }
    }

private:
    std::int32_t pick(std::int32_t first, std::int32_t last) {
        return std::uniform_int_distribution<std::int32_t>(first, last)(random_);
    }

    // Takes an error, and says whether the call succeeded. Nothing else than a refusal is right.
    static bool accepted(mullama_error_t *error) {
        const ErrorHandle owned(error);
        const mullama_error_code_t code = mullama_error_code(error);
        EXPECT_TRUE(code == MULLAMA_OK || code == MULLAMA_ERROR_UNSUPPORTED ||
                    code == MULLAMA_ERROR_INVALID_STATE || code == MULLAMA_ERROR_OUT_OF_RANGE ||
                    code == MULLAMA_ERROR_INVALID_ARGUMENT || code == MULLAMA_ERROR_NO_SPACE ||
                    code == MULLAMA_ERROR_CANCELLED)
            << mullama_error_code_name(code) << ": " << message_of(error) << "\n"
            << mullama_error_log(error, nullptr);
        return error == nullptr;
    }

    void step() {
        const std::int32_t sequence = pick(0, n_sequences - 1);
        const std::int32_t begin = pick(0, 3) == 0 ? 0 : pick(0, 40);
        const std::int32_t end = pick(0, 2) == 0 ? MULLAMA_POSITION_END : begin + pick(0, 20);
        const std::int32_t raw_end = end == MULLAMA_POSITION_END ? -1 : end;
        switch (pick(0, 15)) {
        case 0:
        case 1: {
            const std::int32_t to = pick(0, n_sequences - 1);
            trace("copy " + std::to_string(sequence) + " to " + std::to_string(to), begin, end);
            if (accepted(mullama_context_sequence_copy(ours_.get(), sequence, to, begin, end))) {
                const auto &its = held_[index(sequence)];
                const bool whole = std::ranges::all_of(
                    its, [&](std::int32_t at) { return in_range(at, begin, raw_end); });
                for (const std::int32_t at : held_[index(sequence)]) {
                    if (in_range(at, begin, raw_end))
                        held_[index(to)].push_back(at);
                }
                llama_memory_seq_cp(memory_, sequence, to, whole ? -1 : begin,
                                    whole ? -1 : raw_end);
            }
            break;
        }
        case 2:
        case 3:
        case 4:
            trace("remove from " + std::to_string(sequence), begin, end);
            if (accepted(mullama_context_sequence_remove(ours_.get(), sequence, begin, end))) {
                std::erase_if(held_[index(sequence)],
                              [&](std::int32_t at) { return in_range(at, begin, raw_end); });
                EXPECT_TRUE(llama_memory_seq_rm(memory_, sequence, begin, raw_end) ||
                            last_of(sequence) < begin);
            }
            break;
        case 5:
        case 6: {
            const std::int32_t delta = pick(-20, 20);
            trace("shift " + std::to_string(sequence) + " by " + std::to_string(delta), begin, end);
            if (accepted(
                    mullama_context_sequence_shift(ours_.get(), sequence, begin, end, delta))) {
                // A range without tokens makes llama.cpp look for room elsewhere, no more.
                if (move(sequence, begin, raw_end, [&](std::int32_t at) { return at + delta; }))
                    llama_memory_seq_add(memory_, sequence, begin, raw_end, delta);
            }
            break;
        }
        case 7: {
            const std::int32_t divisor = pick(1, 3);
            trace("divide " + std::to_string(sequence), begin, end);
            if (accepted(
                    mullama_context_sequence_divide(ours_.get(), sequence, begin, end, divisor))) {
                if (move(sequence, begin, raw_end, [&](std::int32_t at) { return at / divisor; }))
                    llama_memory_seq_div(memory_, sequence, begin, raw_end, divisor);
            }
            break;
        }
        case 8:
            if (pick(0, 3) == 0) {
                trace("keep " + std::to_string(sequence), 0, 0);
                EXPECT_OK(mullama_context_sequence_keep(ours_.get(), sequence));
                for (std::int32_t other = 0; other < n_sequences; ++other) {
                    if (other != sequence) {
                        held_[index(other)].clear();
                        llama_memory_seq_rm(memory_, other, -1, -1);
                    }
                }
            }
            break;
        case 9:
            if (pick(0, 5) == 0) {
                trace("clear", 0, 0);
                EXPECT_OK(mullama_context_clear(ours_.get()));
                llama_memory_clear(memory_, false);
                for (auto &its : held_)
                    its.clear();
            }
            break;
        case 10:
            trace("abort", 0, 0);
            EXPECT_OK(mullama_context_abort(ours_.get()));
            decode(sequence, pick(1, 20), true);
            break;
        default:
            decode(sequence, pick(1, 20), false);
        }
    }

    // One sequence or, sometimes, one token for each that holds something.
    void decode(std::int32_t sequence, std::int32_t count, bool aborted) {
        const BatchHandle batch = new_batch();
        llama_batch raw = llama_batch_init(64, 0, 1);
        const auto put = [&](std::int32_t id, std::int32_t position) {
            const std::int32_t token = pick(3, pair_.n_vocab() - 1);
            EXPECT_OK(add(batch.get(), token, position, {id}, true));
            raw.token[raw.n_tokens] = token;
            raw.pos[raw.n_tokens] = position;
            raw.n_seq_id[raw.n_tokens] = 1;
            raw.seq_id[raw.n_tokens][0] = id;
            raw.logits[raw.n_tokens] = 1;
            ++raw.n_tokens;
        };
        if (pick(0, 3) == 0) {
            for (std::int32_t id = 0; id < n_sequences; ++id)
                put(id, last_of(id) + 1);
        } else {
            const std::int32_t first = last_of(sequence) + 1;
            for (std::int32_t i = 0; i < count; ++i)
                put(sequence, first + i);
        }
        trace("decode " + std::to_string(raw.n_tokens) + " of " + std::to_string(sequence), 0, 0);
        if (accepted(mullama_context_decode(ours_.get(), batch.get()))) {
            EXPECT_FALSE(aborted);
            ASSERT_EQ(llama_decode(raw_.get(), raw), 0) << trace_;
            for (std::int32_t i = 0; i < raw.n_tokens; ++i) {
                held_[index(raw.seq_id[i][0])].push_back(raw.pos[i]);
                compare_logits(i);
            }
        }
        llama_batch_free(raw);
    }

    void compare_logits(std::int32_t index) {
        const float *logits = nullptr;
        std::size_t count = 0;
        ASSERT_OK(mullama_context_logits(ours_.get(), index, &logits, &count));
        const float *const expected = llama_get_logits_ith(raw_.get(), index);
        ASSERT_TRUE(std::equal(logits, logits + count, expected))
            << "the logits of token " << index << " differ" << trace_;
    }

    void compare_positions() {
        for (std::int32_t id = 0; id < n_sequences; ++id) {
            mullama_pos_t first = -2;
            mullama_pos_t last = -2;
            ASSERT_OK(mullama_context_sequence_positions(ours_.get(), id, &first, &last));
            ASSERT_EQ(first, llama_memory_seq_pos_min(memory_, id)) << id << trace_;
            ASSERT_EQ(last, llama_memory_seq_pos_max(memory_, id)) << id << trace_;
        }
    }

    static std::size_t index(std::int32_t sequence) { return static_cast<std::size_t>(sequence); }
    static bool in_range(std::int32_t at, std::int32_t begin, std::int32_t end) {
        return at >= begin && (end < 0 || at < end);
    }
    // Whether any position moved.
    template <class To>
    bool move(std::int32_t sequence, std::int32_t begin, std::int32_t end, To to) {
        bool moved = false;
        for (std::int32_t &at : held_[index(sequence)]) {
            if (in_range(at, begin, end)) {
                at = to(at);
                moved = true;
            }
        }
        return moved;
    }

    [[nodiscard]] std::int32_t last_of(std::int32_t sequence) const {
        return llama_memory_seq_pos_max(memory_, sequence);
    }

    void trace(const std::string &what, std::int32_t begin, std::int32_t end) {
        trace_ += "\n" + what + " [" + std::to_string(begin) + ", " + std::to_string(end) + ")";
    }

    const Pair &pair_;
    std::mt19937 random_;
    ContextHandle ours_;
    std::unique_ptr<llama_context, FreeContext> raw_;
    llama_memory_t memory_ = nullptr;
    // The positions of each sequence.
    std::vector<std::vector<std::int32_t>> held_{n_sequences};
    std::string trace_;
};

class Programs : public testing::TestWithParam<const char *> {};

TEST_P(Programs, DoWhatLlamaDoes) {
    const char *const given = std::getenv("MULLAMA_TEST_SEED");
    const auto start = static_cast<std::uint32_t>(given == nullptr ? 1 : std::atoi(given));
    const std::uint32_t count = std::getenv("MULLAMA_SOAK") != nullptr ? 500 : 6;
    const Pair pair(fixture_path(std::string(GetParam()) + ".gguf"));
    for (std::uint32_t i = 0; i < count && !HasFailure(); ++i) {
        const std::uint32_t seed = start + i;
        SCOPED_TRACE("MULLAMA_TEST_SEED=" + std::to_string(seed));
        // Recurrent memory is its own for each sequence in any case.
        Program(pair, seed, seed % 3 != 0, seed % 2 != 0).run();
    }
}

INSTANTIATE_TEST_SUITE_P(Decoders, Programs,
                         testing::Values("llama", "qwen", "moe", "swa", "recurrent", "rwkv",
                                         "hybrid"),
                         [](const auto &its) { return std::string(its.param); });

} // namespace
