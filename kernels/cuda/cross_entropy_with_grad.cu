// "cross_entropy_with_grad" of device/attrs/fused.h: a row of scores is read once. Each thread keeps the packs that it reads in
// shared memory, as they are, and makes the gradient of them once the row's log-sum-exp is known. What does not fit is read again,
// the last first, which is still in the cache, as are short rows. A long row leaves no room for a second block, which would read
// while this one writes: so half of the next row is on its way to the cache meanwhile. All of it would drive out the others'.
#include "cross_entropy.cuh"
#include "shared_memory.cuh"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "cross_entropy_with_grad";
constexpr std::int64_t kShortestKept = 1024;

template <class T>
struct Places {
    const typename T::Stored *__restrict__ x;
    float *lse;
    typename T::Stored *__restrict__ dx;
    std::int64_t lse_stride, dx_row_stride, dx_class_stride;
    bool alike;  // rows of x and dx begin equally far behind 16 bytes
};

// The gradient needs the divisor before the losses have been added up. known: 0 for the mean of indices, whose rows are counted. By
// a block, of which each thread sees the result.
__device__ __forceinline__ void set_divisor(const ClassRows &rows, double known, float *divisor) {
    const unsigned thread = threadIdx.y * blockDim.x + threadIdx.x;
    int count = 0;
    if (known == 0)
#pragma unroll 8
        for (std::int64_t r = thread; r < rows.rows; r += blockDim.x * blockDim.y)
            count += rows.target(r) != ClassRows::kIgnored ? 1 : 0;
    const double2 all = sum_of_block({static_cast<double>(count), 0});
    if (thread == 0) *divisor = static_cast<float>(known == 0 ? all.x : known);
    __syncthreads();
}
__global__ void __launch_bounds__(1024) find_divisor(ClassRows rows, double known, float *divisor) {
    set_divisor(rows, known, divisor);
}

// By a block.
__device__ __forceinline__ void fetch_ahead(const void *from, std::int64_t nbytes) {
    constexpr int kLine = 128;
    for (std::int64_t at = threadIdx.x * kLine; at < nbytes; at += blockDim.x * kLine)
        asm volatile("prefetch.global.L2 [%0];" ::"l"(static_cast<const char *>(from) + at));
}

template <class T, int V, bool OneClass>
__global__ void __launch_bounds__(1024)
    with_grad(ClassRows rows, Distribution distribution, ClassLoss loss, ClassGradient gradient, Places<T> at, std::int64_t kept,
              std::int64_t ahead, double known, double2 *of_blocks) {
    extern __shared__ uint4 kept_packs[];
    __shared__ float scratch[32];
    auto *const packs = reinterpret_cast<Elements<T, V> *>(kept_packs);
    double2 sum = {0, 0};
    if (gridDim.x == 1) set_divisor(rows, known, loss.divisor);
    for (std::int64_t r = team(); r < rows.rows; r += teams()) {
        const std::int64_t target = rows.probabilities ? 0 : rows.target(r);
        const typename T::Stored *const row = at.x + r * rows.row_stride;
        typename T::Stored *const to = at.dx + r * at.dx_row_stride;
        const RowLoss of =
            row_loss<T, V, OneClass>(rows, distribution, r, target, row, scratch, [&](std::int64_t i, const Elements<T, V> &pack) {
                if (i < kept) packs[i] = pack;
            });
        if (ahead > 0 && r + teams() < rows.rows) fetch_ahead(row + teams() * rows.row_stride, ahead);
        if (threadIdx.x == 0) {
            at.lse[r * at.lse_stride] = of.log_sum_exp;
            if (loss.per_row) loss.loss[r * loss.stride] = of.value;
            sum = {sum.x + of.value, sum.y + of.counts};
        }
        // A row that does not count has not been read: its zeros come of whatever its packs hold.
        const RowGradient<T, OneClass> gradient_of(rows, distribution, r, target, of.log_sum_exp, gradient.scale(r), scratch);
        const RowParts<T, V> parts(row, rows.classes);
        const std::int64_t step = blockDim.x, mine = (parts.packs - threadIdx.x + step - 1) / step;
#pragma unroll 2
        for (std::int64_t i = threadIdx.x + (mine - 1) * step; i >= 0; i -= step) {
            const std::int64_t c = V == 1 ? i : parts.head + i * V;
            const Elements<T, V> pack = i < kept ? packs[i] : load<T, V, true>(row + (V == 1 ? i * rows.class_stride : c));
            float e[V];
            widen<T>(pack, e);
            gradient_of(c, e);
            if constexpr (V > 1)
                if (at.alike) {
                    store_pack<T>(to + c, e);
                    continue;
                }
#pragma unroll
            for (int v = 0; v < V; ++v) to[(c + v) * at.dx_class_stride] = narrow<T>(e[v]);
        }
        parts.edges([&](std::int64_t c) {
            float e[1] = {widen<T>(row[c])};
            gradient_of(c, e);
            to[c * at.dx_class_stride] = narrow<T>(e[0]);
        });
    }
    finish(rows, loss, sum, of_blocks);
}

