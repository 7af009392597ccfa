#include "cli/table.hpp"

#include <algorithm>
#include <utility>

#include "cli/utf8.hpp"

namespace mullama::cli {
namespace {

std::string pad(const std::string &cell, std::size_t width, Table::Align align) {
    const std::string space(width - count_characters(cell), ' ');
    return align == Table::Align::left ? cell + space : space + cell;
}

} // namespace

void Table::add(std::vector<std::string> row) {
    rows_.push_back(std::move(row));
}

std::string Table::plain(std::size_t indent) const {
    const std::vector<std::size_t> width = widths();
    std::string result;
    for (const auto &row : rows_) {
        std::string line(indent, ' ');
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i > 0) {
                line += "  ";
            }
            line += i + 1 < row.size() ? pad(row[i], width[i], Align::left) : row[i];
        }
        line.erase(line.find_last_not_of(' ') + 1);
        result += line + '\n';
    }
    return result;
}

std::string Table::markdown(const std::vector<Align> &align) const {
    std::vector<std::size_t> width = widths();
    for (std::size_t &columns : width) {
        columns = std::max<std::size_t>(columns, 3);
    }
    std::string result;
    for (std::size_t number = 0; number < rows_.size(); ++number) {
        const auto &row = rows_[number];
        for (std::size_t i = 0; i < row.size(); ++i) {
            result += "| " + pad(row[i], width[i], align[i]) + ' ';
        }
        result += "|\n";
        if (number == 0) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                result += "| " + std::string(width[i] - 1, '-') +
                          (align[i] == Align::right ? ": " : "- ");
            }
            result += "|\n";
        }
    }
    return result;
}

std::vector<std::size_t> Table::widths() const {
    std::vector<std::size_t> result;
    for (const auto &row : rows_) {
        result.resize(std::max(result.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            result[i] = std::max(result[i], count_characters(row[i]));
        }
    }
    return result;
}

} // namespace mullama::cli
