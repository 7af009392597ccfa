#include "capi/candidates.hpp"

#include "core/sampling/softmax.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <string>

namespace mullama::capi {

UsedCandidates::UsedCandidates(mullama_candidates_t *candidates)
    : candidates_(require(candidates, "candidates")), exclusive_(candidates_.busy, "candidates") {
    if (!candidates_.filled) {
        throw base::Error(MULLAMA_ERROR_INVALID_STATE,
                          "there are no candidates yet: set logits or a list first")
            .parameter("candidates");
    }
    candidates_.check_edited();
}

} // namespace mullama::capi

namespace {

using namespace mullama::capi;
using mullama::base::Error;

void require_count(std::size_t count) {
    constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
    if (count == 0 || count > most) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "that is no number of candidates")
            .parameter("count")
            .expected("1 to " + std::to_string(most))
            .actual(count);
    }
}

// Candidates that are to be filled: what they hold does not matter.
class FilledCandidates {
public:
    explicit FilledCandidates(mullama_candidates_t *candidates)
        : candidates_(require(candidates, "candidates")),
          exclusive_(candidates_.busy, "candidates") {}

    mullama_candidates_t *operator->() const noexcept { return &candidates_; }

private:
    mullama_candidates_t &candidates_;
    Exclusive exclusive_;
};

} // namespace

mullama_error_t *mullama_candidates_new(mullama_candidates_t **out) {
    return guarded([&] {
        require(out, "out");
        *out = new mullama_candidates;
    });
}

void mullama_candidates_free(mullama_candidates_t *candidates) {
    // One that is in use is left to whoever uses it.
    if (candidates != nullptr && !candidates->borrowed && !candidates->busy.load())
        delete candidates;
}

mullama_error_t *mullama_candidates_set_logits(mullama_candidates_t *candidates,
                                               const float *logits, size_t count) {
    return guarded([&] {
        const FilledCandidates used(candidates);
        require_count(count);
        const std::span<const float> row = array(logits, count, "logits");
        std::vector<float> copy(row.begin(), row.end());
        used->impl->assign(copy);
        // The buffer, which the candidates refer to, moves with it.
        used->logits.swap(copy);
        // A chain's candidates outlive this object.
        if (used->borrowed)
            static_cast<void>(used->impl->list());
        used->filled = true;
        used->edited = false;
    });
}

mullama_error_t *mullama_candidates_set_list(mullama_candidates_t *candidates,
                                             const mullama_candidate_t *list, size_t count) {
    return guarded([&] {
        const FilledCandidates used(candidates);
        require_count(count);
        used->impl->assign_list(array(list, count, "list"));
        used->filled = true;
        used->edited = false;
    });
}

size_t mullama_candidates_count(const mullama_candidates_t *candidates) {
    return candidates == nullptr || !candidates->filled ? 0 : candidates->impl->size();
}

mullama_error_t *mullama_candidates_list(mullama_candidates_t *candidates,
                                         const mullama_candidate_t **list, size_t *count) {
    return guarded([&] {
        const UsedCandidates used(candidates);
        require(list, "list");
        require(count, "count");
        const std::span<const mullama_candidate_t> all = used->list();
        *list = all.data();
        *count = all.size();
    });
}

mullama_error_t *mullama_candidates_edit(mullama_candidates_t *candidates,
                                         mullama_candidate_t **list, size_t *count) {
    return guarded([&] {
        const UsedCandidates used(candidates);
        require(list, "list");
        require(count, "count");
        const std::span<mullama_candidate_t> all = used->edit_list();
        used.object().edited = true;
        *list = all.data();
        *count = all.size();
    });
}

mullama_error_t *mullama_candidates_truncate(mullama_candidates_t *candidates, size_t count) {
    return guarded([&] {
        const UsedCandidates used(candidates);
        if (count == 0) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "at least one candidate is always left")
                .parameter("count")
                .expected("at least 1")
                .actual(count);
        }
        used->require_possible(count);
        used->truncate(count);
        used->select_none();
    });
}

mullama_error_t *mullama_candidates_sort(mullama_candidates_t *candidates) {
    return guarded([&] {
        const UsedCandidates used(candidates);
        used->keep_top(used->size());
        used->select_none();
    });
}

mullama_error_t *mullama_candidates_softmax(mullama_candidates_t *candidates) {
    return guarded([&] { mullama::core::sampling::softmax(*UsedCandidates(candidates)); });
}

mullama_error_t *mullama_candidates_select(mullama_candidates_t *candidates, size_t index) {
    return guarded([&] {
        const UsedCandidates used(candidates);
        if (index >= used->size()) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "there is no candidate at that place")
                .parameter("index")
                .expected("0 to " + std::to_string(used->size() - 1))
                .actual(index);
        }
        used->select(index);
    });
}

int64_t mullama_candidates_selected(const mullama_candidates_t *candidates) {
    return candidates == nullptr || !candidates->impl->has_selected()
               ? -1
               : static_cast<int64_t>(candidates->impl->selected());
}
