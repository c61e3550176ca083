#include "io/safetensors.h"

#include <unordered_set>

#include "core/dtype.h"
#include "core/error.h"
#include "io/json.h"

namespace mpt::safetensors {

namespace {

struct TypeName {
    mpt_dtype dtype;
    const char *name;
};
constexpr TypeName kTypes[] = {{MPT_F64, "F64"}, {MPT_F32, "F32"}, {MPT_F16, "F16"}, {MPT_BF16, "BF16"}, {MPT_I8, "I8"},
                               {MPT_I16, "I16"}, {MPT_I32, "I32"}, {MPT_I64, "I64"}, {MPT_U8, "U8"},     {MPT_BOOL, "BOOL"}};

const char *type_name(mpt_dtype dtype) {
    for (const TypeName &t : kTypes)
        if (t.dtype == dtype) return t.name;
    return "";
}

mpt_dtype type_of(const std::string &name) {
    for (const TypeName &t : kTypes)
        if (name == t.name) return t.dtype;
    return MPT_DTYPE_NONE;
}

Entry parse_entry(JsonReader &json, const std::string &name) {
    Entry entry{name, MPT_DTYPE_NONE, {}, 0, 0};
    bool dtype = false, shape = false, offsets = false, foreign = false;
    json.expect('{');
    do {
        const std::string key = json.string();
        json.expect(':');
        if (key == "dtype") {
            entry.dtype = type_of(json.string());
            dtype = true;
        } else if (key == "shape") {
            json.expect('[');
            bool known = true;
            if (!json.accept(']')) {
                do {
                    const std::uint64_t extent = json.number();
                    if (entry.shape.n == MPT_MAX_DIMS || extent > INT64_MAX)
                        known = false;
                    else
                        entry.shape.push(static_cast<std::int64_t>(extent));
                } while (json.accept(','));
                json.expect(']');
            }
            shape = true;
            foreign = !known;
        } else if (key == "data_offsets") {
            json.expect('[');
            entry.begin = json.number();
            json.expect(',');
            entry.end = json.number();
            json.expect(']');
            offsets = true;
        } else {
            json.skip_value();
        }
    } while (json.accept(','));
    json.expect('}');
    if (!dtype || !shape || !offsets || entry.end < entry.begin)
        fail(MPT_ERROR_IO, "the checkpoint's header is damaged: the entry '", name, "' has no proper dtype, shape and data_offsets");
    if (foreign) entry.dtype = MPT_DTYPE_NONE;  // no tensor of mpt's can have this form
    if (entry.dtype != MPT_DTYPE_NONE && checked_nbytes(entry) != entry.end - entry.begin)
        fail(MPT_ERROR_IO, "the checkpoint's header is damaged: the offsets of '", name, "' do not fit its shape ", entry.shape);
    return entry;
}

}  // namespace

std::uint64_t checked_nbytes(const Entry &entry) {
    std::uint64_t count = dtype_size(entry.dtype);
    for (int i = 0; i < entry.shape.n; ++i) {
        const auto extent = static_cast<std::uint64_t>(entry.shape[i]);
        if (extent != 0 && count > UINT64_MAX / extent) return UINT64_MAX;
        count *= extent;
    }
    return count;
}

std::string header(std::vector<Entry> &entries) {
    std::string json = "{";
    std::uint64_t at = 0;
    for (Entry &e : entries) {
        e.begin = at;
        e.end = at += checked_nbytes(e);
        if (json.size() > 1) json += ',';
        json += json_quoted(e.name) + ":{\"dtype\":\"" + type_name(e.dtype) + "\",\"shape\":[";
        for (int i = 0; i < e.shape.n; ++i) json += (i ? "," : "") + std::to_string(e.shape[i]);
        json += "],\"data_offsets\":[" + std::to_string(e.begin) + "," + std::to_string(e.end) + "]}";
    }
    json += '}';
    while (json.size() % 8 != 0) json += ' ';
    std::string out;
    for (int i = 0; i < 8; ++i) out += static_cast<char>(json.size() >> (8 * i) & 0xFF);
    return out + json;
}

std::vector<Entry> parse(std::string_view text) {
    JsonReader json(text);
    std::vector<Entry> entries;
    std::unordered_set<std::string> names;
    json.expect('{');
    if (!json.accept('}')) {
        do {
            const std::string name = json.string();
            json.expect(':');
            if (name == "__metadata__") {
                json.skip_value();
                continue;
            }
            if (!names.insert(name).second) fail(MPT_ERROR_IO, "the checkpoint's header is damaged: the name '", name, "' comes twice");
            entries.push_back(parse_entry(json, name));
        } while (json.accept(','));
        json.expect('}');
    }
    json.end();
    return entries;
}

}  // namespace mpt::safetensors
