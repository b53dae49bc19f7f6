#include "app/text_table.h"

#include "app/screen_text.h"

#include <algorithm>

namespace belfry {

namespace {

// A column wider than this would push the others off the screen.
constexpr std::size_t kCellMax = 60;
constexpr std::size_t kLastCellMin = 20;

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

}  // namespace

std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t width) {
    std::vector<std::size_t> widths;
    for (const std::vector<std::string>& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], characters(screen_text(row[i], kCellMax)));
        }
    }
    std::string out;
    for (const std::vector<std::string>& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            bool last = i + 1 == row.size();
            std::size_t used = characters(line);
            std::size_t room = std::max(kLastCellMin, width > used ? width - used : 0);
            std::string cell = screen_text(row[i], last ? room : kCellMax);
            std::size_t padding = last ? 0 : widths[i] - characters(cell) + 2;
            line += cell + std::string(padding, ' ');
        }
        out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
}

}  // namespace belfry
