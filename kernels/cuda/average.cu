// "average" and "average_swap" of device/attrs/: all tensors of a group in one launch.
#include <string>

#include "device/attrs/average.h"
#include "rounding.cuh"
#include "single.cuh"
#include "tensor_list.cuh"

namespace mpt::cuda {
namespace {

constexpr int kPack = 4, kPacks = 2;  // elements of one access, and accesses to each operand at once

// f(at, from) for the packs of a piece: at are the first elements of U packs of V, of which those up to number within - 1 are the
// thread's; the others repeat one, so that loads need no branch.
template <int V, int U, class F>
__device__ __forceinline__ void for_packs(std::int64_t first, int end, F &&f) {
#pragma unroll 1
    for (int base = static_cast<int>(threadIdx.x); base < end; base += U * kThreads) {
        std::int64_t at[U];
        int within = 0;
#pragma unroll
        for (int u = 0; u < U; ++u) {
            const int i = base + u * kThreads;
            within += i < end;
            at[u] = first + V * static_cast<std::int64_t>(i < end ? i : base);
        }
        f(at, within);
    }
}

// move is called for packs of kPack elements, and for single elements where there are no more of them or they do not lie well.
template <template <int, int> class Move, class... Args>
__device__ __forceinline__ void for_piece(const Piece &piece, const Args &...args) {
    const int packed = piece.packed() ? piece.count / kPack : 0;
    for_packs<kPack, kPacks>(piece.begin, packed, Move<kPack, kPacks>{args...});
    for_packs<1, 1>(piece.begin + packed * kPack, piece.count - packed * kPack, Move<1, 1>{args...});
}

// moves: whether averages move, for all blocks of the launch behind.
__global__ void begin_average(const std::int64_t *step, std::int64_t *last, std::int32_t *moves) {
    *moves = *step != *last;
    *last = *step;
}

template <int V, int U>
struct MoveAverage {
    std::int32_t dtype;
    const void *parameter;
    float *average;
    float keep, toward;

    __device__ __forceinline__ void operator()(const std::int64_t (&at)[U], int within) const {
        float p[U][V], a[U][V];
        load_packs(MPT_F32, average, at, a);
        load_packs(dtype, parameter, at, p);
        loads_are_asked_for();
#pragma unroll
        for (int u = 0; u < U; ++u) {
#pragma unroll
            for (int v = 0; v < V; ++v) a[u][v] = (keep * Single(a[u][v]) + toward * Single(p[u][v])).value;
            if (u < within) store_pack<F32>(average, at[u], a[u]);
        }
    }
};

template <class Table>
__global__ void __launch_bounds__(kThreads, 6)
    move_averages(const __grid_constant__ Table table, const std::int32_t *moves, float keep, float toward) {
    if (!*moves) return;
    const Piece piece = table.piece(blockIdx.x);
    for_piece<MoveAverage>(piece, piece.dtype(0), table.template address<const void>(piece, 0),
                           table.template address<float>(piece, 1), keep, toward);
}

// In a tensor's record: parameter, average, rest, copies.
template <int V, int U>
struct Swap {
    const Piece *piece;
    const std::uint64_t *addresses;
    int copies;

