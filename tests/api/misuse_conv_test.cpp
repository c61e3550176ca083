#include "api/misuse.h"

namespace {

struct Conv2d {
    static constexpr const char *function = "mpt_conv2d", *argument = "params";
    static mpt_conv2d_params good() {
        mpt_conv2d_params p;
        MUST(mpt_conv2d_params_init(&p, sizeof p));
        return p;
    }
    static mpt_status use(misuse::World &w, const mpt_conv2d_params *p) {
        return mpt_conv2d(w.image, w.filter, nullptr, p, w.out());
    }
};

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) {
    return net::tensor(w.ctx, dtype, shape);
}

struct ConvTranspose2d : Conv2d {
    static constexpr const char *function = "mpt_conv_transpose2d";
    static mpt_status use(misuse::World &w, const mpt_conv2d_params *p) {
        const net::Tensor f = of(w, MPT_F32, {2, 4, 3, 3});
        MUST(mpt_tensor_fill(f, 1));
        return mpt_conv_transpose2d(w.image, f, nullptr, p, w.out());
    }
};

// Signals [1, 2, 6] with a filter [4, 2, 3], or, transposed, with one of [2, 4, 3].
template <auto Function>
mpt_status of_signals(misuse::World &w, mpt_tensor *bias, const mpt_conv1d_params *p, mpt_tensor **out, bool transposed) {
    const net::Tensor x = of(w, MPT_F32, {1, 2, 6}),
                      f = of(w, MPT_F32, transposed ? std::vector<std::int64_t>{2, 4, 3} : std::vector<std::int64_t>{4, 2, 3});
    MUST(mpt_tensor_fill(x, 1));
    MUST(mpt_tensor_fill(f, 1));
    return Function(x, f, bias, p, out);
}
struct Conv1d {
    static constexpr const char *function = "mpt_conv1d", *argument = "params";
    static mpt_conv1d_params good() {
        mpt_conv1d_params p;
        MUST(mpt_conv1d_params_init(&p, sizeof p));
        return p;
    }
    static mpt_status use(misuse::World &w, const mpt_conv1d_params *p) {
        return of_signals<mpt_conv1d>(w, nullptr, p, w.out(), false);
    }
};
struct ConvTranspose1d : Conv1d {
    static constexpr const char *function = "mpt_conv_transpose1d";
    static mpt_status use(misuse::World &w, const mpt_conv1d_params *p) {
        return of_signals<mpt_conv_transpose1d>(w, nullptr, p, w.out(), true);
    }
};

#define FIELDS_2D(Use) \
    DESCRIPTOR_ROWS(Use), FIELD(Use, Range, "stride_h is 0", d.stride_h = 0), \
    FIELD(Use, Range, "stride_w is -1", d.stride_w = -1), FIELD(Use, Range, "padding_h is -1", d.padding_h = -1), \
    FIELD(Use, Range, "padding_w is -2147483648", d.padding_w = INT32_MIN), \
    FIELD(Use, Range, "dilation_h is 0", d.dilation_h = 0), FIELD(Use, Range, "dilation_w is -1", d.dilation_w = -1), \
    FIELD(Use, Range, "groups is 0", d.groups = 0), FIELD(Use, Range, "output_padding_h is -1", d.output_padding_h = -1), \
    FIELD(Use, Range, "output_padding_w is 1", d.output_padding_w = 1)

#define FIELDS_1D(Use) \
    DESCRIPTOR_ROWS(Use), FIELD(Use, Range, "stride is 0", d.stride = 0), FIELD(Use, Range, "padding is -1", d.padding = -1), \
    FIELD(Use, Range, "dilation is 0", d.dilation = 0), FIELD(Use, Range, "groups is 0", d.groups = 0), \
    FIELD(Use, Range, "output_padding is -1", d.output_padding = -1), \
    FIELD(Use, Range, "output_padding is 1", d.output_padding = 1)

// What all four refuse alike.
#define OPERAND_ROWS(function) \
    ROW(Null, "x", "", function, nullptr, w.filter, nullptr, nullptr, w.out()), \
    ROW(Null, "weight", "", function, w.image, nullptr, nullptr, nullptr, w.out()), \
    ROW(Null, "out", "", function, w.image, w.filter, nullptr, nullptr, nullptr), \
    ROW(Foreign, "weight", "", function, w.image, w.other.filter, nullptr, nullptr, w.out()), \
    ROW(Foreign, "bias", "", function, w.image, w.filter, w.other.row, nullptr, w.out()), \
    ROW(State, "x", "", function, w.output, w.filter, nullptr, nullptr, w.out()), \
    ROW(Shape, "x", "[2, 3]", function, w.x, w.filter, nullptr, nullptr, w.out())

