#include <vector>

#include "support/context.hpp"

namespace {

using namespace mullama::test;

TEST(Batch, CountsWhatItHolds) {
    const BatchHandle batch = new_batch();
    EXPECT_EQ(mullama_batch_count(batch.get()), 0U);
    ASSERT_OK(add(batch.get(), 1, 0, {0}, false));
    ASSERT_OK(add(batch.get(), 2, 1, {0, 3, 255}, true));
    EXPECT_EQ(mullama_batch_count(batch.get()), 2U);
    mullama_batch_clear(batch.get());
    EXPECT_EQ(mullama_batch_count(batch.get()), 0U);
}

TEST(Batch, NullIsEmpty) {
    EXPECT_EQ(mullama_batch_count(nullptr), 0U);
    mullama_batch_clear(nullptr);
    mullama_batch_free(nullptr);
    EXPECT_REFUSED(mullama_batch_new(nullptr), MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    EXPECT_REFUSED(add(nullptr, 0, 0, {0}, false), MULLAMA_ERROR_INVALID_ARGUMENT, "batch");
}

TEST(Batch, RefusesWhatNoContextCouldTake) {
    const BatchHandle batch = new_batch();
    EXPECT_REFUSED(add(batch.get(), 0, -1, {0}, false), MULLAMA_ERROR_OUT_OF_RANGE, "position");
    EXPECT_REFUSED(add(batch.get(), 0, 0, {}, false), MULLAMA_ERROR_OUT_OF_RANGE,
                   "sequences_count");
    EXPECT_REFUSED(add(batch.get(), 0, 0, {0, 1, -1}, false), MULLAMA_ERROR_OUT_OF_RANGE,
                   "sequences", 2);
    EXPECT_REFUSED(add(batch.get(), 0, 0, {0, 256}, false), MULLAMA_ERROR_OUT_OF_RANGE, "sequences",
                   1);
    EXPECT_REFUSED(mullama_batch_add(batch.get(), 0, 0, nullptr, 1, false),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "sequences");
    const std::vector<mullama_seq_id_t> many(257, 0);
    EXPECT_REFUSED(mullama_batch_add(batch.get(), 0, 0, many.data(), many.size(), false),
                   MULLAMA_ERROR_OUT_OF_RANGE, "sequences_count");
    EXPECT_EQ(mullama_batch_count(batch.get()), 0U);
}

TEST(Batch, HoldsTokensOrEmbeddings) {
    const BatchHandle batch = new_batch();
    const std::vector<float> row{1, 2, 3};
    const mullama_seq_id_t sequence = 0;
    const auto add_row = [&](std::size_t count) {
        return mullama_batch_add_embedding(batch.get(), row.data(), count, 0, &sequence, 1, false);
    };
    ASSERT_OK(add_row(3));
    EXPECT_EQ(mullama_batch_count(batch.get()), 1U);
    EXPECT_REFUSED(add_row(2), MULLAMA_ERROR_OUT_OF_RANGE, "embedding_count");
    EXPECT_REFUSED(add(batch.get(), 1, 1, {0}, false), MULLAMA_ERROR_INVALID_STATE, "batch");
    EXPECT_EQ(mullama_batch_count(batch.get()), 1U);
    mullama_batch_clear(batch.get());
    ASSERT_OK(add(batch.get(), 1, 0, {0}, false));
    EXPECT_REFUSED(add_row(3), MULLAMA_ERROR_INVALID_STATE, "batch");
    // Another width after clear() is fine.
    mullama_batch_clear(batch.get());
    ASSERT_OK(add_row(2));
}

TEST(Batch, OfEmbeddingsIsRefusedByAModelThatTakesNone) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const BatchHandle batch = new_batch();
    const float number = 1;
    const mullama_seq_id_t sequence = 0;
    ASSERT_OK(mullama_batch_add_embedding(batch.get(), &number, 1, 0, &sequence, 1, true));
    EXPECT_REFUSED(mullama_context_decode(context.get(), batch.get()), MULLAMA_ERROR_UNSUPPORTED,
                   "batch");
}

} // namespace
