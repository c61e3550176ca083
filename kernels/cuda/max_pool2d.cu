// "max_pool2d" and "max_pool2d_grad" of device/attrs/pool.h.
#include "pool.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

// The places of maxima, of one of two types.
struct Places {
    Image image;
    void *at;
    bool wide;

    template <int V>
    __device__ __forceinline__ void store(std::int64_t i, const int (&where)[V]) const {
        if (wide) return store_as<std::int32_t>(i, where);
        store_as<std::uint8_t>(i, where);
    }
    template <int V>
    __device__ __forceinline__ void load(std::int64_t i, int (&where)[V]) const {
        if (wide) return load_as<std::int32_t>(i, where);
        load_as<std::uint8_t>(i, where);
    }

private:
    template <class S, int V>
    __device__ __forceinline__ void store_as(std::int64_t i, const int (&where)[V]) const {
        Pack<S, V> pack;
#pragma unroll
        for (int v = 0; v < V; ++v) pack.at[v] = static_cast<S>(where[v]);
        *reinterpret_cast<Pack<S, V> *>(static_cast<S *>(at) + i) = pack;
    }
    template <class S, int V>
    __device__ __forceinline__ void load_as(std::int64_t i, int (&where)[V]) const {
        const auto pack = *reinterpret_cast<const Pack<S, V> *>(static_cast<const S *>(at) + i);
#pragma unroll
        for (int v = 0; v < V; ++v) where[v] = pack.at[v];
    }
};

template <class T, int V, class I>
__global__ void __launch_bounds__(kThreads) max_pool(Pooling pooling, Pixels<I> pixels, Image x, Image y,
                                                     const typename T::Stored *in, typename T::Stored *out, Places places) {
    using Elements = Pack<typename T::Stored, V>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Range down = pooling.down.window(p.h), across = pooling.across.window(p.w);
        // Taps are counted from here.
        const int row = pooling.down.first(p.h), column = pooling.across.first(p.w);
        float best[V];
        int where[V];
        // A window of nothing but -inf has its maximum at the first tap.
#pragma unroll
        for (int v = 0; v < V; ++v) {
            best[v] = -INFINITY;
            where[v] = (down.begin - row) * pooling.kernel_width + across.begin - column;
        }
        for (int h = down.begin; h < down.end; ++h) {
            const typename T::Stored *from = in + x.at(p, h, across.begin);
#pragma unroll 4
            for (int w = across.begin; w < across.end; ++w, from += x.strides[3]) {
                const auto pack = *reinterpret_cast<const Elements *>(from);
                const int code = (h - row) * pooling.kernel_width + w - column;
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    const float e = widen<T>(pack.at[v]);
                    // Not (e <= best) is true for NaN as well; a NaN already found stays.
                    if (!(e <= best[v]) && best[v] == best[v]) {
                        best[v] = e;
                        where[v] = code;
                    }
                }
            }
        }
        Elements to;
#pragma unroll
        for (int v = 0; v < V; ++v) to.at[v] = narrow<T>(best[v]);
        *reinterpret_cast<Elements *>(out + y.at(p, p.h, p.w)) = to;
        places.store(places.image.at(p, p.h, p.w), where);
    }
}

// Each element of the image gathers from the windows that have it, in ascending order.
template <class T, int V, class I>
__global__ void __launch_bounds__(kThreads) max_pool_grad(Pooling pooling, Pixels<I> pixels, Image y, Image x,
                                                          const typename T::Stored *dy, typename T::Stored *dx, Places places) {
    using Elements = Pack<typename T::Stored, V>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Range down = pooling.down.readers(p.h), across = pooling.across.readers(p.w);
        float sum[V] = {};
        for (int h = down.begin; h < down.end; ++h) {
            const int row = (p.h - pooling.down.first(h)) * pooling.kernel_width;
            for (int w = across.begin; w < across.end; ++w) {
                const int code = row + p.w - pooling.across.first(w);
                int where[V];
                places.load(places.image.at(p, h, w), where);
                const auto pack = *reinterpret_cast<const Elements *>(dy + y.at(p, h, w));
#pragma unroll
                for (int v = 0; v < V; ++v) sum[v] += where[v] == code ? widen<T>(pack.at[v]) : 0.0f;
            }
        }
        Elements to;
#pragma unroll
        for (int v = 0; v < V; ++v) to.at[v] = narrow<T>(sum[v]);
        *reinterpret_cast<Elements *>(dx + x.at(p, p.h, p.w)) = to;
    }
}

