// Data that packages of R carry: the database and the C functions. SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "rdata_value.h"

extern "C" {
#include "file.h"
}

using samples::Damaged;
using samples::parse_rdata;

namespace {

using Bytes = std::vector<uint8_t>;

// Far more than data sets in packages have, far less than would trouble a machine.
constexpr size_t kMaxFile = size_t{1} << 28, kMaxObject = size_t{1} << 26;

struct Missing : std::runtime_error {
    using runtime_error::runtime_error;
};

// Inflates zlib's format or gzip's. Memory grows with what really comes out, not with what the data say of themselves.
Bytes inflate_all(const uint8_t *in, size_t n, size_t limit) {
    z_stream z = {};
    if (n > UINT32_MAX) throw Damaged("compressed data are too large");
    if (inflateInit2(&z, 15 + 32) != Z_OK) throw std::bad_alloc();
    const std::unique_ptr<z_stream, int (*)(z_stream *)> end(&z, inflateEnd);
    Bytes out;
    z.next_in = const_cast<uint8_t *>(in);
    z.avail_in = static_cast<uInt>(n);
    for (;;) {
        const size_t done = out.size(), room = std::min(limit + 1 - done, std::max<size_t>(1 << 16, done));
        out.resize(done + room);
        z.next_out = out.data() + done;
        z.avail_out = static_cast<uInt>(room);
        const int status = inflate(&z, Z_NO_FLUSH);
        out.resize(done + room - z.avail_out);
        if (status == Z_MEM_ERROR) throw std::bad_alloc();
        if (out.size() > limit) throw Damaged("compressed data hold more than " + std::to_string(limit) + " bytes");
        if (status == Z_STREAM_END) break;
        if (status == Z_BUF_ERROR || (status == Z_OK && z.avail_in == 0 && z.avail_out > 0))
            throw Damaged("compressed data end too early");
        if (status != Z_OK) throw Damaged("damaged compressed data");
    }
    if (z.avail_in > 0) throw Damaged("more than compressed data");
    return out;
}

// An entry of the .rdb file: its length when unpacked, for the newer kinds a letter for the method, then the data.
Bytes unpack(const uint8_t *in, size_t n, int32_t kind) {
    if (n < 4) throw Damaged("an entry of " + std::to_string(n) + " bytes");
    const size_t length = size_t{in[0]} << 24 | size_t{in[1]} << 16 | size_t{in[2]} << 8 | size_t{in[3]};
    in += 4, n -= 4;
    if (length > kMaxObject) throw Damaged("an entry that says it has " + std::to_string(length) + " bytes");
    char method = kind == 0 ? '0' : '1';
    if (kind > 1) {
        if (n < 1) throw Damaged("an entry without data");
        method = static_cast<char>(*in);
        ++in, --n;
    }
    Bytes out;
    if (method == '0')
        out.assign(in, in + n);
    else if (method == '1')
        out = inflate_all(in, n, length);
    else
        throw Damaged(method == '2' || method == 'Z' ? "an entry in bzip2 or xz, which are not read"
                                                     : "an entry of an unknown method");
    if (out.size() != length)
        throw Damaged("an entry has " + std::to_string(out.size()) + " bytes where " + std::to_string(length) + " are announced");
    return out;
}

// Turns what is thrown inside into a status and a message that begins with where.
template <typename Body>
rdata_status guard(const char *where, char *message, size_t nbytes, Body body) noexcept {
    try {
        body();
        return RDATA_OK;
    } catch (const Missing &e) {
        std::snprintf(message, nbytes, "%s: %s", where, e.what());
        return RDATA_MISSING;
    } catch (const Damaged &e) {
        std::snprintf(message, nbytes, "%s: %s", where, e.what());
        return RDATA_DAMAGED;
    } catch (const std::exception &) {
        std::snprintf(message, nbytes, "%s: no memory", where);
        return RDATA_NO_MEMORY;
    }
}

Bytes read_file(const char *path) {
    uint8_t *bytes;
    int64_t n;
    if (file_read(path, static_cast<int64_t>(kMaxFile), &bytes, &n) != 0) {
        if (errno == ENOMEM) throw std::bad_alloc();
        if (errno == EFBIG) throw Damaged("more than " + std::to_string(kMaxFile) + " bytes");
        throw Missing(std::strerror(errno));
    }
    const std::unique_ptr<uint8_t, void (*)(void *)> owner(bytes, std::free);
    return Bytes(bytes, bytes + n);
}

}  // namespace

