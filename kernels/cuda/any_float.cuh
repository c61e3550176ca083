// Elements of a floating format that is known at the launch alone, for operands that mix with every other format or are read so
// seldom that a template per mixture would be too many. The branches are uniform.
#pragma once

#include "element.cuh"

namespace mpt::cuda {

// V elements as they lie in memory: fetched first, so that loads of several operands overlap, and widened later.
template <int V>
struct Fetched {
    std::uint32_t bits[V];  // 16-bit elements: two in each of the first words
};

// Elements [at, at + V), which for V > 1 start at a multiple of 16 bytes.
template <int V>
__device__ __forceinline__ Fetched<V> fetch(const void *base, std::int32_t dtype, std::int64_t at) {
    Fetched<V> x;
    if (dtype == MPT_F32) {
        const auto pack = *reinterpret_cast<const Pack<std::uint32_t, V> *>(static_cast<const std::uint32_t *>(base) + at);
#pragma unroll
        for (int v = 0; v < V; ++v) x.bits[v] = pack.at[v];
    } else if constexpr (V == 1) {
        x.bits[0] = static_cast<const std::uint16_t *>(base)[at];
    } else {
        const auto pack = *reinterpret_cast<const Pack<std::uint32_t, V / 2> *>(static_cast<const std::uint16_t *>(base) + at);
#pragma unroll
        for (int v = 0; v < V; ++v) x.bits[v] = v < V / 2 ? pack.at[v < V / 2 ? v : 0] : 0;
    }
    return x;
}

template <int V>
__device__ __forceinline__ void widen(const Fetched<V> &x, std::int32_t dtype, float (&to)[V]) {
#pragma unroll
    for (int v = 0; v < V; ++v) {
        const std::uint32_t both = x.bits[V == 1 ? 0 : v / 2], one = v % 2 == 0 ? both & 0xffff : both >> 16;
        if (dtype == MPT_F32)
            to[v] = __uint_as_float(x.bits[v]);
        else if (dtype == MPT_BF16)
            to[v] = __uint_as_float(one << 16);
        else
            to[v] = __half2float(__ushort_as_half(static_cast<unsigned short>(one)));
    }
}

template <int V>
__device__ __forceinline__ void load_any(const void *base, std::int32_t dtype, std::int64_t at, float (&to)[V]) {
    widen(fetch<V>(base, dtype, at), dtype, to);
}
__device__ __forceinline__ float load_any(const void *base, std::int32_t dtype, std::int64_t at) {
    float x[1];
    load_any(base, dtype, at, x);
    return x[0];
}

template <int V>
__device__ __forceinline__ void store_any(void *base, std::int32_t dtype, std::int64_t at, const float (&x)[V]) {
    if (dtype == MPT_F32) {
        Pack<float, V> pack;
#pragma unroll
        for (int v = 0; v < V; ++v) pack.at[v] = x[v];
        *reinterpret_cast<Pack<float, V> *>(static_cast<float *>(base) + at) = pack;
    } else {
        Pack<std::uint16_t, V> pack;
#pragma unroll
        for (int v = 0; v < V; ++v)
            pack.at[v] = dtype == MPT_BF16 ? __bfloat16_as_ushort(narrow<BF16>(x[v])) : __half_as_ushort(narrow<F16>(x[v]));
        *reinterpret_cast<Pack<std::uint16_t, V> *>(static_cast<std::uint16_t *>(base) + at) = pack;
    }
}

inline void need_float(const char *kernel, std::int32_t dtype) {
    visit_float(kernel, dtype, [](auto) {});
}

// An optional vector (weight, bias).
struct Vector {
    Vector() = default;
    Vector(const char *kernel, const mpt_mod_operand &x, std::int64_t length) {
        if (!present(x)) return;
        need_float(kernel, x.dtype);
        if (x.ndim != 1 || x.shape[0] != length)
            throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": a vector of another shape"};
        dtype = x.dtype;
        stride = x.strides[0];
    }
    Vector at(const void *address) const {
        Vector placed = *this;
        placed.data = address;
        return placed;
    }
    // Whether several elements may be read together.
    bool packs() const { return dtype == MPT_DTYPE_NONE || (stride == 1 && aligned(data, 16)); }
    // Elements [first, first + V), first being a multiple of V; V > 1 if packs().
    template <int V>
    __device__ __forceinline__ void read(std::int64_t first, float absent, float (&to)[V]) const {
        if (dtype == MPT_DTYPE_NONE) {
#pragma unroll
            for (int v = 0; v < V; ++v) to[v] = absent;
        } else {
            load_any(data, dtype, V == 1 ? first * stride : first, to);
        }
    }
    __device__ __forceinline__ float read(std::int64_t i, float absent) const {
        return dtype == MPT_DTYPE_NONE ? absent : load_any(data, dtype, i * stride);
    }

    const void *data = nullptr;
    std::int64_t stride = 0;
    std::int32_t dtype = MPT_DTYPE_NONE;
};

}  // namespace mpt::cuda
