#include "backend/echo/model.hpp"

#include "backend/echo/context.hpp"

namespace mullama::backend::echo {

namespace {

constexpr std::string_view template_text =
    "{{ bos_token }}"
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}";

} // namespace

EchoModel::EchoModel(const Options &options, bool vocab_only)
    : options_(options), vocab_only_(vocab_only), vocab_(options.vocab_size),
      logits_(options.vocab_size) {
    facts_.architecture = "echo";
    facts_.description = "echo, a deterministic engine without weights";
    facts_.quantization = "none";
    facts_.load_mode = MULLAMA_LOAD_MODE_READ;
    facts_.pooling = MULLAMA_POOLING_NONE;
    facts_.n_ctx_train = options.n_ctx_train;
    facts_.n_embd = static_cast<std::int32_t>(embedding_size);
    facts_.n_embd_out = facts_.n_embd;
    facts_.has_decoder = true;
}

std::optional<std::string_view> EchoModel::chat_template(const std::string &name) const {
    if (!name.empty()) {
        return std::nullopt;
    }
    return template_text;
}

std::unique_ptr<Context> EchoModel::new_context(const ContextParams &params) {
    if (vocab_only_) {
        throw base::Error(
            MULLAMA_ERROR_UNSUPPORTED,
            "this model was loaded without weights (vocab_only): it makes no contexts");
    }
    return std::make_unique<EchoContext>(options_, logits_, params);
}

std::unique_ptr<Adapter> EchoModel::load_lora(const std::string & /*path*/,
                                              std::size_t /*n_pairs*/) {
    throw base::Error(MULLAMA_ERROR_UNSUPPORTED,
                      "the echo engine has no weights that an adapter could change");
}

void EchoModel::require_control_vectors() const {
    throw base::Error(MULLAMA_ERROR_UNSUPPORTED,
                      "the echo engine has no layers that a control vector could change");
}

} // namespace mullama::backend::echo
