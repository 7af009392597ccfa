// The opaque type of requests.
#pragma once

#include "capi/handles.hpp"
#include "core/engine/request.hpp"
#include "mullama/request.h"

struct mullama_request {
    mullama::core::engine::Request impl;
    bool has_prompt = false;
};
