// One mechanism for all kernels that compute each output element from the input elements at the same place.
//
//     Elementwise<C, Out, In...>(device, "binary", out form, {in forms}).run(stream, f, in, out)      f: (C...) -> C on the device
//
// Rows that lie densely in all operands, or are one element that repeats, are read and written 16 bytes at a time; everything else
// element by element, several of them under way in each thread. Out and In are Formats; C is the type computed in. An input may be
// the output's own memory with the output's strides.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "element.cuh"
#include "index.cuh"

namespace mpt::cuda {

inline bool is_integer(std::int32_t dtype) {
    return dtype == MPT_I8 || dtype == MPT_I16 || dtype == MPT_I32 || dtype == MPT_I64 || dtype == MPT_U8 || dtype == MPT_BOOL;
}

// From an element's number to its offsets in some operands, all within 2^31 elements. Dimensions from the outermost.
template <int Operands>
struct Places {
    static constexpr int kDims = MPT_MAX_DIMS + 2;  // two more for tiles

    __device__ __forceinline__ void locate(std::uint32_t i, std::int32_t (&offset)[Operands]) const {
#pragma unroll
        for (int k = 0; k < Operands; ++k) offset[k] = 0;
#pragma unroll 1
        for (int d = ndim - 1; d > 0; --d) {
            const auto at = static_cast<std::int32_t>(extents[d].divide(i));
#pragma unroll
            for (int k = 0; k < Operands; ++k) offset[k] += at * strides[d][k];
        }
#pragma unroll
        for (int k = 0; k < Operands; ++k) offset[k] += static_cast<std::int32_t>(i) * strides[0][k];
    }

    int ndim = 1;
    Divider extents[kDims];
    std::int32_t strides[kDims][Operands];
};

template <class C, class F, class Out, class... In>
struct ElementwiseBody {
    static constexpr int kIn = sizeof...(In);
    using Inputs = std::array<const void *, kIn>;
    using Offsets = std::int32_t[kIn + 1];
    using Elements = std::tuple<typename In::Stored...>;
    static constexpr auto kEach = std::index_sequence_for<In...>{};

    template <std::size_t... K>
    static __device__ __forceinline__ Elements load(const Inputs &in, const Offsets &at, std::index_sequence<K...>) {
        return Elements{static_cast<const typename In::Stored *>(in[K])[at[K + 1]]...};
    }
    template <std::size_t... K>
    static __device__ __forceinline__ void store(const F &f, void *out, const Offsets &at, const Elements &x,
                                                 std::index_sequence<K...>) {
        static_cast<typename Out::Stored *>(out)[at[0]] = narrow<Out, C>(f(widen<In, C>(std::get<K>(x))...));
    }

    // Of one that repeats only the first, which spread copies: later, so that no load waits for another.
    template <int V, class T>
    static __device__ __forceinline__ Pack<T, V> take(const void *from, std::int32_t at, bool repeats) {
        const T *p = static_cast<const T *>(from) + at;
        Pack<T, V> pack;
        if (repeats)
            pack.at[0] = *p;
        else
            pack = *reinterpret_cast<const Pack<T, V> *>(p);
        return pack;
    }
    template <class T, int V>
    static __device__ __forceinline__ void spread(Pack<T, V> &pack, bool repeats) {
#pragma unroll
        for (int v = 1; v < V; ++v) pack.at[v] = repeats ? pack.at[0] : pack.at[v];
    }

