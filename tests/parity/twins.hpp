// The same context twice, behind the contract and raw. Each call is made to ours first: what it
// accepts, llama.cpp is asked to do as well, and then both must hold the same positions and give,
// bit for bit, the same logits and embeddings; what it refuses must have changed nothing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "parity/raw_llama.hpp"
#include "support/adapter.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"

namespace mullama::test {

struct TwinAdapter {
    std::string path;
    AdapterHandle ours;
    // nullptr for a control vector.
    RawLora lora;
};

// A model with all the adapters there are for it. Those must be loaded before a context computes:
// llama.cpp plans its memory by them.
class TwinModels {
public:
    explicit TwinModels(const Json &row);

    [[nodiscard]] mullama_model_t *ours() const { return ours_.get(); }
    [[nodiscard]] llama_model *raw() const { return raw_.get(); }
    [[nodiscard]] std::int32_t n_vocab() const { return n_vocab_; }
    [[nodiscard]] bool has_encoder() const { return has_encoder_; }
    [[nodiscard]] bool has_decoder() const { return has_decoder_; }
    [[nodiscard]] const std::vector<TwinAdapter> &adapters() const { return adapters_; }

private:
    ModelHandle ours_;
    RawModel raw_;
    std::int32_t n_vocab_;
    bool has_encoder_;
    bool has_decoder_;
    std::vector<TwinAdapter> adapters_;
};

struct TwinOptions {
    std::int32_t n_sequences = 4;
    bool unified = true;
    bool swa_full = true;
    bool flash_attention = true;
};

// What of the twins' adapters is in effect, by their number.
struct TwinScale {
    std::size_t adapter;
    float scale;
};

class Twins {
public:
    static constexpr std::uint32_t n_ctx = 256;
    static constexpr std::uint32_t n_ubatch = 16;

    Twins(const TwinModels &models, const TwinOptions &options);

    [[nodiscard]] std::int32_t n_sequences() const { return options_.n_sequences; }
    // The last position of a sequence; -1 when it is empty.
    [[nodiscard]] std::int32_t last_of(std::int32_t sequence) const;
    [[nodiscard]] std::size_t n_states() const { return states_.size(); }

    // Ranges are [begin, end); `end` can be MULLAMA_POSITION_END, which is llama.cpp's -1 as well.
    void copy(std::int32_t from, std::int32_t to, std::int32_t begin, std::int32_t end);
    void remove(std::int32_t sequence, std::int32_t begin, std::int32_t end);
    void shift(std::int32_t sequence, std::int32_t begin, std::int32_t end, std::int32_t delta);
    void divide(std::int32_t sequence, std::int32_t begin, std::int32_t end, std::int32_t divisor);
    void keep(std::int32_t sequence);
    void clear();
    void set_embeddings(bool embeddings);
    // At most one LoRA: llama.cpp sums several in the order of their addresses.
    void set_adapters(const std::vector<TwinScale> &scales);

    struct Token {
        std::int32_t token;
        std::int32_t position;
        std::int32_t sequence;
    };
    void decode(const std::vector<Token> &tokens);
    // A decode that is aborted before it computes anything.
    void decode_aborted(const std::vector<Token> &tokens);
    void encode(const std::vector<Token> &tokens);

    // Keeps the state of a sequence, or of MULLAMA_SEQUENCE_ALL, in a place of its own.
    void save(std::int32_t sequence, std::size_t place);
    // A state of one sequence goes into `sequence`, and one of all into all.
    void load(std::size_t place, std::int32_t sequence);
    // As a new process would: new contexts that load what the old ones held.
    void restart();

    // What was done, for a failure's message.
    [[nodiscard]] const std::string &trace() const { return trace_; }

private:
    using Positions = std::vector<std::int32_t>;

    struct State {
        bool whole = false;
        std::string ours;
        std::vector<std::uint8_t> raw;
        // By sequence; of one sequence, the first is its.
        std::vector<Positions> held;
        // The token that is likeliest after each sequence, where that is known.
        std::vector<std::optional<std::int32_t>> next;
    };

    void make_contexts();
    void apply(const std::vector<TwinScale> &scales);
    void note(const std::string &what);
    [[nodiscard]] bool accepted(mullama_error_t *error);
    void compare_positions();
    void compare_outputs(const std::vector<Token> &tokens);
    void compare_logits(std::int32_t index);
    void compare_rows(const float *ours, std::size_t count, const float *raw, const char *what,
                      std::int32_t index);
    void require_same_next(std::int32_t sequence, const std::optional<std::int32_t> &next);
    // The positions of a range become others; whether there were any.
    bool move(std::int32_t sequence, std::int32_t begin, std::int32_t end,
              const std::function<std::int32_t(std::int32_t)> &to);
    Positions &held(std::int32_t sequence) { return held_[static_cast<std::size_t>(sequence)]; }
    [[nodiscard]] std::vector<std::uint8_t> raw_state(std::int32_t sequence) const;
    void load_raw_state(const State &state, std::int32_t sequence);

    const TwinModels &models_;
    TwinOptions options_;
    ContextHandle ours_;
    RawContext raw_;
    llama_memory_t memory_ = nullptr;
    mullama_pooling_t pooling_ = MULLAMA_POOLING_NONE;
    bool embeddings_ = false;
    // llama.cpp copies between memories of their own at the next decode.
    bool copies_wait_ = false;
    std::vector<TwinScale> scales_;
    std::vector<Positions> held_;
    std::vector<std::optional<std::int32_t>> next_;
    std::vector<State> states_;
    std::string trace_;
};

} // namespace mullama::test
