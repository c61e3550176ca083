// fp8 products on the tensor cores: the same quantized operands as on a CPU, which decodes them, so that only the order of additions differs.
#include <cmath>

#include "common/random.h"
#include "gpu.h"

using namespace cuda;

namespace {

constexpr std::int64_t kRows = 48, kIn = 40, kOut = 32;  // a sum of 40 is no multiple of 16: it is padded

struct Products {
    std::vector<float> y, dx, dw, db;
    std::string text;
};

Products run(mpt_context *ctx, mpt_fp8_recipe recipe) {
    test::Random random(3);
    const auto values = [&](std::int64_t n) {
        std::vector<float> list(static_cast<std::size_t>(n));
        for (float &v : list) v = static_cast<float>(random.uniform(-2, 2));
        return list;
    };
    const Tensor x = net::tensor(ctx, MPT_F32, {kRows, kIn}, values(kRows * kIn)), w = net::tensor(ctx, MPT_F32, {kOut, kIn}, values(kOut * kIn)),
                 b = net::tensor(ctx, MPT_F32, {kOut}, values(kOut)), dy = net::tensor(ctx, MPT_BF16, {kRows, kOut});
    MUST(mpt_tensor_fill(dy, 0.5));
    for (mpt_tensor *t : {static_cast<mpt_tensor *>(x), static_cast<mpt_tensor *>(w), static_cast<mpt_tensor *>(b)}) MUST(mpt_tensor_set_requires_grad(t, 1));
    Policy policy;
    MUST(mpt_policy_create(ctx, MPT_BF16, policy.out()));
    mpt_fp8_desc desc;
    MUST(mpt_fp8_desc_init(&desc, sizeof desc));
    desc.recipe = recipe;
    MUST(mpt_policy_set_fp8(policy, &desc));
    Tensor y;
    Program program;
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_autocast_begin(ctx, policy));
    MUST(mpt_linear(x, w, b, y.out()));
    MUST(mpt_autocast_end(ctx));
    mpt_tensor *roots[] = {y}, *cotangents[] = {dy};
    MUST(mpt_backward_from(roots, cotangents, 1, MPT_GRAD_WRITE));
    MUST(mpt_capture_end(ctx, roots, 1, program.out()));
    MUST(mpt_program_run(program));
    Products result;
    result.text = dump(program);
    result.y = net::floats(y);
    const auto gradient = [](mpt_tensor *t) {
        Tensor g;
        MUST(mpt_tensor_grad(t, g.out()));
        return net::floats(g);
    };
    result.dx = gradient(x);
    result.dw = gradient(w);
    result.db = gradient(b);
    return result;
}

void expect_close(const std::vector<float> &got, const std::vector<float> &exact, double units, const char *what) {
    ASSERT_EQ(exact.size(), got.size());
    double largest = 0;
    for (const float v : exact) largest = std::max(largest, std::fabs(static_cast<double>(v)));
    ASSERT_GT(largest, 0) << what;
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(exact[i], got[i], units * largest) << what << " " << i;
}

class Fp8Products : public Gpu {};

}  // namespace

TEST_F(Fp8Products, AreThoseOfTheDecodedOperands_cuda) {
    Context cpu = must_create(MPT_DEVICE_CPU);
    for (const mpt_fp8_recipe recipe : {MPT_FP8_CURRENT, MPT_FP8_UNSCALED}) {
        SCOPED_TRACE(recipe);
        const Products exact = run(cpu, recipe), got = run(ctx, recipe);
        std::size_t products = 0;
        for (std::size_t at = got.text.find("\tscaled_matmul\t"); at != std::string::npos; at = got.text.find("\tscaled_matmul\t", at + 1)) ++products;
        EXPECT_EQ(3u, products) << "forward and both gradients\n" << got.text;
        expect_close(got.y, exact.y, 0x1p-7, "y");  // one unit in the last place of bf16, when it is the largest
        expect_close(got.dx, exact.dx, 0x1p-7, "dx");
        expect_close(got.dw, exact.dw, 1e-3, "dw");
        expect_close(got.db, exact.db, 1e-5, "db");
    }
}
