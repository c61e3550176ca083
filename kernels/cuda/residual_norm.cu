// "residual_norm" of device/attrs/fused.h: the rows of "row_norm" in f32, with a sum in front and a result in another type.
#include "row_norm.cuh"

namespace mpt::cuda {
namespace {

using namespace row_norm;

constexpr const char *kName = "residual_norm";

// Rows that lie behind each other. added, sum: null where there is no sum.
template <class A, class Y>
struct Residual {
    const float *__restrict__ x;
    const typename A::Stored *__restrict__ added;
    float *__restrict__ sum;
    typename Y::Stored *__restrict__ y;
    bool packed;  // all of them start at multiples of 16 bytes

    template <int V>
    __device__ __forceinline__ void load(const Rows<3> &, const std::int64_t (&offset)[3], std::int64_t i, float (&to)[V]) const {
        read<F32>(x + offset[1], i, to);
        if (!added) return;
        float other[V];
        read<A>(added + offset[1], i, other);
#pragma unroll
        for (int v = 0; v < V; ++v) to[v] = __fadd_rn(to[v], other[v]);
        write<F32>(sum + offset[1], i, to);
    }
    template <int V>
    __device__ __forceinline__ void store(const Rows<3> &, const std::int64_t (&offset)[3], std::int64_t i, const float (&from)[V]) const {
        write<Y>(y + offset[0], i, from);
    }

private:
    template <class T, int V>
    __device__ __forceinline__ void read(const typename T::Stored *row, std::int64_t i, float (&to)[V]) const {
        if (packed) return take<T>(row, 1, i, to);
#pragma unroll
        for (int v = 0; v < V; ++v) to[v] = widen<T>(row[i * V + v]);
    }
    template <class T, int V>
    __device__ __forceinline__ void write(typename T::Stored *row, std::int64_t i, const float (&from)[V]) const {
        if (packed) return put<T>(row, 1, i, from);
#pragma unroll
        for (int v = 0; v < V; ++v) row[i * V + v] = narrow<T>(from[v]);
    }
};

template <class A, class Y>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 4;
    const auto &attrs = attrs_of<mpt_attrs_row_norm>(call);
    const Rows<3> rows(call.kernel, call.in[0].ndim - 1, {&call.out[0], &call.in[0], &call.out[2]});
    const Vector weight(call.kernel, call.in[2], rows.length), bias(call.kernel, call.in[3], rows.length);
    const Teams teams(device, rows.count, rows.length, V);
    if (rows.length % V != 0 || rows.count == 0 || !teams.packed.held || !teams.single.held) throw Failure{MPT_ERROR_UNSUPPORTED, "residual_norm: rows of other lengths"};
    const bool rms = attrs.rms != 0, adds = present(call.in[1]);
    return kernel_of("cuda:residual_norm", [=, &device, eps = attrs.eps](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        Residual<A, Y> at{static_cast<const float *>(in[0]), static_cast<const typename A::Stored *>(in[1]), static_cast<float *>(out[3]),
                          static_cast<typename Y::Stored *>(out[0]), true};
        if (!adds) at.added = nullptr;
        for (const void *address : {in[0], in[1], static_cast<const void *>(out[0]), static_cast<const void *>(out[3])}) at.packed &= aligned(address, 16);
        const Operands o{static_cast<float *>(out[1]), static_cast<float *>(out[2]), weight.at(in[2]), bias.at(in[3]), eps, rms};
        // As "row_norm" would add up: a sum is a temporary, which starts well.
        const bool packs = (adds || aligned(in[0], 16)) && o.weight.packs() && o.bias.packs();
        const Team &t = packs ? teams.packed : teams.single;
        const unsigned grid = t.grid(device, rows.count);
        if (packs && t.held == kFew)
            held<Residual<A, Y>, V, kFew><<<grid, t.block(), 0, stream>>>(rows, at, o);
        else if (packs)
            held<Residual<A, Y>, V, kMany><<<grid, t.block(), 0, stream>>>(rows, at, o);
        else
            held<Residual<A, Y>, 1, kFew><<<grid, t.block(), 0, stream>>>(rows, at, o);
        check_launch(kName);
    });
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &rows = call.in[0];
    bool dense = is_dense(rows) && (rows.strides[rows.ndim - 1] == 1 || rows.shape[rows.ndim - 1] == 1);
    for (const mpt_mod_operand *x : {&call.in[1], &call.out[0], &call.out[3]}) dense &= !present(*x) || same_layout(*x, rows);
    if (!dense) throw Failure{MPT_ERROR_UNSUPPORTED, "residual_norm: rows that do not lie behind each other"};
    const std::int32_t added = present(call.in[1]) ? call.in[1].dtype : MPT_F32, y = call.out[0].dtype;
    if (call.in[0].dtype != MPT_F32 || (added != MPT_F32 && y != MPT_F32 && added != y)) throw Failure{MPT_ERROR_UNSUPPORTED, "residual_norm: types"};
    std::unique_ptr<Kernel> kernel;
    visit_float(kName, added != MPT_F32 ? added : y, [&](auto t) {
        using T = decltype(t);
        kernel = added == MPT_F32 ? make<F32, T>(device, call) : y == MPT_F32 ? make<T, F32>(device, call) : make<T, T>(device, call);
    });
    return kernel;
}
const RegisteredKernel registered(kName, prepare);

}  // namespace
}  // namespace mpt::cuda
