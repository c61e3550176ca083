// Elements that lie beside each other, as they lie in memory: in words until they are needed, since else each would take a
// register.
#pragma once

#include <type_traits>

#include "element.cuh"

namespace mpt::cuda {

template <class T, int V>
struct Elements {
    static constexpr int kSize = sizeof(typename T::Stored);
    static_assert(V == 1 || V * kSize == 16);
    std::uint32_t words[V == 1 ? 1 : 4];

    __device__ __forceinline__ float operator[](int v) const {
        if constexpr (kSize == 4)
            return __uint_as_float(words[v]);
        else if constexpr (T::dtype == MPT_BF16)
            return __uint_as_float(v % 2 ? words[v / 2] & 0xffff0000 : words[v / 2] << 16);
        else
            return __half2float(__ushort_as_half(static_cast<unsigned short>(words[v / 2] >> v % 2 * 16 & 0xffff)));
    }
};
// Which elements are added up together does not depend on whether they may be read at once. Last: they are not read again soon and
// need not stay in the cache.
template <class T, int V, bool Packed, bool Last = false>
__device__ __forceinline__ Elements<T, V> load(const typename T::Stored *from) {
    using Word = std::conditional_t<sizeof *from == 4, std::uint32_t, std::uint16_t>;
    if constexpr (V > 1 && Packed) {
        const auto *at = reinterpret_cast<const uint4 *>(from);
        const uint4 x = Last ? __ldcs(at) : *at;
        return {x.x, x.y, x.z, x.w};
    } else {
        const auto *at = reinterpret_cast<const Word *>(from);
        Elements<T, V> x{};
#pragma unroll
        for (int v = 0; v < V; ++v) x.words[v * sizeof *at / 4] |= static_cast<std::uint32_t>(at[v]) << v * sizeof *at % 4 * 8;
        return x;
    }
}
template <class T, int V>
__device__ __forceinline__ void widen(const Elements<T, V> &x, float (&to)[V]) {
#pragma unroll
    for (int v = 0; v < V; ++v) to[v] = x[v];
}
// Rounded to what is stored.
template <class T, int V>
__device__ __forceinline__ Elements<T, V> elements_of(const float (&x)[V]) {
    static_assert(V * sizeof(typename T::Stored) == 16);
    Elements<T, V> words;
#pragma unroll
    for (int w = 0; w < 4; ++w) {
        if constexpr (sizeof(typename T::Stored) == 4)
            words.words[w] = __float_as_uint(x[w]);
        else if constexpr (T::dtype == MPT_BF16)
            words.words[w] = __bfloat16_as_ushort(narrow<T>(x[2 * w])) |
                             static_cast<std::uint32_t>(__bfloat16_as_ushort(narrow<T>(x[2 * w + 1]))) << 16;
        else
            words.words[w] = __half_as_ushort(narrow<T>(x[2 * w])) |
                             static_cast<std::uint32_t>(__half_as_ushort(narrow<T>(x[2 * w + 1]))) << 16;
    }
    return words;
}
template <class T, int V, bool Packed, bool Last = false>
__device__ __forceinline__ void store(typename T::Stored *to, const float (&x)[V]) {
    if constexpr (V > 1 && Packed && Last) {
        const Elements<T, V> e = elements_of<T>(x);
        __stcs(reinterpret_cast<uint4 *>(to), make_uint4(e.words[0], e.words[1], e.words[2], e.words[3]));
    } else {
        Pack<typename T::Stored, V> pack;
#pragma unroll
        for (int v = 0; v < V; ++v) pack.at[v] = narrow<T>(x[v]);
        if constexpr (Packed) {
            *reinterpret_cast<Pack<typename T::Stored, V> *>(to) = pack;
        } else {
#pragma unroll
            for (int v = 0; v < V; ++v) to[v] = pack.at[v];
        }
    }
}
// Packs in one instruction, for loops in which the compiler stores the members of a struct one by one. It moves no loads past it.
template <class T, int V>
__device__ __forceinline__ void store_pack(typename T::Stored *to, const float (&x)[V]) {
    const Elements<T, V> e = elements_of<T>(x);
    asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};"
                 :
                 : "l"(__cvta_generic_to_global(to)), "r"(e.words[0]), "r"(e.words[1]), "r"(e.words[2]), "r"(e.words[3])
                 : "memory");
}

}  // namespace mpt::cuda
