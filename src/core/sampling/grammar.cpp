// Leaves the tokens that continue a text of a grammar. With trigger words, only once one of them
// was generated; the token that completes it is held to the grammar already.
#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "core/constraint/gbnf_grammar.hpp"
#include "core/constraint/gbnf_matcher.hpp"
#include "core/constraint/gbnf_parser.hpp"
#include "core/constraint/trigger_words.hpp"
#include "core/constraint/vocabulary.hpp"
#include "core/sampling/stage.hpp"
#include "core/vocab.hpp"

namespace mullama::core::sampling {

namespace {

using base::Error;
using constraint::TokenMask;
using constraint::TokenTrie;
using constraint::TriggerWords;
using constraint::gbnf::Matcher;

// Up to here each candidate is tried; more are looked up in a mask of the whole vocabulary.
constexpr std::size_t few = 256;

// Which tokens may come while a trigger word is waited for: all but those that complete one and
// go on as the grammar does not.
class Waiting {
public:
    explicit Waiting(std::shared_ptr<const TriggerWords> words) : words_(std::move(words)) {}

    [[nodiscard]] bool done() const noexcept { return done_; }
    void reset() noexcept {
        state_ = TriggerWords::start;
        done_ = words_->empty();
    }

    [[nodiscard]] bool allows(Token token, Matcher &matcher) const {
        return ends_generation(matcher, token) || follow(token, matcher) != Outcome::refused;
    }

    [[nodiscard]] const TokenMask &mask(Matcher &matcher) {
        const auto [entry, is_new] = masks_.try_emplace(state_);
        if (is_new) {
            try {
                entry->second = make_mask(matcher);
            } catch (...) {
                masks_.erase(entry);
                throw;
            }
        }
        return *entry->second;
    }

    // After the token that completes a word the matcher stands behind it. False: not allowed.
    bool accept(Token token, Matcher &matcher) {
        if (ends_generation(matcher, token)) {
            return true;
        }
        const Outcome outcome = follow(token, matcher);
        if (outcome == Outcome::waits) {
            for (const char byte : matcher.vocabulary().piece(token)) {
                state_ = words_->advance(state_, static_cast<std::uint8_t>(byte));
            }
        }
        done_ = outcome == Outcome::triggers;
        return outcome != Outcome::refused;
    }

private:
    enum class Outcome { waits, triggers, refused };

    static bool ends_generation(const Matcher &matcher, Token token) {
        return matcher.vocabulary().ends().test(token);
    }

    // Where it triggers, the matcher has read the word, and what comes after it in the token.
    Outcome follow(Token token, Matcher &matcher) const {
        const std::string_view piece = matcher.vocabulary().piece(token);
        TriggerWords::State state = state_;
        for (std::size_t i = 0; i < piece.size(); ++i) {
            state = words_->advance(state, static_cast<std::uint8_t>(piece[i]));
            const std::string_view word = words_->found(state);
            if (word.empty()) {
                continue;
            }
            matcher.reset();
            // A word at a token's beginning may be what a token element of the grammar stands for.
            const bool whole = word.size() == i + 1;
            const bool fits = whole ? matcher.accept(token)
                                    : matcher.accept(word) && matcher.accept(piece.substr(i + 1));
            return fits ? Outcome::triggers : Outcome::refused;
        }
        return Outcome::waits;
    }

    // Tries those tokens that complete a word; a walk over all others finds them.
    [[nodiscard]] std::shared_ptr<const TokenMask> make_mask(Matcher &matcher) const {
        const constraint::Vocabulary &vocabulary = matcher.vocabulary();
        const TokenTrie &trie = vocabulary.trie();
        auto mask = std::make_shared<TokenMask>(vocabulary.size());
        for (Token token = 0; token < vocabulary.vocab().size(); ++token) {
            mask->set(token);
        }
        std::vector<TriggerWords::State> path(trie.max_depth() + 1, state_);
        for (std::uint32_t i = 0; i < trie.size();) {
            const TokenTrie::Node &node = trie.nodes()[i];
            path[node.depth + 1] = words_->advance(path[node.depth], node.byte);
            if (words_->found(path[node.depth + 1]).empty()) {
                ++i;
                continue;
            }
            for (std::uint32_t k = node.first_token; k < trie.nodes()[node.end].first_token; ++k) {
                if (follow(trie.tokens()[k], matcher) == Outcome::refused) {
                    mask->clear(trie.tokens()[k]);
                }
            }
            i = node.end;
        }
        return mask;
    }

    std::shared_ptr<const TriggerWords> words_;
    TriggerWords::State state_ = TriggerWords::start;
    bool done_ = false;
    std::unordered_map<TriggerWords::State, std::shared_ptr<const TokenMask>> masks_;
};

class Grammar final : public Stage {
public:
    void set_text(std::string_view parameter, const std::string &text) override {
        Grammar changed(*this);
        (parameter == "grammar" ? changed.text_ : changed.root_) = text;
        changed.prepare();
        swap(changed);
    }

    void set_texts(std::string_view /*parameter*/, std::span<const std::string> texts) override {
        Grammar changed(*this);
        changed.words_ = std::make_shared<const TriggerWords>(texts);
        changed.prepare();
        swap(changed);
    }

    void bind(const Vocab *vocab) override {
        Grammar changed(*this);
        changed.vocabulary_ = vocab == nullptr ? nullptr : vocab->for_constraints();
        changed.prepare();
        // Whoever is to use it has said everything now.
        if (vocab != nullptr) {
            changed.require_root();
        }
        swap(changed);
    }