// Of windows that begin at every second pixel: a thread makes the two by two pixels at which a window begins, so that the four
// windows that have any of them are fetched once. A pixel's sum is in the same order as above.
struct Tiles {
    Tiles(const mpt_attrs_pool2d &at, const mpt_mod_operand &image, const mpt_mod_operand &made) {
        for (int d = 0; d < 2; ++d) {
            kernel[d] = at.kernel[d], padding[d] = at.padding[d];
            in[d] = static_cast<int>(image.shape[2 + d]), out[d] = static_cast<int>(made.shape[2 + d]);
        }
    }
    // The image with a tile for each pixel.
    mpt_mod_operand of(mpt_mod_operand image) const {
        for (int d = 0; d < 2; ++d) image.shape[2 + d] = (in[d] + padding[d] + 1) / 2;
        return image;
    }
    static bool fit(const mpt_attrs_pool2d &at) {
        return at.adaptive == 0 && at.stride[0] == 2 && at.stride[1] == 2 && at.kernel[0] <= 4 && at.kernel[1] <= 4;
    }
    int kernel[2], padding[2], in[2], out[2];
};

template <class T, int V, class I>
__global__ void __launch_bounds__(kThreads)
    max_pool_grad_tiles(Tiles form, Pixels<I> tiles, Image y, Image x, const typename T::Stored *dy, typename T::Stored *dx,
                        Image index, const std::uint8_t *places) {
    using Elements = Pack<typename T::Stored, V>;
    using Codes = Pack<std::uint32_t, V / 4>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < tiles.count; i += I{gridDim.x} * kThreads) {
        const auto p = tiles.at(i);
        Codes codes[2][2];
        Elements packs[2][2];
#pragma unroll
        for (int a = 0; a < 2; ++a)
#pragma unroll
            for (int b = 0; b < 2; ++b) {
                const int h = p.h - 1 + a, w = p.w - 1 + b;
                const bool any = h >= 0 && h < form.out[0] && w >= 0 && w < form.out[1] && (1 - a) * 2 < form.kernel[0] &&
                                 (1 - b) * 2 < form.kernel[1];
#pragma unroll
                for (int k = 0; k < V / 4; ++k) codes[a][b].at[k] = ~0u;  // no tap's
                packs[a][b] = Elements{};
                if (any) {
                    codes[a][b] = *reinterpret_cast<const Codes *>(places + index.at(p, h, w));
                    packs[a][b] = *reinterpret_cast<const Elements *>(dy + y.at(p, h, w));
                }
            }
#pragma unroll
        for (int r = 0; r < 2; ++r)
#pragma unroll
            for (int c = 0; c < 2; ++c) {
                const int to_row = 2 * p.h - form.padding[0] + r, to_column = 2 * p.w - form.padding[1] + c;
                if (to_row < 0 || to_row >= form.in[0] || to_column < 0 || to_column >= form.in[1]) continue;
                float sum[V] = {};
#pragma unroll
                for (int a = 0; a < 2; ++a)
#pragma unroll
                    for (int b = 0; b < 2; ++b) {
                        const int row = (1 - a) * 2 + r, column = (1 - b) * 2 + c;
                        if (row >= form.kernel[0] || column >= form.kernel[1]) continue;
                        const unsigned code = row * form.kernel[1] + column;
#pragma unroll
                        for (int v = 0; v < V; ++v)
                            sum[v] += (codes[a][b].at[v / 4] >> (v % 4 * 8) & 255) == code ? widen<T>(packs[a][b].at[v]) : 0.0f;
                    }
                Elements to;
#pragma unroll
                for (int v = 0; v < V; ++v) to.at[v] = narrow<T>(sum[v]);
                *reinterpret_cast<Elements *>(dx + x.at(p, to_row, to_column)) = to;
            }
    }
}

// The same for some pixels of a row at a time.
template <class T, class I>
__global__ void __launch_bounds__(kThreads)
    max_pool_grad_rows(Pooling pooling, Pixels<I> pixels, Image y, Image x, const typename T::Stored *dy, typename T::Stored *dx,
                       Places places) {
    using Elements = Pack<typename T::Stored, kColumns>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Range down = pooling.down.readers(p.h);
        const int begin = pooling.across.readers(p.w).begin, end = pooling.across.readers(p.w + kColumns - 1).end;
        float sum[kColumns] = {};
        for (int h = down.begin; h < down.end; ++h) {
            const int row = (p.h - pooling.down.first(h)) * pooling.kernel_width;
            for (int w = begin; w < end; ++w) {
                int where[1];
                places.load(places.image.at(p, h, w), where);
                const int tap = where[0] - row, column = pooling.across.first(w) + tap - p.w;
                const float e = tap >= 0 && tap < pooling.kernel_width ? widen<T>(dy[y.at(p, h, w)]) : 0.0f;
#pragma unroll
                for (int v = 0; v < kColumns; ++v) sum[v] += column == v ? e : 0.0f;
            }
        }
        Elements to;
#pragma unroll
        for (int v = 0; v < kColumns; ++v) to.at[v] = narrow<T>(sum[v]);
        *reinterpret_cast<Elements *>(dx + x.at(p, p.h, p.w)) = to;
    }
}

