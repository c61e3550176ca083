// R's serialized objects, binary big-endian form, as trees [R Internals, "Serialization Formats"]. SPDX-License-Identifier:
// Apache-2.0
#include "rdata_value.h"

#include <cmath>
#include <cstring>
#include <string>

namespace samples {
namespace {

// Codes of the format, the low byte of an item's flags [R, src/main/serialize.c].
enum Code {
    kSymbol = 1,
    kPairlist = 2,
    kEnvironment = 4,
    kCall = 6,
    kChars = 9,
    kLogical = 10,
    kInteger = 13,
    kReal = 14,
    kString = 16,
    kList = 19,
    kExpressions = 20,
    kCompact = 238,  // "ALTREP": a vector in another form
    kBaseEnvironment = 241,
    kEmptyEnvironment = 242,
    kPersistent = 247,
    kPackage = 248,
    kNamespace = 249,
    kBaseNamespace = 250,
    kMissingArgument = 251,
    kUnbound = 252,
    kGlobalEnvironment = 253,
    kNull = 254,
    kReference = 255,
};
constexpr uint32_t kHasAttributes = 1u << 9, kHasTag = 1u << 10;

// Nesting and size that no data set reaches; a few bytes must not ask for all memory, or for all of the stack.
constexpr int kMaxDepth = 100;
constexpr size_t kMaxItems = size_t{1} << 20;
constexpr double kMaxSequence = 1 << 24;

class Parser {
public:
    Parser(const uint8_t *bytes, size_t size) : at_(bytes), end_(bytes + size) {}

    rdata_value whole() {
        header();
        rdata_value v = item(0);
        if (at_ != end_) fail("more data than the object");
        return v;
    }

private:
    [[noreturn]] static void fail(const std::string &what) { throw Damaged(what); }

    size_t left() const { return static_cast<size_t>(end_ - at_); }

    const uint8_t *take(size_t n) {
        if (n > left()) fail("the data end inside an object");
        const uint8_t *p = at_;
        at_ += n;
        return p;
    }

    static uint32_t u32(const uint8_t *p) {
        return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
    }
    uint32_t u32() { return u32(take(4)); }

    // The number of elements that follow, each of at least element_bytes. Space for those of more than that is made as they come:
    // nested lengths are plausible one by one, and not all together.
    size_t length(size_t element_bytes) {
        const uint32_t n = u32();
        if (n > left() / element_bytes)
            fail("a length of " + std::to_string(n) + " where " + std::to_string(left()) + " bytes are left");
        return n;
    }

    std::string_view text(size_t n) { return {reinterpret_cast<const char *>(take(n)), n}; }

    void header() {
        if (left() < 2 || at_[0] != 'X' || at_[1] != '\n') fail("no binary serialization of R");
        take(2);
        const uint32_t version = u32();
        if (version != 2 && version != 3) fail("version " + std::to_string(version) + " of the format; 2 and 3 can be read");
        take(8);                            // the versions of R that wrote it and that can read it
        if (version == 3) take(length(1));  // the encoding of strings
    }

    rdata_value item(int depth) { return item(u32(), depth); }

    rdata_value item(uint32_t flags, int depth) {
        if (depth > kMaxDepth) fail("objects nested too deeply");
        if (++items_ > kMaxItems) fail("too many objects");
        rdata_value v;
        switch (flags & 0xff) {
            case kNull:
            case kUnbound:
            case kMissingArgument:
                return v;
            case kGlobalEnvironment:
            case kBaseEnvironment:
            case kEmptyEnvironment:
            case kBaseNamespace:
                v.type = RDATA_OTHER;
                return v;
            case kReference:
                return reference(flags >> 8);
            case kSymbol:
                v.type = RDATA_OTHER;
                v.strings.push_back(chars(depth));
                references_.push_back(v.strings[0]);
                return v;
            case kPackage:
            case kNamespace:
            case kPersistent:
                references_.emplace_back();
                names_of_environment(depth);
                v.type = RDATA_OTHER;
                return v;
            case kEnvironment:
                references_.emplace_back();
                take(4);  // whether it is locked
                for (int part = 0; part < 4; ++part) item(depth + 1);
                v.type = RDATA_OTHER;
                return v;
            case kPairlist:
            case kCall:
                pairs(flags, depth);
                v.type = RDATA_OTHER;
                return v;
            case kCompact:
                return compact(depth);
            case kLogical:
            case kInteger:
                v.type = (flags & 0xff) == kLogical ? RDATA_LOGICAL : RDATA_INTEGER;
                read_integers(v.integers);
                break;
            case kReal:
                v.type = RDATA_REAL;
                read_reals(v.reals);
                break;
            case kString: {
                v.type = RDATA_STRING;
                const size_t n = length(8);
                for (size_t i = 0; i < n; ++i) v.strings.push_back(chars(depth));
                break;
            }
            case kList:
            case kExpressions: {
                v.type = RDATA_LIST;
                const size_t n = length(4);
                for (size_t i = 0; i < n; ++i) v.items.push_back(item(depth + 1));
                break;
            }
            default:
                fail("an object of type " + std::to_string(flags & 0xff) + ", which is not read");
        }
        if (flags & kHasAttributes) v.attributes = attributes(depth);
        check_factor(v);
        return v;
    }

