#include "api/misuse.h"

namespace {

struct MaxPool2d {
    static constexpr const char *function = "mpt_max_pool2d", *argument = "params";
    static mpt_pool2d_params good() {
        mpt_pool2d_params p;
        MUST(mpt_pool2d_params_init(&p, sizeof p));
        return p;
    }
    static mpt_status use(misuse::World &w, const mpt_pool2d_params *p) { return mpt_max_pool2d(w.image, p, w.out()); }
};

struct AvgPool2d : MaxPool2d {
    static constexpr const char *function = "mpt_avg_pool2d";
    static mpt_status use(misuse::World &w, const mpt_pool2d_params *p) { return mpt_avg_pool2d(w.image, p, w.out()); }
};

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) {
    return net::tensor(w.ctx, dtype, shape);
}

#define FIELDS(Use) \
    DESCRIPTOR_ROWS(Use), FIELD(Use, Range, "kernel_h is 0", d.kernel_h = 0), \
    FIELD(Use, Range, "kernel_w is -1", d.kernel_w = -1), FIELD(Use, Range, "stride_h is -1", d.stride_h = -1), \
    FIELD(Use, Range, "stride_w is -1", d.stride_w = -1), FIELD(Use, Range, "padding_h is -1", d.padding_h = -1), \
    FIELD(Use, Range, "padding_w is 2", d.padding_w = 2), FIELD(Use, Range, "exclude_padding is 2", d.exclude_padding = 2), \
    FIELD(Use, Range, "65536 and 32768", d.kernel_h = 65536; d.kernel_w = 32768; d.padding_h = 32768; d.padding_w = 16384)

#define IMAGE_ROWS(function, ...) \
    ROW(Null, "x", "", function, nullptr, __VA_ARGS__ w.out()), ROW(Null, "out", "", function, w.image, __VA_ARGS__ nullptr), \
    ROW(State, "x", "", function, w.output, __VA_ARGS__ w.out()), \
    ROW(Shape, "x", "[2, 3]", function, w.x, __VA_ARGS__ w.out()), \
    STEPS(#function, Dtype, "x", "is i32", net::Tensor x = of(w, MPT_I32, {1, 2, 6, 6}); \
          return function(x, __VA_ARGS__ w.out()))

#define SIZE_ROWS(function, ...) \
    ROW(Range, "height", "is 0", function, w.image, 0, 2, __VA_ARGS__ w.out()), \
    ROW(Range, "width", "is -1", function, w.image, 2, -1, __VA_ARGS__ w.out()), \
    STEPS(#function, Shape, "x", "[1, 2, 0, 6]", net::Tensor x = of(w, MPT_F32, {1, 2, 0, 6}); \
          return function(x, 2, 2, __VA_ARGS__ w.out()))

#define ADAPTIVE_ROWS(function) \
    IMAGE_ROWS(function, 2, 2, ), SIZE_ROWS(function, ), \
    ROW(Shape, "x", "2147483648", function, w.image, 1, int64_t(1) << 31, w.out()), \
    ROW(Taken, "height", "", function, w.image, 9, 1, w.out())

#define SIGNAL_ROWS(function) \
    ROW(Null, "x", "", function, nullptr, 2, 0, 0, w.out()), ROW(State, "x", "", function, w.output, 2, 0, 0, w.out()), \
    ROW(Shape, "x", "[1, 2, 6, 6]", function, w.image, 2, 0, 0, w.out()), \
    STEPS(#function, Null, "out", "", net::Tensor x = of(w, MPT_F32, {1, 2, 6}); return function(x, 2, 0, 0, nullptr)), \
    STEPS(#function, Dtype, "x", "is i32", net::Tensor x = of(w, MPT_I32, {1, 2, 6}); return function(x, 2, 0, 0, w.out())), \
    STEPS(#function, Shape, "x", "window of 7", net::Tensor x = of(w, MPT_F32, {1, 2, 6}); \
          return function(x, 7, 0, 0, w.out())), \
    STEPS(#function, Range, "kernel", "is 0", net::Tensor x = of(w, MPT_F32, {1, 2, 6}); \
          return function(x, 0, 0, 0, w.out())), \
    STEPS(#function, Range, "stride", "is -1", net::Tensor x = of(w, MPT_F32, {1, 2, 6}); \
          return function(x, 2, -1, 0, w.out())), \
    STEPS(#function, Range, "padding", "is -1", net::Tensor x = of(w, MPT_F32, {1, 2, 6}); \
          return function(x, 2, 0, -1, w.out())), \
    STEPS(#function, Range, "padding", "is 2", net::Tensor x = of(w, MPT_F32, {1, 2, 6}); \
          return function(x, 2, 0, 2, w.out()))

const misuse::Rows rows{
    INIT_ROWS(mpt_pool2d_params_init, "params"), IMAGE_ROWS(mpt_max_pool2d, nullptr, ),
    ROW(Taken, "params", "", mpt_max_pool2d, w.image, nullptr, w.out()), FIELDS(MaxPool2d),
    FIELD(MaxPool2d, Range, "exclude_padding is 1", d.exclude_padding = 1),
    STEPS("mpt_max_pool2d", Taken, "params", "", auto d = MaxPool2d::good(); d.stride_h = d.stride_w = INT32_MAX;
          return MaxPool2d::use(w, &d)),
    STEPS("mpt_max_pool2d", Shape, "x", "window of 7", auto d = MaxPool2d::good(); d.kernel_h = 7;
          return MaxPool2d::use(w, &d)),
    STEPS("mpt_max_pool2d", Shape, "x", "window of 2147483647", auto d = MaxPool2d::good(); d.kernel_h = INT32_MAX;
          d.kernel_w = 1; return MaxPool2d::use(w, &d)),

    IMAGE_ROWS(mpt_avg_pool2d, nullptr, ), ROW(Taken, "params", "", mpt_avg_pool2d, w.image, nullptr, w.out()),
    FIELDS(AvgPool2d),
    STEPS("mpt_avg_pool2d", Taken, "params", "", auto d = AvgPool2d::good(); d.exclude_padding = 1;
          return AvgPool2d::use(w, &d)),
    STEPS("mpt_avg_pool2d", Shape, "x", "window of 7", auto d = AvgPool2d::good(); d.kernel_h = 7;
          return AvgPool2d::use(w, &d)),

    ADAPTIVE_ROWS(mpt_adaptive_avg_pool2d), ADAPTIVE_ROWS(mpt_adaptive_max_pool2d), SIGNAL_ROWS(mpt_max_pool1d),
    SIGNAL_ROWS(mpt_avg_pool1d),

    IMAGE_ROWS(mpt_upsample2d, 2, 2, MPT_UPSAMPLE_NEAREST, ), SIZE_ROWS(mpt_upsample2d, MPT_UPSAMPLE_BILINEAR, ),
    ROW(Range, "mode", "is 2", mpt_upsample2d, w.image, 2, 2, static_cast<mpt_upsample_mode>(2), w.out()),
    ROW(Shape, "", "[1, 2, 4611686018427387904, 4]", mpt_upsample2d, w.image, int64_t(1) << 62, 4, MPT_UPSAMPLE_NEAREST,
        w.out()),
};

}  // namespace