// Either way: x the image, y what is made of it, index the maxima's places.
struct Form {
    const mpt_mod_operand *x, *y, *index;
    bool gradient;
};

template <class T>
std::unique_ptr<Kernel> kernel_of_pool(Device &device, const mpt_mod_call &call, const Form &form) {
    using Stored = typename T::Stored;
    constexpr int kPack = 16 / sizeof(Stored);
    const mpt_mod_operand &written = form.gradient ? *form.x : *form.y;
    const Pooling pooling(call, *form.x, *form.y);
    const Image x(*form.x), y(*form.y), index(*form.index);
    const bool packed = x.packs(*form.x, kPack) && y.packs(*form.y, kPack) && index.packs(*form.index, kPack);
    const auto &at = attrs_of<mpt_attrs_pool2d>(call);
    const Tiles by_tiles(at, *form.x, *form.y);
    const bool tiled = form.gradient && packed && form.index->dtype == MPT_U8 && Tiles::fit(at);
    const bool wide = form.index->dtype == MPT_I32, rows = form.gradient && !packed && x.rows(*form.x, kColumns);
    return kernel_of("cuda:max_pool2d",
                     [=, &device, gradient = form.gradient](const void *const *in, void *const *out, void *, cudaStream_t stream) {
                         const Places places{index, gradient ? const_cast<void *>(in[1]) : out[1], wide};
                         const auto *from = static_cast<const Stored *>(in[0]);
                         auto *to = static_cast<Stored *>(out[0]);
                         const bool packs = packed && aligned(from, 16) && aligned(to, 16) && aligned(places.at, wide ? 16 : kPack);
                         const auto start = [&](auto v, auto i) {
                             constexpr int V = decltype(v)::value;
                             const Pixels<decltype(i)> pixels(written, V);
                             const unsigned blocks = blocks_for(device, static_cast<std::int64_t>(pixels.count), kThreads, 16);
                             if (gradient)
                                 max_pool_grad<T, V><<<blocks, kThreads, 0, stream>>>(pooling, pixels, y, x, from, to, places);
                             else
                                 max_pool<T, V><<<blocks, kThreads, 0, stream>>>(pooling, pixels, x, y, from, to, places);
                         };
                         visit_count(numel(written), [&](auto i) {
                             if (rows && aligned(to, sizeof(Stored) * kColumns)) {
                                 const Pixels<decltype(i)> pixels(written, 1, kColumns);
                                 const unsigned blocks = blocks_for(device, static_cast<std::int64_t>(pixels.count), kThreads, 16);
                                 max_pool_grad_rows<T><<<blocks, kThreads, 0, stream>>>(pooling, pixels, y, x, from, to, places);
                             } else if (packs && tiled) {
                                 const Pixels<decltype(i)> pixels(by_tiles.of(written), kPack);
                                 const unsigned blocks = blocks_for(device, static_cast<std::int64_t>(pixels.count), kThreads, 16);
                                 max_pool_grad_tiles<T, kPack><<<blocks, kThreads, 0, stream>>>(
                                     by_tiles, pixels, y, x, from, to, index, static_cast<const std::uint8_t *>(places.at));
                             } else if (packs) {
                                 start(std::integral_constant<int, kPack>{}, i);
                             } else {
                                 start(std::integral_constant<int, 1>{}, i);
                             }
                         });
                         check_launch("max_pool2d");
                     });
}

std::unique_ptr<Kernel> prepare_either(Device &device, const mpt_mod_call &call, const Form &form) {
    if (form.index->dtype != MPT_U8 && form.index->dtype != MPT_I32) unsupported_dtype(call.kernel, form.index->dtype);
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, form.x->dtype, [&](auto t) { kernel = kernel_of_pool<decltype(t)>(device, call, form); });
    return kernel;
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    return prepare_either(device, call, {&call.in[0], &call.out[0], &call.out[1], false});
}
std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    return prepare_either(device, call, {&call.out[0], &call.in[0], &call.in[1], true});
}
const RegisteredKernel registered("max_pool2d", prepare), registered_grad("max_pool2d_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
