// Rows of cells in columns.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace mullama::cli {

class Table {
public:
    enum class Align { left, right };

    void add(std::vector<std::string> row);

    // Columns two spaces apart; `indent` spaces before each line.
    [[nodiscard]] std::string plain(std::size_t indent = 0) const;
    // The first row is the head; `align` has one entry for each column.
    [[nodiscard]] std::string markdown(const std::vector<Align> &align) const;

private:
    [[nodiscard]] std::vector<std::size_t> widths() const;

    std::vector<std::vector<std::string>> rows_;
};

} // namespace mullama::cli
