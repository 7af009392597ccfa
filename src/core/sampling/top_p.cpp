#include <algorithm>

#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

// Lists above this size are sorted only as far as the probability reaches. The numbers are
// llama.cpp's, since they decide the order of equal logits.
constexpr std::size_t small_list = 1024;
constexpr std::size_t first_look = 256;

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
        softmax(candidates);
        if (!candidates.sorted() && candidates.size() > small_list) {
            apply_lazily(candidates);
            return;
        }
        candidates.keep_top(candidates.size());
        Reach reach{.p = p_, .min_keep = min_keep_};
        reach.read(candidates.list(), candidates.size());
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
        bool read(std::span<const Candidate> candidates, std::size_t end) {
            while (read_count < end) {
                sum += candidates[read_count++].p;
                if (sum >= p && read_count >= min_keep) {
                    return true;
                }
            }
            return false;
        }
    };

    void apply_lazily(Candidates &candidates) const {
        Buckets &buckets = candidates.buckets();
        Reach reach{.p = p_, .min_keep = min_keep_};
        for (const std::size_t count : {first_look, candidates.size()}) {
            buckets.fill(candidates.list(), count);
            std::size_t in_order = 0;
            bool reached = false;
            while (!reached && in_order < count) {
                in_order = buckets.sort_next();
                reached = reach.read(buckets.items(), in_order);
            }
            if (reached || count == candidates.size()) {
                break;
            }
        }
        candidates.replace_sorted(buckets.items().first(reach.read_count));
    }

    float p_ = 1;
    std::size_t min_keep_ = 0;
};

} // namespace

std::unique_ptr<Stage> make_top_p() {
    return std::make_unique<TopP>();
}

} // namespace mullama::core::sampling
