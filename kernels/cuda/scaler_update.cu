// "scaler_update" of device/attrs/: how a dynamic loss scale moves.
#include <cmath>
#include <cstdint>
#include <string>

#include "device/attrs/scaler.h"
#include "kernel.h"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "cuda:scaler_update";

struct Found {
    static constexpr int kMost = 256;
    int n = 0;
    const float *of[kMost];
};

struct Scaler {
    float *scale;
    std::int32_t *tracker;  // good iterations, bad ones still forgiven
    std::int64_t *counts;   // good, bad, at_minimum
};

// True when the minimum held the scale.
__device__ bool back_off(const mpt_attrs_scaler &attrs, float &scale) {
    const auto minimum = static_cast<float>(attrs.minimum);
    scale = static_cast<float>(static_cast<double>(scale) * attrs.backoff);
    if (!(minimum > 0 && scale < minimum)) return false;
    scale = minimum;
    return true;
}

__device__ void grow(const mpt_attrs_scaler &attrs, float &scale) {
    const auto maximum = static_cast<float>(attrs.maximum);
    const auto grown = static_cast<float>(static_cast<double>(scale) * attrs.growth);
    if (isfinite(grown)) scale = maximum > 0 && grown > maximum ? maximum : grown;
}

__device__ void move(const mpt_attrs_scaler &attrs, const Scaler &scaler, bool bad) {
    std::int32_t &good = scaler.tracker[0], &forgiven = scaler.tracker[1];
    ++scaler.counts[bad ? 1 : 0];
    if (attrs.kind == MPT_SCALER_STATIC) return;
    if (bad) {
        good = 0;
        if (attrs.kind != MPT_SCALER_TORCH) {
            forgiven = forgiven > 1 ? forgiven - 1 : 0;
            if (forgiven > 0) return;
        }
        if (back_off(attrs, *scaler.scale)) ++scaler.counts[2];
        return;
    }
    const bool grows = ++good >= attrs.interval;
    if (grows) {
        grow(attrs, *scaler.scale);
        good = 0;
    }
    if (attrs.kind == MPT_SCALER_HYSTERESIS || (attrs.kind == MPT_SCALER_MEGATRON && grows)) forgiven = attrs.hysteresis;
}

// One warp. before: whether one of the lists before was bad, where there are several; last: there is none behind.
__global__ void update_scale(const __grid_constant__ Found found, mpt_attrs_scaler attrs, Scaler scaler, std::int32_t *before,
                             bool first, bool last) {
    bool own = !first && *before;
    for (int i = static_cast<int>(threadIdx.x); i < found.n; i += 32) own |= *found.of[i] != 0.0f;
    const bool bad = __any_sync(~0u, own);
    if (threadIdx.x != 0) return;
    if (last)
        move(attrs, scaler, bad);
    else
        *before = bad;
}

std::unique_ptr<Kernel> prepare(Device &, const mpt_mod_call &call) {
    const auto attrs = attrs_of<mpt_attrs_scaler>(call);
    const int n = call.n_in;
    if (attrs.kind < MPT_SCALER_STATIC || attrs.kind > MPT_SCALER_MEGATRON)
        throw Failure{MPT_ERROR_UNSUPPORTED, "scaler_update: kind " + std::to_string(attrs.kind) + " is unknown"};
    const auto launch = [attrs, n](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const Scaler scaler{static_cast<float *>(out[0]), static_cast<std::int32_t *>(out[1]), static_cast<std::int64_t *>(out[2])};
        int at = 0;
        do {
            Found found;
            const bool first = at == 0;
            for (; found.n < Found::kMost && at < n; ++at) found.of[found.n++] = static_cast<const float *>(in[at]);
            update_scale<<<1, 32, 0, stream>>>(found, attrs, scaler, static_cast<std::int32_t *>(workspace), first, at == n);
            check_launch(kName);
        } while (at < n);
    };
    return kernel_of(kName, launch, sizeof(std::int32_t));
}
const RegisteredKernel registered("scaler_update", prepare);

}  // namespace
}  // namespace mpt::cuda
