#include "backend/echo/options.hpp"

#include <limits>
#include <string>

namespace mullama::backend::echo {

using base::Error;

namespace {

std::int64_t whole_number(const MetadataOverride &override, std::int64_t least, std::int64_t most) {
    const auto *number = std::get_if<std::int64_t>(&override.value);
    if (number == nullptr) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "the metadata override '" + override.key + "' must be a whole number (int)")
            .parameter("metadata_overrides");
    }
    if (*number < least || *number > most) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "the metadata override '" + override.key + "' is out of range")
            .parameter("metadata_overrides")
            .expected(std::to_string(least) + " to " + std::to_string(most))
            .actual(*number);
    }
    return *number;
}

} // namespace

Options read_options(std::span<const MetadataOverride> overrides) {
    constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
    Options options;
    for (const MetadataOverride &override : overrides) {
        if (override.key == "echo.n_ctx_train") {
            options.n_ctx_train = static_cast<std::int32_t>(whole_number(override, 1, 1 << 24));
        } else if (override.key == "echo.vocab_size") {
            options.vocab_size =
                static_cast<std::int32_t>(whole_number(override, smallest_vocabulary, 1 << 20));
        } else if (override.key == "echo.fail_decode_at") {
            options.fail_decode_at = whole_number(override, 1, unlimited);
        } else if (override.key == "echo.microseconds_per_token") {
            options.microseconds_per_token = whole_number(override, 0, 1'000'000);
        } else if (!override.key.starts_with("general.")) {
            // What a file says in general is the core's to read.
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                        "the echo engine knows no metadata key '" + override.key +
                            "': it has echo.n_ctx_train, echo.vocab_size, echo.fail_decode_at and "
                            "echo.microseconds_per_token")
                .parameter("metadata_overrides");
        }
    }
    return options;
}

} // namespace mullama::backend::echo
