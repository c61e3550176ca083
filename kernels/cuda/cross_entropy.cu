// "cross_entropy" and "cross_entropy_grad" of device/attrs/loss.h. One pass over a row gives its log-sum-exp; where not one class
// alone is right, a second weighs its scores.
#include "class_rows.cuh"
#include "softmax_rows.cuh"

namespace mpt::cuda {
namespace {

// What the scores of a row are weighted with where not one class alone is right: smoothed indices, or probabilities.
struct Distribution {
    float keep, even;  // 1 - s and s / C
    __device__ __forceinline__ float operator()(const ClassRows &rows, std::int64_t row, std::int64_t target, float peak,
                                                std::int64_t c) const {
        const float weight = rows.weight.read(c, 1);
        if (rows.probabilities) return weight * (keep * rows.probability(row, c) + even);
        return even * weight + (c == target ? peak : 0);
    }
};

template <class T, int V, bool OneClass>
__global__ void __launch_bounds__(1024)
    cross_entropy(ClassRows rows, Distribution distribution, ClassLoss loss, const typename T::Stored *__restrict__ x, float *lse,
                  std::int64_t lse_stride, double2 *of_blocks) {
    __shared__ float scratch[32];
    double2 sum = {0, 0};
    for (std::int64_t r = team(); r < rows.rows; r += teams()) {
        const std::int64_t target = rows.probabilities ? 0 : rows.target(r);
        float value = 0, counts = 0;
        if (target == ClassRows::kIgnored) {
            if (threadIdx.x == 0) lse[r * lse_stride] = 0;
        } else {
            const typename T::Stored *row = x + r * rows.row_stride;
            Exponentials<T> e;
            e.template add_row<T, V>(row, rows.class_stride, rows.classes, scratch);
            const float log_sum = logf(e.sum);
            if (threadIdx.x == 0) lse[r * lse_stride] = e.largest + log_sum;
            counts = rows.probabilities || target < 0 ? 1 : rows.weight.read(target, 1);
            if (target == ClassRows::kOutside) {
                value = std::numeric_limits<float>::quiet_NaN();
            } else if (OneClass) {
                value = counts * (log_sum - (widen<T>(row[target * rows.class_stride]) - e.largest));
            } else {
                RowParts<T, V>(row, rows.classes).each(row, rows.class_stride, [&](std::int64_t c, float e_c) {
                    value += distribution(rows, r, target, distribution.keep * counts, c) * (log_sum - (e_c - e.largest));
                });
                value = team_reduce(value, Add(), 0.0f, scratch);
            }
        }
        if (threadIdx.x == 0) {
            if (loss.per_row) loss.loss[r * loss.stride] = value;
            sum = {sum.x + value, sum.y + counts};
        }
    }
    finish(rows, loss, sum, of_blocks);
}

template <class T, int V, bool OneClass>
__global__ void __launch_bounds__(1024)
    cross_entropy_grad(ClassRows rows, Distribution distribution, ClassGradient gradient, const typename T::Stored *__restrict__ x,
                       const float *__restrict__ lse, std::int64_t lse_stride, typename T::Stored *__restrict__ dx,
                       std::int64_t dx_row_stride, std::int64_t dx_class_stride) {
    __shared__ float scratch[32];
    for (std::int64_t r = team(); r < rows.rows; r += teams()) {
        const std::int64_t target = rows.probabilities ? 0 : rows.target(r);
        const typename T::Stored *row = x + r * rows.row_stride;
        typename T::Stored *to = dx + r * dx_row_stride;
        const float log_sum_exp = lse[r * lse_stride];
        const float weight = rows.probabilities || target < 0 ? 1 : rows.weight.read(target, 1), peak = distribution.keep * weight;
        float scale = gradient.scale(r), total = 1;
        if (OneClass) {
            scale *= weight;
        } else if (!rows.probabilities && rows.weight.dtype == MPT_DTYPE_NONE) {
            total = peak + distribution.even * static_cast<float>(rows.classes);
        } else if (target >= 0) {
            total = 0;
            for (std::int64_t c = threadIdx.x; c < rows.classes; c += blockDim.x) total += distribution(rows, r, target, peak, c);
            total = team_reduce(total, Add(), 0.0f, scratch);
        }
        RowParts<T, V>(row, rows.classes).map(row, rows.class_stride, to, dx_class_stride, [&](std::int64_t c, auto &e) {
            const std::int64_t to_target = target - c;
            const int at = to_target >= 0 && to_target < V ? static_cast<int>(to_target) : -1;
#pragma unroll
            for (int v = 0; v < static_cast<int>(sizeof e / sizeof *e); ++v) {
                const float q = OneClass ? (v == at ? 1.0f : 0.0f) : distribution(rows, r, target, peak, c + v);
                e[v] = target < 0 ? 0 : (exponential<T>(e[v] - log_sum_exp) * total - q) * scale;
            }
        });
    }
}

Distribution distribution_of(const mpt_mod_call &call, const ClassRows &rows) {
    const double smoothing = attrs_of<mpt_attrs_cross_entropy>(call).smoothing;
    return {static_cast<float>(1 - smoothing), static_cast<float>(smoothing / static_cast<double>(rows.classes))};
}

template <class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    const ClassRows form(call);
    const ClassLoss loss(call, call.out[2]);
    const Distribution distribution = distribution_of(call, form);
    const bool one_class = !form.probabilities && distribution.keep == 1 && distribution.even == 0;
    if (call.out[1].dtype != MPT_F32 || call.out[1].ndim != 1) unsupported_dtype(call.kernel, call.out[1].dtype);
    const std::int64_t lse_stride = call.out[1].strides[0];
    const Team t = team_that_streams(device, form.rows, form.classes);
    const unsigned grid = t.grid(device, form.rows);
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const ClassRows rows = form.at(in);
        const ClassLoss to = loss.at(out[0], out[2]);
        const auto *x = static_cast<const typename T::Stored *>(in[0]);
        auto *lse = static_cast<float *>(out[1]);
        auto *of_blocks = static_cast<double2 *>(workspace);
        const bool packs = rows.class_stride == 1;
        if (packs && one_class)
            cross_entropy<T, V, true><<<grid, t.block(), 0, stream>>>(rows, distribution, to, x, lse, lse_stride, of_blocks);
        else if (packs)
            cross_entropy<T, V, false><<<grid, t.block(), 0, stream>>>(rows, distribution, to, x, lse, lse_stride, of_blocks);
        else if (one_class)
            cross_entropy<T, 1, true><<<grid, t.block(), 0, stream>>>(rows, distribution, to, x, lse, lse_stride, of_blocks);
        else
            cross_entropy<T, 1, false><<<grid, t.block(), 0, stream>>>(rows, distribution, to, x, lse, lse_stride, of_blocks);
        check_launch("cross_entropy");
        run_add_blocks(stream, rows, to, of_blocks, grid);
    };
    return kernel_of("cuda:cross_entropy", launch, grid * sizeof(double2));
}

