// Batch norm over tensors that a whole GPU takes together.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "common/devices.h"
#include "common/random.h"
#include "common/tensors.h"

namespace test {

namespace {

struct Form {
    const char *name;
    Shape shape;  // N, C, H, W
    bool channels_last;
    mpt_dtype dtype;
    double mean = 0;
    const char *kernel = "";  // "": whichever
};
std::ostream &operator<<(std::ostream &out, const Form &form) {
    return out << form.name;
}

constexpr const char *kColumns = "cuda:channel_norm_grid_columns";

std::vector<Form> forms() {
    return {
        // All rows stay in shared memory; or most are read a second time.
        {"Columns", {8, 64, 64, 64}, true, MPT_F32, 0, kColumns},
        {"Columns16", {16, 64, 64, 64}, true, MPT_BF16, 0, kColumns},
        {"ColumnsHalf", {16, 256, 16, 16}, true, MPT_F16, 0, kColumns},
        {"ColumnsBeyondMemory", {37, 64, 64, 64}, true, MPT_F32, 0, kColumns},
        {"ColumnsOddRows", {31, 24, 53, 51}, true, MPT_BF16, 0, kColumns},
        // Packs of a row that are no power of two, or more than a warp has lanes.
        {"ColumnsUneven", {17, 48, 61, 43}, true, MPT_F32, 0, kColumns},
        {"ColumnsWide", {129, 1024, 4, 4}, true, MPT_BF16, 0, kColumns},
        {"ColumnsOfNoPacks", {16, 65, 33, 33}, true, MPT_F32},
        {"ColumnsLargeMean", {16, 64, 40, 40}, true, MPT_F32, 1000, kColumns},
        // The other order has launches of its own for each pass.
        {"Rows", {16, 48, 64, 64}, false, MPT_F32},
        {"Rows16", {64, 37, 64, 64}, false, MPT_BF16},
        {"RowsOfNoPacks", {33, 21, 35, 35}, false, MPT_F32},
    };
}

// What a run gives: tensors as they lie in memory.
struct Ran {
    std::vector<std::uint8_t> y, dx, dadded, dweight, dbias;
    bool operator==(const Ran &) const = default;
};

// What comes behind the norm.
enum class Behind { Nothing, Relu, AddRelu };

class BatchNormGrid : public testing::TestWithParam<Form> {
protected:
    void SetUp() override {
        const mpt_status status = open(Device::Cuda, 2, ctx_);
        if (status == MPT_ERROR_DEVICE) GTEST_SKIP() << mpt_last_error();
        must(status, "mpt_context_create");
        const Form &f = GetParam();
        Random random(7);
        const Shape memory = f.channels_last ? Shape{f.shape[0], f.shape[2], f.shape[3], f.shape[1]} : f.shape;
        const auto values = [&](double center) {
            Values v{memory, std::vector<double>(static_cast<std::size_t>(count(memory)))};
            for (double &e : v.data) e = rounded(f.dtype, center + random.uniform(-1.7, 1.7));
            return v;
        };
        x_ = values(f.mean), dy_ = values(0.25), added_ = values(0);
        for (std::int64_t c = 0; c < f.shape[1]; ++c) {
            weight_.push_back(rounded(MPT_F32, random.uniform(0.5, 2)));
            bias_.push_back(rounded(MPT_F32, random.uniform(-1, 1)));
        }
        leaves_[0] = make(ctx_, f.dtype, x_);
        leaves_[1] = make(ctx_, f.dtype, added_);
        leaves_[2] = make(ctx_, MPT_F32, weight_);
        leaves_[3] = make(ctx_, MPT_F32, bias_);
        for (const Tensor &leaf : leaves_) MUST(mpt_tensor_set_requires_grad(leaf, 1));
        cotangent_ = make(ctx_, f.dtype, dy_);
    }
    // Between N, C, H, W and the order of memory.
    Tensor turned(const Tensor &t, bool to_memory) const {
        const std::int32_t none[] = {0, 1, 2, 3}, in[] = {0, 3, 1, 2}, out[] = {0, 2, 3, 1};
        Tensor view;
        MUST(mpt_transpose(t, 4, !GetParam().channels_last ? none : to_memory ? out : in, view.out()));
        return view;
    }
    std::size_t channel(std::size_t i) const {
        const Form &f = GetParam();
        const auto channels = static_cast<std::size_t>(f.shape[1]), pixels = static_cast<std::size_t>(f.shape[2] * f.shape[3]);
        return f.channels_last ? i % channels : i / pixels % channels;
    }
    // Forward and backward. Running statistics: NULL or the tensors.
    Tensor step(Behind behind, mpt_tensor *mean, mpt_tensor *variance) {
        const Tensor x = turned(leaves_[0], false), added = turned(leaves_[1], false);
        Tensor y;
        MUST(mpt_batch_norm(x, leaves_[2], leaves_[3], mean, variance, 1, kMomentum, kEps, y.out()));
        if (behind == Behind::AddRelu) {
            Tensor sum;
            MUST(mpt_add(y, added, sum.out()));
            y = std::move(sum);
        }
        if (behind != Behind::Nothing) {
            Tensor positive;
            MUST(mpt_relu(y, positive.out()));
            y = std::move(positive);
        }
        Tensor root = turned(y, true);
        mpt_tensor *roots[] = {root}, *seeds[] = {cotangent_};
        MUST(mpt_backward_from(roots, seeds, 1, MPT_GRAD_WRITE));
        return root;
    }
    // The same recorded; y: its output.
    Program recorded(Behind behind, mpt_tensor *mean, mpt_tensor *variance, Tensor &y) {
        MUST(mpt_capture_begin(ctx_));
        y = step(behind, mean, variance);
        mpt_tensor *outputs[] = {y};
        Program program;
        MUST(mpt_capture_end(ctx_, outputs, 1, program.out()));
        return program;
    }
    Ran ran(const Tensor &y, bool added) {
        return {read_bytes(y), read_bytes(gradient(leaves_[0])),
                added ? read_bytes(gradient(leaves_[1])) : std::vector<std::uint8_t>(), read_bytes(gradient(leaves_[2])),
                read_bytes(gradient(leaves_[3]))};
    }
    // Forward and backward run on the form's kernel.
    void expect_kernel(const Program &program) const {
        const std::string kernel = GetParam().kernel;
        if (kernel.empty()) return;
        std::size_t needed = 0;
        MUST(mpt_program_dump(program, nullptr, 0, &needed));
        std::string text(needed, '\0');
        MUST(mpt_program_dump(program, text.data(), needed, nullptr));
        int times = 0;
        for (std::size_t at = text.find(kernel); at != std::string::npos; at = text.find(kernel, at + 1)) ++times;
        EXPECT_EQ(times, 2) << text;
    }

