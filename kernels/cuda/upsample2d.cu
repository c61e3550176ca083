// "upsample2d" and "upsample2d_grad" of device/attrs/upsample.h.
#include "device/attrs/upsample.h"
#include "image.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

// What an output element is made of along one dimension; a weight of 0 is not read.
struct Mix {
    int from[2];
    float weight[2];
};

// One dimension, `in` elements made `out`. Positions are multiples of 1 / (2 out), so that integers hold them: (2 i + 1) in - out
// is where output i lies, if not below 0.
class Resizing {
public:
    Resizing(std::int64_t mode, std::int64_t in, std::int64_t out)
        : nearest_(mode == MPT_UPSAMPLE_NEAREST),
          narrow_(small(2 * (in + 1) * (out + 1))),
          in_(in),
          out_(out),
          whole_(static_cast<float>(2 * out)),
          unit_(1 / whole_),
          by_out_(static_cast<std::uint32_t>(out)),
          by_in_(static_cast<std::uint32_t>(in)),
          by_twice_out_(static_cast<std::uint32_t>(2 * out)),
          by_twice_in_(static_cast<std::uint32_t>(2 * in)) {}

    __device__ __forceinline__ Mix mix(int i) const {
        if (nearest_) {
            const int at = static_cast<int>(divided(i * in_, by_out_, out_));
            return {{at, at}, {1, 0}};
        }
        const std::int64_t position = place(i), at = divided(position, by_twice_out_, 2 * out_), over = position - at * 2 * out_;
        const bool last = at + 1 == in_;
        return {{static_cast<int>(at), static_cast<int>(last ? at : at + 1)},
                {last ? 1.0f : static_cast<float>(2 * out_ - over) / whole_, last ? 0.0f : static_cast<float>(over) / whole_}};
    }

    // The outputs among which are all that are made of element h.
    __device__ __forceinline__ Range readers(int h) const {
        if (nearest_) return {first(h * out_, by_in_, in_), first((h + 1) * out_, by_in_, in_)};
        return {first(out_ * (2 * std::int64_t{h} - 1) - in_, by_twice_in_, 2 * in_),
                min(first(out_ * (2 * std::int64_t{h} + 3) - in_, by_twice_in_, 2 * in_), static_cast<int>(out_))};
    }
    // The weight of element h in output i.
    __device__ __forceinline__ float weight(int i, int h) const {
        if (nearest_) return i * in_ >= h * out_ && i * in_ < (h + 1) * out_ ? 1.0f : 0.0f;
        const std::int64_t apart = place(i) - 2 * out_ * h, near = 2 * out_ - (apart < 0 ? -apart : apart);
        if (apart == 0 || (apart > 0 && h + 1 == in_)) return 1;
        return near <= 0 ? 0.0f : static_cast<float>(near) * unit_;
    }

private:
    __device__ __forceinline__ std::int64_t place(int i) const {
        return max((2 * std::int64_t{i} + 1) * in_ - out_, std::int64_t{0});
    }
    // Of a number that is not negative.
    __device__ __forceinline__ std::int64_t divided(std::int64_t x, const Divider &by, std::int64_t m) const {
        if (!narrow_) return x / m;
        auto q = static_cast<std::uint32_t>(x);
        by.divide(q);
        return q;
    }
    // The first i with i m >= x.
    __device__ __forceinline__ int first(std::int64_t x, const Divider &by, std::int64_t m) const {
        return x <= 0 ? 0 : static_cast<int>(divided(x - 1, by, m)) + 1;
    }

    bool nearest_, narrow_;
    std::int64_t in_, out_;
    float whole_, unit_;
    Divider by_out_, by_in_, by_twice_out_, by_twice_in_;
};

struct Sizes {
    Resizing down, across;
};

