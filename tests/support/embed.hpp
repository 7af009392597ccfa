// Texts as C has them, and rows of numbers taken apart.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "support/context.hpp"

namespace mullama::test {

using Row = std::vector<float>;
using Rows = std::vector<Row>;
using Tokens = std::vector<mullama_token_t>;

inline mullama_embed_options_t embed_options() {
    mullama_embed_options_t options;
    mullama_embed_options_init(&options, sizeof options);
    return options;
}

inline mullama_context_info_t info_of(mullama_context_t *context) {
    mullama_context_info_t info;
    mullama_context_info_init(&info, sizeof info);
    EXPECT_OK(mullama_context_get_info(context, &info));
    return info;
}

inline mullama_model_info_t info_of(const mullama_model_t *model) {
    mullama_model_info_t info;
    mullama_model_info_init(&info, sizeof info);
    EXPECT_OK(mullama_model_get_info(model, &info));
    return info;
}

// Pointers and sizes of a list; it outlives them.
template <class Element>
struct List {
    explicit List(const std::vector<Element> &list) {
        for (const Element &element : list) {
            data.push_back(element.data());
            sizes.push_back(element.size());
        }
    }
    std::vector<const typename Element::value_type *> data;
    std::vector<std::size_t> sizes;
};

inline Rows rows_of(const std::vector<float> &numbers, std::size_t width) {
    Rows rows;
    for (std::size_t i = 0; width != 0 && i < numbers.size(); i += width) {
        const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(i);
        rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(width));
    }
    return rows;
}

// Into a buffer that was filled with 7 before.
inline mullama_error_t *embed(mullama_context_t *context, const std::vector<std::string> &texts,
                              std::vector<float> &numbers,
                              const mullama_embed_options_t &options = embed_options()) {
    const List<std::string> list(texts);
    const auto width = static_cast<std::size_t>(info_of(context).n_embd_sequence);
    numbers.assign(texts.size() * width, 7);
    return mullama_context_embed(context, list.data.data(), list.sizes.data(), texts.size(),
                                 &options, numbers.data(), numbers.size());
}

inline Rows embedded(mullama_context_t *context, const std::vector<std::string> &texts,
                     const mullama_embed_options_t &options = embed_options()) {
    std::vector<float> numbers;
    EXPECT_OK(embed(context, texts, numbers, options));
    return rows_of(numbers, static_cast<std::size_t>(info_of(context).n_embd_sequence));
}

inline mullama_error_t *rerank(mullama_context_t *context, const std::string &query,
                               const std::vector<std::string> &documents,
                               std::vector<float> &scores,
                               const mullama_rerank_options_t *options = nullptr) {
    const List<std::string> list(documents);
    const auto width = static_cast<std::size_t>(info_of(context).n_embd_sequence);
    scores.assign(documents.size() * width, 7);
    return mullama_context_rerank(context, query.data(), query.size(), list.data.data(),
                                  list.sizes.data(), documents.size(), options, scores.data(),
                                  scores.size());
}

// Whether two rows are the same but for rounding.
inline testing::AssertionResult alike(const Row &a, const Row &b, float tolerance = 1e-5F) {
    if (a.size() != b.size()) {
        return testing::AssertionFailure() << a.size() << " and " << b.size() << " numbers";
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!(std::abs(a[i] - b[i]) <= tolerance)) {
            return testing::AssertionFailure() << "number " << i << ": " << a[i] << ", " << b[i];
        }
    }
    return testing::AssertionSuccess();
}

} // namespace mullama::test
