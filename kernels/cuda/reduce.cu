// "reduce" of device/attrs/. See fold.cuh for how, reduce_kinds.cuh for what.
#include "reduce_kinds.cuh"

namespace mpt::cuda {
namespace {

ReduceLaunch launch_of(std::int64_t kind) {
    switch (kind) {
        case MPT_REDUCE_SUM:
        case MPT_REDUCE_MEAN:
            return launch_reduce<ReduceSum>;
        case MPT_REDUCE_MAX:
            return launch_reduce<ReduceExtreme<Max>>;
        case MPT_REDUCE_MIN:
            return launch_reduce<ReduceExtreme<Min>>;
        case MPT_REDUCE_PROD:
            return launch_reduce<ReduceProduct>;
        case MPT_REDUCE_SQUARES:
        case MPT_REDUCE_NORM:
            return launch_reduce<ReduceSquares>;
        case MPT_REDUCE_LOGSUMEXP:
            return launch_reduce<ReduceExponentials>;
        default:
            throw Failure{MPT_ERROR_UNSUPPORTED, "reduce: kind " + std::to_string(kind) + " is unknown"};
    }
}

std::unique_ptr<Kernel> prepare(Device &, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &y = call.out[0];
    const auto &attrs = attrs_of<mpt_attrs_reduce>(call);
    const bool centred = call.n_in > 1 && present(call.in[1]);
    if (centred && (call.in[1].dtype != MPT_F32 || !same_layout(call.in[1], y)))
        throw Failure{MPT_ERROR_INTERNAL, "reduce: the centre has another form than the output"};
    need_float("reduce", x.dtype);
    need_float("reduce", y.dtype);
    const ReduceLaunch launch = launch_of(attrs.kind);
    const Fold fold("reduce", x, y, static_cast<int>(16 / bytes_of(x.dtype)));
    const std::int64_t outputs = numel(y);
    const ReduceOutcome outcome{static_cast<std::int32_t>(attrs.kind), y.dtype,
                                static_cast<float>(outputs > 0 ? numel(x) / outputs : 0), static_cast<float>(attrs.scale)};
    return kernel_of(
        "cuda:reduce",
        [=, dtype = x.dtype](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
            launch(stream, fold, dtype, outcome, in[0], centred ? in[1] : nullptr, out[0], workspace);
        },
        static_cast<std::size_t>(fold.partials()) * sizeof(float));
}
const RegisteredKernel registered("reduce", prepare);

}  // namespace
}  // namespace mpt::cuda
