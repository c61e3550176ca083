// Cases of elementwise ops: the shapes and layouts that every one of them is shown in.
#pragma once

#include <cmath>
#include <limits>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

using UnaryFunction = mpt_status (*)(mpt_tensor *, mpt_tensor **);
using BinaryFunction = mpt_status (*)(mpt_tensor *, mpt_tensor *, mpt_tensor **);

// Bounds: exact results; c of the forward when it is a function within 2 to 3 units in the last place; a gradient that reads a
// rounded result.
inline constexpr Bound kExact{1, Scale::Result, 1, 1, Scale::Result};
inline constexpr Bound kFunction{2, Scale::Result, 4, 2, Scale::Result};

struct BinaryForm {
    const char *name;
    Shape a, b;
    Layout la = Layout::Contiguous, lb = Layout::Contiguous;
};
inline const std::vector<BinaryForm> &binary_forms() {
    static const std::vector<BinaryForm> forms = {
        {"Same", {3, 5}, {3, 5}},
        {"Scalars", {}, {}},
        {"ScalarLeft", {}, {2, 3}},
        {"Row", {4, 7}, {7}},
        {"Column", {4, 7}, {4, 1}},
        {"BothBroadcast", {3, 1, 5}, {2, 1}},
        {"Channels", {2, 3, 4, 5}, {3, 1, 1}, Layout::ChannelsLast},
        {"Transposed", {5, 6}, {5, 6}, Layout::Transposed},
        {"SlicedStrided", {3, 4, 5}, {3, 4, 5}, Layout::Sliced, Layout::Strided},
        {"Empty", {0, 3}, {1, 3}},
        {"Large", {37, 1031}, {1031}},
        {"LargeTransposed", {211, 190}, {211, 190}, Layout::Transposed},
    };
    return forms;
}

// f of two inputs, in every form; a and b give the intervals.
inline void add_binary(std::vector<Case> &cases, const std::string &op,
                       const std::function<mpt_status(mpt_tensor *, mpt_tensor *, mpt_tensor **)> &function,
                       double (*f)(double, double), Operand a, Operand b, const Bound &bound) {
    for (const BinaryForm &form : binary_forms()) {
        a.shape = form.a, a.layout = form.la;
        b.shape = form.b, b.layout = form.lb;
        cases.push_back({.op = op,
                         .name = form.name,
                         .inputs = {a, b},
                         .apply = [=](In in, Out out) { return function(in[0], in[1], out); },
                         .reference = [=](const std::vector<Values> &in) { return zip(in[0], in[1], f); },
                         .bound = bound,
                         .any_thread_count = true});
    }
}

// f of one input, in every form. variant: in front of the forms' names, for an op that is shown with several parameters.
inline void add_unary(std::vector<Case> &cases, const std::string &op,
                      const std::function<mpt_status(mpt_tensor *, mpt_tensor **)> &function,
                      const std::function<double(double)> &f, const Operand &domain, const Bound &bound,
                      const std::string &variant = "") {
    struct Form {
        const char *name;
        Shape shape;
        Layout layout;
    };
    const Form forms[] = {
        {"Vector", {17}, Layout::Contiguous},       {"Scalar", {}, Layout::Contiguous},
        {"Transposed", {5, 3}, Layout::Transposed}, {"Sliced", {3, 2, 5}, Layout::Sliced},
        {"Strided", {4, 3}, Layout::Strided},       {"ChannelsLast", {2, 3, 4, 2}, Layout::ChannelsLast},
        {"Empty", {2, 0, 3}, Layout::Contiguous},   {"Large", {3, 11003}, Layout::Contiguous},
    };
    for (const Form &form : forms) {
        Operand x = domain;
        x.shape = form.shape;
        x.layout = form.layout;
        cases.push_back({.op = op,
                         .name = variant + form.name,
                         .inputs = {x},
                         .apply = [=](In in, Out out) { return function(in[0], out); },
                         .reference = [=](const std::vector<Values> &in) { return map(in[0], f); },
                         .bound = bound,
                         .any_thread_count = true});
    }
}

class ElementwiseTest : public DeviceTest {
protected:
    std::vector<double> apply(UnaryFunction f, mpt_dtype dtype, const std::vector<double> &x) {
        Tensor out;
        MUST(f(make(ctx, dtype, x), out.out()));
        return read(out);
    }
    std::vector<double> apply(BinaryFunction f, mpt_dtype dtype, const std::vector<double> &a, const std::vector<double> &b) {
        Tensor out;
        MUST(f(make(ctx, dtype, a), make(ctx, dtype, b), out.out()));
        return read(out);
    }
    // The gradients of the sum of f's elements.
    std::vector<double> gradient_of(const std::function<mpt_status(mpt_tensor *, mpt_tensor **)> &f, mpt_dtype dtype,
                                    const std::vector<double> &x) {
        const Tensor in = make(ctx, dtype, x);
        MUST(mpt_tensor_set_requires_grad(in, 1));
        Tensor out;
        MUST(f(in, out.out()));
        back(out);
        return read(gradient(in));
    }
    std::pair<std::vector<double>, std::vector<double>> gradients_of(BinaryFunction f, mpt_dtype dtype,
                                                                     const std::vector<double> &a, const std::vector<double> &b) {
        const Tensor left = make(ctx, dtype, a), right = make(ctx, dtype, b);
        MUST(mpt_tensor_set_requires_grad(left, 1));
        MUST(mpt_tensor_set_requires_grad(right, 1));
        Tensor out;
        MUST(f(left, right, out.out()));
        back(out);
        return {read(gradient(left)), read(gradient(right))};
    }
    // f over many values against a reference, within c units in the last place of f32.
    void expect_close(UnaryFunction f, const std::vector<double> &x, double (*reference)(double), double c, const char *name) {
        const std::vector<double> got = apply(f, MPT_F32, x);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double exact = reference(x[i]);
            ASSERT_NEAR(got[i], exact, c * 0x1p-23 * std::fabs(exact) + 0x1p-149) << name << " of " << x[i];
        }
    }

private:
    void back(mpt_tensor *out) {
        std::int64_t n;
        MUST(mpt_tensor_numel(out, &n));
        const Tensor ones = make(ctx, dtype_of(out), std::vector<double>(static_cast<std::size_t>(n), 1.0));
        mpt_tensor *start = ones;
        MUST(mpt_backward_from(&out, &start, 1, MPT_GRAD_WRITE));
    }
};

// Equal, where NaN equals NaN.
inline void expect_same(const std::vector<double> &got, const std::vector<double> &wanted, const std::string &what = "") {
    ASSERT_EQ(got.size(), wanted.size()) << what;
    for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_TRUE(got[i] == wanted[i] || (std::isnan(got[i]) && std::isnan(wanted[i])))
            << what << ": element " << i << " is " << got[i] << ", not " << wanted[i];
}

}  // namespace test