    __device__ __forceinline__ void operator()(const std::int64_t (&at)[U], int within) const {
        const auto address = [&](int i) { return reinterpret_cast<void *>(addresses[i]); };
        const std::int32_t dtype = piece->dtype(0);
        const bool rounded = dtype != MPT_F32;
        float p[U][V], a[U][V], rest[U][V];
        load_packs(dtype, address(0), at, p);
        load_packs(MPT_F32, address(1), at, a);
        if (rounded) load_packs(MPT_F32, address(2), at, rest);
        loads_are_asked_for();
#pragma unroll
        for (int u = 0; u < U; ++u) {
            if (u >= within) break;
            if (rounded) {
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    const float stored = stored_nearest(a[u][v], dtype);
                    p[u][v] += rest[u][v];
                    rest[u][v] = lost(a[u][v], stored);
                    a[u][v] = stored;
                }
                store_pack<F32>(address(2), at[u], rest[u]);
            }
            store_pack<F32>(address(1), at[u], p[u]);
            store_pack(dtype, address(0), at[u], a[u]);
            for (int c = 3; c < 3 + copies; ++c)
                if (piece->dtype(c) != MPT_DTYPE_NONE) store_pack(piece->dtype(c), address(c), at[u], a[u]);
        }
    }
};

template <class Table>
__global__ void __launch_bounds__(kThreads, 4) swap_averages(const __grid_constant__ Table table, int copies) {
    const Piece piece = table.piece(blockIdx.x);
    for_piece<Swap>(piece, &piece, table.words + piece.record + kAddresses, copies);
}

// Checks x and enters it as number address of a tensor's record.
void add(const char *kernel, TensorList::Tensor &tensor, int address, const mpt_mod_operand &x, const mpt_mod_operand &average) {
    if (x.dtype != MPT_F64 || address < 3) visit_float(kernel, x.dtype, [](auto) {});
    if (!same_layout(x, average) || !is_dense(x))
        throw Failure{MPT_ERROR_UNSUPPORTED, std::string(kernel) + ": a parameter is not dense in its average's layout"};
    tensor.forms |= static_cast<std::uint64_t>(x.dtype) << (4 * address);
}

void check_f32(const char *kernel, const mpt_mod_operand &x) {
    if (x.dtype != MPT_F32) unsupported_dtype(kernel, x.dtype);
}

TensorList list_of(const Device &device, int addresses, std::vector<TensorList::Tensor> tensors) {
    return {device, addresses, kPack, kPack * kPacks * kThreads, 2, std::move(tensors)};
}

std::unique_ptr<Kernel> prepare_average(Device &device, const mpt_mod_call &call) {
    const auto attrs = attrs_of<mpt_attrs_average>(call);
    if (attrs.n < 0 || call.n_in != 1 + attrs.n || call.n_out != 1 + attrs.n)
        throw Failure{MPT_ERROR_INTERNAL, "average: another number of operands than the attributes say"};
    std::vector<TensorList::Tensor> tensors;
    for (int i = 0; i < attrs.n; ++i) {
        const mpt_mod_operand &parameter = call.in[1 + i], &average = call.out[1 + i];
        TensorList::Tensor tensor{i, numel(average)};
        add("average", tensor, 0, parameter, average);
        check_f32("average", average);
        add("average", tensor, 1, average, average);
        tensors.push_back(tensor);
    }
    const TensorList list = list_of(device, 2, std::move(tensors));
    const auto keep = static_cast<float>(attrs.decay), toward = static_cast<float>(1.0 - attrs.decay);
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        auto *moves = static_cast<std::int32_t *>(workspace);
        begin_average<<<1, 1, 0, stream>>>(static_cast<const std::int64_t *>(in[0]), static_cast<std::int64_t *>(out[0]), moves);
        check_launch("cuda:average");
        list.launch([&](int i, int number) -> const void * { return number == 0 ? in[1 + i] : out[1 + i]; },
                    [&](const auto &table) {
                        move_averages<<<table.pieces, kThreads, 0, stream>>>(table, moves, keep, toward);
                        check_launch("cuda:average");
                    });
    };
    return kernel_of("cuda:average", launch, sizeof(std::int32_t));
}

std::unique_ptr<Kernel> prepare_average_swap(Device &device, const mpt_mod_call &call) {
    const auto attrs = attrs_of<mpt_attrs_average_swap>(call);
    const int n = attrs.n, addresses = 3 + attrs.copies;
    if (n < 0 || attrs.copies < 0 || call.n_in != 0 || call.n_out != n * addresses)
        throw Failure{MPT_ERROR_INTERNAL, "average_swap: another number of operands than the attributes say"};
    if (addresses > kMostAddresses) throw Failure{MPT_ERROR_UNSUPPORTED, "average_swap: too many copies of a parameter"};
    std::vector<TensorList::Tensor> tensors;
    for (int i = 0; i < n; ++i) {
        const mpt_mod_operand &parameter = call.out[i], &average = call.out[n + i];
        TensorList::Tensor tensor{i, numel(average)};
        add("average_swap", tensor, 0, parameter, average);
        check_f32("average_swap", average);
        add("average_swap", tensor, 1, average, average);
        if (parameter.dtype != MPT_F32) {
            check_f32("average_swap's rest", call.out[2 * n + i]);
            add("average_swap", tensor, 2, call.out[2 * n + i], average);
        }
        for (int c = 3; c < addresses; ++c)
            if (present(call.out[c * n + i])) add("average_swap", tensor, c, call.out[c * n + i], average);
        tensors.push_back(tensor);
    }
    const TensorList list = list_of(device, addresses, std::move(tensors));
    return kernel_of("cuda:average_swap", [=](const void *const *, void *const *out, void *, cudaStream_t stream) {
        list.launch([&](int i, int number) { return out[number * n + i]; },
                    [&](const auto &table) {
                        swap_averages<<<table.pieces, kThreads, 0, stream>>>(table, attrs.copies);
                        check_launch("cuda:average_swap");
                    });
    });
}

const RegisteredKernel registered_average("average", prepare_average), registered_swap("average_swap", prepare_average_swap);

}  // namespace
}  // namespace mpt::cuda
