#include "ops/elementwise_forms.h"

namespace test {

namespace {

std::vector<Case> cases() {
    struct Form {
        const char *name;
        Shape condition, a, b;
        Layout lc = Layout::Contiguous, la = Layout::Contiguous, lb = Layout::Contiguous;
    };
    const Form forms[] = {
        {"Same", {3, 5}, {3, 5}, {3, 5}},
        {"Scalars", {}, {}, {}},
        {"ScalarCondition", {}, {2, 3}, {2, 3}},
        {"ScalarB", {4, 7}, {4, 7}, {}},
        {"AllBroadcast", {3, 1, 1}, {4, 1}, {5}},
        {"Mask", {5, 5}, {2, 3, 5, 5}, {1}},
        {"Channels", {2, 3, 4, 5}, {2, 3, 4, 5}, {3, 1, 1}, Layout::Contiguous, Layout::ChannelsLast},
        {"Transposed", {5, 6}, {5, 6}, {5, 6}, Layout::Transposed, Layout::Contiguous, Layout::Transposed},
        {"SlicedStrided", {3, 4, 5}, {3, 4, 5}, {3, 4, 5}, Layout::Strided, Layout::Sliced, Layout::Strided},
        {"Empty", {0, 3}, {1, 3}, {0, 1}},
        {"Large", {37, 1031}, {1031}, {37, 1031}},
        {"LargeSliced", {130, 301}, {130, 301}, {130, 301}, Layout::Sliced, Layout::Transposed, Layout::Sliced},
    };
    std::vector<Case> all;
    for (const Form &form : forms)
        all.push_back({.op = "mpt_where",
                       .name = form.name,
                       .inputs = {{.shape = form.condition, .low = 0, .high = 2, .layout = form.lc, .index = MPT_BOOL},
                                  {.shape = form.a, .layout = form.la},
                                  {.shape = form.b, .layout = form.lb}},
                       .apply = [](In in, Out out) { return mpt_where(in[0], in[1], in[2], out); },
                       .reference =
                           [](const std::vector<Values> &in) {
                               return tabulate(broadcast(in[0].shape, broadcast(in[1].shape, in[2].shape)), [&](const Shape &at) {
                                   return element(element(in[0], at) != 0 ? in[1] : in[2], at);
                               });
                           },
                       .bound = {1, Scale::Result, 8, 2, Scale::Largest},
                       .any_thread_count = true});
    return all;
}

class Where : public DeviceTest {
protected:
    Tensor choose(const Tensor &condition, const Tensor &a, const Tensor &b) {
        Tensor out;
        MUST(mpt_where(condition, a, b, out.out()));
        return out;
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(Where, cases());
INSTANTIATE_ON_EVERY_DEVICE(Where);

TEST_P(Where, EveryDtype) {
    const Tensor condition = make(ctx, MPT_BOOL, {1, 0, 1});
    for (mpt_dtype dtype : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16, MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8, MPT_BOOL}) {
        const Tensor out = choose(condition, make(ctx, dtype, {1, 1, 0}), make(ctx, dtype, {0, 0, 1}));
        EXPECT_EQ(dtype_of(out), dtype);
        EXPECT_EQ(read(out), (std::vector<double>{1, 0, 0})) << mpt_dtype_name(dtype);
    }
    EXPECT_EQ(dtype_of(choose(condition, make(ctx, MPT_F16, {1, 1, 1}), make(ctx, MPT_BF16, {0, 0, 0}))), MPT_F32);
}

// What is not chosen shows neither in the result nor in the gradient.
TEST_P(Where, NanOfTheOtherSideStaysThere) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor a = make(ctx, dtype, {1, 1}), b = make(ctx, dtype, {kNan, kNan});
        MUST(mpt_tensor_set_requires_grad(a, 1));
        MUST(mpt_tensor_set_requires_grad(b, 1));
        const Tensor y = choose(make(ctx, MPT_BOOL, {1, 0}), a, b), infinities = make(ctx, dtype, {kInfinity, 1});
        mpt_tensor *out = y, *start = infinities;
        MUST(mpt_backward_from(&out, &start, 1, MPT_GRAD_WRITE));
        expect_same(read(y), {1, kNan});
        EXPECT_EQ(read(gradient(a)), (std::vector<double>{kInfinity, 0})) << "a gradient of infinity does not become NaN";
        EXPECT_EQ(read(gradient(b)), (std::vector<double>{0, 1}));
    }
}

}  // namespace test