    // V elements that lie together.
    template <int V, std::size_t... K>
    static __device__ __forceinline__ void pack(const F &f, unsigned repeats, void *out, const Inputs &in, const Offsets &at,
                                                std::index_sequence<K...>) {
        auto x = std::tuple{take<V, typename In::Stored>(in[K], at[K + 1], (repeats >> K) & 1)...};
        (spread(std::get<K>(x), (repeats >> K) & 1), ...);
        Pack<typename Out::Stored, V> y;
#pragma unroll
        for (int v = 0; v < V; ++v) y.at[v] = narrow<Out, C>(f(widen<In, C>(std::get<K>(x).at[v])...));
        *reinterpret_cast<Pack<typename Out::Stored, V> *>(static_cast<typename Out::Stored *>(out) + at[0]) = y;
    }
};

// Loads of several elements come before the first store, which they would otherwise have to wait for.
template <class C, class F, class Out, class... In>
__global__ void __launch_bounds__(kThreads) elementwise_one(F f, Places<sizeof...(In) + 1> places, std::uint32_t count, void *out,
                                                            std::array<const void *, sizeof...(In)> in) {
    using Body = ElementwiseBody<C, F, Out, In...>;
    constexpr int kAtOnce = 4;
    const std::uint32_t threads = gridDim.x * kThreads;
    // Below 2^32: the last start is below count, and the grid has far fewer than 2^29 threads.
    for (std::uint32_t start = blockIdx.x * kThreads + threadIdx.x; start < count; start += kAtOnce * threads) {
        typename Body::Offsets at[kAtOnce];
        typename Body::Elements x[kAtOnce];
#pragma unroll
        for (int u = 0; u < kAtOnce; ++u)
            if (const std::uint32_t i = start + u * threads; i < count) {
                places.locate(i, at[u]);
                x[u] = Body::load(in, at[u], Body::kEach);
            }
#pragma unroll
        for (int u = 0; u < kAtOnce; ++u)
            if (start + u * threads < count) Body::store(f, out, at[u], x[u], Body::kEach);
    }
}

// What does not fill a pack, of one long row, is the first block's.
template <class C, int V, class F, class Out, class... In>
__global__ void __launch_bounds__(kThreads)
    elementwise_packs(F f, Places<sizeof...(In) + 1> places, unsigned repeats, std::uint32_t count, void *out,
                      std::array<const void *, sizeof...(In)> in) {
    using Body = ElementwiseBody<C, F, Out, In...>;
    typename Body::Offsets at;
    const std::uint32_t packs = count / V;
    for (std::uint32_t i = blockIdx.x * kThreads + threadIdx.x; i < packs; i += gridDim.x * kThreads) {
        places.locate(i * V, at);
        Body::template pack<V>(f, repeats, out, in, at, Body::kEach);
    }
    if (const std::uint32_t i = packs * V + threadIdx.x; blockIdx.x == 0 && i < count) {
        places.locate(i, at);
        Body::store(f, out, at, Body::load(in, at, Body::kEach), Body::kEach);
    }
}

// C: float, or an integer for kernels of integers, or double for casts.
template <class C, class Out, class... In>
class Elementwise {
public:
    static constexpr int kIn = sizeof...(In);
    static constexpr int kPack = 16 / std::max({sizeof(typename Out::Stored), sizeof(typename In::Stored)...});

    // Forms may have strides of 0, but for out. name: of the kernel, for messages.
    Elementwise(const Device &device, const char *name, const mpt_mod_operand &out,
                const std::array<const mpt_mod_operand *, kIn> &in)
        : device_(&device), name_(name) {
        const auto loop_of = [&](auto *...x) { return Loop(name, {&out, x...}); };
        const Loop loop = std::apply(loop_of, in);
        if (loop.count > 0) add(loop, {});
    }

    template <class F>
    void run(cudaStream_t stream, F f, const std::array<const void *, kIn> &in, void *out) const {
        for (const Part &part : parts_) {
            const auto [x, y] = addresses(part, in, out, std::make_index_sequence<kIn>{});
            if (part.packed && packs_lie_well(part, x, y, std::make_index_sequence<kIn>{}))
                elementwise_packs<C, kPack, F, Out, In...>
                    <<<blocks_for(*device_, part.count / kPack, kThreads, 32), kThreads, 0, stream>>>(f, part.places, part.repeats,
                                                                                                      part.count, y, x);
            else
                elementwise_one<C, F, Out, In...>
                    <<<blocks_for(*device_, part.count, kThreads, 32), kThreads, 0, stream>>>(f, part.places, part.count, y, x);
            check_launch(name_);
        }
    }

private:
    static constexpr int kOperands = kIn + 1;
    using Offsets = std::array<std::int64_t, kOperands>;

    // What one launch does: all, but for operands of more than 2^31 elements.
    struct Part {
        Offsets offset;
        Places<kOperands> places;
        std::uint32_t count;
        bool packed;
        unsigned repeats;  // bit k: in[k] has one element for a whole row
    };

