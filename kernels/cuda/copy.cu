// "copy" of device/attrs/data.h: one dtype and layout to another.
#include "device/attrs/data.h"
#include "elementwise.cuh"
#include "mover.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

struct Same {
    __device__ float operator()(float x) const { return x; }
};

// Between the formats that a GPU computes with.
template <class From, class To>
class Round {
public:
    Round(const Device &device, const mpt_mod_call &call)
        : device_(&device),
          loop_(device, "copy", call.out[0], {&call.in[0]}),
          tiles_(TilePlan::of(Loop("copy", {&call.out[0], &call.in[0]}))) {}

    void run(const void *in, void *out, cudaStream_t stream) const {
        if (!tiles_) return loop_.run(stream, Same{}, {in}, out);
        run_tiles<float, From, To>(*device_, *tiles_, in, out, stream);
        check_launch("copy");
    }

private:
    const Device *device_;
    Elementwise<float, To, From> loop_;
    std::optional<TilePlan> tiles_;
};

// C: a type that holds every value of the source. With the dtypes known to the kernel only when it runs, there is code for each
// source and each target but not for each pair; several elements at a time make up for the choice.
template <class C>
constexpr bool reads(std::int32_t dtype) {
    const bool small = dtype == MPT_F8E4M3 || dtype == MPT_F8E5M2;
    const bool floating = small || dtype == MPT_F32 || dtype == MPT_F16 || dtype == MPT_BF16;
    if constexpr (std::is_same_v<C, float>) return floating;
    if constexpr (std::is_same_v<C, double>) return floating || dtype == MPT_F64;
    return !floating && dtype != MPT_F64;
}
template <class C>
constexpr bool writes(std::int32_t dtype) {
    return !std::is_same_v<C, float> || reads<double>(dtype);
}

// A dtype's format for code that runs on the device.
template <class F>
__device__ __forceinline__ void choose(std::int32_t dtype, F &&f) {
    switch (dtype) {
        case MPT_F64:
            return f(F64{});
        case MPT_F32:
            return f(F32{});
        case MPT_F16:
            return f(F16{});
        case MPT_BF16:
            return f(BF16{});
        case MPT_F8E4M3:
            return f(F8E4M3{});
        case MPT_F8E5M2:
            return f(F8E5M2{});
        case MPT_I8:
            return f(Format<MPT_I8, std::int8_t>{});
        case MPT_I16:
            return f(Format<MPT_I16, std::int16_t>{});
        case MPT_I32:
            return f(I32{});
        case MPT_I64:
            return f(I64{});
        case MPT_U8:
            return f(U8{});
        default:
            return f(Bool{});
    }
}

template <class C, int V>
__device__ __forceinline__ void convert(std::int32_t from, std::int32_t to, const void *in, std::int64_t in_at, void *out,
                                        std::int64_t out_at) {
    C value[V];
    choose(from, [&](auto format) {
        using F = decltype(format);
        if constexpr (reads<C>(F::dtype)) {
            const auto pack =
                *reinterpret_cast<const Pack<typename F::Stored, V> *>(static_cast<const typename F::Stored *>(in) + in_at);
#pragma unroll
            for (int v = 0; v < V; ++v) value[v] = widen<F, C>(pack.at[v]);
        }
    });
    choose(to, [&](auto format) {
        using F = decltype(format);
        if constexpr (writes<C>(F::dtype)) {
            Pack<typename F::Stored, V> pack;
#pragma unroll
            for (int v = 0; v < V; ++v) pack.at[v] = narrow<F, C>(value[v]);
            *reinterpret_cast<Pack<typename F::Stored, V> *>(static_cast<typename F::Stored *>(out) + out_at) = pack;
        }
    });
}

// rest: elements behind the packs, of a loop that is one dense row.
template <class C, int V, class I>
__global__ void convert(Index<2> index, I packs, unsigned rest, std::int32_t from, std::int32_t to, const void *in, void *out) {
    const I first = blockIdx.x * I{blockDim.x} + threadIdx.x;
    for (I i = first; i < packs; i += I{gridDim.x} * blockDim.x) {
        std::int64_t at[2];
        index.locate(static_cast<I>(i * V), at);
        convert<C, V>(from, to, in, at[1], out, at[0]);
    }
    if constexpr (V > 1)
        if (first < rest) {
            const auto at = static_cast<std::int64_t>(packs * V + first);
            convert<C, 1>(from, to, in, at, out, at);
        }
}

template <class C>
class Convert {
public:
    Convert(const Device &device, const mpt_mod_call &call)
        : device_(&device), loop_("copy", {&call.out[0], &call.in[0]}), from_(call.in[0].dtype), to_(call.out[0].dtype) {
        for (int k = 0; k < 2; ++k) {
            const std::size_t bytes = bytes_of(k == 0 ? to_ : from_) * kPack;
            alignment_[k] = bytes < 16 ? bytes : 16;
            packed_ &= loop_.inner_stride(k) == 1 && (loop_.ndim == 1 || loop_.inner() % kPack == 0);
            for (int d = 0; d + 1 < loop_.ndim; ++d) packed_ &= loop_.strides[k][d] % kPack == 0;
        }
    }

    void run(const void *in, void *out, cudaStream_t stream) const {
        if (packed_ && aligned(out, alignment_[0]) && aligned(in, alignment_[1]))
            start<kPack>(in, out, stream);
        else
            start<1>(in, out, stream);
        check_launch("copy");
    }

private:
    static constexpr int kPack = 8;

    template <int V>
    void start(const void *in, void *out, cudaStream_t stream) const {
        const std::int64_t packs = loop_.count / V;
        visit_count(loop_.count, [&](auto i) {
            using I = decltype(i);
            convert<C, V, I><<<blocks_for(*device_, packs, kThreads, 16), kThreads, 0, stream>>>(
                Index<2>(loop_), static_cast<I>(packs), static_cast<unsigned>(loop_.count % V), from_, to_, in, out);
        });
    }

    const Device *device_;
    Loop loop_;
    std::int32_t from_, to_;
    std::size_t alignment_[2];
    bool packed_ = true;
};

template <class Copy>
std::unique_ptr<Kernel> kernel_of_copy(Copy copy) {
    return kernel_of("cuda:copy", [copy](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        copy.run(in[0], out[0], stream);
    });
}

bool computed(std::int32_t dtype) {
    return dtype == MPT_F32 || dtype == MPT_F16 || dtype == MPT_BF16;
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const std::int32_t from = call.in[0].dtype, to = call.out[0].dtype;
    bytes_of(from), bytes_of(to);  // Failure for what is no dtype
    if (from == to) return kernel_of_copy(Mover(device, "copy", call.out[0], call.in[0]));
    if (computed(from) && computed(to)) {
        std::unique_ptr<Kernel> kernel;
        visit_float("copy", from, [&](auto f) {
            visit_float("copy", to, [&](auto t) {
                if constexpr (!std::is_same_v<decltype(f), decltype(t)>)
                    kernel = kernel_of_copy(Round<decltype(f), decltype(t)>(device, call));
            });
        });
        return kernel;
    }
    if (reads<std::int64_t>(from)) return kernel_of_copy(Convert<std::int64_t>(device, call));
    if (reads<float>(from) && reads<double>(to)) return kernel_of_copy(Convert<float>(device, call));
    return kernel_of_copy(Convert<double>(device, call));
}
const RegisteredKernel registered("copy", prepare);

}  // namespace
}  // namespace mpt::cuda
