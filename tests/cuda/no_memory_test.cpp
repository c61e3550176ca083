// A GPU's memory comes to its end in the middle of a step: the call fails, says how much was missing, and everything goes on.
#include "gpu.h"

using namespace cuda;

namespace {

// The host's allocator, which refuses from some call on.
struct Allocator {
    const Driver &driver;
    long left = -1;  // calls until it refuses; -1: never
    bool refused = false;
    std::size_t live = 0, calls = 0;

    void edit(mpt_context_desc &desc) {
        desc.alloc = [](std::size_t nbytes, void *, void *user_data) -> void * {
            auto &self = *static_cast<Allocator *>(user_data);
            ++self.calls;
            if (self.left == 0) {
                self.refused = true;
                return nullptr;
            }
            if (self.left > 0) --self.left;
            const Address address = self.driver.allocate(nbytes);
            if (address) self.live += nbytes;
            return reinterpret_cast<void *>(address);
        };
        desc.free = [](void *ptr, std::size_t nbytes, void *, void *user_data) {
            auto &self = *static_cast<Allocator *>(user_data);
            self.driver.free(reinterpret_cast<Address>(ptr));
            self.live -= nbytes;
        };
        desc.alloc_user_data = this;
    }
};

void expect_memory_message() {
    const std::string message = mpt_last_error();
    EXPECT_TRUE(contains(message, "no memory for ")) << message;
    EXPECT_TRUE(contains(message, " bytes are in use: use a smaller batch")) << message;
}

// More than any GPU has: 64 TiB in one tensor.
mpt_status too_much(mpt_context *ctx, Tensor &out) {
    Tensor one = net::tensor(ctx, MPT_F32, {1, 1}), wide;
    const std::int64_t extents[] = {1 << 20, 1 << 24};
    MUST(mpt_expand(one, 2, extents, wide.out()));
    return mpt_relu(wide, out.out());
}
constexpr const char *kTooMuch = "no memory for 70368744177664 bytes";

class NoGpuMemory : public Gpu {};

}  // namespace

// Every allocation of a step, one after the other, is the first that the allocator refuses; what failed is called again.
TEST_F(NoGpuMemory, EveryAllocationOfAnEagerStepCanFail_cuda) {
    for (const Kind kind : {Kind::Mlp, Kind::Cnn}) {
        SCOPED_TRACE(net::name(kind));
        Allocator allocator{*driver};
        int steps = 0;
        std::size_t failures = 0;
        {
            Context limited = must_create(MPT_DEVICE_CUDA, [&](mpt_context_desc &desc) { allocator.edit(desc); });
            Trainer trainer(limited, kind, MPT_BF16), twin(ctx, kind, MPT_BF16);
            mpt_status (Trainer::*const parts[])() = {&Trainer::forward_backward, &Trainer::update, &Trainer::update_scale};
            for (long n = 0;; ++n, ++steps) {
                ASSERT_LT(n, 1000);
                MUST(mpt_context_trim(limited));
                allocator.left = n;
                allocator.refused = false;
                for (const auto part : parts) {
                    mpt_status status = (trainer.*part)();
                    if (status == MPT_OK) continue;
                    ASSERT_EQ(MPT_ERROR_MEMORY, status) << mpt_last_error();
                    expect_memory_message();
                    ++failures;
                    allocator.left = -1;
                    status = (trainer.*part)();
                    ASSERT_EQ(MPT_OK, status) << "again, after allocation " << n << " had failed: " << mpt_last_error();
                }
                if (!allocator.refused) break;
            }
            allocator.left = -1;
            for (int i = 0; i <= steps; ++i) twin.step();
            EXPECT_TRUE(twin.snapshot() == trainer.snapshot());
        }
        EXPECT_GT(failures, 5u);
        EXPECT_EQ(0u, allocator.live);
    }
}

TEST_F(NoGpuMemory, EveryAllocationOfACaptureCanFail_cuda) {
    Allocator allocator{*driver};
    std::size_t failures = 0;
    {
        Context limited = must_create(MPT_DEVICE_CUDA, [&](mpt_context_desc &desc) { allocator.edit(desc); });
        Trainer trainer(limited, Kind::Cnn), twin(ctx, Kind::Cnn);
        for (Trainer *t : {&trainer, &twin}) t->step();
        for (long n = 0;; ++n) {
            ASSERT_LT(n, 1000);
            MUST(mpt_context_trim(limited));
            const Memory before = memory_of(limited);
            allocator.left = n;
            allocator.refused = false;
            try {
                trainer.capture();
            } catch (const std::exception &failure) {
                EXPECT_TRUE(contains(failure.what(), "MPT_ERROR_MEMORY")) << failure.what();
                expect_memory_message();
                allocator.left = -1;
                trainer.loss = Tensor();
                MUST(mpt_capture_abort(limited));
                MUST(mpt_context_trim(limited));
                EXPECT_LE(memory_of(limited).in_use, before.in_use) << "allocation " << n;
                ++failures;
                for (Trainer *t : {&trainer, &twin}) t->step();  // eager steps go on
                continue;
            }
            break;
        }
        allocator.left = -1;
        twin.capture();
        for (Trainer *t : {&trainer, &twin}) MUST(mpt_program_run(t->program));
        EXPECT_TRUE(twin.snapshot() == trainer.snapshot());
    }
    EXPECT_GT(failures, 0u);
    EXPECT_EQ(0u, allocator.live);
}

