// Saved states: the interface, every refusal, and that a refusal leaves the context as it was. The
// echo engine stands for all; what differs between memories is tested in tests/parity.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/context.hpp"
#include "support/state.hpp"
#include "support/temporary_folder.hpp"

namespace {

using namespace mullama::test;

using StateHandle = std::unique_ptr<mullama_state_t, Deleter<mullama_state_free>>;

mullama_context_options_t with_sequences(std::uint32_t n_seq_max, std::uint32_t n_ctx = 512) {
    mullama_context_options_t options = one_thread();
    options.n_seq_max = n_seq_max;
    options.n_ctx = n_ctx;
    return options;
}

std::string generate(mullama_context_t *context, mullama_seq_id_t sequence,
                     std::string_view prompt) {
    mullama_generate_options_t options = generate_options();
    options.sequence = sequence;
    options.add_special = false;
    options.max_tokens = 64;
    mullama_text_t *text = nullptr;
    EXPECT_OK(mullama_context_generate(context, nullptr, prompt.data(), prompt.size(), &options,
                                       nullptr, &text));
    const TextHandle owned(text);
    return text == nullptr ? std::string() : text_of(text);
}

void prefill(const mullama_model_t *model, mullama_context_t *context, mullama_seq_id_t sequence,
             std::string_view text) {
    const auto tokens = tokenize(model, text, false);
    ASSERT_OK(mullama_context_prefill(context, sequence, tokens.data(), tokens.size(),
                                      MULLAMA_OUTPUT_LAST));
}

std::size_t size_of(mullama_context_t *context, mullama_seq_id_t sequence) {
    std::size_t count = 0;
    EXPECT_OK(mullama_context_sequence_size(context, sequence, &count));
    return count;
}

std::string read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(State, AWholeContextComesBack) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get(), with_sequences(3));
    prefill(model.get(), context.get(), 0, "one");
    prefill(model.get(), context.get(), 2, "other");
    const std::string state = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
    const ContextHandle other = new_context(model.get(), with_sequences(4, 1024));
    prefill(model.get(), other.get(), 1, "what goes");
    ASSERT_OK(load_state(other.get(), MULLAMA_SEQUENCE_ALL, state));
    EXPECT_EQ(size_of(other.get(), 0), 3U);
    EXPECT_EQ(size_of(other.get(), 1), 0U);
    // Only the last decode kept its logits.
    EXPECT_EQ(generate(other.get(), 2, ""), "other");
    EXPECT_EQ(generate(other.get(), 0, "!"), "one!");
}

TEST(State, ASequenceComesBackInAnyPlace) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get(), with_sequences(2));
    prefill(model.get(), context.get(), 0, "first");
    prefill(model.get(), context.get(), 1, "second");
    const std::string state = save_state(context.get(), 0);
    ASSERT_OK(load_state(context.get(), 1, state));
    EXPECT_EQ(generate(context.get(), 1, "s"), "firsts");
    EXPECT_EQ(size_of(context.get(), 0), 5U);
    const ContextHandle other = new_context(model.get(), with_sequences(8, 2048));
    ASSERT_OK(load_state(other.get(), 7, state));
    EXPECT_EQ(size_of(other.get(), 7), 5U);
}

TEST(State, LoadingTakesTheOldLogitsOfItsSequenceOnly) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get(), with_sequences(2));
    const auto tokens = tokenize(model.get(), "ab", false);
    const BatchHandle without = new_batch();
    ASSERT_OK(add(without.get(), tokens[0], 0, {0}, false));
    ASSERT_OK(mullama_context_decode(context.get(), without.get()));
    const std::string silent = save_state(context.get(), 0);
    ASSERT_OK(mullama_context_clear(context.get()));
    const BatchHandle both = new_batch();
    ASSERT_OK(add(both.get(), tokens[0], 0, {0}, true));
    ASSERT_OK(add(both.get(), tokens[1], 0, {1}, true));
    ASSERT_OK(mullama_context_decode(context.get(), both.get()));
    // As long as what was there, and without logits: the old ones are not its end.
    ASSERT_OK(load_state(context.get(), 0, silent));
    mullama_generate_options_t options = generate_options();
    options.add_special = false;
    EXPECT_REFUSED(
        mullama_context_generate(context.get(), nullptr, "", 0, &options, nullptr, nullptr),
        MULLAMA_ERROR_INVALID_STATE, "prompt");
    EXPECT_EQ(generate(context.get(), 1, ""), "b");
}

