#include "core/engine/request.hpp"

#include "base/error.hpp"

#include <limits>
#include <string>

namespace mullama::core::engine {

using base::Error;

namespace {

constexpr std::int64_t max_top_logprobs = 1024;
constexpr std::int64_t max_queue_size = 1 << 20;
// A year.
constexpr std::int64_t max_deadline_ms = 365LL * 24 * 3600 * 1000;

void require_range(std::int64_t value, std::int64_t least, std::int64_t most,
                   const char *parameter) {
    if (value < least || value > most) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    std::string(parameter) + " of the request is outside its range")
            .parameter(parameter)
            .expected(std::to_string(least) + " to " + std::to_string(most))
            .actual(value);
    }
}

} // namespace

Request Request::clone() const {
    Request copy;
    copy.prompt = prompt;
    copy.chain = chain.clone();
    copy.seed = seed;
    copy.max_tokens = max_tokens;
    copy.stop = stop;
    copy.ignore_end = ignore_end;
    copy.unparse_special = unparse_special;
    copy.add_special = add_special;
    copy.parse_special = parse_special;
    copy.top_logprobs = top_logprobs;
    copy.n = n;
    copy.priority = priority;
    copy.deadline_ms = deadline_ms;
    copy.isolation_key = isolation_key;
    copy.use_cache = use_cache;
    copy.overflow = overflow;
    copy.n_keep = n_keep;
    copy.adapters = adapters;
    copy.queue_size = queue_size;
    return copy;
}

void check(const Request &request) {
    require_range(request.max_tokens, -1, std::numeric_limits<std::int64_t>::max(), "max_tokens");
    require_range(request.top_logprobs, -1, max_top_logprobs, "top_logprobs");
    require_range(request.n, 1, backend::max_sequences, "n");
    require_range(request.deadline_ms, -1, max_deadline_ms, "deadline_ms");
    require_range(
        static_cast<std::int64_t>(std::min<std::size_t>(request.queue_size, std::size_t{1} << 40U)),
        1, max_queue_size, "queue_size");
}

} // namespace mullama::core::engine
