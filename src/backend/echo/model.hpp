// The pretend engine's model: no weights, a vocabulary of bytes, a chat template.
#pragma once

#include "backend/echo/options.hpp"
#include "backend/echo/rule.hpp"
#include "backend/echo/vocab.hpp"
#include "backend/port.hpp"

namespace mullama::backend::echo {

class EchoModel final : public Model {
public:
    EchoModel(const Options &options, bool vocab_only);

    [[nodiscard]] const ModelFacts &facts() const noexcept override { return facts_; }
    [[nodiscard]] const Vocab &vocab() const noexcept override { return vocab_; }
    [[nodiscard]] std::optional<std::string_view>
    chat_template(const std::string &name) const override;
    [[nodiscard]] std::unique_ptr<Context> new_context(const ContextParams &params) override;
    [[nodiscard]] std::unique_ptr<Adapter> load_lora(const std::string &path,
                                                     std::size_t n_pairs) override;
    void require_control_vectors() const override;

private:
    Options options_;
    bool vocab_only_;
    ModelFacts facts_;
    EchoVocab vocab_;
    Logits logits_;
};

} // namespace mullama::backend::echo
