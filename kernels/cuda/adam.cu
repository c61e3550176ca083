// "adam" of device/attrs/: Adam [Kingma and Ba 2015] and AdamW [Loshchilov and Hutter 2019] in the order of operations
// of torch.optim (single tensor).
#include "adam.cuh"
#include "update_tensor.cuh"

namespace mpt::cuda {
namespace {

struct AdamRule {
    static constexpr const char *kName = "cuda:adam";
    static constexpr int kStates = 2;
    static constexpr bool kByNorms = false;
    using Constants = AdamConstants;

    __device__ Constants constants(double lr, std::int64_t t) const {
        AdamConstants c = adam_constants(attrs, lr, t);
        if (attrs.decoupled) {
            c.shrink = static_cast<float>(1.0 - lr * attrs.common.weight_decay);
            c.decay = 0;
        }
        return c;
    }
    static __device__ __forceinline__ void update(const Constants &c, Single &p, Single g, Single (&state)[2]) {
        const Single w = p * c.shrink;
        if (c.decay != 0) g = g + c.decay * w;
        state[0] = first_moment(c, state[0], g);
        state[1] = second_moment(c, state[1], g);
        p = w - c.step_size * (state[0] / (sqrt(state[1]) / c.root_correction + c.eps));
    }

    mpt_attrs_adam attrs;
};

const RegisteredKernel registered("adam", prepare_rule<AdamRule>);

}  // namespace
}  // namespace mpt::cuda
