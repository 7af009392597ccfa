// Computes the embeddings of many texts in as few decodes as they fit into, in the sequences of a
// context that are empty; afterwards these are empty again, whatever happened.
#pragma once

#include "backend/port.hpp"
#include "core/context.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core {

using TokenList = std::span<const backend::Token>;

class EmbedBatches {
public:
    // Throws MULLAMA_ERROR_INVALID_STATE where no sequence is empty. Switches the context's
    // embeddings on for as long as this lives.
    explicit EmbedBatches(Context &context);
    EmbedBatches(const EmbedBatches &) = delete;
    EmbedBatches &operator=(const EmbedBatches &) = delete;
    ~EmbedBatches();

    // The most tokens of a text, and why no more.
    [[nodiscard]] std::size_t longest() const noexcept { return longest_; }
    // Throws MULLAMA_ERROR_NO_SPACE for a text longer than that, INVALID_ARGUMENT for an empty one,
    // OUT_OF_RANGE for a token there is not: each names texts[index] as `parameter`.
    void require_fit(TokenList text, std::size_t index, std::string_view parameter) const;

    // Hears of each text in turn, once it is computed: its index among all, its sequence, and the
    // index of its first token in the batch. The context then has its embeddings.
    using OnText = std::function<void(std::size_t index, backend::SequenceId sequence,
                                      std::int32_t first_token)>;
    // Hears how many texts are done; false stops, with MULLAMA_ERROR_CANCELLED.
    using OnProgress = std::function<bool(std::size_t done)>;
    // The texts fit (require_fit()).
    void run(std::span<const TokenList> texts, const OnText &on_text,
             const OnProgress &on_progress);

private:
    void compute(std::span<const TokenList> texts, std::size_t first, const OnText &on_text);
    void empty_sequences() noexcept;

    Context &context_;
    bool had_embeddings_;
    // Of an encoder-decoder model, the encoder's embeddings are meant.
    bool encodes_;
    // Those that were empty; used in this order.
    std::vector<backend::SequenceId> sequences_;
    std::size_t n_tokens_max_;
    std::size_t longest_;
    // The option that longest_ comes from; empty where the model itself knows no more.
    std::string limit_;
    backend::Batch batch_;
};

// "texts[3]": what errors about one of several texts name.
[[nodiscard]] std::string element_name(std::string_view parameter, std::size_t index);

} // namespace mullama::core
