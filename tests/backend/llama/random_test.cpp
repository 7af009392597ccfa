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

class RandomBatches : public testing::TestWithParam<const char *> {};

TEST_P(RandomBatches, AreComputedOrRefused) {
    const char *given = std::getenv("MULLAMA_TEST_SEED");
    const auto seed =
        static_cast<std::uint32_t>(given == nullptr ? 1 : std::strtoul(given, nullptr, 10));
    SCOPED_TRACE("MULLAMA_TEST_SEED=" + std::to_string(seed));
    const auto model = load(fixture(GetParam()));
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

INSTANTIATE_TEST_SUITE_P(Kinds, RandomBatches,
                         testing::Values("llama", "moe", "recurrent", "rwkv", "hybrid", "plamo2",
                                         "swa"),
                         [](const auto &its) { return std::string(its.param); });

} // namespace
} // namespace mullama::test