    static constexpr double kEps = 1e-3, kMomentum = 0.25;
    Context ctx_;
    Values x_, dy_, added_;
    std::vector<double> weight_, bias_;
    Tensor leaves_[4], cotangent_;  // x, added, weight, bias
};

std::string label(const testing::TestParamInfo<Form> &info) {
    return info.param.name;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Of, BatchNormGrid, testing::ValuesIn(forms()), label);

TEST_P(BatchNormGrid, IsThatOfDoubles) {
    const Form &f = GetParam();
    const auto channels = static_cast<std::size_t>(f.shape[1]);
    const Tensor running_mean = make(ctx_, MPT_F32, std::vector<double>(channels, 2)),
                 running_variance = make(ctx_, MPT_F32, std::vector<double>(channels, 3));
    Tensor y;
    const Program program = recorded(Behind::Nothing, running_mean, running_variance, y);
    MUST(mpt_program_run(program));
    expect_kernel(program);

    const std::size_t n = x_.data.size();
    const double rows = static_cast<double>(n / channels), eps = std::ldexp(1, -23), u = roundoff(f.dtype);
    std::vector<double> mean(channels), variance(channels), rstd(channels), first(channels), second(channels), first_size(channels),
        second_size(channels);
    for (std::size_t i = 0; i < n; ++i) mean[channel(i)] += x_.data[i] / rows;
    for (std::size_t i = 0; i < n; ++i) variance[channel(i)] += std::pow(x_.data[i] - mean[channel(i)], 2) / rows;
    for (std::size_t c = 0; c < channels; ++c) rstd[c] = 1 / std::sqrt(variance[c] + kEps);
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t c = channel(i);
        const double g = dy_.data[i], product = g * (x_.data[i] - mean[c]) * rstd[c];
        first[c] += g, first_size[c] += std::fabs(g), second[c] += product, second_size[c] += std::fabs(product);
    }
    // The mean is stored in f32, for the gradient.
    const double of_mean = 24 + std::fabs(f.mean);
    const std::vector<double> got = read(y), dx = read(gradient(leaves_[0])), dweight = read(gradient(leaves_[2])),
                              dbias = read(gradient(leaves_[3])), moved_mean = read(running_mean),
                              moved_variance = read(running_variance);
    for (std::size_t c = 0; c < channels; ++c) {
        ASSERT_NEAR(dweight[c], second[c], of_mean * eps * second_size[c]) << "channel " << c;
        ASSERT_NEAR(dbias[c], first[c], 24 * eps * first_size[c]) << "channel " << c;
        ASSERT_NEAR(moved_mean[c], 2 + kMomentum * (mean[c] - 2), 4 * eps * (2 + std::fabs(f.mean))) << "channel " << c;
        ASSERT_NEAR(moved_variance[c], 3 + kMomentum * (variance[c] * rows / (rows - 1) - 3), 12 * eps) << "channel " << c;
    }
    const double largest = 8, largest_dx = 8;  // of weight (x - mean) rstd + bias, and of the gradient's terms
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t c = channel(i);
        const double hat = (x_.data[i] - mean[c]) * rstd[c], exact = hat * weight_[c] + bias_[c];
        ASSERT_NEAR(got[i], exact, u * std::fabs(exact) + 8 * eps * largest) << "element " << i;
        const double exact_dx = weight_[c] * rstd[c] * (dy_.data[i] - first[c] / rows - hat * second[c] / rows);
        ASSERT_NEAR(dx[i], exact_dx, u * std::fabs(exact_dx) + of_mean * eps * largest_dx) << "element " << i;
    }
}

// With what is added and the ReLU behind it: eagerly, recorded as parts, and recorded as one, in every run.
TEST_P(BatchNormGrid, HasTheSameBitsInEveryForm) {
    for (const Behind behind : {Behind::Relu, Behind::AddRelu}) {
        const bool adds = behind == Behind::AddRelu;
        const Ran eager = ran(step(behind, nullptr, nullptr), adds);
        for (const char *fusion : {"off", "on"}) {
            MUST(mpt_context_set_option(ctx_, "fusion", fusion));
            Tensor y;
            const Program program = recorded(behind, nullptr, nullptr, y);
            for (int run = 0; run < 3; ++run) {
                MUST(mpt_program_run(program));
                ASSERT_TRUE(ran(y, adds) == eager) << "fusion " << fusion << ", added " << adds << ", run " << run;
            }
            expect_kernel(program);
        }
    }
}

}  // namespace test
