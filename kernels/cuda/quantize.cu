// "quantize", "rescale" and "fp8_update" of device/attrs/fp8.h.
#include <algorithm>
#include <vector>

#include "device/attrs/fp8.h"
#include "elementwise.cuh"
#include "reduction.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

__device__ __forceinline__ float scale_for(float limit, float amax) {
    return amax > 0 ? fminf(limit / amax, 0x1p126f) : 1.0f;  // the largest whose inverse is a normal number
}

struct Larger {
    __device__ __forceinline__ std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const { return max(a, b); }
};

constexpr int kPartials = 1024;  // blocks at most: each leaves the largest magnitude of its elements

// Where the addresses of absent operands are null.
struct Scales {
    float limit;
    const float *given;
    float *inverse, *amax;
    std::uint32_t *partials;
};

// With a scale from before, all is done while the largest magnitude is looked for; without, that is another pass. Magnitudes are
// compared as bits, which order as the numbers do. V elements lie together; rest: elements behind the packs of one dense row.
template <class T, class To, int V, bool First, class I>
__global__ void __launch_bounds__(kThreads)
    quantize(Scales scales, Index<2> index, I packs, unsigned rest, const typename T::Stored *x, typename To::Stored *y) {
    __shared__ std::uint32_t scratch[32];
    float scale = scales.given ? *scales.given : 0;
    const bool known = scale != 0;
    const bool converts = First == known, measures = First && (!known || scales.amax);
    if constexpr (!First) {
        if (known && blockIdx.x > 0) return;
        std::uint32_t largest = 0;
        if (!known || scales.amax)
            for (unsigned i = threadIdx.x; i < gridDim.x; i += kThreads) largest = max(largest, scales.partials[i]);
        const float amax = __uint_as_float(block_reduce(largest, Larger{}, 0u, scratch));
        if (!known) scale = scale_for(scales.limit, amax);
        if (blockIdx.x == 0 && threadIdx.x == 0) {
            *scales.inverse = 1 / scale;
            if (scales.amax) *scales.amax = fmaxf(*scales.amax, amax);
        }
    }
    std::uint32_t largest = 0;
    const auto convert = [&](typename T::Stored element) {
        const float value = widen<T>(element);
        const std::uint32_t magnitude = __float_as_uint(value) & 0x7FFFFFFFu;
        const bool finite = magnitude < 0x7F800000u;
        largest = max(largest, finite ? magnitude : 0u);
        return narrow<To>(finite ? value * scale
                                 : __uint_as_float(0x7FC00000u));  // an infinity that saturated would hide an overflow
    };
    if (converts || measures) {
        const I first = blockIdx.x * I{kThreads} + threadIdx.x;
        for (I i = first; i < packs; i += I{gridDim.x} * kThreads) {
            std::int64_t at[2];
            index.locate(static_cast<I>(i * V), at);
            const auto from = *reinterpret_cast<const Pack<typename T::Stored, V> *>(x + at[1]);
            Pack<typename To::Stored, V> to;
#pragma unroll
            for (int v = 0; v < V; ++v) to.at[v] = convert(from.at[v]);
            if (converts) *reinterpret_cast<Pack<typename To::Stored, V> *>(y + at[0]) = to;
        }
        if (first < rest) {
            const I i = packs * V + first;
            const auto to = convert(x[i]);
            if (converts) y[i] = to;
        }
    }
    if constexpr (First) {
        largest = block_reduce(largest, Larger{}, 0u, scratch);
        if (threadIdx.x == 0) scales.partials[blockIdx.x] = largest;
    }
}

