#include "ops/attention.h"

#include <cmath>

#include "ops/op_test.h"

namespace test {

namespace {

// Results are averages of v. Gradients of scores are differences of terms as large as the largest, one of them made from the stored
// (rounded) result.
constexpr Bound kAttention{16, Scale::Largest, 32, 4, Scale::Largest};
// Where products are made of 16-bit factors, the probabilities are rounded before they meet v.
constexpr Bound kRoundedFactors{16, Scale::Largest, 32, 4, Scale::Largest, 1};

struct Sizes {
    std::int64_t batch, heads, queries, keys, qk, v;
    Shape q() const { return {batch, heads, queries, qk}; }
    Shape k() const { return {batch, heads, keys, qk}; }
    Shape values() const { return {batch, heads, keys, v}; }
    // Our own kernels do so for heads of 64 and 128, cuDNN's for more.
    bool rounded_factors() const { return qk % 64 == 0 || (qk % 8 == 0 && qk == v && queries >= 64 && keys >= 64); }
};

void add(std::vector<Case> &all, const char *name, const Sizes &n, bool causal, Layout layout = Layout::Contiguous,
         double scale = 0) {
    all.push_back(
        {.op = "mpt_attention",
         .name = name,
         .inputs = {{.shape = n.q(), .low = -2, .high = 2, .layout = layout},
                    {.shape = n.k(), .low = -2, .high = 2, .layout = layout},
                    {.shape = n.values(), .layout = layout}},
         .apply =
             [=](In in, Out out) {
                 const mpt_attention_params p = attention_params(causal, scale);
                 return mpt_attention(in[0], in[1], in[2], nullptr, &p, out);
             },
         .reference = [=](const std::vector<Values> &in) { return attention_reference(in[0], in[1], in[2], causal, scale); },
         .bound = n.rounded_factors() ? kRoundedFactors : kAttention,
         .any_thread_count = true});
}

// The mask: BOOL as it is; I8 from {-2, ..., 1} becomes a floating one.
void add_masked(std::vector<Case> &all, const char *name, const Sizes &n, mpt_dtype type, const Shape &mask, bool causal = false,
                Layout layout = Layout::Contiguous) {
    all.push_back({.op = "mpt_attention",
                   .name = name,
                   .inputs = {{.shape = n.q(), .low = -2, .high = 2},
                              {.shape = n.k(), .low = -2, .high = 2},
                              {.shape = n.values()},
                              {.shape = mask,
                               .low = type == MPT_BOOL ? 0.0 : -2.0,
                               .high = 2,
                               .layout = layout,
                               .index = type == MPT_BOOL ? MPT_BOOL : MPT_I8}},
                   .apply =
                       [=](In in, Out out) {
                           const mpt_attention_params p = attention_params(causal);
                           Tensor floating;
                           if (type != MPT_BOOL)
                               MUST(mpt_cast(in[3], type == MPT_DTYPE_NONE ? dtype_of(in[0]) : type, floating.out()));
                           return mpt_attention(in[0], in[1], in[2], type == MPT_BOOL ? in[3] : static_cast<mpt_tensor *>(floating),
                                                &p, out);
                       },
                   .reference =
                       [=](const std::vector<Values> &in) {
                           return attention_reference(in[0], in[1], in[2], causal, 0, [&](const Shape &at) {
                               const double m = element(in[3], at);
                               return type != MPT_BOOL ? m : m != 0 ? 0 : -kInfinity;
                           });
                       },
                   .bound = kAttention,
                   .any_thread_count = true});
}

std::vector<Case> cases() {
    std::vector<Case> all;
    add(all, "Small", {2, 2, 5, 7, 4, 3}, false);
    add(all, "Causal", {2, 3, 9, 9, 5, 5}, true);
    add(all, "CausalMoreKeys", {1, 2, 5, 11, 4, 6}, true);
    add(all, "CausalMoreQueries", {1, 2, 11, 5, 4, 6}, true);  // the first rows see nothing
    add(all, "Scale", {1, 1, 6, 6, 3, 3}, false, Layout::Contiguous, -0.3);
    add(all, "OneQuery", {2, 2, 1, 40, 8, 8}, true);
    add(all, "TwoKeys", {2, 1, 6, 2, 3, 2}, false);
    add(all, "OneFeature", {1, 2, 7, 8, 1, 1}, false);
    add(all, "Transposed", {1, 2, 9, 9, 9, 9}, false, Layout::Transposed);
    add(all, "Sliced", {2, 2, 6, 6, 5, 5}, true, Layout::Sliced);
    add(all, "Strided", {1, 2, 6, 7, 5, 4}, false, Layout::Strided);
    add(all, "NoQueries", {2, 2, 0, 5, 4, 4}, false);
    add(all, "NoKeys", {1, 2, 3, 0, 4, 4}, false);
    add(all, "NoBatch", {0, 2, 3, 5, 4, 4}, false);
    // Several blocks in each direction, and panels of features.
    add(all, "Blocks", {1, 2, 150, 205, 40, 70}, false);
    add(all, "CausalBlocks", {1, 1, 200, 200, 33, 17}, true);
    add(all, "CausalBlocksMoreKeys", {1, 1, 70, 300, 16, 32}, true);
    add(all, "CausalBlocksMoreQueries", {1, 1, 300, 130, 16, 8}, true);
    // Sizes that tensor cores take: whole and partial tiles, one and several.
    add(all, "Wide", {1, 2, 130, 200, 64, 64}, false);
    add(all, "WideCausal", {1, 2, 256, 256, 64, 64}, true);
    add(all, "WideCausalMoreKeys", {1, 1, 70, 197, 64, 64}, true);
    add(all, "WideCausalMoreQueries", {1, 1, 210, 100, 64, 64}, true);
    add(all, "WideOneQuery", {1, 2, 1, 70, 64, 64}, true);
    add(all, "WideScale", {1, 1, 65, 66, 64, 64}, false, Layout::Contiguous, -0.3);
    add(all, "WideSliced", {2, 2, 70, 70, 64, 64}, true, Layout::Sliced);
    add(all, "WideNoKeys", {1, 2, 3, 0, 64, 64}, false);
    add(all, "Wide128", {1, 1, 130, 140, 128, 128}, false);
    add(all, "Wide128Causal", {1, 1, 150, 150, 128, 128}, true);
    add(all, "ManyPairs", {5, 8, 20, 24, 8, 8}, true);
    // Sizes that cuDNN takes, on a GPU: its blocks are of 64 or 128 rows, and the gradient's keys come in whole blocks of 128.
    add(all, "Fused8", {2, 2, 64, 128, 8, 8}, false);
    add(all, "Fused32", {1, 2, 70, 131, 32, 32}, false);
    add(all, "Fused32Causal", {2, 1, 128, 128, 32, 32}, true);
    add(all, "Fused40CausalMoreKeys", {1, 1, 65, 384, 40, 40}, true);
    add(all, "Fused64", {1, 2, 130, 256, 64, 64}, false);
    add(all, "Fused64CausalMoreKeys", {1, 2, 100, 256, 64, 64}, true);
    add(all, "Fused96", {1, 1, 100, 128, 96, 96}, false);
    add(all, "Fused96Causal", {1, 1, 133, 133, 96, 96}, true);
    add(all, "Fused96CausalBlocks", {1, 1, 256, 256, 96, 96}, true);
    add(all, "Fused128", {1, 1, 130, 128, 128, 128}, false);
    add(all, "Fused128CausalMoreKeys", {1, 1, 70, 256, 128, 128}, true);
    add(all, "FusedSliced", {2, 2, 128, 128, 64, 64}, true, Layout::Sliced);
    add(all, "FusedTransposed", {1, 1, 128, 128, 32, 32}, true, Layout::Transposed);

    const Sizes n{2, 3, 7, 9, 4, 5};
    add_masked(all, "BoolMask", n, MPT_BOOL, {2, 3, 7, 9});
    add_masked(all, "BoolMaskOfKeys", n, MPT_BOOL, {2, 1, 1, 9});
    add_masked(all, "BoolMaskOfQueries", n, MPT_BOOL, {7, 1});
    add_masked(all, "BoolMaskTransposed", n, MPT_BOOL, {3, 7, 9}, false, Layout::Transposed);
    add_masked(all, "BoolMaskCausal", n, MPT_BOOL, {7, 9}, true);
    add_masked(all, "BoolMaskScalar", n, MPT_BOOL, {});
    add_masked(all, "FloatMask", n, MPT_DTYPE_NONE, {2, 3, 7, 9});
    add_masked(all, "FloatMaskPerHead", n, MPT_DTYPE_NONE, {3, 7, 9});
    add_masked(all, "FloatMaskSliced", n, MPT_DTYPE_NONE, {7, 9}, true, Layout::Sliced);
    add_masked(all, "FloatMaskTransposed", n, MPT_DTYPE_NONE, {2, 1, 7, 9}, false, Layout::Transposed);
    add_masked(all, "BoolMaskBlocks", {1, 2, 100, 210, 8, 8}, MPT_BOOL, {2, 100, 210}, true);
    add_masked(all, "FloatMaskBlocks", {1, 1, 130, 130, 8, 8}, MPT_DTYPE_NONE, {130, 130}, true);
    return all;
}

class Attention : public DeviceTest {
protected:
    static std::vector<std::int64_t> strides(mpt_tensor *x) {
        std::vector<std::int64_t> s(shape_of(x).size());
        MUST(mpt_tensor_strides(x, s.data(), static_cast<std::int32_t>(s.size())));
        return s;
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(Attention, cases());
INSTANTIATE_ON_EVERY_DEVICE(Attention);

// q, k and v as views of one projection [N,T,3,H,D]; heads merge again without a copy; the bits are those of separate tensors.
TEST_P(Attention, PackedProjection) {
    const std::int64_t n = 2, h = 3;
    const struct {
        mpt_dtype dtype;
        std::int64_t t, d;
    } sizes[] = {{MPT_F32, 70, 8}, {MPT_BF16, 70, 8}, {MPT_BF16, 128, 64}, {MPT_F16, 128, 32}};
    for (const auto &[dtype, t, d] : sizes) {
        const Tensor packed = make(ctx, dtype, draw({n, t, 3, h, d}, 1)), seed = make(ctx, dtype, draw({n, h, t, d}, 2));
        const mpt_attention_params p = attention_params(true);
        std::vector<std::uint8_t> bits[2];
        for (bool separate : {false, true}) {
            MUST(mpt_tensor_set_requires_grad(packed, 1));
            Tensor views[3];
            for (int i = 0; i < 3; ++i) {
                Tensor part, flat;
                MUST(mpt_slice(packed, 2, i, 1, part.out()));
                const std::int64_t shape[] = {n, t, h, d};
                const std::int32_t order[] = {0, 2, 1, 3};
                MUST(mpt_reshape(part, 4, shape, flat.out()));
                MUST(mpt_transpose(flat, 4, order, views[i].out()));
                if (!separate) continue;
                Tensor copy;
                MUST(mpt_affine(views[i], 1, 0, copy.out()));
                views[i] = std::move(copy);
            }
            Tensor out;
            MUST(mpt_attention(views[0], views[1], views[2], nullptr, &p, out.out()));
            EXPECT_EQ(strides(out), (std::vector<std::int64_t>{t * h * d, d, h * d, 1}));
            mpt_tensor *root = out, *start = seed;
            MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
            bits[separate] = read_bytes(out);
            for (std::uint8_t b : read_bytes(gradient(packed))) bits[separate].push_back(b);
        }
        EXPECT_TRUE(bits[0] == bits[1]) << mpt_dtype_name(dtype) << ", " << t << " x " << d;
    }
}

TEST_P(Attention, ARowThatSeesNothingGivesZeroAndNoGradient) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16})
        for (bool floating : {false, true}) {
            const Tensor q = make(ctx, dtype, draw({1, 1, 3, 4}, 1)), k = make(ctx, dtype, draw({1, 1, 5, 4}, 2)),
                         v = make(ctx, dtype, draw({1, 1, 5, 2}, 3));
            // Row 1 sees nothing; nobody sees the last key.
            const Tensor mask = make(ctx, floating ? MPT_F32 : MPT_BOOL, tabulate({3, 5}, [&](const Shape &at) {
                                         const bool seen = at[0] != 1 && at[1] != 4;
                                         return !floating ? seen : seen ? 0 : -kInfinity;
                                     }));
            for (mpt_tensor *x : {static_cast<mpt_tensor *>(q), static_cast<mpt_tensor *>(k), static_cast<mpt_tensor *>(v)})
                MUST(mpt_tensor_set_requires_grad(x, 1));
            Tensor out;
            MUST(mpt_attention(q, k, v, mask, nullptr, out.out()));
            const std::vector<double> y = read(out);
            for (int i = 0; i < 6; ++i)
                EXPECT_EQ(y[static_cast<std::size_t>(i)] == 0, i / 2 == 1) << mpt_dtype_name(dtype) << " " << i;
            const Tensor seed = make(ctx, dtype, draw({1, 1, 3, 2}, 4));
            mpt_tensor *root = out, *start = seed;
            MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
            const std::vector<double> dq = read(gradient(q)), dk = read(gradient(k)), dv = read(gradient(v));
            for (std::size_t i = 0; i < dq.size(); ++i) EXPECT_EQ(dq[i] == 0, i / 4 == 1) << mpt_dtype_name(dtype) << " dq " << i;
            for (std::size_t i = 0; i < dk.size(); ++i) EXPECT_EQ(dk[i] == 0, i / 4 == 4) << mpt_dtype_name(dtype) << " dk " << i;
            for (std::size_t i = 0; i < dv.size(); ++i) EXPECT_EQ(dv[i] == 0, i / 2 == 4) << mpt_dtype_name(dtype) << " dv " << i;
        }
}

// The probability is 1 whatever the scores are, so their gradients are rounding errors.
TEST_P(Attention, OneKey) {
    const Tensor q = make(ctx, MPT_F32, draw({2, 1, 6, 3}, 1)), k = make(ctx, MPT_F32, draw({2, 1, 1, 3}, 2)),
                 v = make(ctx, MPT_F32, draw({2, 1, 1, 2}, 3));
    MUST(mpt_tensor_set_requires_grad(q, 1));
    MUST(mpt_tensor_set_requires_grad(v, 1));
    Tensor out, loss;
    MUST(mpt_attention(q, k, v, nullptr, nullptr, out.out()));
    MUST(mpt_sum(out, 0, nullptr, 0, loss.out()));
    MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    const std::vector<double> y = read(out), x = read(v);
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], x[i / 12 * 2 + i % 2]);
    for (double g : read(gradient(q))) EXPECT_NEAR(g, 0, 1e-6);
    for (double g : read(gradient(v))) EXPECT_EQ(g, 6);
}

