#include "rows.h"

#include <algorithm>
#include <cstring>

#include "isa.h"

namespace mpt::cpu {
namespace {

template <class From, class C>
inline void load_run(const typename From::Stored *src, C *dst, std::int64_t n) {
    if constexpr (From::dtype == MPT_F16 && std::is_same_v<C, float>) {
        f16_row_to_f32(src, dst, n);
    } else if constexpr (From::dtype == dtype_of<C>()) {
        std::memcpy(dst, src, static_cast<std::size_t>(n) * sizeof(C));
    } else {
        for (std::int64_t i = 0; i < n; i++) dst[i] = widen<From, C>(src[i]);
    }
}

template <class To, class C>
inline void store_run(const C *src, typename To::Stored *dst, std::int64_t n) {
    if constexpr (To::dtype == MPT_F16 && std::is_same_v<C, float>) {
        f32_row_to_f16(src, dst, n);
    } else if constexpr (To::dtype == dtype_of<C>()) {
        std::memcpy(dst, src, static_cast<std::size_t>(n) * sizeof(C));
    } else {
        for (std::int64_t i = 0; i < n; i++) dst[i] = narrow<To, C>(src[i]);
    }
}

template <class From, class C>
void load_rows(const void *src, std::int64_t rows, std::int64_t row_stride, std::int64_t n, std::int64_t stride, C *dst) {
    const auto *s = static_cast<const typename From::Stored *>(src);
    if (stride == 1 && row_stride == n) {
        n *= rows;
        rows = 1;
    }
    if (row_stride == 1 && stride != 1 &&
        rows > 1) {  // transposed: along the memory, since cache lines of far rows evict each other
        for (std::int64_t i = 0; i < n; i++, s += stride)
            for (std::int64_t r = 0; r < rows; r++) dst[r * n + i] = widen<From, C>(s[r]);
        return;
    }
    for (std::int64_t r = 0; r < rows; r++, s += row_stride, dst += n) {
        if (stride == 1) {
            load_run<From, C>(s, dst, n);
        } else if (stride == 0) {
            std::fill_n(dst, n, widen<From, C>(*s));
        } else {
            for (std::int64_t i = 0; i < n; i++) dst[i] = widen<From, C>(s[i * stride]);
        }
    }
}

template <class To, class C>
void store_rows(const C *src, void *dst, std::int64_t rows, std::int64_t row_stride, std::int64_t n, std::int64_t stride) {
    auto *d = static_cast<typename To::Stored *>(dst);
    if (stride == 1 && row_stride == n) {
        n *= rows;
        rows = 1;
    }
    for (std::int64_t r = 0; r < rows; r++, src += n, d += row_stride) {
        if (stride == 1) {
            store_run<To, C>(src, d, n);
        } else {
            for (std::int64_t i = 0; i < n; i++) d[i * stride] = narrow<To, C>(src[i]);
        }
    }
}

template <class U>
void move_rows(const void *src, std::int64_t src_row_stride, std::int64_t src_stride, void *dst, std::int64_t dst_row_stride,
               std::int64_t dst_stride, std::int64_t rows, std::int64_t n) {
    const auto *s = static_cast<const U *>(src);
    auto *d = static_cast<U *>(dst);
    U buffer[kTransposedTile];
    if (src_row_stride == 1 && src_stride > 1 && rows > 1 && rows * n <= kTransposedTile) {
        for (std::int64_t i = 0; i < n; i++, s += src_stride)
            for (std::int64_t r = 0; r < rows; r++) buffer[r * n + i] = s[r];
        s = buffer;
        src_row_stride = n;
        src_stride = 1;
    }
    for (std::int64_t r = 0; r < rows; r++, s += src_row_stride, d += dst_row_stride) {
        if (src_stride == 1 && dst_stride == 1) {
            std::memcpy(d, s, static_cast<std::size_t>(n) * sizeof(U));
        } else if (src_stride == 0 && dst_stride == 1) {
            std::fill_n(d, n, *s);
        } else if (src_stride == -1 && dst_stride == 1) {  // a case of its own, since it vectorises
            for (std::int64_t i = 0; i < n; i++) d[i] = s[-i];
        } else if (dst_stride == 1) {
            for (std::int64_t i = 0; i < n; i++) d[i] = s[i * src_stride];
        } else {
            for (std::int64_t i = 0; i < n; i++) d[i * dst_stride] = s[i * src_stride];
        }
    }
}

}  // namespace

template <class C>
Load<C> loader(std::int32_t dtype) {
    Load<C> found = nullptr;
    const auto take = [&](auto format) {
        using From = decltype(format);
        if constexpr (!(std::is_same_v<C, float> && From::dtype == MPT_F64)) found = Versions<&load_rows<From, C>>::best();
    };
    if constexpr (std::is_floating_point_v<C>)
        visit_float(dtype, take) || visit_f8(dtype, take);
    else
        visit_integer(dtype, take);
    return found;
}

template <class C>
Store<C> storer(std::int32_t dtype) {
    Store<C> found = nullptr;
    const auto take = [&](auto format) { found = Versions<&store_rows<decltype(format), C>>::best(); };
    if constexpr (std::is_same_v<C, float>) {
        if (visit_float(dtype, take) || visit_f8(dtype, take)) return found;
        if (dtype == MPT_BOOL) take(Bool{});
    } else {
        visit(dtype, take);
    }
    return found;
}

template Load<float> loader<float>(std::int32_t);
template Load<double> loader<double>(std::int32_t);
template Load<std::int64_t> loader<std::int64_t>(std::int32_t);
template Store<float> storer<float>(std::int32_t);
template Store<double> storer<double>(std::int32_t);
template Store<std::int64_t> storer<std::int64_t>(std::int32_t);

// No versions for wider vectors: what is not memcpy is strided, where scatter instructions cost more than they save.
Move mover(std::size_t element_bytes) {
    switch (element_bytes) {
        case 1:
            return move_rows<std::uint8_t>;
        case 2:
            return move_rows<std::uint16_t>;
        case 4:
            return move_rows<std::uint32_t>;
        case 8:
            return move_rows<std::uint64_t>;
        default:
            return nullptr;
    }
}

}  // namespace mpt::cpu
