// "gru_sequence" and "gru_sequence_grad" of device/attrs/recurrent.h.
#include "recurrent_sequence.cuh"

namespace mpt::cuda {
namespace {

using namespace sequence;

template <class T_, class S>
struct Forward {
    using T = T_;
    using Stored = typename T::Stored;
    static constexpr int kGates = 3;
    static constexpr bool kBackward = false;
    using Own = Biases<3>;
    struct Fetched {
        Stored gates[3];
        float hidden;
    };

    Steps<Stored> gates, first, states, sums;  // states: what products read; S may be wider
    Steps<typename S::Stored> hidden, y;
    const Stored *weight;
    Vector bias;
    bool weight_lies_well, states_lie_well;

    __device__ __forceinline__ Own own(const Form &form, int unit) const { return {form, bias, unit}; }
    __device__ __forceinline__ Fetched fetch(const Form &form, std::int64_t i, std::int64_t row, int unit) const {
        Fetched f;
#pragma unroll
        for (int g = 0; g < 3; ++g) f.gates[g] = gates.at(form.at(i), row)[g * form.hidden + unit];
        f.hidden = widen<S>((i == 0 ? hidden.at(0, row) : y.at(form.at(i - 1), row))[unit]);
        return f;
    }
    __device__ __forceinline__ void finish(const Form &form, const Own &own, const Fetched &f, std::int64_t i, std::int64_t row,
                                           int unit, const float (&products)[3]) const {
        const std::int64_t t = form.at(i);
        float x[3];
#pragma unroll
        for (int g = 0; g < 3; ++g) {
            const Stored rounded = narrow<T>((g < 2 ? widen<T>(f.gates[g]) : 0) + own.of[g] + products[g]);
            sums.at(t, row)[g * form.hidden + unit] = rounded;
            x[g] = widen<T>(rounded);
        }
        const float n = tanhf(widen<T>(f.gates[2]) + sigmoid(x[0]) * x[2]), next = n + sigmoid(x[1]) * (f.hidden - n);
        y.at(t, row)[unit] = narrow<S>(next);
        if constexpr (!std::is_same_v<T, S>) states.at(t, row)[unit] = narrow<T>(next);
    }
};

template <class T_, class S>
struct Backward {
    using T = T_;
    using Stored = typename T::Stored;
    static constexpr int kGates = 3;
    static constexpr bool kBackward = true;
    // The gates' functions are worked out before the wait.
    struct Fetched {
        float r, z, n, y_n, hidden, dh;
    };

    Steps<Stored> sums, gates, dgates, passed;
    Steps<typename S::Stored> hidden, y, dy, dhidden;
    const Stored *weight;
    bool lies_well, wants_first;

    __device__ __forceinline__ Fetched fetch(const Form &form, std::int64_t i, std::int64_t row, int unit) const {
        const std::int64_t t = form.at(form.steps - 1 - i);
        const Stored *const sum = sums.at(t, row) + unit;
        Fetched v;
        v.y_n = widen<T>(sum[2 * form.hidden]);
        v.hidden = widen<S>((i + 1 == form.steps ? hidden.at(0, row) : y.at(form.at(form.steps - 2 - i), row))[unit]);
        v.dh = widen<S>(dy.at(t, row)[unit]);
        v.r = sigmoid(widen<T>(sum[0])), v.z = sigmoid(widen<T>(sum[form.hidden]));
        v.n = tanhf(widen<T>(gates.at(t, row)[2 * form.hidden + unit]) + v.r * v.y_n);
        return v;
    }
    __device__ __forceinline__ float finish(const Form &form, const Fetched &v, std::int64_t i, std::int64_t row, int unit,
                                            float carried, float product) const {
        const std::int64_t t = form.at(form.steps - 1 - i);
        const float dh = v.dh + carried + product, dn = dh * (1 - v.z) * (1 - v.n * v.n);
        const Stored dr = narrow<T>(dn * v.y_n * (v.r * (1 - v.r))), dz = narrow<T>(dh * (v.hidden - v.n) * (v.z * (1 - v.z)));
        Stored *const of_input = dgates.at(t, row) + unit, *const of_state = passed.at(t, row) + unit;
        of_input[0] = of_state[0] = dr;
        of_input[form.hidden] = of_state[form.hidden] = dz;
        of_input[2 * form.hidden] = narrow<T>(dn);
        of_state[2 * form.hidden] = narrow<T>(dn * v.r);
        return dh * v.z;
    }
    __device__ __forceinline__ void end(std::int64_t row, int unit, float carried, float product) const {
        dhidden.at(0, row)[unit] = narrow<S>(carried + product);
    }
};

template <class T, class S>
std::unique_ptr<Kernel> make_forward(Device &device, const mpt_mod_call &call) {
    const Form form(device, call, call.out[0], call.in[1]);
    const Sequence<Forward<T, S>> sequence(device, form, "gru_sequence");
    const Vector bias(call.kernel, call.in[2], 3 * std::int64_t{form.hidden});
    const mpt_mod_operand gates = call.in[0], hidden = call.in[3], low_hidden = call.in[4], y = call.out[0], low = call.out[1],
                          sums = call.out[2];
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        using Stored = typename T::Stored;
        using State = typename S::Stored;
        const bool same = std::is_same_v<T, S>;
        const void *const first = same ? in[3] : in[4], *const states = same ? out[0] : out[1];
        sequence.run({steps_of<Stored>(gates, in[0]), steps_of<Stored>(same ? hidden : low_hidden, first),
                      steps_of<Stored>(same ? y : low, states), steps_of<Stored>(sums, out[2]), steps_of<State>(hidden, in[3]),
                      steps_of<State>(y, out[0]), static_cast<const Stored *>(in[1]), bias.at(in[2]), aligned(in[1], 16),
                      aligned(first, 16) && aligned(states, 16)},
                     workspace, stream);
    };
    return kernel_of("cuda:gru_sequence", launch, form.counter_bytes());
}

template <class T, class S>
std::unique_ptr<Kernel> make_backward(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand sums = call.in[0], gates = call.in[2], hidden = call.in[3], y = call.in[4], dy = call.in[5],
                          dgates = call.out[0], passed = call.out[1], dhidden = call.out[2];
    const Form form(device, call, y, call.in[1]);
    const Sequence<Backward<T, S>> sequence(device, form, "gru_sequence_grad");
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        using Stored = typename T::Stored;
        using State = typename S::Stored;
        sequence.run({steps_of<Stored>(sums, in[0]), steps_of<Stored>(gates, in[2]), steps_of<Stored>(dgates, out[0]),
                      steps_of<Stored>(passed, out[1]), steps_of<State>(hidden, in[3]), steps_of<State>(y, in[4]),
                      steps_of<State>(dy, in[5]), steps_of<State>(dhidden, out[2]), static_cast<const Stored *>(in[1]),
                      aligned(out[1], 16), present(dhidden)},
                     workspace, stream);
    };
    return kernel_of("cuda:gru_sequence_grad", launch, form.counter_bytes());
}

std::unique_ptr<Kernel> prepare_forward(Device &device, const mpt_mod_call &call) {
    return make_for(call, call.in[3].dtype, [&]<class T, class S>(T, S) { return make_forward<T, S>(device, call); });
}
std::unique_ptr<Kernel> prepare_backward(Device &device, const mpt_mod_call &call) {
    return make_for(call, call.in[3].dtype, [&]<class T, class S>(T, S) { return make_backward<T, S>(device, call); });
}
const RegisteredKernel registered("gru_sequence", prepare_forward), registered_grad("gru_sequence_grad", prepare_backward);

}  // namespace
}  // namespace mpt::cuda
