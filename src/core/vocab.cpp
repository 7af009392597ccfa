#include "core/vocab.hpp"

#include "core/constraint/vocabulary.hpp"

#include <array>
#include <limits>

namespace mullama::core {
namespace {

using base::Error;

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_punctuation(char c) noexcept {
    return c == '.' || c == ',' || c == '!' || c == '?';
}

} // namespace

Vocab::Vocab(const backend::Vocab &engine) noexcept
    : engine_(engine), type_(engine.type()), size_(engine.size()) {
}

Vocab::~Vocab() = default;

Error Vocab::no_such_token(Token token, std::string_view parameter) const {
    return Error(MULLAMA_ERROR_OUT_OF_RANGE, "there is no token " + std::to_string(token) +
                                                 ": the vocabulary has " + std::to_string(size_))
        .parameter(parameter)
        .expected(size_ > 0 ? "0 to " + std::to_string(size_ - 1) : "none")
        .actual(token);
}

void Vocab::require(Token token, std::string_view parameter) const {
    if (!contains(token)) [[unlikely]]
        throw no_such_token(token, parameter);
}

void Vocab::require(std::span<const Token> tokens, std::string_view parameter) const {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (!contains(tokens[i])) [[unlikely]]
            throw no_such_token(tokens[i], parameter).offset(static_cast<std::int64_t>(i));
    }
}

void Vocab::require_vocabulary() const {
    if (type_ == MULLAMA_VOCAB_NONE) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "this model has no vocabulary: it takes and gives token numbers only")
            .parameter("model");
    }
}

void Vocab::tokenize(std::string_view text, bool add_special, bool parse_special,
                     std::vector<Token> &out) const {
    require_vocabulary();
    constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
    if (text.size() > most) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the text is too long to be tokenized at once")
            .parameter("text")
            .expected("at most " + std::to_string(most) + " bytes")
            .actual(text.size());
    }
    engine_.tokenize(text, add_special, parse_special, out);
}

void Vocab::detokenize(std::span<const Token> tokens, bool remove_special, bool unparse_special,
                       std::string &out) const {
    require_vocabulary();
    require(tokens, "tokens");
    engine_.detokenize(tokens, remove_special, unparse_special, out);
}

std::string_view Vocab::piece(Token token, bool special) const {
    const Table &all = table();
    const Piece piece = (special ? all.shown : all.plain)[static_cast<std::size_t>(token)];
    return {all.bytes.data() + piece.begin, piece.size};
}

std::uint32_t Vocab::attributes(Token token) const {
    return table().attributes[static_cast<std::size_t>(token)];
}

std::shared_ptr<const constraint::Vocabulary> Vocab::for_constraints() const {
    std::call_once(constraints_once_, [this] {
        constraints_ = std::make_shared<const constraint::Vocabulary>(*this);
    });
    return constraints_;
}

const Vocab::Table &Vocab::table() const {
    std::call_once(table_once_, [this] { table_ = build_table(); });
    return *table_;
}

std::unique_ptr<const Vocab::Table> Vocab::build_table() const {
    auto built = std::make_unique<Table>();
    const auto count = static_cast<std::size_t>(size_);
    built->shown.reserve(count);
    built->plain.reserve(count);
    built->attributes.reserve(count);

    const auto add = [&](std::string_view bytes) {
        constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
        const std::size_t begin = built->bytes.size();
        if (begin + bytes.size() >= most) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED,
                        "the vocabulary's tokens take more than 4 GiB of text");
        }
        built->bytes.append(bytes).push_back('\0');
        return Piece{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(bytes.size())};
    };

    const Piece nothing = add("");
    std::string shown;
    std::string plain;
    for (Token token = 0; token < size_; ++token) {
        shown.clear();
        plain.clear();
        engine_.piece(token, true, shown);
        engine_.piece(token, false, plain);
        const Piece piece = shown.empty() ? nothing : add(shown);
        built->shown.push_back(piece);
        built->plain.push_back(plain == shown ? piece : plain.empty() ? nothing : add(plain));
        built->attributes.push_back(engine_.attributes(token));
    }
    built->bytes.shrink_to_fit();
    built->strips_leading_space = find_strips_leading_space(*built);
    built->cleans_spaces = find_cleans_spaces(*built);
    return built;
}

// Engines do not say how they join pieces, so the next two look what becomes of suitable ones. A
// vocabulary without any has no text that it would make a difference to.

bool Vocab::find_strips_leading_space(const Table &table) const {
    for (Token token = 0; token < size_; ++token) {
        const Piece piece = table.shown[static_cast<std::size_t>(token)];
        const std::string_view bytes(table.bytes.data() + piece.begin, piece.size);
        if (bytes.size() < 2 || bytes[0] != ' ' || !is_letter(bytes[1]))
            continue;
        std::string text;
        engine_.detokenize(std::array{token}, false, true, text);
        return text.size() < bytes.size();
    }
    return false;
}

bool Vocab::find_cleans_spaces(const Table &table) const {
    Token letter = MULLAMA_TOKEN_NONE;
    Token space = MULLAMA_TOKEN_NONE;
    Token point = MULLAMA_TOKEN_NONE;       // "."
    Token space_point = MULLAMA_TOKEN_NONE; // " ."
    for (Token token = 0; token < size_; ++token) {
        const Piece piece = table.shown[static_cast<std::size_t>(token)];
        const std::string_view bytes(table.bytes.data() + piece.begin, piece.size);
        if (bytes.empty())
            continue;
        if (is_letter(bytes.back()) && bytes.find(' ', 1) == std::string_view::npos)
            letter = token;
        else if (bytes == " ")
            space = token;
        else if (bytes.size() == 1 && is_punctuation(bytes[0]))
            point = token;
        else if (bytes.size() == 2 && bytes[0] == ' ' && is_punctuation(bytes[1]))
            space_point = token;
    }
    if (letter == MULLAMA_TOKEN_NONE)
        return false;
    std::string text;
    if (space_point != MULLAMA_TOKEN_NONE)
        engine_.detokenize(std::array{letter, space_point}, false, true, text);
    else if (space != MULLAMA_TOKEN_NONE && point != MULLAMA_TOKEN_NONE)
        engine_.detokenize(std::array{letter, space, point}, false, true, text);
    return text.size() > 1 && text.find(' ', 1) == std::string::npos;
}

} // namespace mullama::core
