#include "backend/echo/embeddings.hpp"

#include <algorithm>
#include <array>

#include "backend/echo/mix.hpp"

namespace mullama::backend::echo {

namespace {

bool belongs(const Batch &batch, std::size_t index, SequenceId sequence) noexcept {
    const auto first = batch.sequence_ids.begin();
    return std::find(first + batch.sequence_begin[index], first + batch.sequence_begin[index + 1],
                     sequence) != first + batch.sequence_begin[index + 1];
}

} // namespace

void embed(Token token, std::span<float> out) noexcept {
    const auto seed = static_cast<std::uint64_t>(token) << 32U;
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<float>(2 * fraction(mix(seed | (i + 1))) - 1);
    }
}

void pool(const Batch &batch, SequenceId sequence, mullama_pooling_t pooling,
          std::span<float> out) noexcept {
    std::array<float, embedding_size> one{};
    std::array<double, embedding_size> sum{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (!belongs(batch, i, sequence) || (pooling == MULLAMA_POOLING_CLS && count > 0)) {
            continue;
        }
        if (pooling == MULLAMA_POOLING_LAST) {
            sum.fill(0);
            count = 0;
        }
        embed(batch.tokens[i], one);
        for (std::size_t k = 0; k < one.size(); ++k) {
            sum[k] += static_cast<double>(one[k]);
        }
        ++count;
    }
    for (std::size_t k = 0; k < out.size(); ++k) {
        out[k] = static_cast<float>(sum[k] / static_cast<double>(count));
    }
}

bool contains(const Batch &batch, SequenceId sequence) noexcept {
    return std::ranges::find(batch.sequence_ids, sequence) != batch.sequence_ids.end();
}

} // namespace mullama::backend::echo
