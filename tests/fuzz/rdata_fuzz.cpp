// Any bytes as a database of R, taken in at several depths, since a search does not find its way through zlib: the first byte says
// which. SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "rdata_value.h"

namespace {

using Bytes = std::vector<uint8_t>;

Bytes compressed(const uint8_t *data, size_t size) {
    uLongf n = compressBound(size);
    Bytes out(n);
    if (compress2(out.data(), &n, data, size, 1) != Z_OK) std::abort();
    out.resize(n);
    return out;
}

// Looks at all that a value gives away.
uint64_t walk(const rdata_value *v) {
    uint64_t sum =
        static_cast<uint64_t>(rdata_kind(v)) + static_cast<uint64_t>(rdata_rows(v)) + (rdata_column(v, "variables") != nullptr);
    const int32_t *integers = rdata_integers(v);
    const double *reals = rdata_reals(v);
    const rdata_value *levels = rdata_levels(v);
    for (int64_t i = 0; i < rdata_length(v); ++i) {
        int64_t n = 0;
        const char *s = rdata_string(v, i, &n);
        if (s) sum += std::string_view(s, static_cast<size_t>(n)).find('x');
        if (integers) sum += static_cast<uint32_t>(integers[i]);
        if (reals) sum += reals[i] > 0;
        if (levels && integers[i] != RDATA_NA && (integers[i] < 1 || integers[i] > rdata_length(levels))) std::abort();
        if (rdata_kind(v) == RDATA_LIST) sum += walk(rdata_item(v, i));
    }
    for (const rdata_named &attribute : v->attributes) sum += walk(&attribute.value);
    return sum;
}

uint64_t read_all(const Bytes &rdx, const uint8_t *rdb, size_t rdb_bytes) {
    char message[512] = "";
    rdata *db = nullptr;
    uint64_t sum = 0;
    const rdata_status status = rdata_open_memory(rdx.data(), rdx.size(), rdb, rdb_bytes, &db, message, sizeof message);
    if ((status == RDATA_OK) != (db != nullptr) || (status == RDATA_OK) != (std::strlen(message) == 0)) std::abort();
    if (!db) return 0;
    for (int64_t i = 0; i < rdata_count(db) && i < 8; ++i) {
        const rdata_value *v = nullptr;
        if (rdata_get(db, rdata_name(db, i), &v, message, sizeof message) == RDATA_OK) sum += walk(v);
    }
    rdata_close(db);
    return sum;
}

// An index with one variable, which fills the file.
Bytes index_of_one(size_t entry_bytes, uint8_t kind) {
    const auto word = [](size_t x) {
        return Bytes{static_cast<uint8_t>(x >> 24), static_cast<uint8_t>(x >> 16), static_cast<uint8_t>(x >> 8),
                     static_cast<uint8_t>(x)};
    };
    Bytes out = {'X', '\n'};
    const auto put = [&](const Bytes &more) { out.insert(out.end(), more.begin(), more.end()); };
    const auto names = [&](std::initializer_list<const char *> all) {
        for (size_t x : {0x402, 1, 9, 5}) put(word(x));
        put({'n', 'a', 'm', 'e', 's'});
        put(word(16)), put(word(all.size()));
        for (std::string_view s : all) put(word(9)), put(word(s.size())), put(Bytes(s.begin(), s.end()));
        put(word(254));
    };
    for (size_t x : {2, 0, 0, 0x213, 2, 0x213, 1, 13, 2, 0}) put(word(x));
    put(word(entry_bytes));
    names({"x"});
    for (size_t x : {13, 1}) put(word(x));
    put(word(kind));
    names({"variables", "compressed"});
    return compressed(out.data(), out.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static volatile uint64_t kept;
    if (size < 3) return 0;
    const uint8_t depth = data[0] % 4, choice = data[1];
    data += 2, size -= 2;
    if (depth == 0) {  // both files as they are
        const size_t rdx = std::min<size_t>(size, choice);
        kept = read_all(Bytes(data, data + rdx), data + rdx, size - rdx);
    } else if (depth == 1) {  // an index, of a file without entries
        kept = read_all(compressed(data, size), data, size);
    } else if (depth == 2) {  // an entry
        kept = read_all(index_of_one(size, choice % 4), data, size);
    } else {  // an object
        try {
            const rdata_value v = samples::parse_rdata(data, size);
            kept = walk(&v);
        } catch (const samples::Damaged &) {
        }
    }
    (void)kept;
    return 0;
}