template <class T, int V, class I>
__global__ void __launch_bounds__(kThreads)
    upsample(Sizes sizes, Pixels<I> pixels, Image x, Image y, const typename T::Stored *in, typename T::Stored *out) {
    using Elements = Pack<typename T::Stored, V>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Mix down = sizes.down.mix(p.h), across = sizes.across.mix(p.w);
        float sum[V];  // the first weights are never 0
#pragma unroll
        for (int k = 0; k < 2; ++k) {
            if (down.weight[k] == 0) continue;
            float row[V];
#pragma unroll
            for (int l = 0; l < 2; ++l) {
                if (across.weight[l] == 0) continue;
                const auto pack = *reinterpret_cast<const Elements *>(in + x.at(p, down.from[k], across.from[l]));
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    const float part = widen<T>(pack.at[v]) * across.weight[l];
                    row[v] = l == 0 ? part : row[v] + part;
                }
            }
#pragma unroll
            for (int v = 0; v < V; ++v) sum[v] = k == 0 ? row[v] * down.weight[k] : sum[v] + row[v] * down.weight[k];
        }
        Elements to;
#pragma unroll
        for (int v = 0; v < V; ++v) to.at[v] = narrow<T>(sum[v]);
        *reinterpret_cast<Elements *>(out + y.at(p, p.h, p.w)) = to;
    }
}

// The same for some pixels of a row at a time.
template <class T, class I>
__global__ void __launch_bounds__(kThreads)
    upsample_rows(Sizes sizes, Pixels<I> pixels, Image x, Image y, const typename T::Stored *in, typename T::Stored *out) {
    using Elements = Pack<typename T::Stored, kColumns>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Mix down = sizes.down.mix(p.h);
        const typename T::Stored *row[] = {in + x.at(p, down.from[0], 0), in + x.at(p, down.from[1], 0)};
        Elements to;
#pragma unroll
        for (int v = 0; v < kColumns; ++v) {
            const Mix across = sizes.across.mix(p.w + v);
            const auto mixed = [&](const typename T::Stored *from) {
                const float first = widen<T>(from[across.from[0] * x.strides[3]]) * across.weight[0];
                return across.weight[1] == 0 ? first : first + widen<T>(from[across.from[1] * x.strides[3]]) * across.weight[1];
            };
            const float first = mixed(row[0]) * down.weight[0];
            to.at[v] = narrow<T>(down.weight[1] == 0 ? first : first + mixed(row[1]) * down.weight[1]);
        }
        *reinterpret_cast<Elements *>(out + y.at(p, p.h, p.w)) = to;
    }
}

// Each element of the image gathers from the outputs that it has a share in, in ascending order.
template <class T, int V, class I>
__global__ void __launch_bounds__(kThreads)
    upsample_grad(Sizes sizes, Pixels<I> pixels, Image y, Image x, const typename T::Stored *dy, typename T::Stored *dx) {
    using Elements = Pack<typename T::Stored, V>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Range down = sizes.down.readers(p.h), across = sizes.across.readers(p.w);
        float sum[V] = {};
        for (int h = down.begin; h < down.end; ++h) {
            const float row = sizes.down.weight(h, p.h);
            if (row == 0) continue;
            for (int w = across.begin; w < across.end; ++w) {
                const float share = row * sizes.across.weight(w, p.w);
                if (share == 0) continue;
                const auto pack = *reinterpret_cast<const Elements *>(dy + y.at(p, h, w));
#pragma unroll
                for (int v = 0; v < V; ++v) sum[v] += widen<T>(pack.at[v]) * share;
            }
        }
        Elements to;
#pragma unroll
        for (int v = 0; v < V; ++v) to.at[v] = narrow<T>(sum[v]);
        *reinterpret_cast<Elements *>(dx + x.at(p, p.h, p.w)) = to;
    }
}