    void add(const Loop &loop, const Offsets &offset) {
        std::int64_t longest = 0, widest = 0;
        int cut = 0;
        for (int k = 0; k < kOperands; ++k) {
            std::int64_t length = 0;
            for (int d = 0; d < loop.ndim; ++d) {
                const std::int64_t width = (loop.shape[d] - 1) * std::abs(loop.strides[k][d]);
                length += width;
                if (width > widest) widest = width, cut = d;
            }
            longest = std::max(longest, length);
        }
        if (small(longest) && small(loop.count)) {
            parts_.push_back(part_of(loop, offset));
            return;
        }
        // Where packs end, so that the second half begins with one.
        constexpr std::int64_t kWhole = 1024;
        Loop low = loop, high = loop;
        low.shape[cut] = (loop.shape[cut] + 1) / 2;
        if (low.shape[cut] > kWhole) low.shape[cut] = low.shape[cut] / kWhole * kWhole;
        high.shape[cut] = loop.shape[cut] - low.shape[cut];
        low.count = loop.count / loop.shape[cut] * low.shape[cut];
        high.count = loop.count - low.count;
        Offsets behind = offset;
        for (int k = 0; k < kOperands; ++k) behind[k] += low.shape[cut] * loop.strides[k][cut];
        add(low, offset);
        add(high, behind);
    }

    static Part part_of(const Loop &loop, const Offsets &offset) {
        Part part{offset, {}, static_cast<std::uint32_t>(loop.count), loop.inner_stride(0) == 1, 0};
        for (int k = 1; k < kOperands; ++k) {
            part.packed &= loop.inner_stride(k) == 0 || loop.inner_stride(k) == 1;
            if (loop.inner_stride(k) == 0) part.repeats |= 1u << (k - 1);
        }
        if (loop.ndim > 1) {
            part.packed &= loop.inner() % kPack == 0;
            for (int k = 0; k < kOperands; ++k)
                for (int d = 0; d + 1 < loop.ndim; ++d) part.packed &= loop.inner_stride(k) == 0 || loop.strides[k][d] % kPack == 0;
        }

        const auto [cut, rows, columns] = part.packed ? Tile{} : tile_of(loop);
        const auto append = [&](std::int64_t extent, int d, std::int64_t times) {
            const int at = part.places.ndim++;
            part.places.extents[at] = Divider(static_cast<std::uint32_t>(extent));
            for (int k = 0; k < kOperands; ++k) part.places.strides[at][k] = static_cast<std::int32_t>(loop.strides[k][d] * times);
        };
        part.places.ndim = 0;
        const int inner = loop.ndim - 1;
        for (int d = 0; d < inner; ++d)
            if (d != cut) append(loop.shape[d], d, 1);
        if (cut >= 0) {
            append(loop.shape[cut] / rows, cut, rows);
            append(loop.inner() / columns, inner, columns);
            append(rows, cut, 1);
            append(columns, inner, 1);
        } else {
            append(loop.inner(), inner, 1);
        }
        return part;
    }

    // Where an input runs along another dimension than the output, a block takes a tile of both dimensions at a time, so that what
    // it reads and writes are whole sectors of memory.
    struct Tile {
        int cut = -1;  // the other dimension; -1: no tiles
        std::int64_t rows = 1, columns = 1;
    };
    static Tile tile_of(const Loop &loop) {
        for (int k = 1; k < kOperands; ++k)
            for (int d = 0; d + 1 < loop.ndim; ++d) {
                if (std::abs(loop.inner_stride(k)) <= 1 || std::abs(loop.strides[k][d]) != 1) continue;
                Tile tile{d, std::gcd(loop.shape[d], std::int64_t{32}), std::gcd(loop.inner(), std::int64_t{32})};
                while (tile.rows * tile.columns > kThreads) (tile.rows > tile.columns ? tile.rows : tile.columns) /= 2;
                if (tile.rows >= 4 && tile.columns >= 4) return tile;
            }
        return {};
    }

    template <std::size_t... K>
    static std::pair<std::array<const void *, kIn>, void *> addresses(const Part &part, const std::array<const void *, kIn> &in,
                                                                      void *out, std::index_sequence<K...>) {
        return {{static_cast<const typename In::Stored *>(in[K]) + part.offset[K + 1]...},
                static_cast<typename Out::Stored *>(out) + part.offset[0]};
    }
    template <std::size_t... K>
    static bool packs_lie_well(const Part &part, const std::array<const void *, kIn> &in, const void *out,
                               std::index_sequence<K...>) {
        return (aligned(out, alignof(Pack<typename Out::Stored, kPack>)) && ... &&
                (((part.repeats >> K) & 1) || aligned(in[K], alignof(Pack<typename In::Stored, kPack>))));
    }

    const Device *device_;
    const char *name_;
    std::vector<Part> parts_;
};

}  // namespace mpt::cuda
