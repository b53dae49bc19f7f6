// Bit rot over a whole log: flipped bits, cut files, swapped blocks, zeroed sectors. Each case must
// be noticed by verify_log() or by recovery, nothing wrong may be served, and no event may be lost
// that the damage did not touch. BELFRY_BIT_ROT_CASES says how many cases of each kind; as many as
// the log has bytes is every byte (test/chaos/bit_rot).
#include "base/byte_order.h"
#include "base/crc32c.h"
#include "engine/embedded/log_test_bed.h"
#include "engine/embedded/log_verify.h"
#include "engine/embedded/segment_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

namespace belfry {
namespace {

constexpr std::uint64_t kLogBytes = 1024ULL * 1024;
constexpr std::uint64_t kSegment = 128ULL * 1024;
constexpr std::size_t kBlock = 4096;
constexpr std::size_t kSector = 512;
constexpr std::uint64_t kOtherCasesMax = 10'000;

using Disk = std::map<std::string, std::vector<std::byte>>;

std::uint64_t cases() {
    const char* text = std::getenv("BELFRY_BIT_ROT_CASES");
    return text == nullptr ? 250 : std::strtoull(text, nullptr, 10);
}

// A range of a file.
struct Place {
    std::string path;
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
    [[nodiscard]] bool touches(const Place& other) const {
        return path == other.path && position < other.position + other.bytes &&
               other.position < position + bytes;
    }
};

// A log of 1 MiB after a clean stop, what each event is and where it lies.
struct Sample {
    Disk disk;
    std::vector<std::string> texts;  // by offset
    std::vector<Place> places;       // by offset
    std::vector<std::string> segments;
    Place tail;  // the last batch and the watermark behind it
};

void open_bed(LogTestBed& bed) {
    bed.options.segment_bytes = kSegment;
}

std::size_t text_bytes(SeededRng& rng, std::size_t number) {
    if (number % 17 == 0) {
        return 0;
    }
    return rng.next() % (number % 29 == 0 ? 9'000 : 700);
}

std::string text_of_number(SeededRng& rng, std::size_t number) {
    std::string text = std::to_string(number) + ":";
    for (std::size_t left = text_bytes(rng, number); left > 0; --left) {
        text += static_cast<char>(rng.next() % 256);
    }
    return text;
}

void note_places(LogTestBed& bed, Sample& sample, const std::string& path, Offset base) {
    auto file = bed.files.open(path, OpenMode::read);
    ASSERT_TRUE(file);
    auto header = read_segment_header(**file, base);
    ASSERT_TRUE(header && header->header);
    auto scan = scan_segment(
        **file,
        {.header = *header->header,
         .file_bytes = (*file)->size().value(),
         .dedup_key = {},
         .dedup_since = WallTime::max(),
         .sealed_at = std::nullopt}
    );
    ASSERT_TRUE(scan);
    const std::vector<std::byte>& bytes = sample.disk[path];
    for (std::uint32_t eighth : scan->index.positions()) {
        std::uint64_t position = std::uint64_t{eighth} * kAlignment;
        auto record =
            decode_record_header(Bytes(bytes).subspan(position), header->header->salt, position);
        ASSERT_TRUE(record);
        sample.places.push_back({path, position, record->total_bytes()});
    }
}

Sample make_sample() {
    Sample sample;
    LogTestBed bed;
    open_bed(bed);
    EXPECT_TRUE(bed.open());
    SeededRng rng(7);
    std::uint64_t written = 0;
    while (written < kLogBytes) {
        std::vector<EventText> batch;
        for (std::size_t left = rng.next() % 6 + 1; left > 0; --left) {
            std::size_t number = sample.texts.size();
            sample.texts.push_back(text_of_number(rng, number));
            written += sample.texts.back().size() + 80;
            batch.push_back({.data = sample.texts.back()});
            batch.back().id = number % 3 == 0 ? "id" + std::to_string(number) : "";
        }
        EXPECT_TRUE(bed.append(batch));
    }
    EXPECT_TRUE(bed.append({{.data = "last"}}));
    sample.texts.emplace_back("last");
    EXPECT_TRUE(bed.stop());
    for (const std::string& name : bed.files_in_log()) {
        sample.disk["data/log/" + name] = bed.files.contents("data/log/" + name);
        if (auto base = parse_segment_file_name(name, kSegmentSuffix)) {
            sample.segments.push_back("data/log/" + name);
            note_places(bed, sample, "data/log/" + name, *base);
        }
    }
    EXPECT_EQ(sample.places.size(), sample.texts.size());
    sample.tail = sample.places.back();
    sample.tail.position -= kBatchHeaderBytes;
    sample.tail.bytes += std::uint64_t{2} * kBatchHeaderBytes;
    return sample;
}

const Sample& sample() {
    static const Sample kSample = make_sample();
    return kSample;
}

struct Verdict {
    bool noticed = false;
    bool refused = false;
    std::set<std::uint64_t> lost;
    std::string wrong;  // something that must never be
};

void compare(LogTestBed& bed, Verdict& verdict) {
    auto entries = bed.read_all();
    if (!entries) {
        verdict.wrong = "cannot be read: " + entries.error().detail;
        return;
    }
    std::uint64_t at = 0;
    for (const LogEntry& entry : *entries) {
        if (const auto* gap = std::get_if<Gap>(&entry)) {
            for (; at < gap->to.value; ++at) {
                verdict.lost.insert(at);
            }
        } else if (at >= sample().texts.size() || text_of(entry) != sample().texts[at]) {
            verdict.wrong = "offset " + std::to_string(at) + " holds " + text_of(entry);
            return;
        } else {
            ++at;
        }
    }
    if (at != sample().texts.size()) {
        verdict.wrong = "the log ends at " + std::to_string(at);
    }
}

Verdict verdict_on(const Disk& disk) {
    LogTestBed bed;
    open_bed(bed);
    bed.options.min_next_offset = Offset{sample().texts.size()};
    for (const auto& [path, bytes] : disk) {
        bed.files.set_contents(path, bytes);
    }
    Verdict verdict;
    auto report = verify_log(bed.files, {.directory = "data"});
    if (!report) {
        verdict.wrong = "verify: " + report.error().detail;
        return verdict;
    }
    verdict.noticed = !report->intact() || report->tail.kind == LogTail::Kind::torn;
    if (auto opened = bed.open(); !opened) {
        verdict.refused = true;
        verdict.noticed = true;
        if (!opened.error().detail.contains("events ")) {
            verdict.wrong = "refused without a name: " + opened.error().detail;
        }
        return verdict;
    }
    bed.settle();
    compare(bed, verdict);
    return verdict;
}

// Checks one case; `places` are what was damaged.
std::string judge(const Disk& disk, const std::vector<Place>& places) {
    Verdict verdict = verdict_on(disk);
    if (!verdict.wrong.empty()) {
        return verdict.wrong;
    }
    if (!verdict.noticed) {
        return "not noticed";
    }
    auto touched = [&places](const Place& place) {
        return std::ranges::any_of(places, [&](const Place& one) { return one.touches(place); });
    };
    if (verdict.refused) {
        const std::string& last = sample().segments.back();
        bool may = touched(sample().tail) || touched({last, 0, kSegmentDataStart});
        return may ? "" : "refused, though neither the last batch nor the last header is damaged";
    }
    for (std::uint64_t offset : verdict.lost) {
        if (!touched(sample().places[offset])) {
            return "a neighbour is lost: " + std::to_string(offset);
        }
    }
    return {};
}

class BitRot : public testing::Test {
 protected:
    void check(const Disk& disk, const std::vector<Place>& places, const std::string& what) {
        ++count_;
        std::string wrong = judge(disk, places);
        ASSERT_EQ(wrong, "") << what << " at " << places.front().position << " of "
                             << places.front().path << ", case " << count_;
    }
    // Any file of the log, each byte as likely as any other.
    Place random_place(std::uint64_t bytes, std::size_t alignment) {
        std::uint64_t total = 0;
        for (const auto& [path, contents] : sample().disk) {
            total += contents.size();
        }
        std::uint64_t at = rng_.next() % total;
        for (const auto& [path, contents] : sample().disk) {
            if (at < contents.size()) {
                std::uint64_t position = at / alignment * alignment;
                return {path, position, std::min<std::uint64_t>(bytes, contents.size() - position)};
            }
            at -= contents.size();
        }
        return {};
    }
    static Bytes bytes_at(const Disk& disk, const Place& place) {
        return Bytes(disk.at(place.path)).subspan(place.position, place.bytes);
    }
    static bool all_zero(Bytes bytes) {
        return std::ranges::all_of(bytes, [](std::byte one) { return one == std::byte{0}; });
    }

    SeededRng rng_{11};
    std::uint64_t count_ = 0;
};

TEST_F(BitRot, ASoundLogIsNotAccused) {
    Verdict verdict = verdict_on(sample().disk);
    EXPECT_EQ(verdict.wrong, "");
    EXPECT_FALSE(verdict.noticed);
    EXPECT_TRUE(verdict.lost.empty());
}

TEST_F(BitRot, AFlippedBitAnywhereIsNoticedAndCostsAtMostItsRecord) {
    std::uint64_t total = 0;
    for (const auto& [path, contents] : sample().disk) {
        total += contents.size();
    }
    std::uint64_t step = std::max<std::uint64_t>(total / cases(), 1);
    std::uint64_t at = step > 1 ? rng_.next() % step : 0;
    Disk disk = sample().disk;
    for (auto& [path, contents] : disk) {
        for (; at < contents.size(); at += step) {
            std::byte bit{static_cast<unsigned char>(1U << (rng_.next() % 8))};
            contents[at] ^= bit;
            check(disk, {{path, at, 1}}, "a flipped bit");
            if (HasFatalFailure()) {
                return;
            }
            contents[at] ^= bit;
        }
        at -= contents.size();
    }
    EXPECT_GE(count_, std::min(cases(), total));
}

TEST_F(BitRot, ACutFileIsNoticedAndNothingBeforeTheCutIsLost) {
    for (std::uint64_t left = std::min(cases(), kOtherCasesMax); left > 0; --left) {
        Place cut = random_place(UINT64_MAX, 1);
        if (all_zero(bytes_at(sample().disk, cut))) {
            continue;  // zeros ahead of the writer carry nothing
        }
        Disk disk = sample().disk;
        disk[cut.path].resize(cut.position);
        check(disk, {cut}, "cut");
        if (HasFatalFailure()) {
            return;
        }
    }
    EXPECT_GT(count_, 0U);
}

TEST_F(BitRot, SwappedBlocksAreNoticedAndOnlyWhatStoodThereIsLost) {
    for (std::uint64_t left = std::min(cases(), kOtherCasesMax); left > 0; --left) {
        Place one = random_place(kBlock, kBlock);
        Place two = random_place(kBlock, kBlock);
        Bytes first = bytes_at(sample().disk, one);
        Bytes second = bytes_at(sample().disk, two);
        if (first.size() != second.size() || std::ranges::equal(first, second)) {
            continue;
        }
        Disk disk = sample().disk;
        std::ranges::copy(
            second, disk[one.path].begin() + static_cast<std::ptrdiff_t>(one.position)
        );
        std::ranges::copy(
            first, disk[two.path].begin() + static_cast<std::ptrdiff_t>(two.position)
        );
        check(disk, {one, two}, "swapped");
        if (HasFatalFailure()) {
            return;
        }
    }
    EXPECT_GT(count_, 0U);
}

TEST_F(BitRot, AZeroedSectorIsNoticedAndOnlyWhatStoodThereIsLost) {
    for (std::uint64_t left = std::min(cases(), kOtherCasesMax); left > 0; --left) {
        Place sector = random_place(kSector, kSector);
        if (all_zero(bytes_at(sample().disk, sector))) {
            continue;
        }
        Disk disk = sample().disk;
        std::fill_n(
            disk[sector.path].begin() + static_cast<std::ptrdiff_t>(sector.position),
            sector.bytes,
            std::byte{0}
        );
        check(disk, {sector}, "zeroed");
        if (HasFatalFailure()) {
            return;
        }
    }
    EXPECT_GT(count_, 0U);
}

// The control: with its checksums made right again, a changed event passes every check, and only
// the comparison tells.
TEST_F(BitRot, AForgedRecordIsToldByTheComparisonAlone) {
    const Place& place = sample().places[100];
    Disk disk = sample().disk;
    std::vector<std::byte>& bytes = disk[place.path];
    auto base = parse_segment_file_name(place.path.substr(9), kSegmentSuffix);
    ASSERT_TRUE(base);
    auto header = decode_segment_header(Bytes(bytes).first(kSegmentHeaderBytes), 0);
    ASSERT_TRUE(header);
    std::byte* record = bytes.data() + place.position;
    auto sound =
        decode_record_header(Bytes(bytes).subspan(place.position), header->salt, place.position);
    ASSERT_TRUE(sound);
    record[kRecordHeaderBytes + sound->length - 1] ^= std::byte{1};
    seal_record(sound->length, sound->offset, header->salt, place.position, record);
    Verdict verdict = verdict_on(disk);
    EXPECT_FALSE(verdict.noticed);
    EXPECT_THAT(verdict.wrong, testing::HasSubstr("offset 100 holds"));
}

}  // namespace
}  // namespace belfry
