// "where" of device/attrs/elementwise.h: elements are chosen as bits, so only their size matters.
#include "device/attrs/elementwise.h"
#include "elementwise.cuh"

namespace mpt::cuda {
namespace {

template <class C>
struct Either {
    __device__ __forceinline__ C operator()(C condition, C a, C b) const { return condition ? a : b; }
};
// What is absent is zeros.
template <class C>
struct OrZero {
    bool chosen;  // the condition under which x is taken
    __device__ __forceinline__ C operator()(C condition, C x) const { return (condition != 0) == chosen ? x : 0; }
};

template <class C, class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &condition = call.in[0], &a = call.in[1], &b = call.in[2], &y = call.out[0];
    if (present(a) && present(b)) {
        const Elementwise<C, T, Bool, T, T> elements(device, "where", y, {&condition, &a, &b});
        return kernel_of("cuda:where", [elements](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            elements.run(stream, Either<C>{}, {in[0], in[1], in[2]}, out[0]);
        });
    }
    const int one = present(a) ? 1 : 2;
    const OrZero<C> f{one == 1};
    const Elementwise<C, T, Bool, T> elements(device, "where", y, {&condition, &call.in[one]});
    return kernel_of("cuda:where", [elements, f, one](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        elements.run(stream, f, {in[0], in[one]}, out[0]);
    });
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    switch (bytes_of(call.out[0].dtype)) {
        case 1:
            return make<std::int32_t, U8>(device, call);
        case 2:
            return make<std::int32_t, Format<MPT_I16, std::int16_t>>(device, call);
        case 4:
            return make<std::int32_t, I32>(device, call);
        default:
            return make<std::int64_t, I64>(device, call);
    }
}
const RegisteredKernel registered("where", prepare);

}  // namespace
}  // namespace mpt::cuda
