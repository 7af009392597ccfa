#include "core/sampling/candidates.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/sampling/heap.hpp"

namespace mullama::core::sampling {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Up to here a heap finds the greatest; above, buckets. Where llama.cpp draws the line too, since
// the two differ in the order of equal logits.
constexpr std::size_t heap_limit = 128;

// Up to here the order of equal logits is worked out at once.
constexpr std::size_t many = 4096;

// Rows are read in blocks whose comparisons the compiler turns into vector instructions; few blocks
// need a second look.
constexpr std::size_t block = 64;

template <class Test>
bool any_of_block(const float *values, Test test) {
    std::uint32_t found = 0;
    for (std::size_t i = 0; i < block; ++i) {
        found |= static_cast<std::uint32_t>(test(values[i]));
    }
    return found != 0;
}

// Neither NaN nor +infinity.
bool acceptable(float logit) {
    return logit < infinity;
}

struct Scan {
    float max;
    bool acceptable;
};

Scan scan(std::span<const float> row) {
    Scan result{-infinity, true};
    std::size_t i = 0;
    while (i < row.size()) {
        const std::size_t end = std::min(i + block, row.size());
        if (end == i + block &&
            !any_of_block(&row[i], [max = result.max](float logit) { return !(logit <= max); })) {
            i = end;
            continue;
        }
        for (; i < end; ++i) {
            result.max = std::max(result.max, row[i]);
            result.acceptable = result.acceptable && acceptable(row[i]);
        }
    }
    return result;
}

// The first place at or after `begin` whose value is at least `bound`; row.size() without any.
std::size_t find_at_least(std::span<const float> row, std::size_t begin, float bound) {
    for (; begin + block <= row.size(); begin += block) {
        if (any_of_block(&row[begin], [bound](float logit) { return logit >= bound; })) {
            break;
        }
    }
    while (begin < row.size() && !(row[begin] >= bound)) {
        ++begin;
    }
    return begin;
}

[[noreturn]] void refuse_all_ruled_out(std::string_view parameter) {
    throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                      "the logits rule out every token: all of them are -infinity")
        .parameter(parameter)
        .expected("at least one logit above -infinity")
        .actual("none");
}

[[noreturn]] void refuse_value(std::string_view parameter, float value, std::ptrdiff_t offset) {
    throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                      "the logits have a value that is no logit; the model's weights or its input "
                      "may be broken")
        .parameter(parameter)
        .expected("numbers, or -infinity for a token that is ruled out")
        .actual(std::isnan(value) ? "not a number" : "infinity")
        .offset(offset);
}

[[noreturn]] void refuse(std::span<const float> row) {
    const auto bad = std::find_if_not(row.begin(), row.end(), acceptable);
    if (bad == row.end()) {
        refuse_all_ruled_out("logits");
    }
    refuse_value("logits", *bad, bad - row.begin());
}

void check(std::span<const Candidate> list) {
    bool possible = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].id < 0) {
            throw base::Error(MULLAMA_ERROR_OUT_OF_RANGE, "a token is never negative")
                .parameter("list")
                .expected("at least 0")
                .actual(list[i].id)
                .offset(static_cast<std::int64_t>(i));
        }
        if (!acceptable(list[i].logit)) {
            refuse_value("list", list[i].logit, static_cast<std::ptrdiff_t>(i));
        }
        possible = possible || list[i].logit > -infinity;
    }
    if (!possible) {
        refuse_all_ruled_out("list");
    }
}

} // namespace

void Candidates::assign(std::span<const float> logits) {
    const Scan found = scan(logits);
    if (found.max == -infinity || !found.acceptable) {
        refuse(logits);
    }
    row_ = logits;
    vocabulary_size_ = logits.size();
    row_max_ = found.max;
    row_max_known_ = true;
    is_row_ = true;
    sorted_ = false;
    dense_ = false;
    anonymous_ = false;
    order_.close();
    selected_ = none;
    size_ = 0;
}

void Candidates::assign_list(std::span<const Candidate> list) {
    check(list);
    replace_sorted(list);
    unsort();
    vocabulary_size_ = list.size();
    selected_ = none;
}

std::span<Candidate> Candidates::edit_list() {
    const std::span<Candidate> all = list();
    sorted_ = false;
    dense_ = false;
    return all;
}

void Candidates::require_possible(std::size_t count) {
    const std::span<const Candidate> kept = list().first(std::min(count, size()));
    if (std::all_of(kept.begin(), kept.end(),
                    [](const Candidate &candidate) { return candidate.logit == -infinity; })) {
        refuse_all_ruled_out("candidates");
    }
}

void Candidates::check_list() {
    check(list());
}

