#include "backend/echo/rule.hpp"

#include <algorithm>
#include <cmath>

#include "backend/echo/mix.hpp"
#include "backend/echo/vocab.hpp"

namespace mullama::backend::echo {

namespace {

// The noise lies evenly between -spread and 0, so that e to it is (1 - e^-spread) / spread on
// average; the peak's share of the whole is `confidence`.
constexpr double spread = 4.0;
constexpr double confidence = 6.0 / 7.0;

} // namespace

Progress advance(const Progress &before, Token token, Position position) noexcept {
    Progress now = before;
    if (starts_answer(token)) {
        now.answer = position;
        now.source_begin = before.run_begin;
        now.source_end = before.run_end;
    } else if (is_control(token)) {
        now.answer = -1;
    } else {
        if (before.run_end != position) {
            now.run_begin = position;
        }
        now.run_end = position + 1;
    }
    return now;
}

Token predict(std::span<const Entry> sequence) noexcept {
    const Progress &progress = sequence.back().progress;
    if (progress.answer < 0) {
        return token_sep;
    }
    const auto position = static_cast<Position>(sequence.size()) - 1;
    const Position next = progress.source_begin + (position - progress.answer);
    return next < progress.source_end ? sequence[static_cast<std::size_t>(next)].token : token_eos;
}

Logits::Logits(std::int32_t n_vocab) : n_vocab_(static_cast<std::size_t>(n_vocab)) {
    const double average = (1.0 - std::exp(-spread)) / spread;
    const double others = static_cast<double>(n_vocab_ - 1) * average;
    peak_ = static_cast<float>(std::log(others * confidence / (1.0 - confidence)));

    noise_.resize(2 * n_vocab_);
    for (std::size_t i = 0; i < n_vocab_; ++i) {
        noise_[i] = static_cast<float>(-spread * fraction(mix(i)));
    }
    std::copy_n(noise_.begin(), n_vocab_, noise_.begin() + static_cast<std::ptrdiff_t>(n_vocab_));
}

void Logits::write(std::span<const Entry> sequence, std::span<float> row) const noexcept {
    const auto token = static_cast<std::uint64_t>(sequence.back().token);
    const std::size_t start = mix((token << 32U) | sequence.size()) % n_vocab_;
    std::copy_n(noise_.begin() + static_cast<std::ptrdiff_t>(start), n_vocab_, row.begin());
    row[static_cast<std::size_t>(predict(sequence))] = peak_;
}

} // namespace mullama::backend::echo
