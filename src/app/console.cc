#include "app/console.h"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

namespace belfry {

namespace {

constexpr std::size_t kWidthWithoutTerminal = 100;

void write_all(std::FILE* file, std::string_view bytes) {
    // Whether it arrived is asked at the end, by flush().
    static_cast<void>(std::fwrite(bytes.data(), 1, bytes.size(), file));
}

}  // namespace

bool Console::out_is_terminal() const {
    int descriptor = ::fileno(out_);
    return descriptor >= 0 && ::isatty(descriptor) == 1;
}

std::size_t Console::width() const {
    winsize size{};
    if (!out_is_terminal() || ::ioctl(::fileno(out_), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return kWidthWithoutTerminal;
    }
    return size.ws_col;
}

void Console::data(std::string_view bytes) {
    write_all(out_, bytes);
}

void Console::say(std::string_view line) {
    if (!style_.quiet) {
        write_all(err_, std::string(line) + "\n");
    }
}

void Console::progress(std::string_view line) {
    int descriptor = ::fileno(err_);
    if (!style_.quiet && descriptor >= 0 && ::isatty(descriptor) == 1) {
        write_all(err_, fmt::format("\r{}\x1b[K", line));
        static_cast<void>(std::fflush(err_));
    }
}

void Console::complain(std::string_view sentence, std::string_view next_step) {
    std::string line = fmt::format("{} {}\n", paint("belfry:", 31), sentence);
    if (!next_step.empty()) {
        line += fmt::format("        {}\n", next_step);
    }
    write_all(err_, line);
}

std::string Console::paint(std::string_view text, int sgr) const {
    return style_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", sgr, text) : std::string(text);
}

bool Console::flush() {
    return std::fflush(out_) == 0 && std::ferror(out_) == 0;
}

}  // namespace belfry