struct rdata {
    struct Object {
        std::string name;
        size_t offset, length;
        bool loaded = false;
        Bytes bytes;  // unpacked; the value's strings point into them
        rdata_value value;
    };
    Bytes data;
    int32_t kind = 1;  // of compression
    std::vector<Object> objects;

    // The .rdx file: a list of "variables", each an offset and a length in the .rdb file, "references" and "compressed".
    void read_index(const Bytes &rdx) {
        const Bytes plain = inflate_all(rdx.data(), rdx.size(), kMaxObject);
        const rdata_value index = parse_rdata(plain.data(), plain.size());
        const rdata_value *variables = rdata_column(&index, "variables"), *names = rdata_attribute(variables, "names"),
                          *compressed = rdata_column(&index, "compressed");
        if (rdata_kind(variables) != RDATA_LIST || rdata_length(names) != rdata_length(variables))
            throw Damaged("no list of named variables");
        if (!rdata_integers(compressed)) throw Damaged("no word on the compression");
        kind = compressed->integers[0];
        if (kind < 0 || kind > 3) throw Damaged("compression of kind " + std::to_string(kind) + ", which is not read");
        for (size_t i = 0; i < variables->items.size(); ++i) {
            const std::vector<int32_t> &place = variables->items[i].integers;
            if (names->type != RDATA_STRING || !names->strings[i].data() || place.size() != 2 || place[0] < 0 || place[1] < 0)
                throw Damaged("variable " + std::to_string(i) + " has no name or no place");
            Object o;
            o.name = std::string(names->strings[i]);
            o.offset = static_cast<size_t>(place[0]);
            o.length = static_cast<size_t>(place[1]);
            objects.push_back(std::move(o));
        }
    }

    void load(Object &o) const {
        if (o.offset > data.size() || o.length > data.size() - o.offset)
            throw Damaged("the file ends before the entry at " + std::to_string(o.offset) + " of " + std::to_string(o.length) +
                          " bytes");
        o.bytes = unpack(data.data() + o.offset, o.length, kind);
        o.value = parse_rdata(o.bytes.data(), o.bytes.size());
        o.loaded = true;
    }
};

rdata_status rdata_open_memory(const void *rdx, size_t rdx_bytes, const void *rdb, size_t rdb_bytes, rdata **out, char *message,
                               size_t nbytes) {
    return guard("index", message, nbytes, [&] {
        auto db = std::make_unique<rdata>();
        const auto *index = static_cast<const uint8_t *>(rdx), *data = static_cast<const uint8_t *>(rdb);
        db->read_index(Bytes(index, index + rdx_bytes));
        db->data.assign(data, data + rdb_bytes);
        *out = db.release();
    });
}

rdata_status rdata_open(const char *folder, rdata **out, char *message, size_t nbytes) {
    char rdx[FILE_PATH_MAX], rdb[FILE_PATH_MAX];
    if (file_join(rdx, folder, "Rdata.rdx") != 0 || file_join(rdb, folder, "Rdata.rdb") != 0) {
        std::snprintf(message, nbytes, "the path of the database is too long");
        return RDATA_MISSING;
    }
    std::unique_ptr<rdata> db;
    rdata_status status = guard(rdx, message, nbytes, [&] {
        db = std::make_unique<rdata>();
        db->read_index(read_file(rdx));
    });
    if (status == RDATA_OK) status = guard(rdb, message, nbytes, [&] { db->data = read_file(rdb); });
    if (status == RDATA_OK) *out = db.release();
    return status;
}

