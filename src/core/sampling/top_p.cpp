#include <algorithm>
#include <vector>

#include "core/sampling/exponential.hpp"
#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

// Lists above this size are sorted only as far as the probability reaches. The numbers are
// llama.cpp's, since they decide the order of equal logits.
constexpr std::size_t small_list = 1024;
constexpr std::size_t first_look = 256;

// How many probabilities are worked out before looking whether they reach.
constexpr std::size_t block = 64;

class TopP final : public Stage {
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
        if (!candidates.sorted() && candidates.size() > small_list) {
            apply_lazily(candidates);
            return;
        }
        softmax(candidates);
        candidates.keep_top(candidates.size());
        Reach reach{.p = p_, .min_keep = min_keep_};
        const std::span<const Candidate> all = candidates.anonymous_list();
        reach.read(all.size(), [&](std::size_t i) { return all[i].p; });
        candidates.truncate(reach.read_count);
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<TopP>(*this);
    }

private:
    // How far into candidates in falling order the probability reaches.
    struct Reach {
        float p;
        std::size_t min_keep;
        float sum = 0;
        std::size_t read_count = 0;

        // Goes on to `end` at most; true when it got there.
        template <class Probability>
        bool read(std::size_t end, Probability probability) {
            while (read_count < end) {
                sum += probability(read_count++);
                if (sum >= p && read_count >= min_keep) {
                    return true;
                }
            }
            return false;
        }
    };

    struct Softmax {
        Exponential exponential;
        float sum;
    };

    void apply_lazily(Candidates &candidates) {
        const float sum = sum_of_exponentials(candidates);
        const Softmax softmax{Exponential(candidates.max_logit()), sum};
        if (probabilities_.size() < candidates.size()) {
            probabilities_.resize(candidates.size());
        }
        Reach reach{.p = p_, .min_keep = min_keep_};
        // Where even that many tokens as likely as the likeliest would fall short, look at all.
        const bool near = min_keep_ <= first_look && static_cast<float>(first_look) > p_ * sum / 2;
        if (!near || (!look_at_likeliest(candidates, softmax, reach) &&
                      !look(candidates, first_look, softmax, reach))) {
            look(candidates, candidates.size(), softmax, reach);
        }
        candidates.keep_sorted(reach.read_count);
        const std::span<Candidate> kept = candidates.anonymous_list();
        for (std::size_t i = 0; i < kept.size(); ++i) {
            kept[i].p = probabilities_[i];
        }
    }

    // Whether those not much less likely than the likeliest reach, which need no buckets. Where
    // they don't, nothing was read.
    bool look_at_likeliest(Candidates &candidates, const Softmax &softmax, Reach &reach) {
        constexpr float not_much = 8;
        constexpr std::size_t most = 1024;
        if (!candidates.fill_buckets_from(candidates.max_logit() - not_much, most)) {
            return false;
        }
        Buckets &buckets = candidates.buckets();
        if (!read(buckets, buckets.values().size(), softmax, reach)) {
            reach.sum = 0;
            reach.read_count = 0;
            return false;
        }
        buckets.set_count(reach.read_count <= first_look ? first_look : candidates.size());
        return true;
    }

    // Puts the `count` likeliest in order as far as the probability reaches. True when that was far
    // enough.
    bool look(Candidates &candidates, std::size_t count, const Softmax &softmax, Reach &reach) {
        candidates.fill_buckets(count);
        Buckets &buckets = candidates.buckets();
        std::size_t in_order = 0;
        while (in_order < count) {
            in_order = buckets.sort_next();
            if (read(buckets, in_order, softmax, reach)) {
                return true;
            }
        }
        return false;
    }

    // Goes on to `in_order` at most; true when that reaches.
    bool read(const Buckets &buckets, std::size_t in_order, const Softmax &softmax, Reach &reach) {
        while (reach.read_count < in_order) {
            const std::size_t begin = reach.read_count;
            const std::size_t end = std::min(begin + block, in_order);
            const std::span<float> next(&probabilities_[begin], end - begin);
            if (buckets.ties() == Ties::open) {
                std::copy_n(&buckets.values()[begin], next.size(), next.begin());
            } else {
                std::transform(&buckets.items()[begin], &buckets.items()[begin] + next.size(),
                               next.begin(), [](const Ranked &item) { return item.value; });
            }
            softmax.exponential.falling(next, next.data());
            for (float &weight : next) {
                weight /= softmax.sum;
            }
            if (reach.read(end, [this](std::size_t i) { return probabilities_[i]; })) {
                return true;
            }
        }
        return false;
    }

    float p_ = 1;
    std::size_t min_keep_ = 0;
    // In falling order.
    std::vector<float> probabilities_;
};

} // namespace

std::unique_ptr<Stage> make_top_p() {
    return std::make_unique<TopP>();
}

} // namespace mullama::core::sampling
