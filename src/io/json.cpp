#include "io/json.h"

#include <cstring>

#include "core/error.h"

namespace mpt {

namespace {

constexpr int kMaxDepth = 32;

void append_utf8(std::string &out, std::uint32_t c) {
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0 | c >> 6);
        out += static_cast<char>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0 | c >> 12);
        out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | c >> 18);
        out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (c & 0x3F));
    }
}

}  // namespace

void JsonReader::wrong(const char *wanted) const {
    fail(MPT_ERROR_IO, "the checkpoint's header is damaged: ", wanted, " expected at byte ", at_);
}

void JsonReader::white() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
}

char JsonReader::peek() {
    white();
    return at_ < text_.size() ? text_[at_] : '\0';
}

bool JsonReader::accept(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
}

void JsonReader::expect(char c) {
    const char wanted[] = {'\'', c, '\'', '\0'};
    if (!accept(c)) wrong(wanted);
}

std::uint32_t JsonReader::hex4() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) wrong("a hexadecimal digit");
        value = value * 16 + static_cast<std::uint32_t>(digit);
        ++at_;
    }
    return value;
}

void JsonReader::append_escape(std::string &out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    if (c == 'u') {
        std::uint32_t code = hex4();
        if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
            at_ += 2;
            code = 0x10000 + ((code - 0xD800) << 10) + ((hex4() - 0xDC00) & 0x3FF);
        }
        append_utf8(out, code);
        return;
    }
    const char *found = c ? std::strchr(from, c) : nullptr;
    if (!found) wrong("an escape");
    out += to[found - from];
}

std::string JsonReader::string() {
    expect('"');
    std::string out;
    while (true) {
        if (at_ >= text_.size()) wrong("the end of a string");
        const char c = text_[at_++];
        if (c == '"') return out;
        if (c == '\\')
            append_escape(out);
        else
            out += c;
    }
}

std::uint64_t JsonReader::number() {
    white();
    std::uint64_t value = 0;
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
        const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
        if (value > (UINT64_MAX - digit) / 10) wrong("a smaller number");
        value = value * 10 + digit;
        ++at_;
    }
    if (at_ == start) wrong("a non-negative whole number");
    return value;
}

void JsonReader::skip_value(int depth) {
    if (depth > kMaxDepth) wrong("less nesting");
    const char c = peek();
    if (c == '"') {
        string();
    } else if (c == '{' || c == '[') {
        const char close = c == '{' ? '}' : ']';
        ++at_;
        if (accept(close)) return;
        do {
            if (c == '{') {
                string();
                expect(':');
            }
            skip_value(depth + 1);
        } while (accept(','));
        expect(close);
    } else {
        const std::size_t start = at_;
        while (at_ < text_.size() && !std::strchr(",]} \t\r\n", text_[at_])) ++at_;
        if (at_ == start) wrong("a value");
    }
}

void JsonReader::end() {
    white();
    if (at_ != text_.size()) wrong("the end");
}

std::string json_quoted(std::string_view text) {
    static const char digits[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace mpt