void rdata_close(rdata *db) {
    delete db;
}

int64_t rdata_count(const rdata *db) {
    return static_cast<int64_t>(db->objects.size());
}

const char *rdata_name(const rdata *db, int64_t i) {
    return i >= 0 && i < rdata_count(db) ? db->objects[static_cast<size_t>(i)].name.c_str() : nullptr;
}

rdata_status rdata_get(rdata *db, const char *name, const rdata_value **out, char *message, size_t nbytes) {
    return guard(name, message, nbytes, [&] {
        auto o = std::find_if(db->objects.begin(), db->objects.end(), [&](const rdata::Object &x) { return x.name == name; });
        if (o == db->objects.end()) throw Missing("the database has no object of this name");
        if (!o->loaded) db->load(*o);
        *out = &o->value;
    });
}

rdata_type rdata_kind(const rdata_value *v) {
    return v ? v->type : RDATA_NULL;
}

int64_t rdata_length(const rdata_value *v) {
    switch (rdata_kind(v)) {
        case RDATA_LOGICAL:
        case RDATA_INTEGER:
            return static_cast<int64_t>(v->integers.size());
        case RDATA_REAL:
            return static_cast<int64_t>(v->reals.size());
        case RDATA_STRING:
            return static_cast<int64_t>(v->strings.size());
        case RDATA_LIST:
            return static_cast<int64_t>(v->items.size());
        default:
            return 0;
    }
}

const int32_t *rdata_integers(const rdata_value *v) {
    return v && !v->integers.empty() ? v->integers.data() : nullptr;
}

const double *rdata_reals(const rdata_value *v) {
    return v && !v->reals.empty() ? v->reals.data() : nullptr;
}

const char *rdata_string(const rdata_value *v, int64_t i, int64_t *nbytes) {
    if (rdata_kind(v) != RDATA_STRING || i < 0 || i >= rdata_length(v)) return nullptr;
    const std::string_view s = v->strings[static_cast<size_t>(i)];
    *nbytes = static_cast<int64_t>(s.size());
    return s.data();
}

const rdata_value *rdata_item(const rdata_value *v, int64_t i) {
    return rdata_kind(v) == RDATA_LIST && i >= 0 && i < rdata_length(v) ? &v->items[static_cast<size_t>(i)] : nullptr;
}

const rdata_value *rdata_attribute(const rdata_value *v, const char *name) {
    if (!v) return nullptr;
    for (const rdata_named &attribute : v->attributes) {
        if (attribute.name == name) return &attribute.value;
    }
    return nullptr;
}

static bool inherits(const rdata_value *v, const char *name) {
    const rdata_value *classes = rdata_attribute(v, "class");
    return rdata_kind(classes) == RDATA_STRING &&
           std::find(classes->strings.begin(), classes->strings.end(), name) != classes->strings.end();
}

const rdata_value *rdata_levels(const rdata_value *v) {
    if (rdata_kind(v) != RDATA_INTEGER || !inherits(v, "factor")) return nullptr;
    const rdata_value *levels = rdata_attribute(v, "levels");
    return rdata_kind(levels) == RDATA_STRING ? levels : nullptr;
}

int64_t rdata_rows(const rdata_value *v) {
    if (rdata_kind(v) != RDATA_LIST || !inherits(v, "data.frame") || v->items.empty()) return -1;
    const int64_t n = rdata_length(&v->items[0]);
    for (const rdata_value &column : v->items) {
        if (rdata_length(&column) != n) return -1;
    }
    return n;
}

const rdata_value *rdata_column(const rdata_value *v, const char *name) {
    const rdata_value *names = rdata_attribute(v, "names");
    if (rdata_kind(v) != RDATA_LIST || rdata_kind(names) != RDATA_STRING) return nullptr;
    for (size_t i = 0; i < std::min(names->strings.size(), v->items.size()); ++i) {
        if (names->strings[i] == name) return &v->items[i];
    }
    return nullptr;
}
