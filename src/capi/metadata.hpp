// The metadata functions of whatever has some: models and adapters. Each is the body of one
// function of the contract.
#pragma once

#include "core/metadata.hpp"
#include "mullama/model.h"
#include "mullama/text.h"

#include <cstddef>
#include <cstdint>

namespace mullama::capi {

void get_metadata(const core::Metadata &metadata, std::size_t index,
                  mullama_metadata_entry_t *entry);
void find_metadata(const core::Metadata &metadata, const char *key, std::size_t key_size,
                   std::size_t *index);
void metadata_int(const core::Metadata &metadata, std::size_t index, std::size_t element,
                  std::int64_t *value);
void metadata_float(const core::Metadata &metadata, std::size_t index, std::size_t element,
                    double *value);
void metadata_bool(const core::Metadata &metadata, std::size_t index, std::size_t element,
                   bool *value);
void metadata_string(const core::Metadata &metadata, std::size_t index, std::size_t element,
                     const char **text, std::size_t *size);
void metadata_format(const core::Metadata &metadata, std::size_t index, std::size_t max_elements,
                     mullama_text_t **out);

} // namespace mullama::capi