TEST(State, AnEmptyContextAndAnEmptySequence) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get(), with_sequences(2));
    const std::string whole = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
    const std::string one = save_state(context.get(), 1);
    prefill(model.get(), context.get(), 0, "abc");
    prefill(model.get(), context.get(), 1, "abc");
    ASSERT_OK(load_state(context.get(), 0, one));
    EXPECT_EQ(size_of(context.get(), 0), 0U);
    EXPECT_EQ(size_of(context.get(), 1), 3U);
    ASSERT_OK(load_state(context.get(), MULLAMA_SEQUENCE_ALL, whole));
    EXPECT_EQ(size_of(context.get(), 1), 0U);
}

TEST(State, SharedTokensStayShared) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get(), with_sequences(2, 256));
    const BatchHandle batch = new_batch();
    for (mullama_pos_t i = 0; i < 200; ++i)
        ASSERT_OK(add(batch.get(), 'a', i, {0, 1}, i == 199));
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));
    const std::string state = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
    // Twice 200 would not fit 256.
    const ContextHandle other = new_context(model.get(), with_sequences(2, 256));
    ASSERT_OK(load_state(other.get(), MULLAMA_SEQUENCE_ALL, state));
    EXPECT_EQ(size_of(other.get(), 0), 200U);
    EXPECT_EQ(size_of(other.get(), 1), 200U);
}

// An entry of the list of tokens: position, token, cell.
std::string entry_of(std::int32_t position, std::int32_t token) {
    const std::int32_t numbers[] = {position, token};
    return {reinterpret_cast<const char *>(numbers), sizeof numbers};
}

// A cell holds one token, at one position, and a sequence holds it once: counts of who holds a cell
// would overflow otherwise.
TEST(State, ACellThatHoldsTwoTokensIsRefused) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get(), with_sequences(2));
    const BatchHandle batch = new_batch();
    for (mullama_pos_t i = 0; i < 3; ++i)
        ASSERT_OK(add(batch.get(), 'a' + i, i, {0, 1}, i == 2));
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));
    const std::string whole = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
    ASSERT_OK(load_state(context.get(), MULLAMA_SEQUENCE_ALL, whole));
    const std::string first = entry_of(0, 'a');
    const std::string second = entry_of(1, 'b');
    constexpr std::size_t cell_size = 4;

    std::string twice = whole;
    const std::string cell = whole.substr(whole.find(first) + first.size(), cell_size);
    const std::size_t at = whole.find(second);
    twice.replace(at + second.size(), cell_size, cell);
    mend(twice);
    EXPECT_REFUSED(load_state(context.get(), MULLAMA_SEQUENCE_ALL, twice), MULLAMA_ERROR_BAD_STATE,
                   "data", static_cast<std::int64_t>(at), "two tokens");

    // Shared by two sequences that don't agree on what is in it.
    std::string torn = whole;
    const std::size_t other = whole.find(second, at + 1);
    torn.replace(other, second.size(), entry_of(1, 'c'));
    mend(torn);
    EXPECT_REFUSED(load_state(context.get(), MULLAMA_SEQUENCE_ALL, torn), MULLAMA_ERROR_BAD_STATE,
                   "data", static_cast<std::int64_t>(other), "two tokens");
    EXPECT_EQ(tokens_of(context.get(), 1), (std::vector<mullama_token_t>{'a', 'b', 'c'}));
}

