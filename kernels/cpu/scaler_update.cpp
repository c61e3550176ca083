// "scaler_update" of device/attrs.h: how a dynamic loss scale moves [torch.amp.GradScaler].
#include <cmath>
#include <cstdint>

#include "kernels.h"

namespace mpt::cpu {
namespace {

class ScalerUpdate final : public Kernel {
public:
    explicit ScalerUpdate(const mpt_mod_call &call) : attrs_(attrs_of<mpt_attrs_scaler>(call)), n_(call.n_in) {}

    void launch(const void *const *in, void *const *out, void *) override {
        auto &scale = *static_cast<float *>(out[0]);
        auto &tracker = *static_cast<std::int32_t *>(out[1]);
        auto *counts = static_cast<std::int64_t *>(out[2]);  // good, bad, at_minimum
        bool bad = false;
        for (int i = 0; i < n_; i++) bad |= *static_cast<const float *>(in[i]) != 0.0f;
        counts[bad ? 1 : 0]++;
        if (attrs_.fixed) return;

        const float minimum = static_cast<float>(attrs_.minimum), maximum = static_cast<float>(attrs_.maximum);
        if (bad) {
            scale = static_cast<float>(static_cast<double>(scale) * attrs_.backoff);
            tracker = 0;
            if (minimum > 0 && scale < minimum) {
                scale = minimum;
                counts[2]++;
            }
        } else if (++tracker >= attrs_.interval) {
            tracker = 0;
            const float grown = static_cast<float>(static_cast<double>(scale) * attrs_.growth);
            if (std::isfinite(grown)) scale = maximum > 0 && grown > maximum ? maximum : grown;
        }
    }

    const char *name() const override { return "cpu:scaler_update"; }

private:
    mpt_attrs_scaler attrs_;
    int n_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_scaler_update(Pool &, const mpt_mod_call &call) {
    return std::make_unique<ScalerUpdate>(call);
}

}  // namespace mpt::cpu