const misuse::Rows rows{
    INIT_ROWS(mpt_conv2d_params_init, "params"), OPERAND_ROWS(mpt_conv2d), OPERAND_ROWS(mpt_conv_transpose2d),
    OPERAND_ROWS(mpt_conv1d), OPERAND_ROWS(mpt_conv_transpose1d),

    ROW(Taken, "bias", "", mpt_conv2d, w.image, w.filter, nullptr, nullptr, w.out()),
    ROW(Taken, "params", "", mpt_conv2d, w.image, w.filter, w.row, nullptr, w.out()),
    ROW(Shape, "weight", "[4, 3]", mpt_conv2d, w.image, w.weight, nullptr, nullptr, w.out()),
    ROW(Shape, "x", "[4, 2, 3, 3]", mpt_conv2d, w.filter, w.image, nullptr, nullptr, w.out()),
    STEPS("mpt_conv2d", Shape, "weight", "[4, 3, 3, 3]", net::Tensor f = of(w, MPT_F32, {4, 3, 3, 3});
          return mpt_conv2d(w.image, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv2d", Shape, "weight", "[4, 2, 0, 3]", net::Tensor f = of(w, MPT_F32, {4, 2, 0, 3});
          return mpt_conv2d(w.image, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv2d", Shape, "x", "[1, 2, 6, 6]", net::Tensor f = of(w, MPT_F32, {4, 2, 3, 7});
          return mpt_conv2d(w.image, f, nullptr, nullptr, w.out())),
    ROW(Shape, "bias", "[2, 3]", mpt_conv2d, w.image, w.filter, w.x, nullptr, w.out()),
    STEPS("mpt_conv2d", Dtype, "x", "is i32", net::Tensor x = of(w, MPT_I32, {1, 2, 6, 6});
          return mpt_conv2d(x, w.filter, nullptr, nullptr, w.out())),
    STEPS("mpt_conv2d", Dtype, "weight", "is i32", net::Tensor f = of(w, MPT_I32, {4, 2, 3, 3});
          return mpt_conv2d(w.image, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv2d", Dtype, "bias", "is i64", net::Tensor b = of(w, MPT_I64, {4});
          return mpt_conv2d(w.image, w.filter, b, nullptr, w.out())),
    STEPS("mpt_conv2d", Shape, "weight", "2 groups", auto d = Conv2d::good(); d.groups = 2; return Conv2d::use(w, &d)),
    STEPS("mpt_conv2d", Shape, "weight", "[3, 1, 3, 3]", auto d = Conv2d::good(); d.groups = 2;
          net::Tensor f = of(w, MPT_F32, {3, 1, 3, 3}); return mpt_conv2d(w.image, f, nullptr, &d, w.out())),
    STEPS("mpt_conv2d", Shape, "x", "dilation 2147483647", auto d = Conv2d::good(); d.dilation_h = INT32_MAX;
          return Conv2d::use(w, &d)),
    STEPS("mpt_conv2d", Taken, "params", "", auto d = Conv2d::good(); d.padding_h = d.stride_h = INT32_MAX;
          return Conv2d::use(w, &d)),
    STEPS_IS("mpt_conv2d", MPT_ERROR_MEMORY, "", "bytes", auto d = Conv2d::good(); d.padding_h = INT32_MAX;
             return Conv2d::use(w, &d)),
    STEPS("mpt_conv2d", Shape, "weight", "dilation 2147483647", net::Tensor x = of(w, MPT_F32, {1, 0, 1, 1}); auto d = Conv2d::good();
          d.dilation_h = INT32_MAX; net::Tensor f = of(w, MPT_F32, {1, 0, int64_t(1) << 40, 1});
          return mpt_conv2d(x, f, nullptr, &d, w.out())),
    FIELDS_2D(Conv2d),

    ROW(Shape, "weight", "[4, 3]", mpt_conv_transpose2d, w.image, w.weight, nullptr, nullptr, w.out()),
    ROW(Shape, "weight", "[4, 2, 3, 3]", mpt_conv_transpose2d, w.image, w.filter, nullptr, nullptr, w.out()),
    STEPS("mpt_conv_transpose2d", Shape, "weight", "[2, 4, 0, 3]", net::Tensor f = of(w, MPT_F32, {2, 4, 0, 3});
          return mpt_conv_transpose2d(w.image, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv_transpose2d", Shape, "x", "[1, 2, 0, 6]", net::Tensor x = of(w, MPT_F32, {1, 2, 0, 6});
          net::Tensor f = of(w, MPT_F32, {2, 4, 3, 3}); return mpt_conv_transpose2d(x, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv_transpose2d", Shape, "bias", "[2, 3]", net::Tensor f = of(w, MPT_F32, {2, 4, 3, 3});
          return mpt_conv_transpose2d(w.image, f, w.x, nullptr, w.out())),
    STEPS("mpt_conv_transpose2d", Taken, "bias", "", net::Tensor f = of(w, MPT_F32, {2, 4, 3, 3}); MUST(mpt_tensor_fill(f, 1));
          return mpt_conv_transpose2d(w.image, f, w.row, nullptr, w.out())),
    STEPS("mpt_conv_transpose2d", Dtype, "x", "is i32", net::Tensor x = of(w, MPT_I32, {1, 2, 6, 6});
          return mpt_conv_transpose2d(x, w.filter, nullptr, nullptr, w.out())),
    STEPS("mpt_conv_transpose2d", Dtype, "weight", "is i32", net::Tensor f = of(w, MPT_I32, {2, 4, 3, 3});
          return mpt_conv_transpose2d(w.image, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv_transpose2d", Dtype, "bias", "is i64", net::Tensor f = of(w, MPT_F32, {2, 4, 3, 3});
          net::Tensor b = of(w, MPT_I64, {4}); return mpt_conv_transpose2d(w.image, f, b, nullptr, w.out())),
    STEPS("mpt_conv_transpose2d", Shape, "weight", "dilation 2147483647", net::Tensor x = of(w, MPT_F32, {1, 0, 1, 1});
          auto d = Conv2d::good(); d.dilation_h = INT32_MAX; net::Tensor f = of(w, MPT_F32, {0, 1, int64_t(1) << 40, 1});
          return mpt_conv_transpose2d(x, f, nullptr, &d, w.out())),
    FIELDS_2D(ConvTranspose2d),
    STEPS("mpt_conv_transpose2d", Shape, "weight", "groups = 3", auto d = ConvTranspose2d::good(); d.groups = 3;
          return ConvTranspose2d::use(w, &d)),
    STEPS("mpt_conv_transpose2d", Shape, "x", "padding 4", auto d = ConvTranspose2d::good(); d.padding_h = 4;
          return ConvTranspose2d::use(w, &d)),
    STEPS("mpt_conv_transpose2d", Taken, "params", "", auto d = ConvTranspose2d::good(); d.stride_h = 2; d.output_padding_h = 1;
          return ConvTranspose2d::use(w, &d)),
    STEPS_IS("mpt_conv_transpose2d", MPT_ERROR_MEMORY, "", "bytes", auto d = ConvTranspose2d::good(); d.stride_h = INT32_MAX;
             return ConvTranspose2d::use(w, &d)),

    INIT_ROWS(mpt_conv1d_params_init, "params"),
    ROW(Shape, "x", "[1, 2, 6, 6]", mpt_conv1d, w.image, w.filter, nullptr, nullptr, w.out()),
    STEPS("mpt_conv1d", Shape, "weight", "[4, 2, 3, 3]", net::Tensor x = of(w, MPT_F32, {1, 2, 6});
          return mpt_conv1d(x, w.filter, nullptr, nullptr, w.out())),
    STEPS("mpt_conv1d", Shape, "weight", "[4, 2, 0]", net::Tensor x = of(w, MPT_F32, {1, 2, 6});
          net::Tensor f = of(w, MPT_F32, {4, 2, 0}); return mpt_conv1d(x, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv1d", Shape, "x", "[1, 2, 6]", auto d = Conv1d::good(); d.dilation = 3; return Conv1d::use(w, &d)),
    STEPS("mpt_conv1d", Taken, "bias", "", return of_signals<mpt_conv1d>(w, w.row, nullptr, w.out(), false)),
    STEPS("mpt_conv1d", Shape, "bias", "[2, 3]", return of_signals<mpt_conv1d>(w, w.x, nullptr, w.out(), false)),
    FIELDS_1D(Conv1d),

    ROW(Shape, "x", "[1, 2, 6, 6]", mpt_conv_transpose1d, w.image, w.filter, nullptr, nullptr, w.out()),
    STEPS("mpt_conv_transpose1d", Taken, "bias", "", return of_signals<mpt_conv_transpose1d>(w, w.row, nullptr, w.out(), true)),
    STEPS("mpt_conv_transpose1d", Shape, "bias", "[2, 3]",
          return of_signals<mpt_conv_transpose1d>(w, w.x, nullptr, w.out(), true)),
    STEPS("mpt_conv_transpose1d", Shape, "weight", "[4, 2, 3]",
          return of_signals<mpt_conv_transpose1d>(w, nullptr, nullptr, w.out(), false)),
    FIELDS_1D(ConvTranspose1d),
    STEPS("mpt_conv_transpose1d", Range, "params", "output_padding is 2", auto d = ConvTranspose1d::good(); d.stride = 2;
          d.output_padding = 2; return ConvTranspose1d::use(w, &d)),
};

}  // namespace
