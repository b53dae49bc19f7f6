// Reads one JSON text value by value and remembers the first thing wrong, with the path of the
// member where it stood. Every function returns false once something is wrong; the caller returns
// at once. Holds views into the text, which must outlive it. One thread at a time.
#pragma once

#include "base/json_scan.h"

#include <belfry/eventkit/event.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace belfry::eventkit {

class BodyReader {
 public:
    // Where the reader is: a member or an element of what is read. Lives while its value is read.
    class Place {
     public:
        Place(BodyReader& reader, std::string_view name)
            : reader_(reader), outer_(reader.place_), name_(name) {
            reader_.place_ = this;
        }
        Place(BodyReader& reader, std::size_t index)
            : reader_(reader), outer_(reader.place_), index_(index) {
            reader_.place_ = this;
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place() { reader_.place_ = outer_; }

     private:
        friend class BodyReader;
        BodyReader& reader_;
        const Place* outer_;
        std::string_view name_;
        std::size_t index_ = 0;
    };

    // `utf8` must be valid UTF-8.
    explicit BodyReader(std::string_view utf8) : scan_(utf8) {}

    // Steps over a null, if that is next.
    [[nodiscard]] bool take_null();
    [[nodiscard]] bool text(std::string& to);
    // The same without a copy: a view into the text, or into `unescaped` if it had escapes.
    [[nodiscard]] bool text(std::string_view& to, std::string& unescaped);
    // A whole number, or a string of its digits: the first version of the API had that.
    [[nodiscard]] bool whole_number(std::int64_t& to);
    [[nodiscard]] bool value(std::string_view& to);
    // A whole object, unread.
    [[nodiscard]] bool object_text(std::string_view& to);
    // `read_member(name)` reads the value and returns false on a fault. `name` lives for the call.
    template <typename ReadMember>
    [[nodiscard]] bool object(ReadMember read_member) {
        if (!open('{', "must be an object") || scan_.take('}')) {
            return !failed_;
        }
        do {
            std::string unescaped;
            std::string_view name;
            if (!member_name(name, unescaped) || !read_member(name)) {
                return false;
            }
        } while (scan_.take(','));
        return close('}');
    }
    template <typename ReadElement>
    [[nodiscard]] bool array(ReadElement read_element) {
        if (!open('[', "must be an array") || scan_.take(']')) {
            return !failed_;
        }
        std::size_t index = 0;
        do {
            const Place place(*this, index++);
            if (!read_element()) {
                return false;
            }
        } while (scan_.take(','));
        return close(']');
    }
    // Nothing follows.
    [[nodiscard]] bool finish();

    // Notes a fault of what was read here; always false.
    bool refuse(std::string_view what);
    bool refuse_member(std::string_view name, std::string_view what);

    // The trees of version 1.2 lack some members that are required since.
    [[nodiscard]] bool early() const { return early_; }
    void set_early(bool early) { early_ = early; }

    [[nodiscard]] EventError take_error() { return std::move(error_); }

 private:
    bool open(char bracket, std::string_view wanted);
    // Of the value that is next; text that is no JSON is said to be that.
    bool wrong_type(std::string_view wanted);
    bool close(char bracket);
    bool member_name(std::string_view& name, std::string& unescaped) {
        JsonScan::String scanned;
        if (!scan_.string(scanned) || !scan_.take(':')) {
            return malformed();
        }
        name = scanned.inner;
        return !scanned.escaped || unescape(scanned.inner, name, unescaped);
    }
    bool unescape(std::string_view inner, std::string_view& to, std::string& unescaped);
    bool malformed();
    [[nodiscard]] std::string path() const;

    JsonScan scan_;
    const Place* place_ = nullptr;
    bool early_ = false;
    bool failed_ = false;
    EventError error_;
};

}  // namespace belfry::eventkit
