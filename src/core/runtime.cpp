#include "core/runtime.hpp"

#include "platform/cpu.hpp"
#include "platform/fork.hpp"

#include <algorithm>
#include <limits>

namespace mullama::core {
namespace {

using base::Error;

std::int32_t physical_cores() {
    const platform::CpuInfo cpu = platform::cpu_info();
    return static_cast<std::int32_t>(platform::threads_within(cpu.allowed_cores, cpu.quota));
}

std::string mebibytes(std::uint64_t bytes) {
    return std::to_string(bytes) + " bytes (" + std::to_string(bytes >> 20) + " MiB)";
}

std::string thread_key(std::string_view fingerprint, std::string_view key) {
    std::string joined;
    joined.reserve(fingerprint.size() + 1 + key.size());
    joined.append(fingerprint).append("\n").append(key);
    return joined;
}

} // namespace

MemoryReservation &MemoryReservation::operator=(MemoryReservation &&other) noexcept {
    if (this != &other) {
        give_back();
        runtime_ = std::move(other.runtime_);
        bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
}

void MemoryReservation::give_back() noexcept {
    if (runtime_)
        runtime_->used_memory_.fetch_sub(bytes_, std::memory_order_relaxed);
    runtime_.reset();
    bytes_ = 0;
}

std::shared_ptr<Runtime> Runtime::create(std::int32_t max_threads, std::uint64_t max_memory) {
    if (max_threads == 0)
        max_threads = physical_cores();
    return std::shared_ptr<Runtime>(new Runtime(std::max(max_threads, 1), max_memory));
}

const std::shared_ptr<Runtime> &Runtime::process_default() {
    struct Default {
        std::uint32_t fork_count;
        std::shared_ptr<Runtime> runtime;
        const Default *of_parent; // kept, since the parent's models may still point to it
    };
    static constinit std::atomic<const Default *> current{nullptr};

    const std::uint32_t fork_count = platform::fork_count();
    const Default *found = current.load(std::memory_order_acquire);
    if (found != nullptr && found->fork_count == fork_count) [[likely]]
        return found->runtime;
    auto made = std::make_unique<Default>(Default{fork_count, create(0, 0), found});
    // Where another thread was faster, `found` becomes what it made.
    if (current.compare_exchange_strong(found, made.get(), std::memory_order_acq_rel))
        found = made.release();
    return found->runtime;
}

MemoryReservation Runtime::reserve(std::uint64_t bytes, std::string_view what) {
    std::uint64_t used = used_memory_.load(std::memory_order_relaxed);
    do {
        const std::uint64_t limit =
            limits_memory() ? max_memory_ : std::numeric_limits<std::uint64_t>::max();
        const std::uint64_t left = limit - std::min(used, limit);
        if (bytes > left) {
            throw Error(MULLAMA_ERROR_NO_SPACE, std::string(what) + " needs " + mebibytes(bytes) +
                                                    ", and the runtime's memory budget of " +
                                                    mebibytes(limit) + " has " + mebibytes(left) +
                                                    " left")
                .parameter("max_memory")
                .expected("at most " + std::to_string(left))
                .actual(bytes)
                .retryable();
        }
    } while (!used_memory_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return MemoryReservation(shared_from_this(), bytes);
}

std::optional<ThreadChoice> Runtime::remembered(std::string_view fingerprint,
                                                std::string_view key) const {
    const std::lock_guard lock(remembered_mutex_);
    const auto found = remembered_.find(thread_key(fingerprint, key));
    if (found == remembered_.end())
        return std::nullopt;
    return found->second;
}

void Runtime::remember(std::string_view fingerprint, std::string_view key, ThreadChoice choice) {
    const std::lock_guard lock(remembered_mutex_);
    remembered_.insert_or_assign(thread_key(fingerprint, key), choice);
}

const backend::Backend &engine_named(std::string_view name) {
    const backend::Backend *const found = backend::find_backend(name);
    if (found == nullptr) {
        std::string names;
        for (const std::string_view known : backend::backend_names())
            names += (names.empty() ? "" : ", ") + std::string(known);
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "this build has no engine '" + std::string(name) + "'; it has: " + names)
            .parameter("backend")
            .expected(names)
            .actual(name);
    }
    found->set_log_sink(&LogScope::route);
    return *found;
}

const backend::Backend &default_engine() {
    return engine_named(backend::backend_names().front());
}

const char *llama_version() noexcept {
    try {
        const backend::Backend *const llama = backend::find_backend("llama");
        return llama == nullptr ? "none" : llama->version().c_str();
    } catch (...) {
        // An engine that cannot even start has no version; loading a model says why.
        return "none";
    }
}

const std::vector<backend::Device> &devices() {
    // Never freed: callers hold its strings.
    static const auto *const list = new std::vector<backend::Device>(default_engine().devices());
    return *list;
}

DeviceNow device_now(std::size_t index) {
    const std::vector<backend::Device> &known = devices();
    if (index >= known.size()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "there is no device " + std::to_string(index) +
                                                    ": this machine has " +
                                                    std::to_string(known.size()))
            .parameter("index")
            .expected("less than " + std::to_string(known.size()))
            .actual(index);
    }
    const backend::Device &device = known[index];
    for (const backend::Device &now : default_engine().devices()) {
        if (now.name == device.name && now.backend == device.backend)
            return {device, now.memory_free};
    }
    return {device, device.memory_free};
}

} // namespace mullama::core
