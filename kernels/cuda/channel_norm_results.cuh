// What the statistics of a group become, in all of channel_norm's kernels.
#pragma once

#include "any_float.cuh"
#include "device/attrs/norm.h"

namespace mpt::cuda {

// Null: absent outputs.
struct Results {
    float *mean, *rstd;
    float *running_mean, *running_variance;
    std::int64_t running_mean_stride, running_variance_stride;
    Vector weight, bias;
    double eps, momentum;
    double unbiased;  // count / (count - 1)
    bool exact;       // else coefficients are made of what is stored, so that a gradient can make them again

    // By some threads, of which this is one; number: of the item and group; channel: the group's first. scale and shift: of each of
    // its channels. stores: whether the statistics themselves are written.
    __device__ __forceinline__ float write(std::int64_t number, std::int64_t channel, std::int64_t per_group, double center,
                                           double variance, float *scale, float *shift, unsigned thread, unsigned threads,
                                           bool stores = true) const {
        const double inverse = rsqrt(variance + eps);
        const auto rounded_mean = static_cast<float>(center), rounded_inverse = static_cast<float>(inverse);
        if (thread == 0 && stores) {
            mean[number] = rounded_mean;
            rstd[number] = rounded_inverse;
            if (running_mean) {
                float &m = running_mean[channel * running_mean_stride], &v = running_variance[channel * running_variance_stride];
                m = static_cast<float>(fma(momentum, center, (1 - momentum) * m));
                v = static_cast<float>(fma(momentum, variance * unbiased, (1 - momentum) * v));
            }
        }
        const double lost = rounded_mean - center;  // in rounding
        for (std::int64_t c = thread; c < per_group; c += threads) {
            const float factor = weight.read(channel + c, 1), added = bias.read(channel + c, 0);
            const double product = inverse * static_cast<double>(factor);
            scale[c] = exact ? static_cast<float>(product) : rounded_inverse * factor;
            shift[c] = exact && lost == lost ? static_cast<float>(fma(lost, product, static_cast<double>(added))) : added;
        }
        return rounded_mean;
    }
};

// The same before there are addresses: of channel_norm's operands. size: elements of a group.
struct ResultsForm {
    ResultsForm(const mpt_mod_call &call, std::int64_t channels, std::int64_t size, bool exact) {
        const auto &attrs = attrs_of<mpt_attrs_channel_norm>(call);
        results.running_mean_stride = present(call.out[3]) ? call.out[3].strides[0] : 0;
        results.running_variance_stride = present(call.out[4]) ? call.out[4].strides[0] : 0;
        results.weight = Vector(call.kernel, call.in[1], channels);
        results.bias = Vector(call.kernel, call.in[2], channels);
        results.eps = attrs.eps;
        results.momentum = attrs.momentum;
        results.unbiased = static_cast<double>(size) / static_cast<double>(size - 1);
        results.exact = exact;
    }
    Results at(const void *const *in, void *const *out) const {
        Results placed = results;
        placed.mean = static_cast<float *>(out[1]);
        placed.rstd = static_cast<float *>(out[2]);
        placed.running_mean = static_cast<float *>(out[3]);
        placed.running_variance = static_cast<float *>(out[4]);
        placed.weight = results.weight.at(in[1]);
        placed.bias = results.bias.at(in[2]);
        return placed;
    }

    Results results = {};
};

}  // namespace mpt::cuda
