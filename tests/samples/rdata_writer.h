// Writes R's serialized objects and databases for tests. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace r {

using Bytes = std::vector<uint8_t>;
using Attributes = std::vector<std::pair<std::string, Bytes>>;

inline Bytes operator+(Bytes a, const Bytes &b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

inline Bytes word(uint32_t x) {
    return {static_cast<uint8_t>(x >> 24), static_cast<uint8_t>(x >> 16), static_cast<uint8_t>(x >> 8), static_cast<uint8_t>(x)};
}
inline Bytes raw(const std::string &s) {
    return Bytes(s.begin(), s.end());
}

constexpr uint32_t kAttributes = 0x200, kTag = 0x400;

inline Bytes null() {
    return word(254);
}
inline Bytes chars(const std::string &s) {
    return word(9 | 0x40000) + word(static_cast<uint32_t>(s.size())) + raw(s);
}
inline Bytes na() {
    return word(9) + word(0xffffffff);
}
inline Bytes symbol(const std::string &s) {
    return word(1) + chars(s);
}

// A pairlist of tags and values.
inline Bytes pairs(const Attributes &all) {
    Bytes out;
    for (const auto &[tag, value] : all) out = out + word(2 | kTag) + symbol(tag) + value;
    return out + null();
}

inline Bytes vector(uint32_t code, size_t n, const Bytes &elements, const Attributes &attributes) {
    Bytes out = word(code | (attributes.empty() ? 0 : kAttributes)) + word(static_cast<uint32_t>(n)) + elements;
    return attributes.empty() ? out : out + pairs(attributes);
}
inline Bytes integers(const std::vector<int32_t> &values, const Attributes &attributes = {}, uint32_t code = 13) {
    Bytes out;
    for (int32_t x : values) out = out + word(static_cast<uint32_t>(x));
    return vector(code, values.size(), out, attributes);
}
inline Bytes reals(const std::vector<double> &values, const Attributes &attributes = {}) {
    Bytes out;
    for (double x : values) {
        uint64_t bits;
        std::memcpy(&bits, &x, 8);
        out = out + word(static_cast<uint32_t>(bits >> 32)) + word(static_cast<uint32_t>(bits));
    }
    return vector(14, values.size(), out, attributes);
}
inline Bytes strings(const std::vector<std::string> &values, const Attributes &attributes = {}) {
    Bytes out;
    for (const std::string &s : values) out = out + chars(s);
    return vector(16, values.size(), out, attributes);
}
inline Bytes list(const std::vector<Bytes> &values, const Attributes &attributes = {}) {
    Bytes out;
    for (const Bytes &v : values) out = out + v;
    return vector(19, values.size(), out, attributes);
}
inline Bytes factor(const std::vector<int32_t> &codes, const std::vector<std::string> &levels) {
    return integers(codes, {{"levels", strings(levels)}, {"class", strings({"factor"})}});
}
// A vector in another form ("ALTREP").
inline Bytes compact(const std::string &name, const Bytes &state) {
    return word(238) + word(2) + symbol(name) + word(2) + symbol("base") + word(2) + integers({13}) + null() + state + null();
}

inline Bytes serialize(const Bytes &object, uint32_t version = 3) {
    Bytes out = raw("X\n") + word(version) + word(0x40202) + word(0x30500);
    if (version == 3) out = out + word(5) + raw("UTF-8");
    return out + object;
}

inline Bytes zlib(const Bytes &plain) {
    uLongf n = compressBound(plain.size());
    Bytes out(n);
    compress(out.data(), &n, plain.data(), plain.size());
    out.resize(n);
    return out;
}

// The two files of a database.
struct Database {
    Bytes rdx, rdb;
};

inline Bytes index(const std::vector<std::string> &names, const std::vector<Bytes> &places, int32_t kind = 1) {
    return zlib(serialize(list({list(places, {{"names", strings(names)}}), list({}), integers({kind}, {}, kind == 1 ? 10 : 13)},
                               {{"names", strings({"variables", "references", "compressed"})}})));
}

// Of entries as they lie in the file.
inline Database database_of_entries(const std::vector<std::pair<std::string, Bytes>> &entries, int32_t kind = 1) {
    Database db;
    std::vector<std::string> names;
    std::vector<Bytes> places;
    for (const auto &[name, entry] : entries) {
        names.push_back(name);
        places.push_back(integers({static_cast<int32_t>(db.rdb.size()), static_cast<int32_t>(entry.size())}));
        db.rdb = db.rdb + entry;
    }
    db.rdx = index(names, places, kind);
    return db;
}

// An entry: the length of the plain data, then these in zlib's form.
inline Bytes entry(const Bytes &plain) {
    return word(static_cast<uint32_t>(plain.size())) + zlib(plain);
}

inline Database database(const std::vector<std::pair<std::string, Bytes>> &objects) {
    std::vector<std::pair<std::string, Bytes>> entries;
    for (const auto &[name, object] : objects) entries.emplace_back(name, entry(serialize(object)));
    return database_of_entries(entries);
}

}  // namespace r