// The same with the device's own allocator, which says no by itself.
TEST_F(NoGpuMemory, ATensorThatIsTooLargeInAnEagerStep_cuda) {
    Context other = must_create(MPT_DEVICE_CUDA);
    Trainer trainer(ctx, Kind::Cnn), twin(other, Kind::Cnn);
    for (Trainer *t : {&trainer, &twin}) t->step();
    MUST(mpt_context_trim(ctx));
    const Memory before = memory_of(ctx);
    for (int i = 0; i < 3; ++i) {
        MUST(trainer.forward_backward());
        Tensor large;
        ASSERT_EQ(MPT_ERROR_MEMORY, too_much(ctx, large));
        EXPECT_TRUE(contains(mpt_last_error(), kTooMuch)) << mpt_last_error();
        expect_memory_message();
        EXPECT_EQ(nullptr, static_cast<mpt_tensor *>(large));
        MUST(trainer.update());
        MUST(trainer.update_scale());
        twin.step();
    }
    EXPECT_TRUE(twin.snapshot() == trainer.snapshot());
    MUST(mpt_context_trim(ctx));
    EXPECT_EQ(before.in_use, memory_of(ctx).in_use);
    EXPECT_EQ(before.reserved, memory_of(ctx).reserved);
}

TEST_F(NoGpuMemory, ATensorThatIsTooLargeInAProgram_cuda) {
    Context other = must_create(MPT_DEVICE_CUDA);
    Trainer trainer(ctx, Kind::Mlp), twin(other, Kind::Mlp);
    for (Trainer *t : {&trainer, &twin}) t->step();
    for (const bool in_arena : {true, false}) {
        SCOPED_TRACE(in_arena ? "in the arena" : "an output");
        trainer.loss = Tensor();
        MUST(mpt_context_trim(ctx));
        const Memory before = memory_of(ctx);
        MUST(mpt_capture_begin(ctx));
        trainer.step();
        {
            Tensor large, sum;
            MUST(too_much(ctx, large));
            if (in_arena) {  // two readers, so that it is there whatever runs as one
                const std::int32_t rows[] = {1};
                Tensor first, second;
                MUST(mpt_sum(large, 1, rows, 0, first.out()));
                MUST(mpt_mean(large, 1, rows, 0, second.out()));
                MUST(mpt_add(first, second, sum.out()));
            }
            mpt_tensor *outputs[] = {trainer.loss, in_arena ? sum : large};
            Program program;
            EXPECT_EQ(MPT_ERROR_MEMORY, mpt_capture_end(ctx, outputs, 2, program.out()));
            EXPECT_TRUE(contains(mpt_last_error(), "no memory for ")) << mpt_last_error();
            MUST(mpt_capture_abort(ctx));
            trainer.loss = Tensor();
        }
        MUST(mpt_context_trim(ctx));
        EXPECT_EQ(before.in_use, memory_of(ctx).in_use);
        EXPECT_EQ(before.reserved, memory_of(ctx).reserved);
        for (Trainer *t : {&trainer, &twin}) t->step();
    }
    for (Trainer *t : {&trainer, &twin}) {
        t->capture();
        for (int i = 0; i < 2; ++i) MUST(mpt_program_run(t->program));
    }
    EXPECT_TRUE(twin.snapshot() == trainer.snapshot());
}

// Other processes may take and give memory of the GPU meanwhile: tried up to five times.
TEST_F(NoGpuMemory, TrimGivesMemoryBack_cuda) {
    constexpr std::size_t large = std::size_t{256} << 20, slack = std::size_t{4} << 20;
    bool taken_and_given = false;
    for (int attempt = 0; attempt < 5 && !taken_and_given; ++attempt) {
        MUST(mpt_context_trim(ctx));
        const std::size_t before = driver->free_bytes();
        const Memory empty = memory_of(ctx);
        {
            Tensor first = net::tensor(ctx, MPT_U8, {large}), second = net::tensor(ctx, MPT_U8, {large});
            MUST(mpt_tensor_fill(first, 1));
        }
        const Memory cached = memory_of(ctx);
        EXPECT_EQ(empty.in_use, cached.in_use);
        EXPECT_EQ(empty.reserved + 2 * large, cached.reserved);
        const std::size_t during = driver->free_bytes();
        MUST(mpt_context_trim(ctx));
        EXPECT_EQ(empty.reserved, memory_of(ctx).reserved);
        const std::size_t behind = driver->free_bytes();
        taken_and_given = during + 2 * large <= before + slack && behind + slack >= before;
    }
    EXPECT_TRUE(taken_and_given);
}
