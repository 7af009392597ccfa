#include "mullama/vocab.h"

#include "capi/handles.hpp"
#include "capi/options.hpp"
#include "core/detokenizer.hpp"

struct mullama_detokenizer {
    std::shared_ptr<const mullama::core::Model> model;
    mullama::core::Detokenizer impl;
    std::string text; // what the last call gave out
    mullama::capi::ForkStamp fork;
};

namespace {

using mullama::capi::array;
using mullama::capi::check_struct;
using mullama::capi::guarded;
using mullama::capi::init_struct;
using mullama::capi::model_of;
using mullama::capi::raw;
using mullama::capi::read_options;
using mullama::capi::require;
using mullama::capi::write_struct;
namespace core = mullama::core;

mullama_tokenize_options_t default_tokenize_options() noexcept {
    mullama_tokenize_options_t options{};
    options.add_special = true;
    return options;
}

mullama_detokenize_options_t read(const mullama_detokenize_options_t *options) {
    return read_options(options, mullama_detokenize_options_t{}, "options",
                        "mullama_detokenize_options_init");
}

core::Detokenizer &impl_of(mullama_detokenizer_t *detokenizer, const char **text, size_t *size) {
    require(detokenizer, "detokenizer").fork.require_same_process("detokenizer");
    require(text, "text");
    require(size, "size");
    return detokenizer->impl;
}

} // namespace

void mullama_tokenize_options_init(mullama_tokenize_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, default_tokenize_options());
}

mullama_error_t *mullama_model_tokenize(const mullama_model_t *model, const char *text,
                                        size_t text_size, const mullama_tokenize_options_t *options,
                                        mullama_tokens_t **out) {
    return guarded([&] {
        const core::Vocab &vocab = model_of(model)->vocab();
        const std::string_view input = mullama::capi::text(text, text_size, "text");
        const auto how = read_options(options, default_tokenize_options(), "options",
                                      "mullama_tokenize_options_init");
        require(out, "out");
        auto tokens = std::make_unique<mullama_tokens>();
        vocab.tokenize(input, how.add_special, how.parse_special, tokens->values);
        *out = tokens.release();
    });
}

void mullama_detokenize_options_init(mullama_detokenize_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, mullama_detokenize_options_t{});
}

mullama_error_t *mullama_model_detokenize(const mullama_model_t *model,
                                          const mullama_token_t *tokens, size_t count,
                                          const mullama_detokenize_options_t *options,
                                          mullama_text_t **out) {
    return guarded([&] {
        const core::Vocab &vocab = model_of(model)->vocab();
        const auto input = array(tokens, count, "tokens");
        const mullama_detokenize_options_t how = read(options);
        require(out, "out");
        auto text = std::make_unique<mullama_text>();
        vocab.detokenize(input, how.remove_special, how.unparse_special, text->bytes);
        *out = text.release();
    });
}

void mullama_token_info_init(mullama_token_info_t *info, size_t struct_size) {
    mullama_token_info_t nothing{};
    nothing.text = nothing.piece = "";
    init_struct(info, struct_size, nothing);
}

mullama_error_t *mullama_model_get_token(const mullama_model_t *model, mullama_token_t token,
                                         mullama_token_info_t *info) {
    return guarded([&] {
        const core::Vocab &vocab = model_of(model)->vocab();
        check_struct(info, "info", "mullama_token_info_init");
        vocab.require(token, "token");
        const std::string_view text = vocab.text(token);
        const std::string_view piece = vocab.piece(token, true);
        write_struct(info, mullama_token_info_t{.struct_size = 0,
                                                .text = text.data(),
                                                .text_size = text.size(),
                                                .piece = piece.data(),
                                                .piece_size = piece.size(),
                                                .score = vocab.score(token),
                                                .attributes = vocab.attributes(token)});
    });
}

mullama_token_t mullama_model_special_token(const mullama_model_t *model,
                                            mullama_special_token_t which) {
    const int number = raw(which);
    if (model == nullptr || number < MULLAMA_SPECIAL_BOS || number > MULLAMA_SPECIAL_DECODER_START)
        return MULLAMA_TOKEN_NONE;
    return model->impl->vocab().special(which);
}

mullama_error_t *mullama_detokenizer_new(mullama_model_t *model,
                                         const mullama_detokenize_options_t *options,
                                         mullama_detokenizer_t **out) {
    return guarded([&] {
        const auto &shared = model_of(model);
        const mullama_detokenize_options_t how = read(options);
        require(out, "out");
        const core::Vocab &vocab = shared->vocab();
        vocab.require_vocabulary();
        *out = new mullama_detokenizer{
            shared, core::Detokenizer(vocab, how.remove_special, how.unparse_special), {}, {}};
    });
}

mullama_error_t *mullama_detokenizer_push(mullama_detokenizer_t *detokenizer, mullama_token_t token,
                                          const char **text, size_t *size) {
    return guarded([&] {
        core::Detokenizer &impl = impl_of(detokenizer, text, size);
        detokenizer->model->vocab().require(token, "token");
        detokenizer->text.clear();
        impl.push(token, detokenizer->text);
        *text = detokenizer->text.c_str();
        *size = detokenizer->text.size();
    });
}

mullama_error_t *mullama_detokenizer_finish(mullama_detokenizer_t *detokenizer, const char **text,
                                            size_t *size) {
    return guarded([&] {
        core::Detokenizer &impl = impl_of(detokenizer, text, size);
        detokenizer->text.clear();
        impl.finish(detokenizer->text);
        *text = detokenizer->text.c_str();
        *size = detokenizer->text.size();
    });
}

void mullama_detokenizer_free(mullama_detokenizer_t *detokenizer) {
    delete detokenizer;
}
