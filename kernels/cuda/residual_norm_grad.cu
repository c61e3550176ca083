// "residual_norm_grad" of device/attrs/fused.h: the rows of "row_norm_grad" in f32, with dy in another type, what the residual's other
// branch gives added to dx, and dx in another type as well.
#include "row_norm_grad.cuh"

namespace mpt::cuda {
namespace {

using namespace row_norm_grad;

constexpr const char *kName = "residual_norm_grad";

template <class T, int V>
struct Values {
    typename T::Stored at[V];
    __device__ __forceinline__ float operator[](int v) const { return widen<T>(at[v]); }
};

// Rows that lie behind each other. other, low: null where they are absent.
template <class D, class L>
struct Residual {
    static constexpr int kAhead = kFew;
    const float *__restrict__ x;
    const typename D::Stored *__restrict__ dy;
    const float *__restrict__ other;
    float *__restrict__ dx;
    typename L::Stored *__restrict__ low;
    bool packed;  // all of them start at multiples of 16 bytes

    template <int V>
    struct Packs {
        Values<F32, V> x, other;
        Values<D, V> dy;
    };
    template <int V>
    __device__ __forceinline__ void load(const Rows<4> &, const std::int64_t (&offset)[4], std::int64_t i, Packs<V> &to) const {
        read(x + offset[0] + i * V, to.x);
        read(dy + offset[0] + i * V, to.dy);
        if (other) read(other + offset[0] + i * V, to.other);
    }
    template <int V>
    __device__ __forceinline__ void store(const Rows<4> &, const std::int64_t (&offset)[4], std::int64_t i, const Packs<V> &packs, const float (&from)[V]) const {
        float sum[V];
#pragma unroll
        for (int v = 0; v < V; ++v) sum[v] = other ? __fadd_rn(packs.other[v], from[v]) : from[v];
        write<F32>(dx + offset[0] + i * V, sum);
        if (low) write<L>(low + offset[0] + i * V, sum);
    }

private:
    template <class T, int V>
    __device__ __forceinline__ void read(const typename T::Stored *from, Values<T, V> &to) const {
        if (packed) {
            const auto pack = *reinterpret_cast<const Pack<typename T::Stored, V> *>(from);
#pragma unroll
            for (int v = 0; v < V; ++v) to.at[v] = pack.at[v];
        } else {
#pragma unroll
            for (int v = 0; v < V; ++v) to.at[v] = from[v];
        }
    }
    template <class T, int V>
    __device__ __forceinline__ void write(typename T::Stored *to, const float (&from)[V]) const {
        if (packed) return put<T>(to, 1, 0, from);
#pragma unroll
        for (int v = 0; v < V; ++v) to[v] = narrow<T>(from[v]);
    }
};

template <class D, class L>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 4;
    const bool rms = attrs_of<mpt_attrs_row_norm>(call).rms != 0, has_other = present(call.in[5]), has_low = present(call.out[3]);
    const mpt_mod_operand &x = call.in[1];
    const Rows<4> rows(call.kernel, x.ndim - 1, {&x, &call.in[0], &call.in[4], &call.out[0]});
    const Vector weight(call.kernel, call.in[2], rows.length);
    const Results results(call);
    const Shape packed(device, rows.count, rows.length, V, results.any), single(device, rows.count, rows.length, 1, results.any);
    if (rows.length % V != 0 || rows.count == 0 || !packed.team.held || !single.team.held)
        throw Failure{MPT_ERROR_UNSUPPORTED, "residual_norm_grad: rows of other lengths"};
    const std::size_t bytes = static_cast<std::size_t>(std::max(packed.sums, single.sums) * 2 * rows.length) * sizeof(float);
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        Residual<D, L> at{static_cast<const float *>(in[1]),
                          static_cast<const typename D::Stored *>(in[0]),
                          has_other ? static_cast<const float *>(in[5]) : nullptr,
                          static_cast<float *>(out[0]),
                          has_low ? static_cast<typename L::Stored *>(out[3]) : nullptr,
                          true};
        for (const void *address : {in[0], in[1], static_cast<const void *>(at.other), static_cast<const void *>(at.dx), static_cast<const void *>(at.low)})
            at.packed &= aligned(address, 16);
        const Operands o{rms ? nullptr : static_cast<const float *>(in[3]), static_cast<const float *>(in[4]),
                         results.any ? static_cast<float *>(workspace) : nullptr, weight.at(in[2]), rms, true};
        // As "row_norm_grad" would add up: dy and dx of its own are temporaries, which start well.
        const bool packs = aligned(at.x, 16) && o.weight.packs();
        const Shape &s = packs ? packed : single;
        const std::size_t shared = s.shared(rows.length);
        if (packs && s.team.held == kFew)
            held<Residual<D, L>, V, kFew><<<s.grid, s.team.block(), shared, stream>>>(rows, at, o);
        else if (packs)
            held<Residual<D, L>, V, kMany><<<s.grid, s.team.block(), shared, stream>>>(rows, at, o);
        else
            held<Residual<D, L>, 1, kFew><<<s.grid, s.team.block(), shared, stream>>>(rows, at, o);
        check_launch(kName);
        results.run(o.sums, s.sums, rows.length, out[1], out[2], stream);
    };
    return kernel_of("cuda:residual_norm_grad", launch, bytes);
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &rows = call.in[1];
    bool dense = is_dense(rows) && (rows.strides[rows.ndim - 1] == 1 || rows.shape[rows.ndim - 1] == 1);
    for (const mpt_mod_operand *x : {&call.in[0], &call.in[5], &call.out[0], &call.out[3]}) dense &= !present(*x) || same_layout(*x, rows);
    if (!dense) throw Failure{MPT_ERROR_UNSUPPORTED, "residual_norm_grad: rows that do not lie behind each other"};
    const std::int32_t dy = call.in[0].dtype, low = present(call.out[3]) ? call.out[3].dtype : MPT_F32;
    if (call.in[1].dtype != MPT_F32 || (dy != MPT_F32 && low != MPT_F32 && dy != low)) throw Failure{MPT_ERROR_UNSUPPORTED, "residual_norm_grad: types"};
    std::unique_ptr<Kernel> kernel;
    visit_float(kName, dy != MPT_F32 ? dy : low, [&](auto t) {
        using T = decltype(t);
        kernel = dy == MPT_F32 ? make<F32, T>(device, call) : low == MPT_F32 ? make<T, F32>(device, call) : make<T, T>(device, call);
    });
    return kernel;
}
const RegisteredKernel registered(kName, prepare);

}  // namespace
}  // namespace mpt::cuda