// The same for some pixels of a row at a time.
template <class T, class I>
__global__ void __launch_bounds__(kThreads)
    upsample_grad_rows(Sizes sizes, Pixels<I> pixels, Image y, Image x, const typename T::Stored *dy, typename T::Stored *dx) {
    using Elements = Pack<typename T::Stored, kColumns>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Range down = sizes.down.readers(p.h);
        const int begin = sizes.across.readers(p.w).begin, end = sizes.across.readers(p.w + kColumns - 1).end;
        float sum[kColumns] = {};
        for (int h = down.begin; h < down.end; ++h) {
            const float row = sizes.down.weight(h, p.h);
            if (row == 0) continue;
            for (int w = begin; w < end; ++w) {
                const float e = widen<T>(dy[y.at(p, h, w)]);
#pragma unroll
                for (int v = 0; v < kColumns; ++v)
                    if (const float share = row * sizes.across.weight(w, p.w + v); share != 0) sum[v] += e * share;
            }
        }
        Elements to;
#pragma unroll
        for (int v = 0; v < kColumns; ++v) to.at[v] = narrow<T>(sum[v]);
        *reinterpret_cast<Elements *>(dx + x.at(p, p.h, p.w)) = to;
    }
}

// x: the image, y: what is made of it.
template <class T>
std::unique_ptr<Kernel> kernel_of_resizing(Device &device, const mpt_mod_call &call, const mpt_mod_operand &x,
                                           const mpt_mod_operand &y, bool gradient) {
    using Stored = typename T::Stored;
    constexpr int kPack = 16 / sizeof(Stored);
    const std::int64_t mode = attrs_of<mpt_attrs_upsample2d>(call).mode;
    if (mode != MPT_UPSAMPLE_NEAREST && mode != MPT_UPSAMPLE_BILINEAR)
        throw Failure{MPT_ERROR_UNSUPPORTED, "upsample2d: mode " + std::to_string(mode) + " is unknown"};
    const Sizes sizes{{mode, x.shape[2], y.shape[2]}, {mode, x.shape[3], y.shape[3]}};
    const Image image(x), made(y);
    const bool packed = image.packs(x, kPack) && made.packs(y, kPack);
    const bool rows = !packed && (gradient ? image.rows(x, kColumns) : made.rows(y, kColumns));
    return kernel_of("cuda:upsample2d", [=, &device, written = gradient ? x : y](const void *const *in, void *const *out, void *,
                                                                                 cudaStream_t stream) {
        const auto *from = static_cast<const Stored *>(in[0]);
        auto *to = static_cast<Stored *>(out[0]);
        const auto start = [&](auto v, auto i) {
            constexpr int V = decltype(v)::value;
            using I = decltype(i);
            const Pixels<I> pixels(written, V);
            const unsigned blocks = blocks_for(device, static_cast<std::int64_t>(pixels.count), kThreads, 16);
            if (gradient)
                upsample_grad<T, V><<<blocks, kThreads, 0, stream>>>(sizes, pixels, made, image, from, to);
            else
                upsample<T, V><<<blocks, kThreads, 0, stream>>>(sizes, pixels, image, made, from, to);
        };
        visit_count(numel(written), [&](auto i) {
            if (rows && aligned(to, sizeof(Stored) * kColumns)) {
                const Pixels<decltype(i)> pixels(written, 1, kColumns);
                const unsigned blocks = blocks_for(device, static_cast<std::int64_t>(pixels.count), kThreads, 16);
                if (gradient)
                    upsample_grad_rows<T><<<blocks, kThreads, 0, stream>>>(sizes, pixels, made, image, from, to);
                else
                    upsample_rows<T><<<blocks, kThreads, 0, stream>>>(sizes, pixels, image, made, from, to);
            } else if (packed && aligned(from, 16) && aligned(to, 16)) {
                start(std::integral_constant<int, kPack>{}, i);
            } else {
                start(std::integral_constant<int, 1>{}, i);
            }
        });
        check_launch("upsample2d");
    });
}

std::unique_ptr<Kernel> prepare_either(Device &device, const mpt_mod_call &call, const mpt_mod_operand &x, const mpt_mod_operand &y,
                                       bool gradient) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, x.dtype, [&](auto t) { kernel = kernel_of_resizing<decltype(t)>(device, call, x, y, gradient); });
    return kernel;
}
std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    return prepare_either(device, call, call.in[0], call.out[0], false);
}
std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    return prepare_either(device, call, call.out[0], call.in[0], true);
}
const RegisteredKernel registered("upsample2d", prepare), registered_grad("upsample2d_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
