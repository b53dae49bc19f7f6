#include "event/record.h"

#include "event/small_event.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace belfry {
namespace {

constexpr WallTime kRecorded{std::chrono::microseconds{1'234'567'890'123'456}};

std::vector<std::byte> encoded(const Event& event, std::uint64_t low = 0x8877665544332211) {
    std::vector<std::byte> out{std::byte{0xAA}};
    encode_record(event, kRecorded, low, out);
    EXPECT_EQ(out.size(), record_size(event) + 1);
    EXPECT_EQ(out.front(), std::byte{0xAA});
    out.erase(out.begin());
    return out;
}

std::string hex(Bytes bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::byte byte : bytes) {
        text += kDigits[std::to_integer<unsigned>(byte) >> 4];
        text += kDigits[std::to_integer<unsigned>(byte) & 0xF];
    }
    return text;
}

void expect_same(const Event& a, const Event& b) {
    EXPECT_EQ(a.tenant, b.tenant);
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.source, b.source);
    EXPECT_EQ(a.type, b.type);
    EXPECT_EQ(a.subject, b.subject);
    EXPECT_EQ(a.time, b.time);
    EXPECT_EQ(a.datacontenttype, b.datacontenttype);
    EXPECT_EQ(a.dataschema, b.dataschema);
    EXPECT_EQ(a.extensions, b.extensions);
    EXPECT_EQ(a.data, b.data);
    EXPECT_EQ(a.elsewhere, b.elsewhere);
}

// The format on disk; it changes only with kRecordVersion.
TEST(Record, KeepsItsFormat) {
    Event event = small_event();
    event.tenant = "acme";
    event.id = "i";
    event.subject = "b";
    event.time = "2024-01-01T00:00:00Z";
    event.datacontenttype = "a/b";
    event.dataschema = "#";
    event.extensions = {{"k", "v"}};
    event.data = "D";
    EXPECT_EQ(
        hex(encoded(event)),
        "01"                // version
        "00"                // flags
        "c0ba8a3cd5620400"  // recorded
        "1122334455667788"  // low half
        "010461636d65"
        "020169"
        "03022f73"
        "040174"
        "050162"
        "0614323032342d30312d30315430303a30303a30305a"
        "0703612f62"
        "080123"
        "0903016b76"
        "0a0144"
    );
    EXPECT_EQ(hex(encoded(small_event())), "0100c0ba8a3cd5620400112233445566778803022f73040174");
}

TEST(Record, ReadsBackWhatItWrites) {
    Event event = small_event();
    event.tenant = "acme";
    event.id = "i";
    event.extensions = {{"k", "v"}, {"empty", ""}};
    event.data = std::string_view("\0\xFF", 2);
    const auto bytes = encoded(event);
    const auto owner = std::make_shared<int>(1);
    const auto stored = decode_record(bytes, Offset{17}, owner);
    ASSERT_TRUE(stored.has_value());
    expect_same(stored->event, event);
    EXPECT_EQ(stored->offset, Offset{17});
    EXPECT_EQ(stored->recorded, kRecorded);
    EXPECT_EQ(stored->uuid_low, 0x8877665544332211U);
    EXPECT_EQ(stored->owner, owner);
    EXPECT_EQ(stored->id(), "i");
}

TEST(Record, KeepsThatAnEventIsForOtherNodes) {
    Event event = small_event();
    event.elsewhere = true;
    std::vector<std::byte> bytes = encoded(event);
    EXPECT_TRUE(hex(bytes).ends_with("2000"));
    EXPECT_TRUE(decode_record(bytes, Offset{1}, nullptr).value().event.elsewhere);
    EXPECT_FALSE(decode_record(encoded(small_event()), Offset{1}, nullptr).value().event.elsewhere);
}

TEST(Record, TellsAbsentDataFromNone) {
    Event event = small_event();
    EXPECT_FALSE(decode_record(encoded(event), Offset{0}, nullptr)->event.data.has_value());
    event.data = "";
    const auto bytes = encoded(event);
    EXPECT_EQ(decode_record(bytes, Offset{0}, nullptr)->event.data, "");
}

TEST(Record, MakesTheIdOfAnEventWithoutOne) {
    const auto bytes = encoded(small_event());
    EXPECT_EQ(
        decode_record(bytes, Offset{17}, nullptr)->id(), "88776655-4433-2202-8877-665544332211"
    );
}

TEST(Record, SkipsTagsItDoesNotKnow) {
    auto bytes = encoded(small_event());
    for (const int value : {33, 3, 1, 2, 3, 200, 0}) {
        bytes.push_back(static_cast<std::byte>(value));
    }
    const auto stored = decode_record(bytes, Offset{0}, nullptr);
    ASSERT_TRUE(stored.has_value());
    expect_same(stored->event, small_event());
}

TEST(Record, RefusesOtherVersionsAndFlags) {
    auto bytes = encoded(small_event());
    bytes[0] = std::byte{2};
    EXPECT_EQ(decode_record(bytes, Offset{0}, nullptr).error().code, Errc::internal);
    bytes[0] = std::byte{1};
    bytes[1] = std::byte{0x01};  // may be overlooked
    EXPECT_TRUE(decode_record(bytes, Offset{0}, nullptr).has_value());
    bytes[1] = std::byte{0x10};  // may not
    EXPECT_FALSE(decode_record(bytes, Offset{0}, nullptr).has_value());
}

TEST(Record, RefusesMalformedFields) {
    const auto with = [](std::initializer_list<int> values) {
        auto bytes = encoded(small_event());
        for (const int value : values) {
            bytes.push_back(static_cast<std::byte>(value));
        }
        return decode_record(bytes, Offset{0}, nullptr).has_value();
    };
    EXPECT_TRUE(with({}));
    EXPECT_FALSE(with({2}));                       // no length
    EXPECT_FALSE(with({2, 0}));                    // an empty attribute
    EXPECT_FALSE(with({2, 2, 'x'}));               // longer than the record
    EXPECT_FALSE(with({4, 1, 'x'}));               // a second type
    EXPECT_FALSE(with({10, 1, 'x', 10, 1, 'y'}));  // data twice
    EXPECT_FALSE(with({9, 0}));                    // an extension without a name
    EXPECT_FALSE(with({9, 1, 0}));
    EXPECT_FALSE(with({9, 2, 2, 'a'}));                         // the name leaves its field
    EXPECT_FALSE(with({2, 0x80}));                              // a length that does not end
    EXPECT_FALSE(with({32, 0x80, 0x80, 0x80, 0x80, 0x80, 0}));  // a length over 32 bits
    EXPECT_FALSE(with({32, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}));
    EXPECT_TRUE(with({32, 0x81, 0x00, 'x'}));
}

TEST(Record, NeverReadsAnIncompleteOne) {
    Event event = small_event();
    event.extensions = {{"k", "v"}};
    event.data = "data";
    const auto bytes = encoded(event);
    // Source and type are written first, so from there on every whole field makes an event.
    std::size_t readable = 0;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<int>(size));
        readable += decode_record(cut, Offset{0}, nullptr).has_value() ? 1 : 0;
    }
    EXPECT_EQ(readable, 2U);
}

