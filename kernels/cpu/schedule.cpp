// "schedule" of device/attrs/.
#include "device/attrs/schedule.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "kernel.h"

namespace mpt::cpu {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kCycleStart = 1.0 / 25;

double cosine(double from, double to, double x) {
    return x >= 1 ? to : to + (from - to) * (1.0 + std::cos(kPi * x)) / 2.0;
}

class Schedule final : public Kernel {
public:
    explicit Schedule(const mpt_mod_call &call) : attrs_(attrs_of<mpt_attrs_schedule>(call)) {
        if (attrs_.kind < MPT_SCHEDULE_CONSTANT || attrs_.kind > MPT_SCHEDULE_ONE_CYCLE)
            throw Failure{MPT_ERROR_UNSUPPORTED, "schedule: kind " + std::to_string(attrs_.kind) + " is unknown"};
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const double base = static_cast<double>(*static_cast<const float *>(in[0]));
        *static_cast<float *>(out[0]) = static_cast<float>(base * factor(*static_cast<const std::int64_t *>(in[1])));
    }

    const char *name() const override { return "cpu:schedule"; }

private:
    double factor(std::int64_t t) const {
        const auto ratio = [](std::int64_t a, std::int64_t b) { return static_cast<double>(a) / static_cast<double>(b); };
        const std::int64_t warm = attrs_.warmup_steps, left = attrs_.total_steps - warm;
        if (attrs_.kind == MPT_SCHEDULE_ONE_CYCLE) {
            const std::int64_t peak = warm - 1;
            return t < peak ? cosine(kCycleStart, 1, ratio(t, peak)) : cosine(1, attrs_.final_factor, ratio(t - peak, left));
        }
        if (t < warm) return ratio(t + 1, warm);
        switch (attrs_.kind) {
            case MPT_SCHEDULE_STEP:
                return std::pow(attrs_.gamma, static_cast<double>((t - warm) / attrs_.interval));
            case MPT_SCHEDULE_COSINE:
                return cosine(1, attrs_.final_factor, ratio(t - warm, left));
            case MPT_SCHEDULE_LINEAR:
                return 1.0 + (attrs_.final_factor - 1.0) * std::min(1.0, ratio(t - warm, left));
            default:
                return 1;
        }
    }

    mpt_attrs_schedule attrs_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_schedule(Pool &, const mpt_mod_call &call) {
    return std::make_unique<Schedule>(call);
}

static const RegisteredKernel registered_schedule("schedule", prepare_schedule);

}  // namespace mpt::cpu
