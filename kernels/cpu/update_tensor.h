// One tensor of an optimizer's call: its forms, checked, and how its elements are moved.
#pragma once

#include <cstdint>
#include <vector>

#include "device/attrs/optimizer.h"
#include "kernel.h"
#include "rows.h"

namespace mpt::cpu {

inline constexpr int kStates = 3;  // that a rule has at most

// One run of elements; state is nullptr where the rule has none.
template <class C>
struct UpdateRow {
    C *parameter;
    C *state[kStates];
    const C *gradient;
    std::int64_t n;
};

// Sums of squares.
struct Norms {
    double parameter = 0, direction = 0;
};

struct UpdateTensor {
    // A function for each type that is computed in; the other is not used.
    struct Copy {
        std::int64_t bytes = 0;
        Store<float> narrow = nullptr;
        Store<double> wide = nullptr;
        template <class C>
        Store<C> store() const {
            if constexpr (sizeof(C) == 8)
                return wide;
            else
                return narrow;
        }
    };
    bool wide = false;     // f64
    bool direct = false;   // the gradient has the type of the arithmetic
    bool rounded = false;  // f16 or bf16 without a master
    std::int64_t gradient_bytes = 0, parameter_bytes = 0;
    std::int64_t first_block = 0;  // of its random numbers
    Load<float> load_narrow = nullptr;
    Load<double> load_wide = nullptr;
    std::vector<Copy> copies;
    template <class C>
    Load<C> load() const {
        if constexpr (sizeof(C) == 8)
            return load_wide;
        else
            return load_narrow;
    }
    // Of a rounded one.
    Load<float> load_parameter = nullptr;
    Store<float> store_parameter = nullptr;
};

// Tensor i of the call; nothing but defaults where it has no gradient.
UpdateTensor update_tensor(const mpt_mod_call &call, const mpt_attrs_update &attrs, int i, int first_gradient, int first_parameter,
                           int states);

// What a rule that works element by element is made of. Own: the rule, with
//   template <class C> static Row<C> row(const A &)    its loop over a row, for this machine
template <class Own, class A, template <class> class K>
struct RowRule {
    static constexpr bool kByNorms = false;
    using Attrs = A;
    template <class C>
    using Constants = K<C>;
    template <class C>
    using Row = void (*)(const UpdateRow<C> &, const K<C> &);

    RowRule(const A &a, int n) : attrs(a), states(n), narrow(Own::template row<float>(a)), wide(Own::template row<double>(a)) {}

    template <class C>
    void update(const UpdateRow<C> &r, const K<C> &c) const {
        if constexpr (sizeof(C) == 8)
            wide(r, c);
        else
            narrow(r, c);
    }

    A attrs;
    int states;
    Row<float> narrow;
    Row<double> wide;
};

// x * inv within [-limit, limit]; NaN stays.
template <class C>
void clip_values(C *x, std::int64_t n, C inv, C limit) {
    for (std::int64_t i = 0; i < n; i++) {
        const C value = x[i] * inv;
        const C low = value < -limit ? -limit : value;
        x[i] = low > limit ? limit : low;
    }
}

}  // namespace mpt::cpu