template <class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    const ClassRows form(call);
    const ClassLoss loss(call, call.out[2]);
    const Distribution distribution(call, form);
    const bool counted = form.reduction == MPT_REDUCTION_MEAN && !form.probabilities;
    // The order of the weights' sum is that of the loss's rows.
    if (form.rows == 0 || form.classes == 0) throw Failure{MPT_ERROR_UNSUPPORTED, "cross_entropy_with_grad: nothing to add up"};
    if (counted && form.weight.dtype != MPT_DTYPE_NONE)
        throw Failure{MPT_ERROR_UNSUPPORTED, "cross_entropy_with_grad: a mean with weights"};
    const bool averaged = form.reduction == MPT_REDUCTION_MEAN || form.reduction == MPT_REDUCTION_BATCH_MEAN;
    const double known = counted ? 0 : averaged ? static_cast<double>(form.rows) : 1;
    const ClassGradient gradient(call, call.out[2], call.in[3], call.out[3]);
    if (call.out[1].dtype != MPT_F32 || call.out[1].ndim != 1) unsupported_dtype(call.kernel, call.out[1].dtype);
    const mpt_mod_operand &dx = call.out[3];
    if (dx.dtype != T::dtype) unsupported_dtype(call.kernel, dx.dtype);

    const Team t = team_of_rows(device, form, sizeof(typename T::Stored));
    const unsigned grid = t.grid(device, form.rows);
    const bool packs = form.class_stride == 1;
    int most = 0;
    check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device.index()), kName);
    const std::int64_t room = (most - 2048) / 16;  // beside what is static
    const std::int64_t kept = packs && t.y == 1 && form.classes >= kShortestKept ? std::min(form.classes / V, room) : 0;
    const auto shared = static_cast<std::size_t>(kept) * 16;
    const std::int64_t ahead = kept > 0 && alone(form, sizeof(typename T::Stored))
                                   ? form.classes / 2 * static_cast<std::int64_t>(sizeof(typename T::Stored))
                                   : 0;
    allow_shared(with_grad<T, V, true>, shared, kName);
    allow_shared(with_grad<T, V, false>, shared, kName);
    const std::int64_t lse_stride = call.out[1].strides[0], row_stride = dx.strides[0], class_stride = dx.strides[1];
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const ClassRows rows = form.at(in);
        const ClassLoss to = loss.at(out[0], out[2]);
        const ClassGradient by = gradient.at(out[2], in[3]);
        const auto *x = static_cast<const typename T::Stored *>(in[0]);
        auto *d = static_cast<typename T::Stored *>(out[3]);
        const bool alike = class_stride == 1 && (rows.row_stride - row_stride) % V == 0 &&
                           (reinterpret_cast<std::uintptr_t>(x) - reinterpret_cast<std::uintptr_t>(d)) % 16 == 0;
        const Places<T> at{x, static_cast<float *>(out[1]), d, lse_stride, row_stride, class_stride, alike};
        auto *of_blocks = static_cast<double2 *>(workspace);
        if (grid > 1) {
            find_divisor<<<1, 1024, 0, stream>>>(rows, known, to.divisor);
            check_launch(kName);
        }
        const auto run = [&](auto *kernel) {
            kernel<<<grid, t.block(), shared, stream>>>(rows, distribution, to, by, at, kept, ahead, known, of_blocks);
        };
        if (packs)
            distribution.one_class ? run(with_grad<T, V, true>) : run(with_grad<T, V, false>);
        else
            distribution.one_class ? run(with_grad<T, 1, true>) : run(with_grad<T, 1, false>);
        check_launch(kName);
        run_add_blocks(stream, rows, to, of_blocks, grid);
    };
    return kernel_of("cuda:cross_entropy_with_grad", launch, grid * sizeof(double2));
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.in[0].dtype, [&](auto t) { kernel = make<decltype(t)>(device, call); });
    return kernel;
}
const RegisteredKernel registered(kName, prepare);

}  // namespace
}  // namespace mpt::cuda
