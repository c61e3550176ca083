// "adadelta" of device/attrs/ [Zeiler 2012], in the order of operations of torch.optim.Adadelta (single tensor).
#include "update_tensor.cuh"

namespace mpt::cuda {
namespace {

struct AdadeltaConstants {
    float decay, lr, rho, toward, eps;
};

struct AdadeltaRule {
    static constexpr const char *kName = "cuda:adadelta";
    static constexpr int kStates = 2;
    static constexpr bool kByNorms = false;
    using Constants = AdadeltaConstants;

    __device__ Constants constants(double lr, std::int64_t) const {
        AdadeltaConstants c{};
        c.decay = static_cast<float>(attrs.common.weight_decay);
        c.lr = static_cast<float>(lr);
        c.rho = static_cast<float>(attrs.rho);
        c.toward = static_cast<float>(1.0 - attrs.rho);
        c.eps = static_cast<float>(attrs.eps);
        return c;
    }
    // state: averages of squared gradients and of squared changes.
    static __device__ __forceinline__ void update(const Constants &c, Single &p, Single g, Single (&state)[2]) {
        if (c.decay != 0) g = g + c.decay * p;
        const Single square = state[0] * c.rho + c.toward * g * g;
        const Single change = sqrt(state[1] + c.eps) / sqrt(square + c.eps) * g;
        state[0] = square;
        state[1] = state[1] * c.rho + c.toward * change * change;
        p = p - c.lr * change;
    }

    mpt_attrs_adadelta attrs;
};

const RegisteredKernel registered("adadelta", prepare_rule<AdadeltaRule>);

}  // namespace
}  // namespace mpt::cuda
