// What a process shares: budgets of threads and memory, log lines, devices, and what was measured.
#pragma once

#include "backend/port.hpp"
#include "core/log.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mullama::core {

class Runtime;

// A part of a runtime's memory budget, given back when it goes.
class MemoryReservation {
public:
    MemoryReservation() noexcept = default;
    MemoryReservation(MemoryReservation &&other) noexcept
        : runtime_(std::move(other.runtime_)), bytes_(std::exchange(other.bytes_, 0)) {}
    MemoryReservation &operator=(MemoryReservation &&other) noexcept;
    MemoryReservation(const MemoryReservation &) = delete;
    MemoryReservation &operator=(const MemoryReservation &) = delete;
    ~MemoryReservation() { give_back(); }

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    void give_back() noexcept;

private:
    friend class Runtime;
    MemoryReservation(std::shared_ptr<Runtime> runtime, std::uint64_t bytes) noexcept
        : runtime_(std::move(runtime)), bytes_(bytes) {}

    std::shared_ptr<Runtime> runtime_;
    std::uint64_t bytes_ = 0;
};

// How many threads were found to be fastest.
struct ThreadChoice {
    std::int32_t n_threads = 1;       // for one token at a time
    std::int32_t n_threads_batch = 1; // for many
};

// Thread safety: all of it.
class Runtime : public std::enable_shared_from_this<Runtime> {
public:
    // 0: as many threads as there are physical cores to run on; no limit on memory.
    [[nodiscard]] static std::shared_ptr<Runtime> create(std::int32_t max_threads,
                                                         std::uint64_t max_memory);
    // The process's own, made on first use and never destroyed. A forked child gets a new one: of
    // the parent's, it has copies of locks that nobody will ever open.
    [[nodiscard]] static const std::shared_ptr<Runtime> &process_default();

    Runtime(const Runtime &) = delete;
    Runtime &operator=(const Runtime &) = delete;

    // The most threads that one context may compute with; at least 1.
    [[nodiscard]] std::int32_t max_threads() const noexcept { return max_threads_; }

    [[nodiscard]] Log &log() noexcept { return log_; }

    // Whether there is a budget at all: estimating what to reserve costs time.
    [[nodiscard]] bool limits_memory() const noexcept { return max_memory_ != 0; }
    // Throws MULLAMA_ERROR_NO_SPACE when the budget does not have that much left; `what` is what
    // it is for: "the model".
    [[nodiscard]] MemoryReservation reserve(std::uint64_t bytes, std::string_view what);

    // What was measured for a model (its fingerprint) under given conditions (a key of the
    // caller's own making).
    [[nodiscard]] std::optional<ThreadChoice> remembered(std::string_view fingerprint,
                                                         std::string_view key) const;
    void remember(std::string_view fingerprint, std::string_view key, ThreadChoice choice);

private:
    friend class MemoryReservation;
    Runtime(std::int32_t max_threads, std::uint64_t max_memory)
        : max_threads_(max_threads), max_memory_(max_memory) {}

    std::int32_t max_threads_;
    std::uint64_t max_memory_;
    std::atomic<std::uint64_t> used_memory_{0};
    Log log_;

    mutable std::mutex remembered_mutex_;
    std::map<std::string, ThreadChoice, std::less<>> remembered_;
};

// An engine by its name, its log lines routed (see LogScope). Throws MULLAMA_ERROR_UNSUPPORTED for
// one that this build does not have.
[[nodiscard]] const backend::Backend &engine_named(std::string_view name);

// The engine that models are loaded with unless another is named: llama.cpp, or, in a build without
// it, whichever there is.
[[nodiscard]] const backend::Backend &default_engine();

// For example "llama.cpp 0.5.0-dev (0c1e570), ggml 0.25.3"; "none" in a build without llama.cpp.
// Lives as long as the process.
[[nodiscard]] const char *llama_version() noexcept;

// The devices of this machine as default_engine() sees them: those that can be used, then the kinds
// that cannot. Looked up once; the list and its strings live as long as the process.
[[nodiscard]] const std::vector<backend::Device> &devices();

struct DeviceNow {
    const backend::Device &known; // one of devices()
    std::uint64_t memory_free;    // at this moment
};

// Throws MULLAMA_ERROR_OUT_OF_RANGE for an index past the end.
[[nodiscard]] DeviceNow device_now(std::size_t index);

} // namespace mullama::core