std::span<float> Candidates::edit_row() {
    if (row_.data() != edited_row_.data()) {
        edited_row_.assign(row_.begin(), row_.end());
        row_ = edited_row_;
    }
    row_max_known_ = false;
    return edited_row_;
}

void Candidates::reserve(std::size_t count) {
    if (storage_.size() < count) {
        storage_.resize(count);
    }
}

void Candidates::become_list(std::size_t size, bool sorted) noexcept {
    is_row_ = false;
    size_ = size;
    sorted_ = sorted;
    dense_ = false;
}

Token Candidates::id_at(std::size_t place) {
    const std::span<const Candidate> all{storage_.data(), size_};
    const Token id = order_.open() && order_.tied(all, place)
                         ? static_cast<Token>(order_.settle(place))
                         : all[place].id;
    return anonymous_ ? static_cast<Token>(buckets_.place_of(static_cast<std::size_t>(id))) : id;
}

void Candidates::settle_order() {
    if (order_.open()) {
        spare_.resize(std::max(spare_.size(), size_));
        order_.settle_all({storage_.data(), size_}, spare_);
        storage_.swap(spare_);
    }
}

std::span<Candidate> Candidates::list() {
    const std::span<Candidate> all = anonymous_list();
    if (anonymous_) {
        for (Candidate &candidate : all) {
            candidate.id =
                static_cast<Token>(buckets_.settle(static_cast<std::size_t>(candidate.id)));
        }
        anonymous_ = false;
    }
    return all;
}

std::span<Candidate> Candidates::anonymous_list() {
    settle_order();
    return unordered_list();
}

std::span<Candidate> Candidates::unordered_list() {
    if (is_row_) {
        reserve(row_.size());
        for (std::size_t i = 0; i < row_.size(); ++i) {
            storage_[i] = {static_cast<Token>(i), row_[i], 0};
        }
        become_list(row_.size(), false);
        dense_ = true;
    }
    return {storage_.data(), size_};
}

void Candidates::truncate(std::size_t count) {
    settle_order();
    if (count < size_) {
        size_ = count;
        dense_ = false;
    }
}

void Candidates::keep_top(std::size_t count) {
    settle_order();
    count = std::min(count, size());
    if (!is_row_ && sorted_) {
        truncate(count);
        return;
    }
    if (count > heap_limit) {
        fill_buckets(count);
        while (buckets_.sort_next() < count) {
        }
        keep_sorted(count);
        return;
    }
    if (is_row_) {
        reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            storage_[i] = {static_cast<Token>(i), row_[i], 0};
        }
    }
    Heap heap(std::span(storage_.data(), count));
    if (is_row_) {
        std::size_t i = count;
        while (i < row_.size()) {
            if (i + block <= row_.size() &&
                !any_of_block(&row_[i],
                              [least = heap.least()](float logit) { return logit > least; })) {
                i += block;
                continue;
            }
            const std::size_t end = std::min(i + block, row_.size());
            for (; i < end; ++i) {
                if (row_[i] > heap.least()) {
                    heap.replace_least({static_cast<Token>(i), row_[i], 0});
                }
            }
        }
    } else {
        for (std::size_t i = count; i < size_; ++i) {
            if (storage_[i].logit > heap.least()) {
                heap.replace_least(storage_[i]);
            }
        }
    }
    heap.sort();
    become_list(count, true);
}

bool Candidates::buckets_open() const noexcept {
    // The buckets know places, which are ids only where every token has its own.
    return (is_row_ || dense_) && size() > many;
}

void Candidates::fill_buckets(std::size_t count) {
    const Ties ties = buckets_open() ? Ties::open : Ties::settled;
    if (is_row_) {
        buckets_.fill(row_, count, ties);
    } else {
        buckets_.fill(list(), count, ties);
    }
}

bool Candidates::fill_buckets_from(float least, std::size_t most) {
    return is_row_ && buckets_open() && buckets_.fill_from(row_, least, most);
}

void Candidates::keep_sorted(std::size_t count) {
    if (buckets_.ties() == Ties::settled) {
        keep(buckets_.items().first(count));
    } else {
        reserve(count);
        const std::span<const float> values = buckets_.values();
        for (std::size_t i = 0; i < count; ++i) {
            storage_[i] = {static_cast<Token>(i), values[i], 0};
        }
        become_list(count, false);
        anonymous_ = true;
    }
    sorted_ = true;
}

void Candidates::keep_anonymous(std::span<const Candidate> chosen) {
    reserve(chosen.size());
    std::copy(chosen.begin(), chosen.end(), storage_.begin());
    become_list(chosen.size(), false);
    anonymous_ = true;
}

