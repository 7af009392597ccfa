// Random programs of context calls on every fixture that computes: decode, encode, copy, remove,
// keep, shift, divide, clear, abort, embeddings on and off, adapters with changing scales, states
// saved and loaded, whole and by sequence, and contexts made anew from them. What Twins compares
// must be the same after each call. MULLAMA_TEST_SEED chooses the programs, MULLAMA_SOAK=1 runs
// 200 on each fixture, thousands in all.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "parity/twins.hpp"

namespace {

using namespace mullama::test;

constexpr int calls_per_program = 60;
constexpr std::size_t most_states = 4;

class Program {
public:
    Program(const TwinModels &models, std::uint32_t seed, const TwinOptions &options)
        : models_(models), twins_(models, options), random_(seed) {}

    void run() {
        for (int i = 0; i < calls_per_program && !testing::Test::HasFailure(); ++i)
            step();
    }

private:
    std::int32_t pick(std::int32_t first, std::int32_t last) {
        return std::uniform_int_distribution<std::int32_t>(first, last)(random_);
    }
    bool one_in(std::int32_t count) { return pick(1, count) == 1; }
    std::int32_t any_sequence() { return pick(0, twins_.n_sequences() - 1); }
    std::int32_t any_token() { return pick(3, models_.n_vocab() - 1); }

    void step() {
        const std::int32_t sequence = any_sequence();
        const std::int32_t begin = one_in(4) ? 0 : pick(0, 40);
        const std::int32_t end = one_in(3) ? MULLAMA_POSITION_END : begin + pick(0, 20);
        switch (pick(0, 23)) {
        case 0:
        case 1:
            twins_.copy(sequence, any_sequence(), begin, end);
            break;
        case 2:
        case 3:
        case 4:
            twins_.remove(sequence, begin, end);
            break;
        case 5:
        case 6:
            twins_.shift(sequence, begin, end, pick(-20, 20));
            break;
        case 7:
            twins_.divide(sequence, begin, end, pick(1, 3));
            break;
        case 8:
            if (one_in(4))
                twins_.keep(sequence);
            break;
        case 9:
            if (one_in(6))
                twins_.clear();
            break;
        case 10:
            twins_.decode_aborted(tokens_of_one(sequence));
            break;
        case 11:
        case 12:
            twins_.save(one_in(2) ? MULLAMA_SEQUENCE_ALL : sequence,
                        static_cast<std::size_t>(pick(0, most_states - 1)));
            break;
        case 13:
        case 14:
            if (twins_.n_states() != 0) {
                const auto last = static_cast<std::int32_t>(twins_.n_states()) - 1;
                twins_.load(static_cast<std::size_t>(pick(0, last)), sequence);
            }
            break;
        case 15:
            if (one_in(4))
                twins_.restart();
            break;
        case 16:
            twins_.set_adapters(any_scales());
            break;
        case 17:
            if (one_in(2))
                twins_.set_embeddings(one_in(2));
            break;
        default:
            if (models_.has_encoder() && models_.has_decoder() && one_in(3))
                twins_.encode(text(sequence));
            else if (one_in(4))
                twins_.decode(one_of_each());
            else
                twins_.decode(tokens_of_one(sequence));
        }
    }

    // They follow what the sequence holds.
    std::vector<Twins::Token> tokens_of_one(std::int32_t sequence) {
        std::vector<Twins::Token> tokens;
        const std::int32_t first = twins_.last_of(sequence) + 1;
        const std::int32_t count = pick(1, 20);
        for (std::int32_t i = 0; i < count; ++i)
            tokens.push_back({any_token(), first + i, sequence});
        return tokens;
    }

    std::vector<Twins::Token> one_of_each() {
        std::vector<Twins::Token> tokens;
        for (std::int32_t id = 0; id < twins_.n_sequences(); ++id)
            tokens.push_back({any_token(), twins_.last_of(id) + 1, id});
        return tokens;
    }

    // For an encoder: of one sequence or of all, each from its beginning.
    std::vector<Twins::Token> text(std::int32_t sequence) {
        std::vector<Twins::Token> tokens;
        const bool all = one_in(2);
        for (std::int32_t id = 0; id < twins_.n_sequences(); ++id) {
            const std::int32_t count = all || id == sequence ? pick(1, 5) : 0;
            for (std::int32_t i = 0; i < count; ++i)
                tokens.push_back({any_token(), i, id});
        }
        return tokens;
    }

    // At most one LoRA, and any control vectors.
    std::vector<TwinScale> any_scales() {
        constexpr float scales[] = {1.0F, 0.25F, -2.0F, 0.0F, 0.1F, 1.5F};
        const auto &adapters = models_.adapters();
        std::vector<TwinScale> chosen;
        bool has_lora = false;
        for (std::size_t i = 0; i < adapters.size(); ++i) {
            const bool is_lora = adapters[i].lora != nullptr;
            if (!one_in(2) || (is_lora && has_lora))
                continue;
            has_lora = has_lora || is_lora;
            chosen.push_back({i, scales[pick(0, std::size(scales) - 1)]});
        }
        return chosen;
    }

    const TwinModels &models_;
    Twins twins_;
    std::mt19937 random_;
};

// All that compute, each once; those of other tensor types are no others.
std::vector<Json> computing() {
    std::vector<Json> rows;
    for (const Json &row : fixtures("model")) {
        if (!row.contains("type") && !row.contains("same_as"))
            rows.push_back(row);
    }
    return rows;
}

class Programs : public testing::TestWithParam<Json> {};

TEST_P(Programs, DoWhatLlamaDoes) {
    const char *const given = std::getenv("MULLAMA_TEST_SEED");
    const auto start = static_cast<std::uint32_t>(given == nullptr ? 1 : std::atoi(given));
    const std::uint32_t count = std::getenv("MULLAMA_SOAK") != nullptr ? 200 : 6;
    const TwinModels models(GetParam());
    for (std::uint32_t i = 0; i < count && !HasFailure(); ++i) {
        const std::uint32_t seed = start + i;
        SCOPED_TRACE("MULLAMA_TEST_SEED=" + std::to_string(seed));
        TwinOptions options;
        // PLaMo-2 has one sequence only.
        options.n_sequences = GetParam()["name"] == "plamo2" ? 1 : 4;
        // An encoder-decoder model has one memory. Recurrent memory is its own for each sequence
        // in any case.
        options.unified = seed % 3 != 0 || (models.has_encoder() && models.has_decoder());
        options.swa_full = seed % 2 != 0;
        options.flash_attention = seed % 5 != 0;
        Program(models, seed, options).run();
    }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Programs, testing::ValuesIn(computing()),
                         [](const auto &its) { return name_of(its.param); });

} // namespace
