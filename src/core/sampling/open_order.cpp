#include "core/sampling/open_order.hpp"

#include <algorithm>

#include "core/sampling/lazy_sort.hpp"

namespace mullama::core::sampling {

void OpenOrder::start(std::vector<Ranked> &scores, std::size_t count, bool cut) noexcept {
    scores_.swap(scores);
    count_ = count;
    cut_ = cut;
    open_ = true;
}

bool OpenOrder::tied(std::span<const Candidate> list, std::size_t place) const noexcept {
    const float own = score(list[place]);
    const bool is_last = place + 1 == list.size();
    return (place > 0 && score(list[place - 1]) == own) ||
           (is_last ? cut_ : score(list[place + 1]) == own);
}

bool OpenOrder::mixed(std::span<const Candidate> list, std::size_t place) const noexcept {
    const Candidate &own = list[place];
    const auto differs = [&](std::size_t other) { return list[other].logit != own.logit; };
    for (std::size_t i = place; i > 0 && score(list[i - 1]) == score(own); --i) {
        if (differs(i - 1)) {
            return true;
        }
    }
    for (std::size_t i = place + 1; i < list.size() && score(list[i]) == score(own); ++i) {
        if (differs(i)) {
            return true;
        }
    }
    return false;
}

std::span<Ranked> OpenOrder::copy_scores() {
    sorted_.resize(std::max(sorted_.size(), count_));
    std::copy_n(scores_.begin(), count_, sorted_.begin());
    return std::span(sorted_).first(count_);
}

std::uint32_t OpenOrder::settle(std::size_t place) {
    const std::span<Ranked> items = copy_scores();
    LazySort sort;
    sort.start(items);
    sort.settle(place);
    return items[place].place;
}

void OpenOrder::settle_all(std::span<const Candidate> list, std::span<Candidate> settled) {
    const std::span<Ranked> items = copy_scores();
    LazySort sort;
    sort.start(items);
    while (sort.next() < list.size()) {
    }
    // Those left out of the ties that the list ends among are like the last.
    places_.assign(count_, static_cast<std::uint32_t>(list.size() - 1));
    for (std::size_t i = 0; i < list.size(); ++i) {
        places_[static_cast<std::size_t>(list[i].id)] = static_cast<std::uint32_t>(i);
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
        settled[i] = list[places_[items[i].place]];
        settled[i].id = static_cast<Token>(items[i].place);
    }
    open_ = false;
}

} // namespace mullama::core::sampling