TEST(State, AFileIsWholeOrAsItWas) {
    const TemporaryFolder folder;
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    prefill(model.get(), context.get(), 0, "abc");
    const std::string path = folder.path("a.state");
    ASSERT_OK(mullama_context_save_state_file(context.get(), 0, path.data(), path.size()));
    const std::string state = save_state(context.get(), 0);
    EXPECT_EQ(read_file(path), state);
    prefill(model.get(), context.get(), 0, "def");
    ASSERT_OK(mullama_context_save_state_file(context.get(), 0, path.data(), path.size()));
    EXPECT_NE(read_file(path), state);
    const ContextHandle other = new_context(model.get());
    ASSERT_OK(mullama_context_load_state_file(other.get(), 0, path.data(), path.size()));
    EXPECT_EQ(generate(other.get(), 0, ""), "abcdef");

    const std::string missing = folder.path("none/a.state");
    EXPECT_REFUSED(
        mullama_context_save_state_file(context.get(), 0, missing.data(), missing.size()),
        MULLAMA_ERROR_NOT_FOUND, "path");
    EXPECT_REFUSED(
        mullama_context_load_state_file(context.get(), 0, missing.data(), missing.size()),
        MULLAMA_ERROR_NOT_FOUND, "path");
    const std::string here = folder.path();
    EXPECT_REFUSED(mullama_context_save_state_file(context.get(), 0, here.data(), here.size()),
                   MULLAMA_ERROR_IO, "path");
    // Nothing is left behind but the one file.
    std::size_t files = 0;
    for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator(here))
        ++files;
    EXPECT_EQ(files, 1U);
    const std::string junk = folder.write("junk", "this is no state");
    EXPECT_REFUSED(mullama_context_load_state_file(context.get(), 0, junk.data(), junk.size()),
                   MULLAMA_ERROR_BAD_STATE, "path", 0);
    const std::string nothing = folder.write("nothing", "");
    EXPECT_REFUSED(
        mullama_context_load_state_file(context.get(), 0, nothing.data(), nothing.size()),
        MULLAMA_ERROR_BAD_STATE, "path", 0);
}

TEST(State, EveryAlteredByteIsFound) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    prefill(model.get(), context.get(), 0, "abc");
    const std::string state = save_state(context.get(), 0);
    prefill(model.get(), context.get(), 0, "def");
    for (std::size_t i = 0; i < state.size(); i += i < 600 ? 1 : 97) {
        std::string altered = state;
        altered[i] = static_cast<char>(altered[i] ^ 1);
        const ErrorHandle error(load_state(context.get(), 0, altered));
        ASSERT_NE(error, nullptr) << "byte " << i;
        const auto code = mullama_error_code(error.get());
        EXPECT_TRUE(code == MULLAMA_ERROR_BAD_STATE ||
                    (code == MULLAMA_ERROR_UNSUPPORTED && i >= 8 && i < 12))
            << "byte " << i << ": " << message_of(error.get());
    }
    for (std::size_t size = 0; size < state.size(); size += size < 600 ? 1 : 97) {
        EXPECT_REFUSED(load_state(context.get(), 0, state.substr(0, size)), MULLAMA_ERROR_BAD_STATE,
                       "data");
    }
    EXPECT_REFUSED(load_state(context.get(), 0, state + "x"), MULLAMA_ERROR_BAD_STATE, "data");
    EXPECT_EQ(size_of(context.get(), 0), 6U);
    EXPECT_EQ(generate(context.get(), 0, ""), "abcdef");
}

