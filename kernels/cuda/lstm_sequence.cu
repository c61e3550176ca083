// "lstm_sequence" and "lstm_sequence_grad" of device/attrs/recurrent.h.
#include "recurrent_sequence.cuh"

namespace mpt::cuda {
namespace {

using namespace sequence;

template <class T_, class S>
struct Forward {
    using T = T_;
    using Stored = typename T::Stored;
    static constexpr int kGates = 4;
    static constexpr bool kBackward = false;
    using Own = Biases<4>;
    struct Fetched {
        Stored gates[4];
        float cell;
    };

    Steps<Stored> gates, first, states, sums;
    Steps<typename S::Stored> cell, cells;
    const Stored *weight;
    Vector bias;
    bool weight_lies_well, states_lie_well;

    __device__ __forceinline__ Own own(const Form &form, int unit) const { return {form, bias, unit}; }
    __device__ __forceinline__ Fetched fetch(const Form &form, std::int64_t i, std::int64_t row, int unit) const {
        Fetched f;
#pragma unroll
        for (int g = 0; g < 4; ++g) f.gates[g] = gates.at(form.at(i), row)[g * form.hidden + unit];
        f.cell = widen<S>((i == 0 ? cell.at(0, row) : cells.at(form.at(i - 1), row))[unit]);
        return f;
    }
    __device__ __forceinline__ void finish(const Form &form, const Own &own, const Fetched &f, std::int64_t i, std::int64_t row,
                                           int unit, const float (&products)[4]) const {
        const std::int64_t t = form.at(i);
        float x[4];
#pragma unroll
        for (int g = 0; g < 4; ++g) {
            const Stored rounded = narrow<T>(widen<T>(f.gates[g]) + own.of[g] + products[g]);
            sums.at(t, row)[g * form.hidden + unit] = rounded;
            x[g] = widen<T>(rounded);
        }
        const float next = sigmoid(x[1]) * f.cell + sigmoid(x[0]) * tanhf(x[2]);
        cells.at(t, row)[unit] = narrow<S>(next);
        states.at(t, row)[unit] = narrow<T>(sigmoid(x[3]) * tanhf(next));
    }
};

template <class T_, class S>
struct Backward {
    using T = T_;
    using Stored = typename T::Stored;
    static constexpr int kGates = 4;
    static constexpr bool kBackward = true;
    // The gates' functions are worked out before the wait.
    struct Fetched {
        float i, f, g, o, tanh_c, cell, dh, dc;
    };

    Steps<Stored> sums, dy, passed, dhidden;
    Steps<typename S::Stored> cell, cells, dcells, dcell;
    const Stored *weight;
    bool lies_well, wants_first;

    __device__ __forceinline__ Fetched fetch(const Form &form, std::int64_t i, std::int64_t row, int unit) const {
        const std::int64_t t = form.at(form.steps - 1 - i);
        const bool is_first = i + 1 == form.steps;
        float x[4];
#pragma unroll
        for (int g = 0; g < 4; ++g) x[g] = widen<T>(sums.at(t, row)[g * form.hidden + unit]);
        Fetched v;
        v.cell = widen<S>((is_first ? cell.at(0, row) : cells.at(form.at(form.steps - 2 - i), row))[unit]);
        v.dh = dy.base ? widen<T>(dy.at(t, row)[unit]) : 0;
        v.dc = dcells.base ? widen<S>(dcells.at(t, row)[unit]) : 0;
        v.i = sigmoid(x[0]), v.f = sigmoid(x[1]), v.g = tanhf(x[2]), v.o = sigmoid(x[3]);
        v.tanh_c = tanhf(v.f * v.cell + v.i * v.g);
        return v;
    }
    __device__ __forceinline__ float finish(const Form &form, const Fetched &v, std::int64_t i, std::int64_t row, int unit,
                                            float carried, float product) const {
        const float dh = v.dh + product, d = v.dc + carried + dh * v.o * (1 - v.tanh_c * v.tanh_c);
        const float x[4] = {d * v.g * (v.i * (1 - v.i)), d * v.cell * (v.f * (1 - v.f)), d * v.i * (1 - v.g * v.g),
                            dh * v.tanh_c * (v.o * (1 - v.o))};
#pragma unroll
        for (int g = 0; g < 4; ++g) passed.at(form.at(form.steps - 1 - i), row)[g * form.hidden + unit] = narrow<T>(x[g]);
        if (i + 1 == form.steps && dcell.base) dcell.at(0, row)[unit] = narrow<S>(d * v.f);
        return d * v.f;
    }
    __device__ __forceinline__ void end(std::int64_t row, int unit, float, float product) const {
        dhidden.at(0, row)[unit] = narrow<T>(product);
    }
};

template <class T, class S>
std::unique_ptr<Kernel> make_forward(Device &device, const mpt_mod_call &call) {
    const Form form(device, call, call.out[0], call.in[1]);
    const Sequence<Forward<T, S>> sequence(device, form, "lstm_sequence");
    const Vector bias(call.kernel, call.in[2], 4 * std::int64_t{form.hidden});
    const mpt_mod_operand gates = call.in[0], hidden = call.in[3], cell = call.in[4], y = call.out[0], cells = call.out[1],
                          sums = call.out[2];
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        using Stored = typename T::Stored;
        using State = typename S::Stored;
        sequence.run(
            {steps_of<Stored>(gates, in[0]), steps_of<Stored>(hidden, in[3]), steps_of<Stored>(y, out[0]),
             steps_of<Stored>(sums, out[2]), steps_of<State>(cell, in[4]), steps_of<State>(cells, out[1]),
             static_cast<const Stored *>(in[1]), bias.at(in[2]), aligned(in[1], 16), aligned(in[3], 16) && aligned(out[0], 16)},
            workspace, stream);
    };
    return kernel_of("cuda:lstm_sequence", launch, form.counter_bytes());
}

template <class T, class S>
std::unique_ptr<Kernel> make_backward(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand sums = call.in[0], cell = call.in[2], cells = call.in[3], dy = call.in[4], dcells = call.in[5],
                          dgates = call.out[0], dhidden = call.out[1], dcell = call.out[2];
    const Form form(device, call, cells, call.in[1]);
    const Sequence<Backward<T, S>> sequence(device, form, "lstm_sequence_grad");
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        using Stored = typename T::Stored;
        using State = typename S::Stored;
        sequence.run({steps_of<Stored>(sums, in[0]), steps_of<Stored>(dy, in[4]), steps_of<Stored>(dgates, out[0]),
                      steps_of<Stored>(dhidden, out[1]), steps_of<State>(cell, in[2]), steps_of<State>(cells, in[3]),
                      steps_of<State>(dcells, in[5]), steps_of<State>(dcell, out[2]), static_cast<const Stored *>(in[1]),
                      aligned(out[0], 16), present(dhidden)},
                     workspace, stream);
    };
    return kernel_of("cuda:lstm_sequence_grad", launch, form.counter_bytes());
}

std::unique_ptr<Kernel> prepare_forward(Device &device, const mpt_mod_call &call) {
    return make_for(call, call.in[4].dtype, [&]<class T, class S>(T, S) { return make_forward<T, S>(device, call); });
}
std::unique_ptr<Kernel> prepare_backward(Device &device, const mpt_mod_call &call) {
    return make_for(call, call.in[2].dtype, [&]<class T, class S>(T, S) { return make_backward<T, S>(device, call); });
}
const RegisteredKernel registered("lstm_sequence", prepare_forward), registered_grad("lstm_sequence_grad", prepare_backward);

}  // namespace
}  // namespace mpt::cuda
