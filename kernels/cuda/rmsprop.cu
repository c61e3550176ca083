// "rmsprop" of device/attrs/ [Tieleman and Hinton 2012], in the order of operations of torch.optim.RMSprop (single tensor).
#include "update_tensor.cuh"

namespace mpt::cuda {
namespace {

struct RmspropConstants {
    float decay, lr, alpha, toward, rest, eps, momentum;
    bool near;  // which of lerp's two forms
    bool centered;
};

// States: the average of squares; the average of gradients when centered; the momentum's buffer when there is momentum.
template <int States>
struct RmspropRule {
    static constexpr const char *kName = "cuda:rmsprop";
    static constexpr int kStates = States;
    static constexpr bool kByNorms = false;
    using Constants = RmspropConstants;

    __device__ Constants constants(double lr, std::int64_t) const {
        RmspropConstants c{};
        c.decay = static_cast<float>(attrs.common.weight_decay);
        c.lr = static_cast<float>(lr);
        c.alpha = static_cast<float>(attrs.alpha);
        c.toward = static_cast<float>(1.0 - attrs.alpha);
        c.rest = 1.0f - c.toward;
        c.near = c.toward < 0.5f;
        c.eps = static_cast<float>(attrs.eps);
        c.momentum = static_cast<float>(attrs.momentum);
        c.centered = attrs.centered != 0;
        return c;
    }
    static __device__ __forceinline__ void update(const Constants &c, Single &p, Single g, Single (&state)[States]) {
        if (c.decay != 0) g = g + c.decay * p;
        Single square = state[0] * c.alpha + c.toward * g * g;
        state[0] = square;
        if constexpr (States > 1)
            if (c.centered) {
                const Single difference = g - state[1];
                const Single mean = c.near ? state[1] + c.toward * difference : g - difference * c.rest;
                state[1] = mean;
                square = square - mean * mean;
                square = square < 0.0f ? 0.0f : square.value;
            }
        const Single root = sqrt(square) + c.eps;
        const bool momentum = States == 3 || (States == 2 && !c.centered);
        if (momentum) {
            Single &buffer = state[States - 1];
            buffer = buffer * c.momentum + g / root;
            p = p - c.lr * buffer;
        } else {
            p = p - c.lr * g / root;
        }
    }

    mpt_attrs_rmsprop attrs;
};

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_rmsprop>(call);
    switch (1 + (attrs.centered != 0) + (attrs.momentum != 0)) {
        case 1:
            return prepare_rule<RmspropRule<1>>(device, call);
        case 2:
            return prepare_rule<RmspropRule<2>>(device, call);
        default:
            return prepare_rule<RmspropRule<3>>(device, call);
    }
}
const RegisteredKernel registered("rmsprop", prepare);

}  // namespace
}  // namespace mpt::cuda
