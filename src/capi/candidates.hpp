// The opaque list of candidates: a caller's own, or a chain's while a custom stage looks at it.
#pragma once

#include "capi/handles.hpp"
#include "core/sampling/candidates.hpp"
#include "mullama/candidates.h"

#include <vector>

struct mullama_candidates {
    mullama_candidates() : impl(&own) {}
    explicit mullama_candidates(mullama::core::sampling::Candidates &chains)
        : impl(&chains), filled(true), borrowed(true) {}

    // The list is checked before its next use when a caller may have written into it.
    void check_edited() {
        if (edited) {
            impl->check_list();
            edited = false;
        }
    }

    mullama::core::sampling::Candidates own;
    mullama::core::sampling::Candidates *impl;
    // What `own` begins with.
    std::vector<float> logits;
    bool filled = false;
    bool edited = false;
    // A chain's: never freed by a caller.
    bool borrowed = false;
    mullama::capi::BusyFlag busy{false};
};

namespace mullama::capi {

// Uses candidates for one call.
class UsedCandidates {
public:
    // Throws MULLAMA_ERROR_INVALID_STATE for candidates that were never filled.
    explicit UsedCandidates(mullama_candidates_t *candidates);

    core::sampling::Candidates *operator->() const noexcept { return candidates_.impl; }
    core::sampling::Candidates &operator*() const noexcept { return *candidates_.impl; }
    [[nodiscard]] mullama_candidates_t &object() const noexcept { return candidates_; }

private:
    mullama_candidates_t &candidates_;
    Exclusive exclusive_;
};

} // namespace mullama::capi
