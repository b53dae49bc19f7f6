// Where a command writes: data to one file (stdout), talk to the other (stderr). Owned by whoever
// runs the command; one thread. What comes from elsewhere goes through screen_text() before it is
// handed in.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace belfry {

struct ConsoleStyle {
    bool json = false;   // --json
    bool quiet = false;  // -q
    bool colour = false;
};

class Console {
 public:
    Console(std::FILE* out, std::FILE* err) : out_(out), err_(err) {}

    void set_style(ConsoleStyle style) { style_ = style; }
    [[nodiscard]] bool json() const { return style_.json; }
    [[nodiscard]] bool out_is_terminal() const;
    // Characters of a line of `out`; 100 if it is not a terminal.
    [[nodiscard]] std::size_t width() const;

    // Data as it is.
    void data(std::string_view bytes);
    // One line of talk; nothing with -q.
    void say(std::string_view line);
    // A line of talk that the next one takes the place of; only on a terminal, nothing with -q.
    // Ends with an empty one.
    void progress(std::string_view line);
    // One line that is always said: what went wrong, then what to do about it.
    void complain(std::string_view sentence, std::string_view next_step = {});
    // `text` in a colour of the terminal (an SGR number: 1 bold, 2 dim, 31 red …), or as it is.
    [[nodiscard]] std::string paint(std::string_view text, int sgr) const;
    // False if data could not be written: a full disk, a closed pipe.
    [[nodiscard]] bool flush();

 private:
    std::FILE* out_;
    std::FILE* err_;
    ConsoleStyle style_;
};

}  // namespace belfry
