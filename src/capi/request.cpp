#include "mullama/request.h"

#include "capi/adapter.hpp"
#include "capi/context.hpp"
#include "capi/options.hpp"
#include "capi/request.hpp"
#include "capi/text_list.hpp"

#include <string>
#include <utility>

using namespace mullama::capi;
using mullama::base::Error;
namespace core = mullama::core;

namespace {

mullama_request_options_t default_request_options() noexcept {
    mullama_request_options_t options{};
    options.max_tokens = -1;
    options.add_special = true;
    options.top_logprobs = -1;
    options.n = 1;
    options.seed = -1;
    options.deadline_ms = -1;
    options.use_cache = true;
    options.queue_size = core::engine::Request().queue_size;
    return options;
}

// llama.cpp's way of saying "no seed".
constexpr std::int64_t no_seed = 0xFFFFFFFF;

} // namespace

void mullama_request_options_init(mullama_request_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, default_request_options());
}

mullama_error_t *mullama_request_new(mullama_request_t **out) {
    return guarded([&] {
        require(out, "out");
        *out = new mullama_request;
    });
}

void mullama_request_free(mullama_request_t *request) {
    delete request;
}

mullama_error_t *mullama_request_set_text(mullama_request_t *request, const char *text,
                                          size_t size) {
    return guarded([&] {
        mullama_request &used = require(request, "request");
        used.impl.prompt = std::string(mullama::capi::text(text, size, "text"));
        used.has_prompt = true;
    });
}

mullama_error_t *mullama_request_set_tokens(mullama_request_t *request,
                                            const mullama_token_t *tokens, size_t count) {
    return guarded([&] {
        mullama_request &used = require(request, "request");
        const auto given = array(tokens, count, "tokens");
        used.impl.prompt = std::vector<mullama_token_t>(given.begin(), given.end());
        used.has_prompt = true;
    });
}

mullama_error_t *mullama_request_set_options(mullama_request_t *request,
                                             const mullama_request_options_t *options) {
    return guarded([&] {
        core::engine::Request &used = require(request, "request").impl;
        const mullama_request_options_t asked = read_options(
            options, default_request_options(), "options", "mullama_request_options_init");
        core::engine::Request set;
        set.max_tokens = asked.max_tokens;
        for (const std::string_view stop :
             full_text_list(asked.stop, asked.stop_sizes, asked.stop_count, "stop"))
            set.stop.emplace_back(stop);
        set.ignore_end = asked.ignore_end;
        set.unparse_special = asked.unparse_special;
        set.add_special = asked.add_special;
        set.parse_special = asked.parse_special;
        set.top_logprobs = asked.top_logprobs;
        set.n = asked.n;
        if (asked.seed < -1 || asked.seed >= no_seed) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "that is no seed")
                .parameter("seed")
                .expected("0 to " + std::to_string(no_seed - 1) + ", or -1")
                .actual(asked.seed);
        }
        if (asked.seed >= 0)
            set.seed = asked.seed;
        set.priority = asked.priority;
        set.deadline_ms = asked.deadline_ms;
        set.isolation_key = bytes(asked.isolation_key, asked.isolation_key_size, "isolation_key");
        set.use_cache = asked.use_cache;
        enumerator(asked.overflow, MULLAMA_OVERFLOW_STOP, MULLAMA_OVERFLOW_SHIFT, "overflow");
        set.overflow = asked.overflow;
        set.n_keep = asked.n_keep;
        set.queue_size = asked.queue_size;
        core::engine::check(set);
        set.prompt = std::move(used.prompt);
        set.chain = std::move(used.chain);
        set.adapters = std::move(used.adapters);
        used = std::move(set);
    });
}

mullama_error_t *mullama_request_set_sampler(mullama_request_t *request,
                                             mullama_sampler_t *sampler) {
    return guarded([&] {
        core::engine::Request &used = require(request, "request").impl;
        if (sampler == nullptr) {
            used.chain = core::sampling::Chain();
            return;
        }
        const UsedSampler given(sampler);
        if (given->has_custom_stage()) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED,
                        "the chain has a stage of the caller's own, which cannot run on the "
                        "engine's thread: sample in a context with it")
                .parameter("sampler");
        }
        used.chain = given->clone();
    });
}

mullama_error_t *mullama_request_set_adapters(mullama_request_t *request,
                                              mullama_adapter_t *const *adapters,
                                              const float *scales, size_t count) {
    return guarded([&] {
        core::engine::Request &used = require(request, "request").impl;
        used.adapters = applied_adapters(adapters, scales, count);
    });
}
