// A program's next data travel while its last run computes.
#include <algorithm>
#include <vector>

#include "gpu.h"

using namespace cuda;

namespace {

constexpr std::int64_t kOrder = 8192;
constexpr std::int64_t kFed[2] = {2048, kOrder};  // 64 MiB of f32

// y: the mean of what was fed, behind products that keep a GPU busy for tens of milliseconds.
class Feeding : public Gpu {
protected:
    void SetUp() override {
        Gpu::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        const std::int64_t square[2] = {kOrder, kOrder};
        MUST(mpt_tensor_create(ctx, MPT_F32, 2, kFed, x.out()));
        MUST(mpt_tensor_create(ctx, MPT_F32, 2, square, matrix.out()));
        MUST(mpt_tensor_fill(matrix, 0));
        MUST(mpt_tensor_fill(x, 0));
        bytes = sizeof(float) * static_cast<std::size_t>(kFed[0] * kFed[1]);

        MUST(mpt_capture_begin(ctx));
        mpt_tensor *power = matrix;
        std::vector<Tensor> powers(6);
        for (Tensor &next : powers) {
            MUST(mpt_matmul(power, matrix, next.out()));
            power = next;
        }
        Tensor head, sum;
        MUST(mpt_slice(power, 0, 0, kFed[0], head.out()));
        MUST(mpt_add(x, head, sum.out()));
        MUST(mpt_mean(sum, 0, nullptr, 0, y.out()));
        mpt_tensor *const outputs[1] = {y};
        MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    }
    void feed(const float *data) { MUST(mpt_program_feed(program, x, data, bytes)); }
    double result() {
        double value = 0;
        MUST(mpt_tensor_item(y, &value));
        return value;
    }

    Tensor x, matrix, y;
    Program program;
    std::size_t bytes = 0;
};

}  // namespace

TEST_F(Feeding, DoesNotWaitForTheLastRun_cuda) {
    void *stream = nullptr;
    MUST(mpt_context_stream(ctx, &stream));
    std::vector<float> values(bytes / sizeof(float), 1.0f);
    for (int i = 0; i < 2; ++i) {  // memory and streams are made, kernels loaded, the graph is recorded
        feed(values.data());
        MUST(mpt_program_run(program));
    }
    MUST(mpt_context_synchronize(ctx));
    const Memory before = memory_of(ctx);
    feed(values.data());
    for (int i = 0; i < 4; ++i) MUST(mpt_program_run(program));  // half a second
    EXPECT_TRUE(driver->busy(stream));
    feed(values.data());
    EXPECT_TRUE(driver->busy(stream)) << "the feed has waited for the runs";
    EXPECT_EQ(before, memory_of(ctx));
    EXPECT_EQ(1.0, result());
}

// The host may write its buffer again as soon as a feed returns; each run reads what was fed last in front of it, once more without
// a feed, and an eager write comes in between.
TEST_F(Feeding, EachRunReadsWhatWasFedBeforeIt_cuda) {
    std::vector<float> pageable(bytes / sizeof(float));
    float *const pinned = static_cast<float *>(driver->pinned(bytes));
    for (float *const data : {pageable.data(), pinned}) {
        std::vector<double> seen;
        std::vector<Tensor> copies(6);
        for (int i = 0; i < 6; ++i) {
            std::fill_n(data, bytes / sizeof(float), static_cast<float>(i));
            if (i == 3)
                MUST(mpt_tensor_write(x, data, bytes));
            else if (i != 4)
                feed(data);
            std::fill_n(data, bytes / sizeof(float), -1.0f);
            MUST(mpt_program_run(program));
            MUST(mpt_affine(y, 1, 0, copies[static_cast<std::size_t>(i)].out()));
        }
        for (const Tensor &copy : copies) {
            double value = 0;
            MUST(mpt_tensor_item(copy, &value));
            seen.push_back(value);
        }
        EXPECT_EQ((std::vector<double>{0, 1, 2, 3, 3, 5}), seen);
    }
    driver->free_pinned(pinned);
}

// On a stream of the host's, which changes between feeds.
TEST_F(Feeding, FollowsTheContextsStream_cuda) {
    const Stream first = driver->new_stream(), second = driver->new_stream();
    std::vector<float> values(bytes / sizeof(float));
    int number = 0;
    for (const Stream stream : {first, second, first}) {
        MUST(mpt_context_set_stream(ctx, stream));
        for (int i = 0; i < 2; ++i) {
            std::fill(values.begin(), values.end(), static_cast<float>(++number));
            feed(values.data());
            MUST(mpt_program_run(program));
        }
        EXPECT_EQ(static_cast<double>(number), result());
    }
    MUST(mpt_context_set_stream(ctx, nullptr));
    MUST(mpt_context_synchronize(ctx));
    driver->end(first);
    driver->end(second);
}
