// "cross_entropy" and "cross_entropy_grad" of device/attrs/loss.h. One pass over a row gives its log-sum-exp; where not one class
// alone is right, a second weighs its scores.
#include "cross_entropy.cuh"

namespace mpt::cuda {
namespace {

template <class T, int V, bool OneClass>
__global__ void __launch_bounds__(1024)
    cross_entropy(ClassRows rows, Distribution distribution, ClassLoss loss, const typename T::Stored *__restrict__ x, float *lse,
                  std::int64_t lse_stride, double2 *of_blocks) {
    __shared__ float scratch[32];
    double2 sum = {0, 0};
    for (std::int64_t r = team(); r < rows.rows; r += teams()) {
        const std::int64_t target = rows.probabilities ? 0 : rows.target(r);
        const RowLoss of = row_loss<T, V, OneClass>(rows, distribution, r, target, x + r * rows.row_stride, scratch,
                                                    [](std::int64_t, const Elements<T, V> &) {});
        if (threadIdx.x == 0) {
            lse[r * lse_stride] = of.log_sum_exp;
            if (loss.per_row) loss.loss[r * loss.stride] = of.value;
            sum = {sum.x + of.value, sum.y + of.counts};
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
        const RowGradient<T, OneClass> of(rows, distribution, r, target, lse[r * lse_stride], gradient.scale(r), scratch);
        RowParts<T, V>(row, rows.classes).map(row, rows.class_stride, dx + r * dx_row_stride, dx_class_stride, of);
    }
}

template <class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    const ClassRows form(call);
    const ClassLoss loss(call, call.out[2]);
    const Distribution distribution(call, form);
    const bool one_class = distribution.one_class;
    if (call.out[1].dtype != MPT_F32 || call.out[1].ndim != 1) unsupported_dtype(call.kernel, call.out[1].dtype);
    const std::int64_t lse_stride = call.out[1].strides[0];
    const Team t = team_of_rows(device, form, sizeof(typename T::Stored));
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
    const ClassGradient gradient(call, call.in[4], call.in[5], call.out[0]);
    const Distribution distribution(call, form);
    const bool one_class = distribution.one_class;
    if (call.in[3].dtype != MPT_F32 || call.in[3].ndim != 1) unsupported_dtype(call.kernel, call.in[3].dtype);
    if (call.out[0].dtype != T::dtype) unsupported_dtype(call.kernel, call.out[0].dtype);
    const std::int64_t lse_stride = call.in[3].strides[0], row_stride = call.out[0].strides[0],
                       class_stride = call.out[0].strides[1];
    const Team t = team_of_rows(device, form, sizeof(typename T::Stored));
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
