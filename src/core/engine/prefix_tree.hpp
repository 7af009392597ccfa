// Which of many token sequences begins like a given one, for as long as possible: a radix tree.
#pragma once

#include "backend/port.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace mullama::core::engine {

// Thread safety: one thread at a time.
class PrefixTree {
public:
    using Tokens = std::span<const backend::Token>;
    // Whoever is kept; chosen by the caller.
    using Id = std::uint32_t;

    PrefixTree();
    ~PrefixTree();
    PrefixTree(PrefixTree &&) noexcept;
    PrefixTree &operator=(PrefixTree &&) noexcept;

    // The same tokens may belong to several.
    void insert(Tokens tokens, Id id);
    // Of what was inserted.
    void erase(Tokens tokens, Id id);

    struct Match {
        Id id = 0;
        // How many tokens are the same.
        std::size_t length = 0;
    };
    // One that shares the longest beginning with `tokens`; length 0 where none shares any.
    [[nodiscard]] Match longest(Tokens tokens) const;
    // The longest that is itself a beginning of `tokens`, or all of it; length 0 where none is.
    [[nodiscard]] Match longest_whole(Tokens tokens) const;

    [[nodiscard]] bool empty() const noexcept;

private:
    struct Node;
    std::unique_ptr<Node> root_;
};

} // namespace mullama::core::engine
