// "avg_pool2d" and "avg_pool2d_grad" of device/attrs/pool.h.
#include "pool.cuh"
#include "reduction.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

struct Mean : Pooling {
    Mean(const mpt_mod_call &call, const mpt_mod_operand &image, const mpt_mod_operand &made) : Pooling(call, image, made) {
        const auto &at = attrs_of<mpt_attrs_pool2d>(call);
        if (!at.adaptive && !at.exclude_padding)
            share = static_cast<float>(1.0 / (static_cast<double>(at.kernel[0]) * at.kernel[1]));
        window = at.kernel[0] * std::int64_t{at.kernel[1]};
    }
    __device__ __forceinline__ float share_of(const Range &v, const Range &u) const {
        return share != 0 ? share : 1.0f / static_cast<float>((v.end - v.begin) * (u.end - u.begin));
    }
    float share = 0;  // of an element in its window's mean; 0: that of the elements inside the image
    std::int64_t window;
};

template <class T, int V, class I>
__global__ void __launch_bounds__(kThreads)
    avg_pool(Mean mean, Pixels<I> pixels, Image x, Image y, const typename T::Stored *in, typename T::Stored *out) {
    using Elements = Pack<typename T::Stored, V>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Range down = mean.down.window(p.h), across = mean.across.window(p.w);
        float sum[V] = {};
        for (int h = down.begin; h < down.end; ++h) {
            const typename T::Stored *from = in + x.at(p, h, across.begin);
            float row[V] = {};
#pragma unroll 4
            for (int w = across.begin; w < across.end; ++w, from += x.strides[3]) {
                const auto pack = *reinterpret_cast<const Elements *>(from);
#pragma unroll
                for (int v = 0; v < V; ++v) row[v] += widen<T>(pack.at[v]);
            }
#pragma unroll
            for (int v = 0; v < V; ++v) sum[v] += row[v];
        }
        const float share = mean.share_of(down, across);
        Elements to;
#pragma unroll
        for (int v = 0; v < V; ++v) to.at[v] = narrow<T>(sum[v] * share);
        *reinterpret_cast<Elements *>(out + y.at(p, p.h, p.w)) = to;
    }
}

// A warp for each window, where windows are large and a channel's pixels lie together.
template <class T, class I>
__global__ void __launch_bounds__(kThreads)
    avg_pool_warps(Mean mean, Pixels<I> pixels, Image x, Image y, const typename T::Stored *in, typename T::Stored *out) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    for (I i = (blockIdx.x * I{kThreads} + threadIdx.x) / 32; i < pixels.count; i += I{gridDim.x} * (kThreads / 32)) {
        const auto p = pixels.at(i);
        const Range down = mean.down.window(p.h), across = mean.across.window(p.w);
        const unsigned width = across.end - across.begin, count = (down.end - down.begin) * width;
        const typename T::Stored *from = in + x.at(p, down.begin, across.begin);
        float sum = 0;
        for (unsigned k = lane; k < count; k += 32) sum += widen<T>(from[k / width * x.strides[2] + k % width * x.strides[3]]);
        sum = warp_reduce(sum, Add{});
        if (lane == 0) out[y.at(p, p.h, p.w)] = narrow<T>(sum * mean.share_of(down, across));
    }
}

