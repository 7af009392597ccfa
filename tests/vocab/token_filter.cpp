// Tokenizes line by line, for tests in other languages: each input line is a text in hexadecimal,
// each output line its tokens in decimal.
//
//     token_filter MODEL < texts > tokens
#include <cstdio>
#include <iostream>
#include <string>

#include "mullama/mullama.hpp"

int main(int argc, char **argv) {
    if (argc != 2) {
        std::fputs("usage: token_filter MODEL < texts > tokens\n", stderr);
        return 2;
    }
    try {
        auto model_options = mullama::options<mullama_model_options_t>();
        model_options.vocab_only = true;
        const mullama::Model model(argv[1], model_options);
        auto options = mullama::options<mullama_tokenize_options_t>();
        options.add_special = false;
        for (std::string line; std::getline(std::cin, line);) {
            std::string text;
            for (size_t i = 0; i + 1 < line.size(); i += 2) {
                text += static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16));
            }
            for (const mullama::Token token : model.tokenize(text, options)) {
                std::cout << token << ' ';
            }
            std::cout << '\n';
        }
    } catch (const std::exception &error) {
        std::fprintf(stderr, "token_filter: %s\n", error.what());
        return 1;
    }
    return 0;
}
