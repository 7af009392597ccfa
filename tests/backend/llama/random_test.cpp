// Random batches on random sequences: each is either computed or refused, none takes the process
// along, and the memory holds what it should.
#include "backend/llama/support.hpp"

#include <cmath>
#include <map>
#include <random>

namespace mullama::test {
namespace {

class RandomSequences {
public:
    RandomSequences(Model &model, const ContextParams &params, std::uint32_t seed)
        : model_(model), context_(model.new_context(params)), n_seq_(params.n_seq_max),
          random_(seed) {}

    void step() {
        switch (below(8)) {
        case 0:
            shorten();
            break;
        case 1:
            if (below(10) == 0) {
                context_->clear();
                last_.clear();
            }
            break;
        default:
            decode();
        }
        for (SequenceId s = 0; s < static_cast<SequenceId>(n_seq_); ++s) {
            ASSERT_EQ(context_->last_position(s), last(s)) << "sequence " << s;
        }
    }

private:
    std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>(random_() % limit);
    }

    [[nodiscard]] Position last(SequenceId sequence) const {
        const auto found = last_.find(sequence);
        return found == last_.end() ? -1 : found->second;
    }

    void shorten() {
        const auto sequence = static_cast<SequenceId>(below(n_seq_));
        const auto begin =
            static_cast<Position>(below(static_cast<std::uint32_t>(last(sequence) + 3)));
        if (context_->truncate(sequence, begin)) {
            last_[sequence] = std::min(last(sequence), begin - 1);
        }
    }

    // Some sequences, a few tokens each, in any order; now and then a token of several, or one that
    // does not belong there.
    void decode() {
        Batch batch;
        auto next = last_;
        const std::uint32_t size = 1 + below(40);
        while (batch.size() < size) {
            std::vector<SequenceId> of{static_cast<SequenceId>(below(n_seq_))};
            if (below(6) == 0) {
                of.push_back(static_cast<SequenceId>(below(n_seq_)));
            }
            const Position position =
                (next.contains(of[0]) ? next[of[0]] : -1) + (below(200) == 0 ? 2 : 1);
            batch.add(static_cast<Token>(below(static_cast<std::uint32_t>(model_.vocab().size()))),
                      position, of, below(3) == 0);
            for (const SequenceId sequence : of) {
                next[sequence] = position;
            }
        }
        try {
            if (context_->decode(batch) == DecodeStatus::ok) {
                last_ = next;
                for (std::size_t i = 0; i < batch.size(); ++i) {
                    if (batch.outputs[i] != 0) {
                        const float *logits = context_->logits(static_cast<std::int32_t>(i));
                        ASSERT_FALSE(std::isnan(logits[0]));
                    }
                }
            }
        } catch (const Error &error) {
            ASSERT_TRUE(error.code() == MULLAMA_ERROR_OUT_OF_RANGE ||
                        error.code() == MULLAMA_ERROR_INVALID_ARGUMENT)
                << error.message() << "\n"
                << error.parts().log;
        }
    }

    Model &model_;
    std::unique_ptr<Context> context_;
    std::uint32_t n_seq_;
    std::mt19937 random_;
    std::map<SequenceId, Position> last_;
};

// Today's seed, or with MULLAMA_SOAK many.
std::vector<std::uint32_t> seeds() {
    std::vector<std::uint32_t> all;
    if (std::getenv("MULLAMA_SOAK") != nullptr) {
        for (std::uint32_t seed = 1; seed <= 200; ++seed) {
            all.push_back(seed);
        }
    } else {
        const char *given = std::getenv("MULLAMA_TEST_SEED");
        all.push_back(
            given == nullptr ? 1 : static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)));
    }
    return all;
}

class RandomBatches : public testing::TestWithParam<const char *> {};

TEST_P(RandomBatches, AreComputedOrRefused) {
    const auto model = load(fixture(GetParam()));
    for (const std::uint32_t seed : seeds()) {
        SCOPED_TRACE("MULLAMA_TEST_SEED=" + std::to_string(seed));
        for (const bool unified : {true, false}) {
            ContextParams params;
            params.n_ctx = 512;
            params.n_batch = 64;
            params.n_ubatch = 16;
            params.n_seq_max = std::string_view(GetParam()) == "plamo2" ? 1 : 4;
            params.kv_unified = unified;
            RandomSequences sequences(*model, params, seed);
            for (int i = 0; i < 150 && !HasFatalFailure(); ++i) {
                sequences.step();
            }
        }
    }
}

class RandomTexts : public testing::TestWithParam<const char *> {};

TEST_P(RandomTexts, AreEncodedOrRefused) {
    const auto model = load(fixture(GetParam()));
    for (const std::uint32_t seed : seeds()) {
        SCOPED_TRACE("MULLAMA_TEST_SEED=" + std::to_string(seed));
        std::mt19937 random(seed);
        const auto below = [&random](std::uint32_t limit) {
            return static_cast<std::int32_t>(random() % limit);
        };
        ContextParams params = small_context();
        params.n_seq_max = 4;
        const auto context = model->new_context(params);
        int done = 0;
        for (int i = 0; i < 150; ++i) {
            Batch batch;
            std::map<SequenceId, Position> next;
            for (int size = 1 + below(40); size > 0; --size) {
                const SequenceId sequence = below(4);
                batch.add(below(static_cast<std::uint32_t>(model->vocab().size())),
                          next[sequence]++ + (below(300) == 0 ? 1 : 0), std::span(&sequence, 1),
                          below(2) == 0);
            }
            const bool encodes = below(2) == 0;
            if (encodes && below(3) != 0) {
                context->clear();
            }
            const auto error = error_of([&] {
                const auto status = encodes ? context->encode(batch) : context->decode(batch);
                done += status == DecodeStatus::ok ? 1 : 0;
            });
            ASSERT_NE(error.code, MULLAMA_ERROR_ENGINE) << error.message << "\n" << error.log;
        }
        EXPECT_GT(done, 20);
    }
}

INSTANTIATE_TEST_SUITE_P(Encoders, RandomTexts,
                         testing::Values("t5", "bert_none", "bert_mean", "bert_cls", "bert_last",
                                         "bert_rank"),
                         [](const auto &its) { return std::string(its.param); });

INSTANTIATE_TEST_SUITE_P(Kinds, RandomBatches,
                         testing::Values("llama", "moe", "recurrent", "rwkv", "hybrid", "plamo2",
                                         "swa"),
                         [](const auto &its) { return std::string(its.param); });

} // namespace
} // namespace mullama::test
