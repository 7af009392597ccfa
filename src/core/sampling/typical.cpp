#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/sampling/lazy_sort.hpp"
#include "core/sampling/stage.hpp"
#include "core/sampling/surprises.hpp"

namespace mullama::core::sampling {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// So few probabilities can be added up in every order there is.
constexpr std::size_t few = 4;

// What a sum can be, in float, where the order of some of its parts is open: adding keeps the order
// of the sums it is done to, so that the bounds are enough.
struct Sum {
    float least = 0;
    float greatest = 0;

    void add(float p) {
        least += p;
        greatest += p;
    }

    // Adds probabilities, which come in falling order, in every order.
    void add_in_any_order(std::span<float> probabilities) {
        Sum all{infinity, 0};
        do {
            Sum one = *this;
            for (const float p : probabilities) {
                one.add(p);
            }
            all.least = std::min(all.least, one.least);
            all.greatest = std::max(all.greatest, one.greatest);
        } while (std::prev_permutation(probabilities.begin(), probabilities.end()));
        *this = all;
    }
};

class Typical final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "p") {
            p_ = static_cast<float>(value);
        } else {
            min_keep_ = static_cast<std::size_t>(value);
        }
    }

    void apply(Candidates &candidates) override {
        if (p_ >= 1) {
            return;
        }
        const bool open = candidates.buckets_open() && !candidates.sorted();
        surprises_.start(candidates);
        chosen_.clear();
        sum_ = {};
        if (open && merge()) {
            candidates.keep_anonymous(chosen_);
            if (tied_) {
                rank_all();
                candidates.order().start(ranked_, surprises_.size(), cut_);
            }
            return;
        }
        chosen_.clear();
        sum_ = {};
        sort();
        if (open) {
            candidates.keep_anonymous(chosen_);
            return;
        }
        candidates.keep(std::span(ranked_).first(chosen_.size()));
        const std::span<Candidate> left = candidates.anonymous_list();
        for (std::size_t i = 0; i < left.size(); ++i) {
            left[i].p = chosen_[i].p;
        }
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Typical>(*this);
    }

private:
    // Tokens whose distance from what is to be expected is the same: some that are less
    // surprising, and some that are more.
    struct Group {
        std::size_t left_begin;
        std::size_t left_end;
        std::size_t right_begin;
        std::size_t right_end;

        [[nodiscard]] std::size_t size() const {
            return (left_end - left_begin) + (right_end - right_begin);
        }
        [[nodiscard]] std::size_t likeliest() const {
            return left_begin < left_end ? left_begin : right_begin;
        }
        [[nodiscard]] std::size_t least_likely() const {
            return (right_begin < right_end ? right_end : left_end) - 1;
        }
        template <class Use>
        void for_each(Use use) const {
            for (std::size_t i = left_begin; i < left_end; ++i) {
                use(i);
            }
            for (std::size_t i = right_begin; i < right_end; ++i) {
                use(i);
            }
        }
    };

    // Whether those chosen are enough; or may be.
    [[nodiscard]] bool reached() const { return sum_.least > p_ && chosen_.size() >= min_keep_; }
    [[nodiscard]] bool may_have_reached() const {
        return sum_.greatest > p_ && chosen_.size() >= min_keep_;
    }

    void choose(std::size_t i) {
        chosen_.push_back({static_cast<Token>(i), surprises_.logit(i), surprises_.probability(i)});
    }

    // Chooses the most typical without sorting: from the least surprising on they become more
    // typical up to what is to be expected, and less from there. What std::sort makes of tokens
    // equally typical stays open; false where what is chosen, but for its order, depends on it.
    bool merge() {
        tied_ = false;
        cut_ = false;
        std::size_t middle = 0;
        while ((middle < surprises_.size() || surprises_.extend()) &&
               surprises_.excess(middle) < 0) {
            ++middle;
        }
        Group group{middle, middle, middle, middle};
        while (!reached()) {
            group.left_end = group.left_begin;
            group.right_begin = group.right_end;
            find_next(group);
            if (group.size() == 0) {
                break;
            }
            if (!add(group)) {
                return false;
            }
        }
        return surprises_.rising();
    }

    // Makes the group, empty yet, that of the most typical of those further out.
    void find_next(Group &group) {
        const auto left = [&] {
            return group.left_begin > 0 ? -surprises_.excess(group.left_begin - 1) : infinity;
        };
        const auto right = [&] {
            return group.right_end < surprises_.size() || surprises_.extend()
                       ? surprises_.excess(group.right_end)
                       : infinity;
        };
        const float distance = std::min(left(), right());
        if (distance == infinity) {
            return;
        }
        while (left() == distance) {
            --group.left_begin;
        }
        while (right() == distance) {
            ++group.right_end;
        }
    }

    // Chooses of the group what is needed.
    bool add(const Group &group) {
        const std::size_t likeliest = group.likeliest();
        const std::size_t least_likely = group.least_likely();
        tied_ = tied_ || group.size() > 1;
        if (surprises_.probability(likeliest) == surprises_.probability(least_likely)) {
            bool decided = true;
            group.for_each([&](std::size_t i) {
                if (!reached()) {
                    sum_.add(surprises_.probability(i));
                    choose(i);
                    decided = decided && reached() == may_have_reached();
                } else {
                    cut_ = true;
                }
            });
            return decided &&
                   (!cut_ || surprises_.logit(likeliest) == surprises_.logit(least_likely));
        }
        if (group.size() > few) {
            return false;
        }
        std::array<float, few> probabilities;
        std::size_t count = 0;
        group.for_each([&](std::size_t i) {
            probabilities[count++] = surprises_.probability(i);
            choose(i);
        });
        sum_.add_in_any_order(std::span(probabilities).first(count));
        // Where they are enough, which of them are needed depends on their order.
        return !may_have_reached();
    }

    // What std::sort is given.
    void rank_all() {
        while (surprises_.extend()) {
        }
        ranked_.resize(surprises_.size());
        for (std::size_t i = 0; i < ranked_.size(); ++i) {
            ranked_[i] = {-std::fabs(surprises_.excess(i)), static_cast<std::uint32_t>(i)};
        }
    }

    // Chooses the most typical, in the order of std::sort.
    void sort() {
        rank_all();
        LazySort order;
        order.start(ranked_);
        std::size_t in_order = 0;
        while (chosen_.size() < ranked_.size() && !reached()) {
            if (chosen_.size() == in_order) {
                in_order = order.next();
            }
            const std::size_t next = ranked_[chosen_.size()].place;
            sum_.add(surprises_.probability(next));
            choose(next);
        }
    }

    float p_ = 1;
    std::size_t min_keep_ = 0;
    Surprises surprises_;
    std::vector<Candidate> chosen_;
    Sum sum_;
    // Whether some of those chosen are equally typical, and whether others are as typical as the
    // last.
    bool tied_ = false;
    bool cut_ = false;
    std::vector<Ranked> ranked_;
};

} // namespace

std::unique_ptr<Stage> make_typical() {
    return std::make_unique<Typical>();
}

} // namespace mullama::core::sampling
