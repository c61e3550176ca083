// On a stream of the host's, which it captures by itself: an eager step that has run before becomes a part of the host's graph.
#include "gpu.h"

using namespace cuda;

namespace {

class HostStream : public Gpu {
protected:
    void SetUp() override {
        Gpu::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        stream = driver->new_stream();
        MUST(mpt_context_set_stream(ctx, stream));
    }
    void TearDown() override {
        if (!stream) return;
        MUST(mpt_context_set_stream(ctx, nullptr));
        MUST(mpt_context_synchronize(ctx));
        driver->end(stream);
    }
    Stream stream = nullptr;
};

std::string label(Kind kind, mpt_dtype precision, CaptureMode mode) {
    return std::string(net::name(kind)) + ", " + mpt_dtype_name(precision) + (mode == kGlobal ? ", global" : ", thread-local");
}

double loss_of(Trainer &trainer) {
    double loss = 0;
    MUST(mpt_tensor_item(trainer.loss, &loss));
    return loss;
}

}  // namespace

TEST_F(HostStream, CapturesAnEagerStep_cuda) {
    constexpr int warm = 3, launches = 3;
    for (const Kind kind : {Kind::Mlp, Kind::Cnn})
        for (const mpt_dtype precision : {MPT_F32, MPT_BF16})
            for (const CaptureMode mode : {kGlobal, kThreadLocal}) {
                SCOPED_TRACE(label(kind, precision, mode));
                Context other = must_create(MPT_DEVICE_CUDA);
                Trainer trainer(ctx, kind, precision), twin(other, kind, precision);
                for (int i = 0; i < warm; ++i) trainer.step();
                for (int i = 0; i < warm + launches; ++i) twin.step();
                const std::string before = trainer.snapshot();
                const Memory memory = memory_of(ctx);

                driver->begin_capture(stream, mode);
                mpt_status status = trainer.forward_backward();
                if (status == MPT_OK) status = trainer.update();
                if (status == MPT_OK) status = trainer.update_scale();
                if (status != MPT_OK) driver->drop_capture(stream);
                ASSERT_EQ(MPT_OK, status) << mpt_last_error();
                void *graph = driver->end_capture(stream);
                EXPECT_EQ(memory.reserved, memory_of(ctx).reserved);
                EXPECT_TRUE(before == trainer.snapshot()) << "nothing has run yet";

                for (int i = 0; i < launches; ++i) driver->launch(graph, stream);
                driver->wait(stream);
                EXPECT_TRUE(twin.snapshot() == trainer.snapshot());
                EXPECT_EQ(loss_of(twin), loss_of(trainer));
                driver->end_graph(graph);
                trainer.step();  // eager again
                twin.step();
                EXPECT_TRUE(twin.snapshot() == trainer.snapshot());
            }
}

// A program inside of the host's graph: its own graph becomes a part of it.
TEST_F(HostStream, CapturesAProgram_cuda) {
    for (const auto &[mode, before] : {std::pair(kGlobal, 2), std::pair(kThreadLocal, 2), std::pair(kThreadLocal, 0)}) {
        SCOPED_TRACE(label(Kind::Cnn, MPT_BF16, mode) + ", runs before: " + std::to_string(before));
        Context other = must_create(MPT_DEVICE_CUDA);
        Trainer trainer(ctx, Kind::Cnn, MPT_BF16), twin(other, Kind::Cnn, MPT_BF16);
        for (Trainer *t : {&trainer, &twin}) {
            t->capture();
            for (int i = 0; i < before; ++i) MUST(mpt_program_run(t->program));
        }
        driver->begin_capture(stream, mode);
        mpt_status status = mpt_program_run(trainer.program);
        if (status == MPT_OK) status = mpt_program_run(trainer.program);
        if (status != MPT_OK) driver->drop_capture(stream);
        ASSERT_EQ(MPT_OK, status) << mpt_last_error();
        void *graph = driver->end_capture(stream);
        for (int i = 0; i < 3; ++i) driver->launch(graph, stream);
        driver->wait(stream);
        for (int i = 0; i < 6; ++i) MUST(mpt_program_run(twin.program));
        EXPECT_TRUE(twin.snapshot() == trainer.snapshot());
        driver->end_graph(graph);
    }
}

// What has not run before needs memory, which cannot be had meanwhile: the call says so, and the context goes on when the capture
// has ended.
TEST_F(HostStream, AStepThatHasNotRunBeforeIsRefused_cuda) {
    Tensor x = net::tensor(ctx, MPT_F32, {1000, 1000}), y;
    MUST(mpt_tensor_fill(x, -3));
    driver->begin_capture(stream, kGlobal);
    EXPECT_EQ(MPT_ERROR_DEVICE, mpt_relu(x, y.out()));
    const std::string message = mpt_last_error();
    driver->drop_capture(stream);
    EXPECT_TRUE(contains(message, "a stream is being captured")) << message;
    EXPECT_TRUE(contains(message, "run the same step before")) << message;
    MUST(mpt_relu(x, y.out()));
    EXPECT_EQ(std::vector<float>(1000000, 0.0f), net::floats(y));
}

TEST_F(HostStream, ReadingInsideOfACaptureIsRefused_cuda) {
    Tensor x = net::tensor(ctx, MPT_F32, {4}, std::vector<float>{1, 2, 3, 4});
    float values[4] = {};
    driver->begin_capture(stream, kThreadLocal);
    EXPECT_EQ(MPT_ERROR_DEVICE, mpt_tensor_read(x, values, sizeof values));
    const std::string message = mpt_last_error();
    driver->drop_capture(stream);
    EXPECT_TRUE(contains(message, "a stream is being captured")) << message;
    MUST(mpt_tensor_read(x, values, sizeof values));
    EXPECT_EQ(4, values[3]);
}