TEST_P(Attention, LargeScoresDoNotOverflow) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor q = make(ctx, dtype, Values{{1, 1, 1, 1}, {200}}),
                     k = make(ctx, dtype, Values{{1, 1, 3, 1}, {200, -200, 200}});
        const Tensor v = make(ctx, dtype, Values{{1, 1, 3, 1}, {1, 7, 3}});
        Tensor out;
        MUST(mpt_attention(q, k, v, nullptr, nullptr, out.out()));
        EXPECT_EQ(read(out), std::vector<double>{2}) << mpt_dtype_name(dtype);
    }
}

// NaN stays in its own row of q, and a hidden score hides NaN.
TEST_P(Attention, NanAndInfinity) {
    const double nan = std::nan("");
    const Tensor q = make(ctx, MPT_F32, Values{{1, 1, 3, 1}, {nan, 1, 0}}),
                 k = make(ctx, MPT_F32, Values{{1, 1, 2, 1}, {1, kInfinity}});
    const Tensor v = make(ctx, MPT_F32, Values{{1, 1, 2, 1}, {5, 6}}), mask = make(ctx, MPT_BOOL, Values{{2}, {1, 0}});
    Tensor out;
    MUST(mpt_attention(q, k, v, nullptr, nullptr, out.out()));
    for (double y : read(out)) EXPECT_TRUE(std::isnan(y));
    MUST(mpt_attention(q, k, v, mask, nullptr, out.out()));
    EXPECT_TRUE(std::isnan(read(out)[0]));
    EXPECT_EQ(read(out)[1], 5);
    EXPECT_EQ(read(out)[2], 5);
}

// Products are low, the mask stays as it is, and gradients reach f32 leaves.
TEST_P(Attention, Autocast) {
    Policy policy;
    MUST(mpt_policy_create(ctx, MPT_BF16, policy.out()));
    const Tensor q = make(ctx, MPT_F32, draw({1, 2, 5, 4}, 1)), mask = make(ctx, MPT_F32, draw({5, 5}, 2));
    MUST(mpt_tensor_set_requires_grad(q, 1));
    Tensor out, loss;
    MUST(mpt_autocast_begin(ctx, policy));
    MUST(mpt_attention(q, q, q, mask, nullptr, out.out()));
    MUST(mpt_autocast_end(ctx));
    EXPECT_EQ(dtype_of(out), MPT_BF16);
    MUST(mpt_sum(out, 0, nullptr, 0, loss.out()));
    MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ(dtype_of(gradient(q)), MPT_F32);
    Tensor exact;
    MUST(mpt_attention(q, q, q, mask, nullptr, exact.out()));
    const std::vector<double> a = read(out), b = read(exact);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 0.03);
}

}  // namespace test
