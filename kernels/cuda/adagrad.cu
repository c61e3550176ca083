// "adagrad" of device/attrs/ [Duchi et al. 2011], in the order of operations of torch.optim.Adagrad (single tensor).
#include "update_tensor.cuh"

namespace mpt::cuda {
namespace {

struct AdagradConstants {
    float decay, lr, eps;
};

struct AdagradRule {
    static constexpr const char *kName = "cuda:adagrad";
    static constexpr int kStates = 1;
    static constexpr bool kByNorms = false;
    using Constants = AdagradConstants;

    __device__ Constants constants(double lr, std::int64_t t) const {
        AdagradConstants c{};
        c.decay = static_cast<float>(attrs.common.weight_decay);
        c.lr = static_cast<float>(lr / (1.0 + static_cast<double>(t - 1) * attrs.lr_decay));
        c.eps = static_cast<float>(attrs.eps);
        return c;
    }
    static __device__ __forceinline__ void update(const Constants &c, Single &p, Single g, Single (&state)[1]) {
        if (c.decay != 0) g = g + c.decay * p;
        state[0] = state[0] + g * g;
        p = p - c.lr * g / (sqrt(state[0]) + c.eps);
    }

    mpt_attrs_adagrad attrs;
};

const RegisteredKernel registered("adagrad", prepare_rule<AdagradRule>);

}  // namespace
}  // namespace mpt::cuda