template <class T, class To>
class Quantize final : public Kernel {
public:
    Quantize(Device &device, const mpt_mod_call &call)
        : device_(device),
          loop_("quantize", {&call.out[0], &call.in[0]}),
          limit_(static_cast<float>(attrs_of<mpt_attrs_quantize>(call).limit)),
          scaled_(present(call.in[1])),
          remembers_(call.n_out > 2 && present(call.out[2])) {
        for (int k = 0; k < 2; ++k) {
            packed_ &= loop_.inner_stride(k) == 1 && (loop_.ndim == 1 || loop_.inner() % kPack == 0);
            for (int d = 0; d + 1 < loop_.ndim; ++d) packed_ &= loop_.strides[k][d] % kPack == 0;
        }
        workspace_bytes = kPartials * sizeof(std::uint32_t);
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        const Scales scales{limit_, scaled_ ? static_cast<const float *>(in[1]) : nullptr, static_cast<float *>(out[1]),
                            remembers_ ? static_cast<float *>(out[2]) : nullptr, static_cast<std::uint32_t *>(workspace)};
        const bool packs = packed_ && aligned(in[0], alignof(Pack<typename T::Stored, kPack>)) &&
                           aligned(out[0], alignof(Pack<typename To::Stored, kPack>));
        visit_count(loop_.count, [&](auto i) {
            using I = decltype(i);
            if (packs)
                start<kPack, I>(scales, in[0], out[0], stream);
            else
                start<1, I>(scales, in[0], out[0], stream);
        });
        check_launch("quantize");
    }

    const char *name() const override { return "cuda:quantize"; }

private:
    static constexpr int kPack = sizeof(typename T::Stored) == 2 ? 16 : 8;

    template <int V, class I>
    void start(const Scales &scales, const void *x, void *y, cudaStream_t stream) const {
        const auto packs = static_cast<I>(loop_.count / V);
        const auto rest = static_cast<unsigned>(loop_.count % V);
        const unsigned blocks = std::min<unsigned>(blocks_for(device_, packs), kPartials);
        const Index<2> index(loop_);
        const auto *from = static_cast<const typename T::Stored *>(x);
        auto *to = static_cast<typename To::Stored *>(y);
        quantize<T, To, V, true, I><<<blocks, kThreads, 0, stream>>>(scales, index, packs, rest, from, to);
        quantize<T, To, V, false, I><<<blocks, kThreads, 0, stream>>>(scales, index, packs, rest, from, to);
    }

    Device &device_;
    Loop loop_;
    float limit_;
    bool scaled_, remembers_, packed_ = true;
};

std::unique_ptr<Kernel> prepare_quantize(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    const std::int32_t to = call.out[0].dtype;
    if (to != MPT_F8E4M3 && to != MPT_F8E5M2) unsupported_dtype("quantize's result", to);
    visit_float("quantize", call.in[0].dtype, [&](auto t) {
        using T = decltype(t);
        if (to == MPT_F8E4M3)
            kernel = std::make_unique<Quantize<T, F8E4M3>>(device, call);
        else
            kernel = std::make_unique<Quantize<T, F8E5M2>>(device, call);
    });
    return kernel;
}

// One multiplication and one addition, each rounded, as on the CPU.
struct Rescale {
    const float *scale[2];
    __device__ __forceinline__ float operator()(float acc) const {
        const float inverse = (scale[0] ? *scale[0] : 1.0f) * (scale[1] ? *scale[1] : 1.0f);
        return acc * inverse;
    }
    __device__ __forceinline__ float operator()(float acc, float bias) const { return __fadd_rn((*this)(acc), bias); }
};

template <class To, class... Bias>
std::unique_ptr<Kernel> rescale_of(Device &device, const mpt_mod_call &call) {
    std::array<const mpt_mod_operand *, 1 + sizeof...(Bias)> in{&call.in[0]};
    if constexpr (sizeof...(Bias) > 0) in[1] = &call.in[3];
    const Elementwise<float, To, F32, Bias...> loop(device, "rescale", call.out[0], in);
    const bool scaled[] = {present(call.in[1]), present(call.in[2])};
    return kernel_of("cuda:rescale", [=](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        Rescale f;
        for (int i = 0; i < 2; ++i) f.scale[i] = scaled[i] ? static_cast<const float *>(in[i + 1]) : nullptr;
        if constexpr (sizeof...(Bias) > 0)
            loop.run(stream, f, {in[0], in[3]}, out[0]);
        else
            loop.run(stream, f, {in[0]}, out[0]);
    });
}

