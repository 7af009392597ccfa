#include "capi/text_list.hpp"

namespace mullama::capi {

std::vector<std::string_view> text_list(const char *const *texts, const std::size_t *sizes,
                                        std::size_t count, const std::string &parameter) {
    static_cast<void>(array(texts, count, parameter));
    std::vector<std::string_view> list;
    list.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = parameter + "[" + std::to_string(i) + "]";
        list.push_back(sizes == nullptr ? c_text(texts[i], name) : text(texts[i], sizes[i], name));
    }
    return list;
}

std::vector<std::string_view> full_text_list(const char *const *texts, const std::size_t *sizes,
                                             std::size_t count, const std::string &parameter) {
    std::vector<std::string_view> list = text_list(texts, sizes, count, parameter);
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].empty()) {
            const std::string name = parameter + "[" + std::to_string(i) + "]";
            throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT, name + " is empty")
                .parameter(name)
                .expected("at least one character")
                .actual("an empty string")
                .offset(static_cast<std::int64_t>(i));
        }
    }
    return list;
}

void require_room(const float *numbers, std::size_t count, std::size_t needed,
                  std::string_view parameter) {
    if (numbers == nullptr && needed != 0)
        refuse_null(parameter);
    if (count != needed) {
        throw base::Error(MULLAMA_ERROR_OUT_OF_RANGE,
                          std::string(parameter) + " has room for " + std::to_string(count) +
                              " numbers, and there are " + std::to_string(needed))
            .parameter(std::string(parameter) + "_count")
            .expected(std::to_string(needed))
            .actual(count);
    }
}

} // namespace mullama::capi
