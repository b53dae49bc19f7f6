// For tests: a command line run as main() runs it, with files in place of standard output and
// error.
#pragma once

#include "app/command_line.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace belfry {

struct Ran {
    ExitCode code = ExitCode::ok;
    std::string out;
    std::string err;
};

inline std::string contents(std::FILE* file) {
    std::fflush(file);
    EXPECT_EQ(std::fseek(file, 0, SEEK_SET), 0);
    std::string text(1 << 20, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    return text;
}

inline Ran run(std::vector<std::string> arguments, Environment environment = {}) {
    using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
    Stream out(std::tmpfile(), std::fclose);
    Stream err(std::tmpfile(), std::fclose);
    Ran ran;
    ran.code = run_command_line(
        {.arguments = std::move(arguments),
         .environment = std::move(environment),
         .out = out.get(),
         .err = err.get()}
    );
    ran.out = contents(out.get());
    ran.err = contents(err.get());
    return ran;
}

}  // namespace belfry