// Each element of the image gathers from the windows that have it, in ascending order.
template <class T, int V, class I>
__global__ void __launch_bounds__(kThreads)
    avg_pool_grad(Mean mean, Pixels<I> pixels, Image y, Image x, const typename T::Stored *dy, typename T::Stored *dx) {
    using Elements = Pack<typename T::Stored, V>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Range down = mean.down.readers(p.h), across = mean.across.readers(p.w);
        float sum[V] = {};
        for (int h = down.begin; h < down.end; ++h) {
            const Range v_window = mean.down.window(h);
            for (int w = across.begin; w < across.end; ++w) {
                const float share = mean.share_of(v_window, mean.across.window(w));
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
    avg_pool_grad_rows(Mean mean, Pixels<I> pixels, Image y, Image x, const typename T::Stored *dy, typename T::Stored *dx) {
    using Elements = Pack<typename T::Stored, kColumns>;
    for (I i = blockIdx.x * I{kThreads} + threadIdx.x; i < pixels.count; i += I{gridDim.x} * kThreads) {
        const auto p = pixels.at(i);
        const Range down = mean.down.readers(p.h);
        const int begin = mean.across.readers(p.w).begin, end = mean.across.readers(p.w + kColumns - 1).end;
        float sum[kColumns] = {};
        for (int h = down.begin; h < down.end; ++h) {
            const Range v_window = mean.down.window(h);
            for (int w = begin; w < end; ++w) {
                const Range u_window = mean.across.window(w);
                const float e = widen<T>(dy[y.at(p, h, w)]) * mean.share_of(v_window, u_window);
#pragma unroll
                for (int v = 0; v < kColumns; ++v) sum[v] += p.w + v >= u_window.begin && p.w + v < u_window.end ? e : 0.0f;
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
std::unique_ptr<Kernel> kernel_of_pool(Device &device, const mpt_mod_call &call, const mpt_mod_operand &x, const mpt_mod_operand &y,
                                       bool gradient) {
    using Stored = typename T::Stored;
    constexpr int kPack = 16 / sizeof(Stored);
    constexpr std::int64_t kLarge = 32;  // elements of a window
    const Mean mean(call, x, y);
    const Image image(x), made(y);
    const bool packed = image.packs(x, kPack) && made.packs(y, kPack);
    const bool warps = !gradient && mean.window >= kLarge && (x.shape[1] == 1 || x.strides[1] > x.strides[3]);
    const bool rows = gradient && !packed && image.rows(x, kColumns);
    return kernel_of("cuda:avg_pool2d", [=, &device, written = gradient ? x : y](const void *const *in, void *const *out, void *,
                                                                                 cudaStream_t stream) {
        const auto *from = static_cast<const Stored *>(in[0]);
        auto *to = static_cast<Stored *>(out[0]);
        const bool packs = packed && aligned(from, 16) && aligned(to, 16);
        const auto start = [&](auto v, auto i) {
            constexpr int V = decltype(v)::value;
            using I = decltype(i);
            const Pixels<I> pixels(written, V);
            const unsigned blocks = blocks_for(device, static_cast<std::int64_t>(pixels.count), kThreads, 16);
            if (gradient)
                avg_pool_grad<T, V><<<blocks, kThreads, 0, stream>>>(mean, pixels, made, image, from, to);
            else
                avg_pool<T, V><<<blocks, kThreads, 0, stream>>>(mean, pixels, image, made, from, to);
        };
        visit_count(numel(written), [&](auto i) {
            if (warps) {
                const Pixels<decltype(i)> pixels(written, 1);
                const unsigned blocks = blocks_for(device, static_cast<std::int64_t>(pixels.count), kThreads / 32, 16);
                avg_pool_warps<T><<<blocks, kThreads, 0, stream>>>(mean, pixels, image, made, from, to);
            } else if (rows && aligned(to, sizeof(Stored) * kColumns)) {
                const Pixels<decltype(i)> pixels(written, 1, kColumns);
                const unsigned blocks = blocks_for(device, static_cast<std::int64_t>(pixels.count), kThreads, 16);
                avg_pool_grad_rows<T><<<blocks, kThreads, 0, stream>>>(mean, pixels, made, image, from, to);
            } else if (packs) {
                start(std::integral_constant<int, kPack>{}, i);
            } else {
                start(std::integral_constant<int, 1>{}, i);
            }
        });
        check_launch("avg_pool2d");
    });
}

std::unique_ptr<Kernel> prepare_either(Device &device, const mpt_mod_call &call, const mpt_mod_operand &x, const mpt_mod_operand &y,
                                       bool gradient) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, x.dtype, [&](auto t) { kernel = kernel_of_pool<decltype(t)>(device, call, x, y, gradient); });
    return kernel;
}
std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    return prepare_either(device, call, call.in[0], call.out[0], false);
}
std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    return prepare_either(device, call, call.out[0], call.in[0], true);
}
const RegisteredKernel registered("avg_pool2d", prepare), registered_grad("avg_pool2d_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