template <class T>
std::unique_ptr<Kernel> make_grad(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    const ClassRows form(call);
    const ClassGradient gradient(call, call.in[4], call.in[5]);
    const Distribution distribution = distribution_of(call, form);
    const bool one_class = !form.probabilities && distribution.keep == 1 && distribution.even == 0;
    if (call.in[3].dtype != MPT_F32 || call.in[3].ndim != 1) unsupported_dtype(call.kernel, call.in[3].dtype);
    if (call.out[0].dtype != T::dtype) unsupported_dtype(call.kernel, call.out[0].dtype);
    const std::int64_t lse_stride = call.in[3].strides[0], row_stride = call.out[0].strides[0],
                       class_stride = call.out[0].strides[1];
    const Team t = team_that_streams(device, form.rows, form.classes);
    const unsigned grid = t.grid(device, form.rows);
    return kernel_of("cuda:cross_entropy_grad", [=](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        const ClassRows rows = form.at(in);
        const ClassGradient by = gradient.at(in[4], in[5]);
        const auto *x = static_cast<const typename T::Stored *>(in[0]);
        const auto *lse = static_cast<const float *>(in[3]);
        auto *dx = static_cast<typename T::Stored *>(out[0]);
        // Rows that are equally far behind 16 bytes.
        const bool packs = rows.class_stride == 1 && class_stride == 1 && (rows.row_stride - row_stride) % V == 0 &&
                           (reinterpret_cast<std::uintptr_t>(x) - reinterpret_cast<std::uintptr_t>(dx)) % 16 == 0;
        const auto run = [&](auto *kernel) {
            kernel<<<grid, t.block(), 0, stream>>>(rows, distribution, by, x, lse, lse_stride, dx, row_stride, class_stride);
        };
        if (packs)
            one_class ? run(cross_entropy_grad<T, V, true>) : run(cross_entropy_grad<T, V, false>);
        else
            one_class ? run(cross_entropy_grad<T, 1, true>) : run(cross_entropy_grad<T, 1, false>);
        check_launch("cross_entropy_grad");
    });
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.in[0].dtype, [&](auto t) { kernel = make<decltype(t)>(device, call); });
    return kernel;
}
std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.in[0].dtype, [&](auto t) { kernel = make_grad<decltype(t)>(device, call); });
    return kernel;
}
const RegisteredKernel registered("cross_entropy", prepare);
const RegisteredKernel registered_grad("cross_entropy_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
