#include "capi/metadata.hpp"

#include "capi/handles.hpp"
#include "capi/options.hpp"

namespace mullama::capi {

void get_metadata(const core::Metadata &metadata, std::size_t index,
                  mullama_metadata_entry_t *entry) {
    check_struct(entry, "entry", "mullama_metadata_entry_init");
    const core::Metadata::Entry &found = metadata.at(index);
    write_struct(entry,
                 mullama_metadata_entry_t{
                     .struct_size = 0,
                     .key = found.key.c_str(),
                     .key_size = found.key.size(),
                     .type = static_cast<mullama_metadata_type_t>(found.value.element_type()),
                     .is_array = found.value.is_array(),
                     .count = static_cast<std::size_t>(found.value.count())});
}

void find_metadata(const core::Metadata &metadata, const char *key, std::size_t key_size,
                   std::size_t *index) {
    const std::string_view name = bytes(key, key_size, "key");
    require(index, "index");
    *index = metadata.require(name);
}

void metadata_int(const core::Metadata &metadata, std::size_t index, std::size_t element,
                  std::int64_t *value) {
    require(value, "value") = metadata.int_at(index, element);
}

void metadata_float(const core::Metadata &metadata, std::size_t index, std::size_t element,
                    double *value) {
    require(value, "value") = metadata.float_at(index, element);
}

void metadata_bool(const core::Metadata &metadata, std::size_t index, std::size_t element,
                   bool *value) {
    require(value, "value") = metadata.bool_at(index, element);
}

void metadata_string(const core::Metadata &metadata, std::size_t index, std::size_t element,
                     const char **text, std::size_t *size) {
    require(text, "text");
    require(size, "size");
    const std::string_view found = metadata.string_at(index, element);
    *text = found.data();
    *size = found.size();
}

void metadata_format(const core::Metadata &metadata, std::size_t index, std::size_t max_elements,
                     mullama_text_t **out) {
    require(out, "out");
    hand_over(metadata.format(index, max_elements), out);
}

} // namespace mullama::capi
