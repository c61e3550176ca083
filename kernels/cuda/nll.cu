// "nll" and "nll_grad" of device/attrs/loss.h.
#include "class_rows.cuh"

namespace mpt::cuda {
namespace {

template <class T>
__global__ void nll(ClassRows rows, ClassLoss loss, const typename T::Stored *__restrict__ x, double2 *of_blocks) {
    double2 sum = {0, 0};
    for (std::int64_t r = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; r < rows.rows;
         r += std::int64_t{gridDim.x} * blockDim.x) {
        const std::int64_t target = rows.target(r);
        float value = target == ClassRows::kIgnored ? 0 : std::numeric_limits<float>::quiet_NaN(),
              counts = target == ClassRows::kIgnored ? 0 : 1;
        if (target >= 0) {
            counts = rows.weight.read(target, 1);
            value = -counts * widen<T>(x[r * rows.row_stride + target * rows.class_stride]);
        }
        if (loss.per_row) loss.loss[r * loss.stride] = value;
        sum = {sum.x + value, sum.y + counts};
    }
    finish(rows, loss, sum, of_blocks);
}

// across: packs of a row.
template <class T, int V>
__global__ void nll_grad(ClassRows rows, ClassGradient gradient, std::int64_t across, Divider divider, typename T::Stored *dx,
                         std::int64_t row_stride, std::int64_t class_stride) {
    const std::int64_t count = rows.rows * across;
    for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
         i += std::int64_t{gridDim.x} * blockDim.x) {
        std::int64_t r, p;
        if (count < (std::int64_t{1} << 31)) {
            auto quotient = static_cast<std::uint32_t>(i);
            p = divider.divide(quotient);
            r = quotient;
        } else {
            r = i / across;
            p = i % across;
        }
        const std::int64_t target = rows.target(r);
        float pack[V];
#pragma unroll
        for (int v = 0; v < V; ++v) pack[v] = p * V + v == target ? -rows.weight.read(target, 1) * gradient.scale(r) : 0;
        put<T>(dx + r * row_stride, class_stride, p, pack);
    }
}

template <class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    const ClassRows form(call);
    const ClassLoss loss(call, call.out[1]);
    const unsigned grid = blocks_for(device, form.rows, kThreads, 4);
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const ClassRows rows = form.at(in);
        const ClassLoss to = loss.at(out[0], out[1]);
        nll<T><<<grid, kThreads, 0, stream>>>(rows, to, static_cast<const typename T::Stored *>(in[0]),
                                              static_cast<double2 *>(workspace));
        check_launch("nll");
        run_add_blocks(stream, rows, to, workspace, grid);
    };
    return kernel_of("cuda:nll", launch, grid * sizeof(double2));
}

template <class T>
std::unique_ptr<Kernel> make_grad(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    const ClassRows form(call);
    const ClassGradient gradient(call, call.in[3], call.in[4], call.out[0]);
    const std::int64_t row_stride = call.out[0].strides[0], class_stride = call.out[0].strides[1];
    const bool in_packs = form.classes % V == 0 && class_stride == 1 && row_stride % V == 0;
    return kernel_of("cuda:nll_grad", [=, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        const ClassRows rows = form.at(in);
        const ClassGradient by = gradient.at(in[3], in[4]);
        auto *dx = static_cast<typename T::Stored *>(out[0]);
        const bool packs = in_packs && aligned(dx, 16);
        const std::int64_t across = packs ? rows.classes / V : rows.classes;
        const Divider divider(static_cast<std::uint32_t>(across));
        const unsigned grid = blocks_for(device, rows.rows * across, kThreads, 32);
        if (packs)
            nll_grad<T, V><<<grid, kThreads, 0, stream>>>(rows, by, across, divider, dx, row_stride, class_stride);
        else
            nll_grad<T, 1><<<grid, kThreads, 0, stream>>>(rows, by, across, divider, dx, row_stride, class_stride);
        check_launch("nll_grad");
    });
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.in[0].dtype, [&](auto t) { kernel = make<decltype(t)>(device, call); });
    return kernel;
}
std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.out[0].dtype, [&](auto t) { kernel = make_grad<decltype(t)>(device, call); });
    return kernel;
}
const RegisteredKernel registered("nll", prepare);
const RegisteredKernel registered_grad("nll_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
