#include "core/dtype.h"

namespace mpt {

namespace {
struct Row {
    mpt_dtype dtype;
    const char *name;
    std::size_t size;
};
constexpr Row kTypes[] = {{MPT_F64, "f64", 8}, {MPT_F32, "f32", 4}, {MPT_F16, "f16", 2}, {MPT_BF16, "bf16", 2}, {MPT_F8E4M3, "f8e4m3", 1}, {MPT_F8E5M2, "f8e5m2", 1}, {MPT_I8, "i8", 1},
                          {MPT_I16, "i16", 2}, {MPT_I32, "i32", 4}, {MPT_I64, "i64", 8}, {MPT_U8, "u8", 1},     {MPT_BOOL, "bool", 1}};
const Row *find(mpt_dtype dtype) {
    for (const Row &row : kTypes)
        if (row.dtype == dtype) return &row;
    return nullptr;
}
}  // namespace

const char *dtype_name(mpt_dtype dtype) {
    if (dtype == MPT_DTYPE_NONE) return "none";
    const Row *row = find(dtype);
    return row ? row->name : "unknown";
}

std::size_t dtype_size(mpt_dtype dtype) {
    const Row *row = find(dtype);
    return row ? row->size : 0;
}

mpt_dtype promote(mpt_dtype a, mpt_dtype b) {
    if (a == b) return a;
    if (a == MPT_F64 || b == MPT_F64) return MPT_F64;
    return MPT_F32;
}

}  // namespace mpt
