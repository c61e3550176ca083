#include "api/misuse.h"

namespace {

struct Conv2d {
    static constexpr const char *function = "mpt_conv2d", *argument = "params";
    static mpt_conv2d_params good() {
        mpt_conv2d_params p;
        MUST(mpt_conv2d_params_init(&p, sizeof p));
        return p;
    }
    static mpt_status use(misuse::World &w, const mpt_conv2d_params *p) { return mpt_conv2d(w.image, w.filter, nullptr, p, w.out()); }
};

struct MaxPool2d {
    static constexpr const char *function = "mpt_max_pool2d", *argument = "params";
    static mpt_pool2d_params good() {
        mpt_pool2d_params p;
        MUST(mpt_pool2d_params_init(&p, sizeof p));
        return p;
    }
    static mpt_status use(misuse::World &w, const mpt_pool2d_params *p) { return mpt_max_pool2d(w.image, p, w.out()); }
};

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) { return net::tensor(w.ctx, dtype, shape); }

#define BINARY_ROWS(function)                                           \
    ROW(Null, "a", "", function, nullptr, w.x, w.out()),                \
    ROW(Null, "b", "", function, w.x, nullptr, w.out()),                \
    ROW(Null, "out", "", function, w.x, w.x, nullptr),                  \
    ROW(Foreign, "b", "", function, w.x, w.other.x, w.out()),           \
    ROW(Shape, "b", "[4]", function, w.x, w.row, w.out()),              \
    ROW(Dtype, "b", "is i32", function, w.x, w.ints, w.out()),          \
    ROW(Dtype, "b", "is f32", function, w.ints, w.x, w.out()),          \
    ROW(Dtype, "a", "is bool", function, w.bools, w.bools, w.out()),    \
    ROW(State, "a", "", function, w.output, w.x, w.out()),              \
    ROW(State, "b", "", function, w.x, w.output, w.out())

#define UNARY_ROWS(function, ...)                                                    \
    ROW(Null, "x", "", function, nullptr, __VA_ARGS__ w.out()),                      \
    ROW(Null, "out", "", function, w.x, __VA_ARGS__ nullptr),                        \
    ROW(Dtype, "x", "is i32", function, w.ints, __VA_ARGS__ w.out()),                \
    ROW(State, "x", "", function, w.output, __VA_ARGS__ w.out())

#define REDUCE_ROWS(function)                                                                        \
    ROW(Null, "x", "", function, nullptr, 0, nullptr, 0, w.out()),                                   \
    ROW(Null, "out", "", function, w.x, 0, nullptr, 0, nullptr),                                     \
    ROW(Taken, "dims", "", function, w.x, 0, nullptr, 0, w.out()),                                   \
    ROW(Range, "ndims", "is 2", function, w.x, 2, nullptr, 0, w.out()),                              \
    ROW(Range, "ndims", "is 3", function, w.x, 3, w.axes({0, 1, 1}), 0, w.out()),                    \
    ROW(Range, "ndims", "is -1", function, w.x, -1, w.axes({0}), 0, w.out()),                        \
    ROW(Range, "dims", "is 2", function, w.x, 1, w.axes({2}), 0, w.out()),                           \
    ROW(Range, "dims", "is -3", function, w.x, 1, w.axes({-3}), 0, w.out()),                         \
    ROW(Range, "dims", "is -2147483648", function, w.x, 1, w.axes({INT32_MIN}), 0, w.out()),         \
    ROW(Range, "dims", "1 twice", function, w.x, 2, w.axes({-1, 1}), 0, w.out()),                    \
    ROW(Range, "keep_dims", "is 2", function, w.x, 0, nullptr, 2, w.out()),                          \
    ROW(Dtype, "x", "is i32", function, w.ints, 0, nullptr, 0, w.out()),                             \
    ROW(State, "x", "", function, w.output, 0, nullptr, 0, w.out())

#define SOFTMAX_ROWS(function)                                   \
    UNARY_ROWS(function, 1, ),                                   \
    ROW(Range, "dim", "is 2", function, w.x, 2, w.out()),        \
    ROW(Range, "dim", "is -3", function, w.x, -3, w.out()),      \
    ROW(Range, "dim", "is 0", function, w.scalar, 0, w.out())