std::unique_ptr<Kernel> prepare_rescale(Device &device, const mpt_mod_call &call) {
    if (call.in[0].dtype != MPT_F32) unsupported_dtype("rescale", call.in[0].dtype);
    std::unique_ptr<Kernel> kernel;
    visit_float("rescale's result", call.out[0].dtype, [&](auto to) {
        using To = decltype(to);
        if (!present(call.in[3])) {
            kernel = rescale_of<To>(device, call);
            return;
        }
        visit_float("rescale's bias", call.in[3].dtype, [&](auto bias) { kernel = rescale_of<To, decltype(bias)>(device, call); });
    });
    return kernel;
}

struct Slot {
    float *history, *amax, *scale;
    std::int64_t *position;
    std::int64_t length;
};
constexpr int kFewSlots = 12, kManySlots = 720;  // of a launch

template <int N>
struct Slots {
    Slot slot[N];
};

// A warp for each slot.
template <int N>
__global__ void __launch_bounds__(32) fp8_update(const __grid_constant__ Slots<N> slots, float limit0, float limit1, float limit2) {
    const Slot &slot = slots.slot[blockIdx.x];
    const float amax = *slot.amax;
    if (amax == 0) return;
    const std::int64_t position = *slot.position, now = position % slot.length, used = min(position + 1, slot.length);
    float largest = amax;
    for (std::int64_t i = threadIdx.x; i < used; i += 32) largest = fmaxf(largest, i == now ? 0.0f : slot.history[i]);
    largest = warp_reduce(largest, Max{});
    if (threadIdx.x != 0) return;
    const unsigned kind = blockIdx.x % 3;
    slot.history[now] = amax;
    *slot.amax = 0;
    *slot.position = position + 1;
    *slot.scale = scale_for(kind == 0 ? limit0 : kind == 1 ? limit1 : limit2, largest);
}
static_assert(kManySlots % 3 == 0 && sizeof(Slots<kManySlots>) < 30000);

template <int N>
void update(const mpt_attrs_fp8_update &attrs, const std::vector<std::int64_t> &lengths, void *const *out, cudaStream_t stream) {
    for (std::int64_t first = 0; first < attrs.n; first += N) {
        Slots<N> slots;
        const std::int64_t count = std::min<std::int64_t>(attrs.n - first, N);
        for (std::int64_t i = first; i < first + count; ++i)
            slots.slot[i - first] = {static_cast<float *>(out[i]), static_cast<float *>(out[attrs.n + i]),
                                     static_cast<float *>(out[2 * attrs.n + i]), static_cast<std::int64_t *>(out[3 * attrs.n + i]),
                                     lengths[static_cast<std::size_t>(i)]};
        fp8_update<N><<<static_cast<unsigned>(count), 32, 0, stream>>>(
            slots, static_cast<float>(attrs.limit[0]), static_cast<float>(attrs.limit[1]), static_cast<float>(attrs.limit[2]));
        check_launch("fp8_update");
    }
}

std::unique_ptr<Kernel> prepare_update(Device &, const mpt_mod_call &call) {
    const auto attrs = attrs_of<mpt_attrs_fp8_update>(call);
    std::vector<std::int64_t> lengths;
    for (std::int64_t i = 0; i < attrs.n; ++i) lengths.push_back(call.out[i].shape[0]);
    return kernel_of("cuda:fp8_update", [attrs, lengths](const void *const *, void *const *out, void *, cudaStream_t stream) {
        if (attrs.n <= kFewSlots)
            update<kFewSlots>(attrs, lengths, out, stream);
        else
            update<kManySlots>(attrs, lengths, out, stream);
    });
}

const RegisteredKernel registered_quantize("quantize", prepare_quantize), registered_rescale("rescale", prepare_rescale),
    registered_update("fp8_update", prepare_update);

}  // namespace
}  // namespace mpt::cuda
