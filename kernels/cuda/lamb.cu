// "lamb" of device/attrs/ [You et al. 2020]. The norms of a parameter and of its direction come first, over all of it; the
// direction is then computed again from the moments, which is cheaper than keeping it.
#include "adam.cuh"
#include "update_tensor.cuh"

namespace mpt::cuda {
namespace {

struct LambRule {
    static constexpr const char *kName = "cuda:lamb";
    static constexpr int kStates = 2;
    static constexpr bool kByNorms = true;
    using Constants = AdamConstants;

    __device__ Constants constants(double lr, std::int64_t t) const { return adam_constants(attrs, lr, t); }
    static __device__ __forceinline__ void moments(const Constants &c, Single g, Single (&state)[2]) {
        state[0] = first_moment(c, state[0], g);
        state[1] = second_moment(c, state[1], g);
    }
    static __device__ __forceinline__ Single direction(const Constants &c, Single p, const Single (&state)[2]) {
        return state[0] / c.correction / (sqrt(state[1]) / c.root_correction + c.eps) + c.decay * p;
    }
    static __device__ __forceinline__ Single step(const Constants &c, Single ratio) { return c.lr * ratio; }

    mpt_attrs_adam attrs;
};

const RegisteredKernel registered("lamb", prepare_rule<LambRule>);

}  // namespace
}  // namespace mpt::cuda
