// "scaler_update" of device/attrs/: how a dynamic loss scale moves.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "device/attrs/scaler.h"
#include "kernel.h"

namespace mpt::cpu {
namespace {

class ScalerUpdate final : public Kernel {
public:
    explicit ScalerUpdate(const mpt_mod_call &call)
        : attrs_(attrs_of<mpt_attrs_scaler>(call)),
          n_(call.n_in),
          minimum_(static_cast<float>(attrs_.minimum)),
          maximum_(static_cast<float>(attrs_.maximum)) {
        if (attrs_.kind < MPT_SCALER_STATIC || attrs_.kind > MPT_SCALER_MEGATRON)
            throw Failure{MPT_ERROR_UNSUPPORTED, "scaler_update: kind " + std::to_string(attrs_.kind) + " is unknown"};
    }

    void launch(const void *const *in, void *const *out, void *) override {
        auto &scale = *static_cast<float *>(out[0]);
        auto *tracker = static_cast<std::int32_t *>(out[1]);
        auto &good = tracker[0], &forgiven = tracker[1];
        auto *counts = static_cast<std::int64_t *>(out[2]);  // good, bad, at_minimum
        bool bad = false;
        for (int i = 0; i < n_; i++) bad |= *static_cast<const float *>(in[i]) != 0.0f;
        counts[bad ? 1 : 0]++;
        if (attrs_.kind == MPT_SCALER_STATIC) return;
        if (bad) {
            good = 0;
            if (attrs_.kind != MPT_SCALER_TORCH) {
                forgiven = std::max(forgiven - 1, 0);
                if (forgiven > 0) return;
            }
            if (back_off(scale)) counts[2]++;
            return;
        }
        const bool grows = ++good >= attrs_.interval;
        if (grows) {
            grow(scale);
            good = 0;
        }
        if (attrs_.kind == MPT_SCALER_HYSTERESIS || (attrs_.kind == MPT_SCALER_MEGATRON && grows)) forgiven = attrs_.hysteresis;
    }

    const char *name() const override { return "cpu:scaler_update"; }

private:
    // True when the minimum held the scale.
    bool back_off(float &scale) const {
        scale = static_cast<float>(static_cast<double>(scale) * attrs_.backoff);
        if (!(minimum_ > 0 && scale < minimum_)) return false;
        scale = minimum_;
        return true;
    }

    void grow(float &scale) const {
        const float grown = static_cast<float>(static_cast<double>(scale) * attrs_.growth);
        if (std::isfinite(grown)) scale = maximum_ > 0 && grown > maximum_ ? maximum_ : grown;
    }

    mpt_attrs_scaler attrs_;
    int n_;
    float minimum_, maximum_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_scaler_update(Pool &, const mpt_mod_call &call) {
    return std::make_unique<ScalerUpdate>(call);
}

static const RegisteredKernel registered_scaler_update("scaler_update", prepare_scaler_update);

}  // namespace mpt::cpu