// Random events of every shape; sizes around the borders of the varint.
TEST(Record, ReadsBackRandomEvents) {
    std::mt19937_64 random(20240601);
    const auto text = [&random](bool may_be_empty) {
        static constexpr std::array kSizes{0, 1, 2, 126, 127, 128, 129, 16383, 16384};
        std::size_t size = static_cast<std::size_t>(kSizes[random() % kSizes.size()]);
        size = size == 0 && !may_be_empty ? 1 : size;
        std::string bytes(size, '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random());
        }
        return bytes;
    };
    for (int round = 0; round < 500; ++round) {
        const std::array<std::string, 8> texts{
            text(false),
            text(true),
            text(false),
            text(false),
            text(true),
            text(true),
            text(true),
            text(true)
        };
        std::vector<std::pair<std::string, std::string>> extensions(random() % 4);
        for (auto& extension : extensions) {
            extension = {text(false), text(true)};
        }
        const std::string data = text(true);
        Event event;
        event.tenant = random() % 2 == 0 ? std::string_view("default") : texts[0];
        event.id = texts[1];
        event.source = texts[2];
        event.type = texts[3];
        event.subject = texts[4];
        event.time = texts[5];
        event.datacontenttype = texts[6];
        event.dataschema = texts[7];
        for (const auto& [name, value] : extensions) {
            event.extensions.push_back({name, value});
        }
        if (random() % 2 == 0) {
            event.data = data;
        }
        const auto bytes = encoded(event, random());
        const auto stored = decode_record(bytes, Offset{1}, nullptr);
        ASSERT_TRUE(stored.has_value());
        expect_same(stored->event, event);
    }
}

}  // namespace
}  // namespace belfry
