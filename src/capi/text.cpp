#include "mullama/text.h"

#include "capi/handles.hpp"

const char *mullama_text_data(const mullama_text_t *text, size_t *size) {
    if (size != nullptr)
        *size = text == nullptr ? 0 : text->bytes.size();
    return text == nullptr ? "" : text->bytes.c_str();
}

void mullama_text_free(mullama_text_t *text) {
    delete text;
}

const mullama_token_t *mullama_tokens_data(const mullama_tokens_t *tokens, size_t *count) {
    const bool empty = tokens == nullptr || tokens->values.empty();
    if (count != nullptr)
        *count = empty ? 0 : tokens->values.size();
    return empty ? nullptr : tokens->values.data();
}

void mullama_tokens_free(mullama_tokens_t *tokens) {
    delete tokens;
}
