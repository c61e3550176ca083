// "sgd" of device/attrs/, in the order of operations of torch.optim.SGD (single tensor).
#include "update_tensor.cuh"

namespace mpt::cuda {
namespace {

struct SgdConstants {
    float decay, momentum, toward, lr;
    bool first, nesterov;
};

template <bool Momentum>
struct SgdRule {
    static constexpr const char *kName = "cuda:sgd";
    static constexpr int kStates = Momentum;
    static constexpr bool kByNorms = false;
    using Constants = SgdConstants;

    __device__ Constants constants(double lr, std::int64_t t) const {
        SgdConstants c{};
        c.decay = static_cast<float>(attrs.common.weight_decay);
        c.momentum = static_cast<float>(attrs.momentum);
        c.toward = static_cast<float>(1.0 - attrs.dampening);
        c.lr = static_cast<float>(lr);
        c.first = t == 1;  // the buffer begins as the gradient, not dampened
        c.nesterov = attrs.nesterov != 0;
        return c;
    }
    static __device__ __forceinline__ void update(const Constants &c, Single &p, Single g, Single (&state)[1]) {
        if (c.decay != 0) g = g + c.decay * p;
        if constexpr (Momentum) {
            const Single b = c.first ? g : c.momentum * state[0] + c.toward * g;
            state[0] = b;
            g = c.nesterov ? g + c.momentum * b : b;
        }
        p = p - c.lr * g;
    }

    mpt_attrs_sgd attrs;
};

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    return attrs_of<mpt_attrs_sgd>(call).momentum != 0 ? prepare_rule<SgdRule<true>>(device, call)
                                                       : prepare_rule<SgdRule<false>>(device, call);
}
const RegisteredKernel registered("sgd", prepare);

}  // namespace
}  // namespace mpt::cuda
