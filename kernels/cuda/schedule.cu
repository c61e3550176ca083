// "schedule" of device/attrs/.
#include <cstdint>
#include <string>

#include "device/attrs/schedule.h"
#include "kernel.h"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "cuda:schedule";
constexpr double kPi = 3.14159265358979323846;
constexpr double kCycleStart = 1.0 / 25;

__device__ double cosine(double from, double to, double x) {
    return x >= 1 ? to : to + (from - to) * (1.0 + cos(kPi * x)) / 2.0;
}

__device__ double ratio(std::int64_t a, std::int64_t b) {
    return static_cast<double>(a) / static_cast<double>(b);
}

__device__ double factor(const mpt_attrs_schedule &attrs, std::int64_t t) {
    const std::int64_t warm = attrs.warmup_steps, left = attrs.total_steps - warm;
    if (attrs.kind == MPT_SCHEDULE_ONE_CYCLE) {
        const std::int64_t peak = warm - 1;
        return t < peak ? cosine(kCycleStart, 1, ratio(t, peak)) : cosine(1, attrs.final_factor, ratio(t - peak, left));
    }
    if (t < warm) return ratio(t + 1, warm);
    switch (attrs.kind) {
        case MPT_SCHEDULE_STEP:
            return pow(attrs.gamma, static_cast<double>((t - warm) / attrs.interval));
        case MPT_SCHEDULE_COSINE:
            return cosine(1, attrs.final_factor, ratio(t - warm, left));
        case MPT_SCHEDULE_LINEAR: {
            const double part = ratio(t - warm, left);
            return 1.0 + (attrs.final_factor - 1.0) * (part < 1.0 ? part : 1.0);
        }
        default:
            return 1;
    }
}

__global__ void set_rate(mpt_attrs_schedule attrs, const float *base, const std::int64_t *step, float *rate) {
    *rate = static_cast<float>(static_cast<double>(*base) * factor(attrs, *step));
}

std::unique_ptr<Kernel> prepare(Device &, const mpt_mod_call &call) {
    const auto attrs = attrs_of<mpt_attrs_schedule>(call);
    if (attrs.kind < MPT_SCHEDULE_CONSTANT || attrs.kind > MPT_SCHEDULE_ONE_CYCLE)
        throw Failure{MPT_ERROR_UNSUPPORTED, "schedule: kind " + std::to_string(attrs.kind) + " is unknown"};
    return kernel_of(kName, [attrs](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        set_rate<<<1, 1, 0, stream>>>(attrs, static_cast<const float *>(in[0]), static_cast<const std::int64_t *>(in[1]),
                                      static_cast<float *>(out[0]));
        check_launch(kName);
    });
}
const RegisteredKernel registered("schedule", prepare);

}  // namespace
}  // namespace mpt::cuda