bool Candidates::keep_at_least(float least, std::size_t min_keep) {
    settle_order();
    if (is_row_) {
        const auto kept = static_cast<std::size_t>(std::count_if(
            row_.begin(), row_.end(), [least](float logit) { return logit >= least; }));
        if (kept == 0 || kept < min_keep) {
            return false;
        }
        reserve(kept);
        std::size_t i = 0;
        for (std::size_t place = 0; place < kept; ++place, ++i) {
            i = find_at_least(row_, i, least);
            storage_[place] = {static_cast<Token>(i), row_[i], 0};
        }
        become_list(kept, false);
        return true;
    }
    const std::span<Candidate> all{storage_.data(), size_};
    const auto keeps = [least](const Candidate &candidate) { return candidate.logit >= least; };
    const auto kept = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), keeps));
    if (kept == 0 || kept < min_keep) {
        return false;
    }
    std::size_t place = 0;
    for (const Candidate &candidate : all) {
        if (keeps(candidate)) {
            storage_[place++] = candidate;
        }
    }
    truncate(kept);
    return true;
}

bool Candidates::keep_tokens(std::span<const std::uint64_t> words) {
    if (!is_row_) {
        std::size_t kept = 0;
        for (const Candidate &candidate : list()) {
            const auto token = static_cast<std::size_t>(candidate.id);
            if (token / 64 < words.size() && ((words[token / 64] >> (token % 64)) & 1) != 0) {
                storage_[kept++] = candidate;
            }
        }
        if (kept > 0) {
            truncate(kept);
        }
        return kept > 0;
    }
    const std::size_t used = std::min(words.size(), (row_.size() + 63) / 64);
    std::size_t most = 0;
    for (std::size_t k = 0; k < used; ++k) {
        most += static_cast<std::size_t>(std::popcount(words[k]));
    }
    reserve(most);
    std::size_t kept = 0;
    for (std::size_t k = 0; k < used; ++k) {
        for (std::uint64_t rest = words[k]; rest != 0; rest &= rest - 1) {
            const std::size_t token = 64 * k + static_cast<std::size_t>(std::countr_zero(rest));
            if (token >= row_.size()) {
                break;
            }
            storage_[kept++] = {static_cast<Token>(token), row_[token], 0};
        }
    }
    if (kept > 0) {
        become_list(kept, false);
    }
    return kept > 0;
}

void Candidates::keep_best() {
    settle_order();
    const std::size_t place = best();
    const Candidate kept =
        is_row_ ? Candidate{static_cast<Token>(place), row_[place], 0} : storage_[place];
    reserve(1);
    storage_[0] = kept;
    become_list(1, true);
}

void Candidates::keep(std::span<const Ranked> chosen) {
    settle_order();
    if (is_row_) {
        reserve(chosen.size());
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            const std::uint32_t place = chosen[i].place;
            storage_[i] = {static_cast<Token>(place), row_[place], 0};
        }
    } else {
        if (spare_.size() < chosen.size()) {
            spare_.resize(chosen.size());
        }
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            spare_[i] = storage_[chosen[i].place];
        }
        storage_.swap(spare_);
    }
    become_list(chosen.size(), false);
}

void Candidates::drop(std::size_t count) {
    const std::span<const Candidate> rest = anonymous_list().subspan(count);
    std::copy(rest.begin(), rest.end(), storage_.begin());
    become_list(rest.size(), sorted_);
}

void Candidates::replace_sorted(std::span<const Candidate> candidates) {
    reserve(candidates.size());
    std::copy(candidates.begin(), candidates.end(), storage_.begin());
    become_list(candidates.size(), true);
    anonymous_ = false;
    order_.close();
}

float Candidates::max_logit() {
    if (is_row_) {
        if (!row_max_known_) {
            row_max_ = scan(row_).max;
            row_max_known_ = true;
        }
        return row_max_;
    }
    if (sorted_) {
        return storage_[0].logit;
    }
    float result = storage_[0].logit;
    for (std::size_t i = 1; i < size_; ++i) {
        result = std::max(result, storage_[i].logit);
    }
    return result;
}

std::size_t Candidates::best() {
    if (is_row_) {
        return find_at_least(row_, 0, max_logit());
    }
    std::size_t result = 0;
    for (std::size_t i = 1; i < size_; ++i) {
        if (storage_[i].logit > storage_[result].logit) {
            result = i;
        }
    }
    if (order_.open() && order_.mixed({storage_.data(), size_}, result)) {
        settle_order();
        return best();
    }
    return result;
}

Token Candidates::token() {
    const std::size_t place = has_selected() ? selected_ : best();
    return is_row_ ? static_cast<Token>(place) : id_at(place);
}

} // namespace mullama::core::sampling