TEST(State, WhatDoesNotFitIsNamed) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get(), with_sequences(4));
    prefill(model.get(), context.get(), 3, std::string(300, 'a'));
    const std::string whole = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
    const std::string one = save_state(context.get(), 3);
    prefill(model.get(), context.get(), 0, "stays");

    EXPECT_REFUSED(load_state(context.get(), 0, whole), MULLAMA_ERROR_INVALID_ARGUMENT, "sequence");
    EXPECT_REFUSED(load_state(context.get(), MULLAMA_SEQUENCE_ALL, one),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "sequence");
    EXPECT_REFUSED(load_state(context.get(), 4, one), MULLAMA_ERROR_OUT_OF_RANGE, "sequence");
    EXPECT_REFUSED(load_state(context.get(), -2, one), MULLAMA_ERROR_OUT_OF_RANGE, "sequence");
    // 300 of others and 300 more do not fit 512.
    EXPECT_REFUSED(load_state(context.get(), 0, one), MULLAMA_ERROR_NO_SPACE, "n_ctx");
    ASSERT_OK(load_state(context.get(), 3, one)); // over itself they do
    EXPECT_EQ(size_of(context.get(), 0), 5U);

    const ContextHandle small = new_context(model.get(), with_sequences(2));
    EXPECT_REFUSED(load_state(small.get(), MULLAMA_SEQUENCE_ALL, whole), MULLAMA_ERROR_NO_SPACE,
                   "n_seq_max");
    const ContextHandle tight = new_context(model.get(), with_sequences(4, 256));
    EXPECT_REFUSED(load_state(tight.get(), MULLAMA_SEQUENCE_ALL, whole), MULLAMA_ERROR_NO_SPACE,
                   "n_ctx");
    EXPECT_REFUSED(load_state(tight.get(), 0, one), MULLAMA_ERROR_NO_SPACE, "n_ctx");
}

TEST(State, SaysWhatItIs) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get(), with_sequences(3));
    prefill(model.get(), context.get(), 1, "abcd");
    const std::string state = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
    mullama_state_t *opened = nullptr;
    ASSERT_OK(mullama_state_inspect(state.data(), state.size(), &opened));
    const StateHandle owned(opened);
    mullama_state_info_t info;
    mullama_state_info_init(&info, sizeof info);
    ASSERT_OK(mullama_state_get_info(opened, &info));
    EXPECT_EQ(info.struct_size, sizeof info);
    EXPECT_EQ(info.format_version, 1U);
    EXPECT_STREQ(info.library_version, mullama_version());
    EXPECT_STREQ(info.architecture, "echo");
    EXPECT_STREQ(info.adapters, "");
    EXPECT_STREQ(info.type_k, "");
    EXPECT_TRUE(info.whole);
    EXPECT_TRUE(info.has_logits);
    EXPECT_EQ(info.n_ctx, 4U);
    EXPECT_EQ(info.n_seq_max, 3U);
    EXPECT_EQ(info.n_sequences, 1U);
    EXPECT_EQ(info.n_tokens, 4U);
    EXPECT_EQ(info.size, state.size());

    mullama_state_t *untouched = opened;
    EXPECT_REFUSED(mullama_state_inspect("MULLAMAS", 8, &untouched), MULLAMA_ERROR_BAD_STATE,
                   "data", 8);
    EXPECT_EQ(untouched, opened);
    EXPECT_REFUSED(mullama_state_inspect(nullptr, 0, &untouched), MULLAMA_ERROR_BAD_STATE, "data",
                   0);
    EXPECT_REFUSED(mullama_state_inspect(nullptr, 1, &untouched), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "data");
    EXPECT_REFUSED(mullama_state_inspect(state.data(), state.size(), nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    EXPECT_REFUSED(mullama_state_get_info(nullptr, &info), MULLAMA_ERROR_INVALID_ARGUMENT, "state");
    EXPECT_REFUSED(mullama_state_get_info(opened, nullptr), MULLAMA_ERROR_INVALID_ARGUMENT, "info");
    mullama_state_free(nullptr);
}

TEST(State, NullsAreRefused) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    mullama_text_t *text = nullptr;
    EXPECT_REFUSED(mullama_context_save_state(nullptr, 0, &text), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "context");
    EXPECT_REFUSED(mullama_context_save_state(context.get(), 0, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    EXPECT_REFUSED(mullama_context_save_state(context.get(), 1, &text), MULLAMA_ERROR_OUT_OF_RANGE,
                   "sequence");
    EXPECT_REFUSED(mullama_context_save_state_file(context.get(), 0, nullptr, 0),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "path");
    EXPECT_REFUSED(mullama_context_load_state(context.get(), 0, nullptr, 5),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "data");
    EXPECT_REFUSED(mullama_context_load_state_file(nullptr, 0, "a", 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "context");
}

} // namespace
