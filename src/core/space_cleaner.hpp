// What WordPiece vocabularies do to joined pieces: "hello , it ' s" becomes "hello, it's".
// llama.cpp goes over the finished text three times; this gives the same bytes piece by piece.
#pragma once

#include <string>
#include <string_view>

namespace mullama::core {

class SpaceCleaner {
public:
    // Appends to `out` what is certain now; at most six bytes are held back.
    void push(std::string_view bytes, std::string &out);
    // Appends the rest; the cleaner is then as new.
    void finish(std::string &out);

private:
    // The three passes, each feeding the next.
    void before_punctuation(char c, std::string &out);
    void around_apostrophe(char c, std::string &out);
    void before_contraction(char c, std::string &out);

    // What each pass has seen and not decided on: the beginning of " .", of " ' " and of " 're".
    std::string punctuation_;
    std::string apostrophe_;
    std::string contraction_;
};

} // namespace mullama::core
