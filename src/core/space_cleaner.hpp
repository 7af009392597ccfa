// What WordPiece vocabularies do to joined pieces: "hello , it ' s" becomes "hello, it's".
// llama.cpp goes over the finished text three times; this gives the same bytes piece by piece.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace mullama::core {

class SpaceCleaner {
public:
    // Appends to `out` what is certain now; at most a handful of bytes are held back.
    void push(std::string_view bytes, std::string &out);
    // Appends the rest; the cleaner is then as new.
    void finish(std::string &out);

private:
    void punctuation(char c, std::string &out);
    void lone_apostrophe(char c, std::string &out);
    void contraction(char c, std::string &out);

    // Bytes that a pass has seen and not given to the next one.
    struct Held {
        std::array<char, 4> bytes{};
        std::size_t size = 0;
    };
    Held punctuation_;
    Held apostrophe_;
    Held contraction_;
    bool apostrophe_after_space_ = false;
};

} // namespace mullama::core
