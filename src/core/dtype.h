// Element types: names, sizes, kinds, promotion.
#pragma once

#include <cstddef>

#include "mpt.h"

namespace mpt {

const char *dtype_name(mpt_dtype dtype);     // "unknown" for a number that is none
std::size_t dtype_size(mpt_dtype dtype);     // 0 for a number that is none
inline bool is_known(mpt_dtype dtype) { return dtype_size(dtype) != 0; }
inline bool is_floating(mpt_dtype dtype) { return dtype >= MPT_F64 && dtype <= MPT_BF16; }
inline bool is_f8(mpt_dtype dtype) { return dtype == MPT_F8E4M3 || dtype == MPT_F8E5M2; }  // storage and operands of products; not "floating"
inline bool is_low(mpt_dtype dtype) { return dtype == MPT_F16 || dtype == MPT_BF16; }
inline bool is_index(mpt_dtype dtype) { return dtype == MPT_U8 || dtype == MPT_I32 || dtype == MPT_I64; }
// The type that losses and statistics of this type have: f64 stays, everything else is f32.
inline mpt_dtype wide(mpt_dtype dtype) { return dtype == MPT_F64 ? MPT_F64 : MPT_F32; }
mpt_dtype promote(mpt_dtype a, mpt_dtype b);  // floating types; f16 with bf16 gives f32

}  // namespace mpt
