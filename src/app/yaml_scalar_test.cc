#include "app/yaml_scalar.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

std::string json_of(std::string_view scalar) {
    std::string out;
    Result<void> appended = append_plain_scalar(scalar, out);
    return appended ? out : "refused: " + appended.error().detail;
}

TEST(YamlScalar, HasTheTypesOfTheCoreSchema) {
    for (std::string_view null : {"", "~", "null", "Null", "NULL"}) {
        EXPECT_EQ(json_of(null), "null") << null;
    }
    for (std::string_view yes : {"true", "True", "TRUE"}) {
        EXPECT_EQ(json_of(yes), "true") << yes;
    }
    for (std::string_view no : {"false", "False", "FALSE"}) {
        EXPECT_EQ(json_of(no), "false") << no;
    }
}

TEST(YamlScalar, NumbersAreSpelledAsJsonSpellsThem) {
    EXPECT_EQ(json_of("0"), "0");
    EXPECT_EQ(json_of("-12"), "-12");
    EXPECT_EQ(json_of("+12"), "12");
    EXPECT_EQ(json_of("007"), "7");
    EXPECT_EQ(json_of("000"), "0");
    EXPECT_EQ(json_of("123456789012345678901234567890"), "123456789012345678901234567890");
    EXPECT_EQ(json_of("1.50"), "1.50");
    EXPECT_EQ(json_of("-.5"), "-0.5");
    EXPECT_EQ(json_of("1."), "1.0");
    EXPECT_EQ(json_of("1e3"), "1e3");
    EXPECT_EQ(json_of("+01.5E+07"), "1.5e07");
    EXPECT_EQ(json_of("2e-3"), "2e-3");
    EXPECT_EQ(json_of("0o17"), "15");
    EXPECT_EQ(json_of("0xfF"), "255");
    EXPECT_EQ(json_of("0xffffffffffffffff"), "18446744073709551615");
}

TEST(YamlScalar, EverythingElseIsText) {
    for (std::string_view text :
         {"no",   "on",    "Yes", "tRUE",  "nil",   ".",     "-",   "+",
          "e3",   "1e",    "1e+", "1.2.3", "1_000", "0x",    "0xg", "0o8",
          "-0x1", "12:30", "1 2", "0b1",   "inf",   ".infx", "v1",  "/bin/sh"}) {
        EXPECT_EQ(json_of(text), "\"" + std::string(text) + "\"");
    }
    EXPECT_EQ(json_of("a\"b"), R"("a\"b")");
}

TEST(YamlScalar, WhatJsonCannotSayIsRefused) {
    for (std::string_view text : {".inf", "-.Inf", "+.INF", ".nan", ".NaN"}) {
        EXPECT_EQ(
            json_of(text),
            "refused: `" + std::string(text) + "` cannot be said in JSON; a text needs quotes"
        );
    }
    EXPECT_EQ(
        json_of("0x10000000000000000"), "refused: the number 0x10000000000000000 is too large"
    );
}

}  // namespace
}  // namespace belfry