const misuse::Rows rows{
    BINARY_ROWS(mpt_add),
    BINARY_ROWS(mpt_sub),
    BINARY_ROWS(mpt_mul),
    BINARY_ROWS(mpt_div),
    ROW(Dtype, "a", "is i32", mpt_div, w.ints, w.ints, w.out()),
    ROW(Taken, "b", "", mpt_add, w.x, w.half, w.out()),

    UNARY_ROWS(mpt_affine, 2, 1, ),
    ROW(Taken, "scale", "", mpt_affine, w.x, INFINITY, 0, w.out()),
    ROW(Taken, "shift", "", mpt_affine, w.x, 1, NAN, w.out()),
    UNARY_ROWS(mpt_neg),
    UNARY_ROWS(mpt_exp),
    UNARY_ROWS(mpt_log),
    UNARY_ROWS(mpt_sqrt),
    UNARY_ROWS(mpt_relu),

    REDUCE_ROWS(mpt_sum),
    REDUCE_ROWS(mpt_mean),
    REDUCE_ROWS(mpt_max),
    STEPS("mpt_max", Shape, "x", "[0, 3]", net::Tensor none = of(w, MPT_F32, {0, 3}); return mpt_max(none, 0, nullptr, 0, w.out())),

    ROW(Null, "x", "", mpt_reshape, nullptr, 1, w.extents({6}), w.out()),
    ROW(Null, "out", "", mpt_reshape, w.x, 1, w.extents({6}), nullptr),
    ROW(Null, "shape", "", mpt_reshape, w.x, 1, nullptr, w.out()),
    ROW(Taken, "shape", "", mpt_reshape, w.scalar, 0, nullptr, w.out()),
    ROW(Range, "ndim", "is -1", mpt_reshape, w.x, -1, w.extents({6}), w.out()),
    ROW(Range, "ndim", "is 9", mpt_reshape, w.x, 9, w.extents({6, 1, 1, 1, 1, 1, 1, 1, 1}), w.out()),
    ROW(Shape, "shape", "[4, 4]", mpt_reshape, w.x, 2, w.extents({4, 4}), w.out()),
    ROW(Shape, "shape", "[-1, 4]", mpt_reshape, w.x, 2, w.extents({-1, 4}), w.out()),
    ROW(Shape, "shape", "[-1, -1]", mpt_reshape, w.x, 2, w.extents({-1, -1}), w.out()),
    ROW(Shape, "shape", "[-2, 3]", mpt_reshape, w.x, 2, w.extents({-2, 3}), w.out()),
    ROW(Shape, "shape", "[0, -1]", mpt_reshape, w.x, 2, w.extents({0, -1}), w.out()),
    ROW(Shape, "shape", "[4611686018427387904, 4]", mpt_reshape, w.x, 2, w.extents({int64_t(1) << 62, 4}), w.out()),
    ROW(State, "x", "", mpt_reshape, w.output, 1, w.extents({6}), w.out()),

    ROW(Null, "x", "", mpt_transpose, nullptr, 0, nullptr, w.out()),
    ROW(Null, "out", "", mpt_transpose, w.x, 0, nullptr, nullptr),
    ROW(Taken, "dims", "", mpt_transpose, w.x, 0, nullptr, w.out()),
    ROW(Shape, "x", "[4]", mpt_transpose, w.row, 0, nullptr, w.out()),
    ROW(Range, "ndim", "is 3", mpt_transpose, w.x, 3, w.axes({0, 1, 2}), w.out()),
    ROW(Range, "ndim", "is -1", mpt_transpose, w.x, -1, w.axes({0, 1}), w.out()),
    ROW(Range, "dims", "is 2", mpt_transpose, w.x, 2, w.axes({0, 2}), w.out()),
    ROW(Range, "dims", "0 twice", mpt_transpose, w.x, 2, w.axes({0, 0}), w.out()),

    ROW(Null, "x", "", mpt_slice, nullptr, 0, 0, 1, w.out()),
    ROW(Null, "out", "", mpt_slice, w.x, 0, 0, 1, nullptr),
    ROW(Range, "dim", "is 2", mpt_slice, w.x, 2, 0, 1, w.out()),
    ROW(Range, "dim", "is 0", mpt_slice, w.scalar, 0, 0, 1, w.out()),
    ROW(Shape, "start", "-1 and 1", mpt_slice, w.x, 0, -1, 1, w.out()),
    ROW(Shape, "start", "3 and 0", mpt_slice, w.x, 0, 3, 0, w.out()),
    ROW(Shape, "length", "1 and 2", mpt_slice, w.x, 0, 1, 2, w.out()),
    ROW(Shape, "length", "0 and -1", mpt_slice, w.x, 0, 0, -1, w.out()),
    ROW(Shape, "length", "1 and 9223372036854775807", mpt_slice, w.x, 0, 1, INT64_MAX, w.out()),

    ROW(Null, "x", "", mpt_cast, nullptr, MPT_F16, w.out()),
    ROW(Null, "out", "", mpt_cast, w.x, MPT_F16, nullptr),
    ROW(Dtype, "dtype", "is 99", mpt_cast, w.x, static_cast<mpt_dtype>(99), w.out()),
    ROW(Dtype, "dtype", "is 0", mpt_cast, w.x, MPT_DTYPE_NONE, w.out()),

    ROW(Null, "a", "", mpt_matmul, nullptr, w.row, w.out()),
    ROW(Null, "b", "", mpt_matmul, w.x, nullptr, w.out()),
    ROW(Null, "out", "", mpt_matmul, w.x, w.x, nullptr),
    ROW(Foreign, "b", "", mpt_matmul, w.x, w.other.x, w.out()),
    ROW(Shape, "b", "[2, 3]", mpt_matmul, w.x, w.x, w.out()),
    ROW(Shape, "a", "[4]", mpt_matmul, w.row, w.weight, w.out()),
    ROW(Shape, "b", "[4]", mpt_matmul, w.weight, w.row, w.out()),
    STEPS("mpt_matmul", Shape, "b", "[3, 2, 2]", net::Tensor a = of(w, MPT_F32, {2, 2, 2}); net::Tensor b = of(w, MPT_F32, {3, 2, 2});
          return mpt_matmul(a, b, w.out())),
    STEPS("mpt_matmul", Dtype, "a", "is i32", net::Tensor b = of(w, MPT_I32, {3, 2}); return mpt_matmul(w.ints, b, w.out())),
    STEPS("mpt_matmul", Dtype, "b", "is i32", net::Tensor b = of(w, MPT_I32, {3, 2}); return mpt_matmul(w.x, b, w.out())),
    STEPS("mpt_matmul", Taken, "b", "", net::Tensor b = of(w, MPT_F16, {3, 2}); return mpt_matmul(w.x, b, w.out())),

    ROW(Null, "x", "", mpt_linear, nullptr, w.weight, nullptr, w.out()),
    ROW(Null, "weight", "", mpt_linear, w.x, nullptr, nullptr, w.out()),
    ROW(Taken, "bias", "", mpt_linear, w.x, w.weight, nullptr, w.out()),
    ROW(Null, "out", "", mpt_linear, w.x, w.weight, nullptr, nullptr),
    ROW(Foreign, "weight", "", mpt_linear, w.x, w.other.weight, nullptr, w.out()),
    ROW(Foreign, "bias", "", mpt_linear, w.x, w.weight, w.other.row, w.out()),
    ROW(Shape, "weight", "[1, 2, 6, 6]", mpt_linear, w.weight, w.image, nullptr, w.out()),
    ROW(Shape, "weight", "[4]", mpt_linear, w.x, w.row, nullptr, w.out()),
    ROW(Shape, "x", "[4]", mpt_linear, w.row, w.weight, nullptr, w.out()),
    ROW(Shape, "x", "[]", mpt_linear, w.scalar, w.weight, nullptr, w.out()),
    ROW(Shape, "bias", "[2, 3]", mpt_linear, w.x, w.weight, w.x, w.out()),
    ROW(Dtype, "x", "is i32", mpt_linear, w.ints, w.weight, nullptr, w.out()),
    ROW(Dtype, "weight", "is i32", mpt_linear, w.x, w.ints, nullptr, w.out()),
    ROW(Dtype, "bias", "is i64", mpt_linear, w.x, w.x, w.labels, w.out()),
    ROW(State, "bias", "", mpt_linear, w.x, w.weight, w.output, w.out()),

    INIT_ROWS(mpt_conv2d_params_init, "params"),
    ROW(Null, "x", "", mpt_conv2d, nullptr, w.filter, nullptr, nullptr, w.out()),
    ROW(Null, "weight", "", mpt_conv2d, w.image, nullptr, nullptr, nullptr, w.out()),
    ROW(Taken, "bias", "", mpt_conv2d, w.image, w.filter, nullptr, nullptr, w.out()),
    ROW(Taken, "params", "", mpt_conv2d, w.image, w.filter, w.row, nullptr, w.out()),
    ROW(Null, "out", "", mpt_conv2d, w.image, w.filter, nullptr, nullptr, nullptr),
    ROW(Foreign, "weight", "", mpt_conv2d, w.image, w.other.filter, nullptr, nullptr, w.out()),
    ROW(Foreign, "bias", "", mpt_conv2d, w.image, w.filter, w.other.row, nullptr, w.out()),
    ROW(Shape, "x", "[2, 3]", mpt_conv2d, w.x, w.filter, nullptr, nullptr, w.out()),
    ROW(Shape, "weight", "[4, 3]", mpt_conv2d, w.image, w.weight, nullptr, nullptr, w.out()),
    ROW(Shape, "x", "[4, 2, 3, 3]", mpt_conv2d, w.filter, w.image, nullptr, nullptr, w.out()),
    STEPS("mpt_conv2d", Shape, "weight", "[4, 3, 3, 3]", net::Tensor f = of(w, MPT_F32, {4, 3, 3, 3});
          return mpt_conv2d(w.image, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv2d", Shape, "weight", "[4, 2, 0, 3]", net::Tensor f = of(w, MPT_F32, {4, 2, 0, 3});
          return mpt_conv2d(w.image, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv2d", Shape, "x", "[1, 2, 6, 6]", net::Tensor f = of(w, MPT_F32, {4, 2, 3, 7}); return mpt_conv2d(w.image, f, nullptr, nullptr, w.out())),
    ROW(Shape, "bias", "[2, 3]", mpt_conv2d, w.image, w.filter, w.x, nullptr, w.out()),
    STEPS("mpt_conv2d", Dtype, "x", "is i32", net::Tensor x = of(w, MPT_I32, {1, 2, 6, 6}); return mpt_conv2d(x, w.filter, nullptr, nullptr, w.out())),
    STEPS("mpt_conv2d", Dtype, "weight", "is i32", net::Tensor f = of(w, MPT_I32, {4, 2, 3, 3});
          return mpt_conv2d(w.image, f, nullptr, nullptr, w.out())),
    STEPS("mpt_conv2d", Dtype, "bias", "is i64", net::Tensor b = of(w, MPT_I64, {4}); return mpt_conv2d(w.image, w.filter, b, nullptr, w.out())),
    DESCRIPTOR_ROWS(Conv2d),
    FIELD(Conv2d, Range, "stride_h is 0", d.stride_h = 0),
    FIELD(Conv2d, Range, "stride_w is -1", d.stride_w = -1),
    FIELD(Conv2d, Range, "padding_h is -1", d.padding_h = -1),
    FIELD(Conv2d, Range, "padding_w is -2147483648", d.padding_w = INT32_MIN),
    FIELD(Conv2d, Range, "dilation_h is 0", d.dilation_h = 0),
    FIELD(Conv2d, Range, "dilation_w is -1", d.dilation_w = -1),
    FIELD(Conv2d, Range, "groups is 0", d.groups = 0),
    STEPS("mpt_conv2d", Shape, "weight", "2 groups", auto d = Conv2d::good(); d.groups = 2; return Conv2d::use(w, &d)),
    STEPS("mpt_conv2d", Shape, "weight", "[3, 1, 3, 3]", auto d = Conv2d::good(); d.groups = 2; net::Tensor f = of(w, MPT_F32, {3, 1, 3, 3});
          return mpt_conv2d(w.image, f, nullptr, &d, w.out())),
    STEPS("mpt_conv2d", Shape, "x", "dilation 2147483647", auto d = Conv2d::good(); d.dilation_h = INT32_MAX; return Conv2d::use(w, &d)),
    STEPS("mpt_conv2d", Taken, "params", "", auto d = Conv2d::good(); d.padding_h = d.stride_h = INT32_MAX; return Conv2d::use(w, &d)),
    STEPS_IS("mpt_conv2d", MPT_ERROR_MEMORY, "", "bytes", auto d = Conv2d::good(); d.padding_h = INT32_MAX; return Conv2d::use(w, &d)),

    INIT_ROWS(mpt_pool2d_params_init, "params"),
    ROW(Null, "x", "", mpt_max_pool2d, nullptr, nullptr, w.out()),
    ROW(Null, "out", "", mpt_max_pool2d, w.image, nullptr, nullptr),
    ROW(Taken, "params", "", mpt_max_pool2d, w.image, nullptr, w.out()),
    ROW(Shape, "x", "[2, 3]", mpt_max_pool2d, w.x, nullptr, w.out()),
    STEPS("mpt_max_pool2d", Dtype, "x", "is i32", net::Tensor x = of(w, MPT_I32, {1, 2, 6, 6}); return mpt_max_pool2d(x, nullptr, w.out())),
    DESCRIPTOR_ROWS(MaxPool2d),
    FIELD(MaxPool2d, Range, "kernel_h is 0", d.kernel_h = 0),
    FIELD(MaxPool2d, Range, "kernel_w is -1", d.kernel_w = -1),
    FIELD(MaxPool2d, Range, "stride_h is -1", d.stride_h = -1),
    FIELD(MaxPool2d, Range, "stride_w is -1", d.stride_w = -1),
    FIELD(MaxPool2d, Range, "padding_h is -1", d.padding_h = -1),
    FIELD(MaxPool2d, Range, "padding_w is 2", d.padding_w = 2),
    FIELD(MaxPool2d, Range, "65536 and 32768", d.kernel_h = 65536; d.kernel_w = 32768; d.padding_h = 32768; d.padding_w = 16384),
    STEPS("mpt_max_pool2d", Taken, "params", "", auto d = MaxPool2d::good(); d.stride_h = d.stride_w = INT32_MAX; return MaxPool2d::use(w, &d)),
    STEPS("mpt_max_pool2d", Shape, "x", "window of 7", auto d = MaxPool2d::good(); d.kernel_h = 7; return MaxPool2d::use(w, &d)),
    STEPS("mpt_max_pool2d", Shape, "x", "window of 2147483647", auto d = MaxPool2d::good(); d.kernel_h = INT32_MAX; d.kernel_w = 1; return MaxPool2d::use(w, &d)),

    SOFTMAX_ROWS(mpt_softmax),
    SOFTMAX_ROWS(mpt_log_softmax),

    ROW(Null, "logits", "", mpt_cross_entropy, nullptr, w.labels, MPT_REDUCTION_MEAN, w.out()),
    ROW(Null, "target", "", mpt_cross_entropy, w.x, nullptr, MPT_REDUCTION_MEAN, w.out()),
    ROW(Null, "out", "", mpt_cross_entropy, w.x, w.labels, MPT_REDUCTION_MEAN, nullptr),
    ROW(Foreign, "target", "", mpt_cross_entropy, w.x, w.other.labels, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "reduction", "is 9", mpt_cross_entropy, w.x, w.labels, static_cast<mpt_reduction>(9), w.out()),
    ROW(Shape, "logits", "[4]", mpt_cross_entropy, w.row, w.labels, MPT_REDUCTION_MEAN, w.out()),
    ROW(Shape, "target", "[2]", mpt_cross_entropy, w.weight, w.labels, MPT_REDUCTION_MEAN, w.out()),
    ROW(Dtype, "logits", "is i32", mpt_cross_entropy, w.ints, w.labels, MPT_REDUCTION_MEAN, w.out()),
    ROW(Dtype, "target", "is f32", mpt_cross_entropy, w.weight, w.row, MPT_REDUCTION_MEAN, w.out()),

    ROW(Null, "prediction", "", mpt_mse, nullptr, w.x, MPT_REDUCTION_MEAN, w.out()),
    ROW(Null, "target", "", mpt_mse, w.x, nullptr, MPT_REDUCTION_MEAN, w.out()),
    ROW(Null, "out", "", mpt_mse, w.x, w.x, MPT_REDUCTION_MEAN, nullptr),
    ROW(Foreign, "target", "", mpt_mse, w.x, w.other.x, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "reduction", "is -1", mpt_mse, w.x, w.x, static_cast<mpt_reduction>(-1), w.out()),
    ROW(Shape, "target", "[4]", mpt_mse, w.x, w.row, MPT_REDUCTION_MEAN, w.out()),
    ROW(Dtype, "prediction", "is i32", mpt_mse, w.ints, w.ints, MPT_REDUCTION_MEAN, w.out()),
    ROW(Dtype, "target", "is i32", mpt_mse, w.x, w.ints, MPT_REDUCTION_MEAN, w.out()),
};

}  // namespace
