// Recovery of a damaged log. The first byte chooses what the rest is: edits to the files of a good
// log (then whatever is served must be one of its events, in its place), or the bytes of a segment
// or of a summary.
#include "base/assert.h"
#include "base/byte_order.h"
#include "base/logging.h"
#include "engine/embedded/log_test_bed.h"
#include "engine/embedded/segment_format.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace belfry;

constexpr std::uint64_t kSegmentBytes = 16 * 1024;
constexpr SegmentSalt kSalt{0x0123456789abcdefULL};

struct GoodLog {
    std::map<std::string, std::vector<std::byte>> files;
    std::vector<std::string> texts;
};

std::unique_ptr<LogTestBed> make_bed() {
    auto bed = std::make_unique<LogTestBed>();
    bed->options.segment_bytes = kSegmentBytes;
    return bed;
}

// Three segments, two summaries, batches of several sizes.
const GoodLog& good_log() {
    static const GoodLog kLog = [] {
        set_up_logging(LogLevel::off, LogFormat::text);
        GoodLog log;
        auto bed = make_bed();
        ASSERT(bed->open().has_value());
        for (std::size_t i = 0; i < 24; ++i) {
            std::vector<EventText> texts(1 + i % 3);
            for (EventText& text : texts) {
                text.data = std::to_string(log.texts.size()) + std::string(i * 37 % 900, 'x');
                text.id = log.texts.size() % 2 == 0 ? "id" + std::to_string(log.texts.size()) : "";
                log.texts.push_back(text.data);
            }
            ASSERT(bed->append(texts).has_value());
            if (i % 5 == 4) {
                bed->idle();
            }
        }
        ASSERT(bed->stop());
        for (const std::string& name : bed->files_in_log()) {
            log.files["data/log/" + name] = bed->files.contents("data/log/" + name);
        }
        return log;
    }();
    return kLog;
}

class Input {
 public:
    Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
    [[nodiscard]] bool empty() const { return left_ == 0; }
    std::uint32_t take(std::size_t bytes) {
        std::uint32_t value = 0;
        for (; bytes > 0 && left_ > 0; --bytes, --left_) {
            value = value << 8U | *data_++;
        }
        return value;
    }
    std::vector<std::byte> rest() {
        auto bytes = std::as_bytes(std::span(data_, left_));
        left_ = 0;
        return {bytes.begin(), bytes.end()};
    }

 private:
    const std::uint8_t* data_;
    std::size_t left_;
};

void edit(LogTestBed& bed, Input& input) {
    const auto& files = good_log().files;
    while (!input.empty()) {
        std::uint32_t op = input.take(1);
        auto file = std::next(files.begin(), static_cast<long>(input.take(1) % files.size()));
        const std::string& path = file->first;
        if (!bed.files.exists(path)) {
            continue;
        }
        std::uint64_t position = input.take(2);
        std::uint32_t value = input.take(1);
        switch (op % 5) {
            case 0:
                bed.files.flip(path, position, static_cast<std::uint8_t>(value));
                break;
            case 1:
                bed.files.zero(path, position, std::size_t{value} * 8);
                break;
            case 2:
                bed.files.cut(path, position);
                break;
            case 3: {  // a block that landed in another place
                auto bytes = bed.files.contents(path);
                std::size_t from = std::min<std::size_t>(position, bytes.size());
                std::size_t to = std::min(std::size_t{value} * 64, bytes.size());
                std::size_t count =
                    std::min({std::size_t{512}, bytes.size() - from, bytes.size() - to});
                std::vector<std::byte> block(count);
                std::copy_n(bytes.begin() + static_cast<long>(from), count, block.begin());
                std::copy_n(block.begin(), count, bytes.begin() + static_cast<long>(to));
                bed.files.set_contents(path, std::move(bytes));
                break;
            }
            default:
                bed.files.set_contents(path, {});
        }
    }
}

// Reads, lists and searches everything; with `texts`, only those may come, each at its offset.
void use(LogTestBed& bed, const std::vector<std::string>* texts) {
    auto entries = bed.read_all();
    ASSERT(entries.has_value());
    Offset expected = bed.log->first_offset();
    for (const LogEntry& entry : *entries) {
        if (const auto* gap = std::get_if<Gap>(&entry)) {
            ASSERT(gap->from == expected && gap->to > gap->from);
            expected = gap->to;
            continue;
        }
        const auto& stored = std::get<StoredEvent>(entry);
        ASSERT(stored.offset == expected);
        expected = expected.next();
        if (texts != nullptr) {
            ASSERT(stored.offset.value < texts->size());
            ASSERT(stored.event.data == (*texts)[stored.offset.value]);
        }
    }
    ASSERT(expected == bed.log->next_offset());
    for (auto order : {ListQuery::Order::ascending, ListQuery::Order::descending}) {
        auto page =
            bed.list({.type = TypePattern{.text = "deploy"}, .order = order, .limit = 1000});
        ASSERT(page.has_value());
        for (const StoredEvent& stored : page->events) {
            ASSERT(texts == nullptr || stored.event.data == (*texts)[stored.offset.value]);
        }
    }
    (void)bed.find("id4");
}

void open_and_use(LogTestBed& bed, const std::vector<std::string>* texts) {
    if (!bed.open()) {
        bed.options.accept_data_loss = true;
        if (!bed.open()) {
            return;
        }
    }
    bed.settle();
    use(bed, texts);
    Offset next = bed.log->next_offset();
    auto stored = bed.append({{.data = "new"}});
    ASSERT(stored.has_value() && stored->at(0).offset == next);
    // What was found once is found again, without the flag.
    bed.kill();
    bed.options.accept_data_loss = false;
    ASSERT(bed.open().has_value());
    ASSERT(bed.log->next_offset() == next.next());
}

// Bytes behind a good header. Two kinds of checksum errors are undone so that more passes: none
// here; the corpus holds batches made under this salt.
void raw_segment(LogTestBed& bed, Input& input) {
    std::vector<std::byte> file;
    SegmentHeader header{.base = Offset{0}, .salt = kSalt, .created = {}};
    for (std::uint32_t copy = 0; copy < kSegmentHeaderCopies; ++copy) {
        auto block = encode_segment_header(header, copy);
        file.insert(file.end(), block.begin(), block.end());
    }
    auto rest = input.rest();
    file.insert(file.end(), rest.begin(), rest.end());
    bed.files.set_contents("data/log/00000000000000000000.segment", std::move(file));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const GoodLog& good = good_log();
    auto bed = make_bed();
    switch (input.take(1) % 3) {
        case 0:
            for (const auto& [path, bytes] : good.files) {
                bed->files.set_contents(path, bytes);
            }
            edit(*bed, input);
            open_and_use(*bed, &good.texts);
            break;
        case 1:
            raw_segment(*bed, input);
            open_and_use(*bed, nullptr);
            break;
        default:
            for (const auto& [path, bytes] : good.files) {
                bed->files.set_contents(path, bytes);
            }
            bed->files.set_contents("data/log/00000000000000000000.summary", input.rest());
            open_and_use(*bed, &good.texts);
    }
    return 0;
}