    rdata_value reference(uint32_t index) {
        if (index == 0) index = u32();
        if (index == 0 || index > references_.size()) fail("a reference to an object that is not there");
        rdata_value v;
        v.type = RDATA_OTHER;
        v.strings.push_back(references_[index - 1]);
        return v;
    }

    // A string; NA has no data.
    std::string_view chars(int depth) {
        const uint32_t flags = u32();
        if ((flags & 0xff) != kChars) fail("an object of type " + std::to_string(flags & 0xff) + " where a string is expected");
        const uint32_t n = u32();
        std::string_view s;
        if (n != 0xffffffffu) s = text(n);
        if (flags & kHasAttributes) item(depth + 1);
        return s;
    }

    void read_integers(std::vector<int32_t> &out) {
        out.resize(length(4));
        const uint8_t *p = take(4 * out.size());
        for (int32_t &x : out) {
            x = static_cast<int32_t>(u32(p));
            p += 4;
        }
    }

    void read_reals(std::vector<double> &out) {
        out.resize(length(8));
        const uint8_t *p = take(8 * out.size());
        for (double &x : out) {
            const uint64_t bits = uint64_t{u32(p)} << 32 | u32(p + 4);
            std::memcpy(&x, &bits, 8);
            p += 8;
        }
    }

    void names_of_environment(int depth) {
        if (u32() != 0) fail("an environment's names have names");
        const size_t n = length(8);
        for (size_t i = 0; i < n; ++i) chars(depth);
    }

    // Pairs of an optional tag and a value, up to the end or to something that is no pair.
    std::vector<rdata_named> pairs(uint32_t flags, int depth) {
        std::vector<rdata_named> all;
        for (;;) {
            const uint32_t code = flags & 0xff;
            if (code != kPairlist && code != kCall) {
                item(flags, depth + 1);
                return all;
            }
            if (flags & kHasAttributes) item(depth + 1);
            std::string_view tag;
            if (flags & kHasTag) {
                const rdata_value symbol = item(depth + 1);
                if (symbol.type == RDATA_OTHER && !symbol.strings.empty()) tag = symbol.strings[0];
            }
            all.push_back({tag, item(depth + 1)});
            flags = u32();
        }
    }

    std::vector<rdata_named> attributes(int depth) { return pairs(u32(), depth + 1); }

    // A vector in another form: a list of class, package and type; what it consists of; attributes.
    rdata_value compact(int depth) {
        const std::vector<rdata_named> info = pairs(u32(), depth + 1);
        if (info.empty() || info[0].value.type != RDATA_OTHER || info[0].value.strings.empty()) fail("a vector of no class");
        const std::string name(info[0].value.strings[0]);
        rdata_value state = item(depth + 1), v;
        if (name == "compact_intseq" || name == "compact_realseq") {
            v = sequence(state, name == "compact_intseq");
        } else if (name.rfind("wrap_", 0) == 0 && state.type == RDATA_LIST && !state.items.empty()) {
            v = std::move(state.items[0]);
        } else {
            fail("a vector of class '" + name + "', which is not read");
        }
        for (rdata_named &attribute : attributes(depth)) v.attributes.push_back(std::move(attribute));
        check_factor(v);
        return v;
    }

    // Length, first element and step, as reals.
    rdata_value sequence(const rdata_value &state, bool whole) {
        if (state.type != RDATA_REAL || state.reals.size() != 3) fail("a sequence without length, start and step");
        const double n = state.reals[0], first = state.reals[1], step = state.reals[2];
        sequences_ += n;
        if (!(n >= 0 && n == std::floor(n) && sequences_ <= kMaxSequence)) fail("a sequence of a length that is not plausible");
        const double last = first + step * (n - 1);
        if (whole && n > 0 && !(std::fabs(first) <= INT32_MAX && std::fabs(last) <= INT32_MAX))
            fail("a sequence that leaves the integers");
        rdata_value v;
        v.type = whole ? RDATA_INTEGER : RDATA_REAL;
        for (int64_t i = 0; i < static_cast<int64_t>(n); ++i) {
            const double x = first + step * static_cast<double>(i);
            if (whole)
                v.integers.push_back(static_cast<int32_t>(x));
            else
                v.reals.push_back(x);
        }
        return v;
    }

    static void check_factor(const rdata_value &v) {
        const rdata_value *levels = rdata_levels(&v);
        if (!levels) return;
        for (int32_t code : v.integers) {
            if (code == RDATA_NA || (code >= 1 && static_cast<size_t>(code) <= levels->strings.size())) continue;
            fail("a factor's code " + std::to_string(code) + " outside its " + std::to_string(levels->strings.size()) + " levels");
        }
    }

    const uint8_t *at_, *end_;
    std::vector<std::string_view> references_;  // symbols by their name, environments without one
    size_t items_ = 0;
    double sequences_ = 0;  // elements of all sequences
};

}  // namespace

rdata_value parse_rdata(const uint8_t *bytes, size_t size) {
    return Parser(bytes, size).whole();
}

}  // namespace samples
