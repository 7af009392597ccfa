/**
 * @file mullama.h
 * The whole contract.
 */
#ifndef MULLAMA_MULLAMA_H
#define MULLAMA_MULLAMA_H

#include "mullama/adapter.h"
#include "mullama/api.h"
#include "mullama/batch.h"
#include "mullama/candidates.h"
#include "mullama/context.h"
#include "mullama/embed.h"
#include "mullama/engine.h"
#include "mullama/error.h"
#include "mullama/generate.h"
#include "mullama/model.h"
#include "mullama/perplexity.h"
#include "mullama/queue.h"
#include "mullama/request.h"
#include "mullama/rerank.h"
#include "mullama/runtime.h"
#include "mullama/sampler.h"
#include "mullama/state.h"
#include "mullama/stream.h"
#include "mullama/text.h"
#include "mullama/vector.h"
#include "mullama/vocab.h"

#endif
