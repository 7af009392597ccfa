// What the opaque types of the contract are made of. Those that only one source deals with are
// defined in that source.
#pragma once

#include "capi/guard.hpp"
#include "core/fork_stamp.hpp"
#include "core/model.hpp"
#include "core/runtime.hpp"
#include "mullama/text.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mullama::capi {

[[noreturn]] void refuse_forked(std::string_view object);
[[noreturn]] void refuse_busy(std::string_view object);

// Remembers the process that made an object.
class ForkStamp : public core::ForkStamp {
public:
    // Throws MULLAMA_ERROR_FORKED in a child that was forked after the object was made.
    void require_same_process(std::string_view object) const {
        if (forked()) [[unlikely]]
            refuse_forked(object);
    }
};

// An object that one thread uses at a time.
using BusyFlag = std::atomic<bool>;

// Uses such an object as long as it lives. Throws MULLAMA_ERROR_BUSY while another thread, or a
// caller further up on this one, uses it.
class Exclusive {
public:
    Exclusive(BusyFlag &flag, std::string_view object) : flag_(flag) {
        if (flag_.exchange(true, std::memory_order_acquire)) [[unlikely]]
            refuse_busy(object);
    }
    Exclusive(const Exclusive &) = delete;
    Exclusive &operator=(const Exclusive &) = delete;
    ~Exclusive() { flag_.store(false, std::memory_order_release); }

private:
    BusyFlag &flag_;
};

} // namespace mullama::capi

struct mullama_text {
    std::string bytes;
};

struct mullama_tokens {
    std::vector<mullama_token_t> values;
};

struct mullama_runtime {
    std::shared_ptr<mullama::core::Runtime> impl;
    mullama::capi::ForkStamp fork;
};

struct mullama_model {
    std::shared_ptr<const mullama::core::Model> impl;
    std::atomic<std::uint32_t> references{1};
    mullama::capi::ForkStamp fork;
};

namespace mullama::capi {

// The caller's text, by way of `*out`.
inline void hand_over(std::string &&bytes, mullama_text_t **out) {
    *out = new mullama_text{std::move(bytes)};
}

inline void hand_over(std::vector<mullama_token_t> &&values, mullama_tokens_t **out) {
    *out = new mullama_tokens{std::move(values)};
}

// The runtime behind a parameter that may be NULL for the default one.
[[nodiscard]] inline const std::shared_ptr<core::Runtime> &
runtime_of(const mullama_runtime_t *runtime) {
    if (runtime == nullptr)
        return core::Runtime::process_default();
    runtime->fork.require_same_process("runtime");
    return runtime->impl;
}

// The model behind a required parameter.
[[nodiscard]] inline const std::shared_ptr<const core::Model> &
model_of(const mullama_model_t *model) {
    require(model, "model").fork.require_same_process("model");
    return model->impl;
}

} // namespace mullama::capi
