#include "core/space_cleaner.hpp"

#include <utility>

namespace mullama::core {

void SpaceCleaner::push(std::string_view bytes, std::string &out) {
    for (const char c : bytes)
        before_punctuation(c, out);
}

void SpaceCleaner::finish(std::string &out) {
    for (const char c : std::exchange(punctuation_, {}))
        around_apostrophe(c, out);
    for (const char c : std::exchange(apostrophe_, {}))
        before_contraction(c, out);
    out += std::exchange(contraction_, {});
}

// A space before one of ?!., goes.
void SpaceCleaner::before_punctuation(char c, std::string &out) {
    if (!punctuation_.empty()) {
        punctuation_.clear();
        if (c != '?' && c != '!' && c != '.' && c != ',')
            around_apostrophe(' ', out);
    }
    if (c == ' ')
        punctuation_ = ' ';
    else
        around_apostrophe(c, out);
}

// Both spaces around an apostrophe that stands alone go. The second one is then nobody's first.
void SpaceCleaner::around_apostrophe(char c, std::string &out) {
    if (apostrophe_ == " '") {
        apostrophe_.clear();
        if (c != ' ')
            before_contraction(' ', out);
        before_contraction('\'', out);
        if (c == ' ')
            return;
    } else if (apostrophe_ == " ") {
        if (c == '\'') {
            apostrophe_ += c;
            return;
        }
        apostrophe_.clear();
        before_contraction(' ', out);
    }
    if (c == ' ')
        apostrophe_ = ' ';
    else
        before_contraction(c, out);
}

// The space before 's, 'm, 're and 've goes; before 't, 'd and 'll it stays.
void SpaceCleaner::before_contraction(char c, std::string &out) {
    if (contraction_ == " " && c == '\'') {
        contraction_ += c;
        return;
    }
    if (contraction_ == " '") {
        if (c == 'r' || c == 'v') {
            contraction_ += c;
            return;
        }
        if (c == 's' || c == 'm')
            contraction_.erase(0, 1);
    } else if (contraction_.size() == 3 && c == 'e') {
        contraction_.erase(0, 1);
    }
    out += contraction_;
    contraction_.clear();
    if (c == ' ')
        contraction_ = ' ';
    else
        out += c;
}

} // namespace mullama::core