    void apply(Candidates &candidates) override {
        if (text_.empty()) {
            return;
        }
        require_root();
        if (broken_) {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "a token was accepted that the grammar does not allow: reset the sampler")
                .parameter("grammar");
        }
        // However many candidates there are, they are one question.
        const Matcher::Work work(*matcher_);
        bool kept = false;
        if (candidates.size() <= few) {
            kept = keep_allowed(candidates);
        } else {
            kept = candidates.keep_tokens(
                (waiting_.done() ? matcher_->mask() : waiting_.mask(*matcher_)).words());
        }
        if (!kept || candidates.max_logit() == -std::numeric_limits<float>::infinity()) {
            throw nothing_left(kept);
        }
    }

    void check(Token token) const override {
        if (text_.empty() || matcher_ == nullptr || broken_) {
            return;
        }
        const Matcher::Work work(*matcher_);
        if (!vocabulary_->vocab().contains(token) || !allows(token)) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                        "the grammar does not allow token " + std::to_string(token) + " here")
                .parameter("token")
                .expected("a token that continues a text of the grammar")
                .actual(token);
        }
    }

    void accept(Token token) override {
        if (text_.empty() || matcher_ == nullptr) {
            return;
        }
        const Matcher::Work work(*matcher_);
        const bool fits =
            vocabulary_->vocab().contains(token) &&
            (waiting_.done() ? matcher_->accept(token) : waiting_.accept(token, *matcher_));
        broken_ = broken_ || !fits;
    }

    void reset() override {
        if (matcher_ != nullptr) {
            matcher_->reset();
        }
        waiting_.reset();
        broken_ = false;
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Grammar>(*this);
    }

    Grammar() = default;
    Grammar(const Grammar &other)
        : Stage(other), text_(other.text_), root_(other.root_), words_(other.words_),
          vocabulary_(other.vocabulary_), grammar_(other.grammar_),
          matcher_(other.matcher_ == nullptr ? nullptr
                                             : std::make_unique<Matcher>(*other.matcher_)),
          waiting_(other.waiting_), broken_(other.broken_) {}

private:
    void swap(Grammar &other) noexcept {
        std::swap(text_, other.text_);
        std::swap(root_, other.root_);
        std::swap(words_, other.words_);
        std::swap(vocabulary_, other.vocabulary_);
        std::swap(grammar_, other.grammar_);
        std::swap(matcher_, other.matcher_);
        std::swap(waiting_, other.waiting_);
    }

    // Compiles what is known so far. The name of the first rule may still be to come.
    void prepare() {
        grammar_ = nullptr;
        matcher_.reset();
        waiting_ = Waiting(words_);
        if (text_.empty()) {
            return;
        }
        if (!constraint::gbnf::parse(text_).rule_numbers.contains(root_)) {
            return;
        }
        grammar_ = constraint::gbnf::Grammar::compile(text_, root_);
        if (vocabulary_ != nullptr) {
            matcher_ = std::make_unique<Matcher>(grammar_, vocabulary_);
            require_triggers();
        }
    }

    // A word that no text of the grammar begins with could never be generated.
    void require_triggers() {
        const std::span<const std::string> words = words_->words();
        for (std::size_t i = 0; i < words.size(); ++i) {
            matcher_->reset();
            std::vector<Token> tokens;
            vocabulary_->vocab().tokenize(words[i], false, true, tokens);
            if (matcher_->accept(words[i]) ||
                (tokens.size() == 1 && matcher_->accept(tokens.front()))) {
                continue;
            }
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                        "no text of the grammar begins with the trigger word \"" + words[i] + '"')
                .parameter("trigger_words")
                .expected("texts that the grammar begins with")
                .actual(words[i])
                .offset(static_cast<std::int64_t>(i));
        }
        matcher_->reset();
    }

    // Throws where there is no rule of that name.
    void require_root() const {
        if (!text_.empty() && grammar_ == nullptr) {
            static_cast<void>(constraint::gbnf::Grammar::compile(text_, root_));
        }
    }

    [[nodiscard]] bool allows(Token token) const {
        return waiting_.done() ? matcher_->allows(token) : waiting_.allows(token, *matcher_);
    }

    [[nodiscard]] bool keep_allowed(Candidates &candidates) const {
        const std::span<Candidate> list = candidates.list();
        std::size_t kept = 0;
        for (const Candidate &candidate : list) {
            if (vocabulary_->vocab().contains(candidate.id) && allows(candidate.id)) {
                list[kept++] = candidate;
            }
        }
        if (kept > 0) {
            candidates.truncate(kept);
        }
        return kept > 0;
    }

    [[nodiscard]] Error nothing_left(bool ruled_out) const {
        std::string message = "the grammar allows none of the tokens that could be selected";
        if (ruled_out) {
            message += ": other stages, or the logits, rule out those that it allows";
        } else if (waiting_.done() && matcher_->is_final()) {
            message += ": the text is complete, and no token that ends the generation is there";
        }
        return Error(MULLAMA_ERROR_INVALID_ARGUMENT, message).parameter("grammar");
    }

    std::string text_;
    std::string root_ = "root";
    std::shared_ptr<const TriggerWords> words_ =
        std::make_shared<const TriggerWords>(std::span<const std::string>());
    std::shared_ptr<const constraint::Vocabulary> vocabulary_;
    std::shared_ptr<const constraint::gbnf::Grammar> grammar_;
    // Asking what is allowed makes states, and changes nothing else.
    std::unique_ptr<Matcher> matcher_;
    Waiting waiting_{words_};
    bool broken_ = false;
};

} // namespace

std::unique_ptr<Stage> make_grammar() {
    return std::make_unique<Grammar>();
}

} // namespace mullama::core::sampling
