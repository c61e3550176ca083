// Steps that have run before take no memory: neither from the host's allocator nor, by the driver's word, from the GPU.
#include "gpu.h"

using namespace cuda;

namespace {

struct Counted {
    const Driver &driver;
    long calls = 0;
    void edit(mpt_context_desc &desc) {
        desc.alloc = [](std::size_t nbytes, void *, void *user_data) -> void * {
            auto &self = *static_cast<Counted *>(user_data);
            ++self.calls;
            return reinterpret_cast<void *>(self.driver.allocate(nbytes));
        };
        desc.free = [](void *ptr, std::size_t, void *, void *user_data) {
            auto &self = *static_cast<Counted *>(user_data);
            ++self.calls;
            self.driver.free(reinterpret_cast<Address>(ptr));
        };
        desc.alloc_user_data = this;
    }
};

class Steady : public Gpu {
protected:
    // Other processes may take and give memory of the GPU meanwhile, so the driver's word is asked for up to five times; mpt's own
    // counts have no such excuse.
    template <class Run>
    void expect_steady(mpt_context *context, const Counted *counted, const Run &run) {
        bool constant = false;
        for (int attempt = 0; attempt < 5 && !constant; ++attempt) {
            MUST(mpt_context_synchronize(context));
            const Memory before = memory_of(context);
            const long calls = counted ? counted->calls : 0;
            const std::size_t free = driver->free_bytes();
            run();
            MUST(mpt_context_synchronize(context));
            constant = driver->free_bytes() == free;
            EXPECT_EQ(before, memory_of(context));
            EXPECT_EQ(calls, counted ? counted->calls : 0);
        }
        EXPECT_TRUE(constant) << "the GPU's free memory changed in each of five attempts";
    }

    void captured(mpt_context *context, const Counted *counted, Kind kind, mpt_dtype precision) {
        Trainer trainer(context, kind, precision);
        trainer.capture();
        for (int i = 0; i < 5; ++i) MUST(mpt_program_run(trainer.program));
        expect_steady(context, counted, [&] {
            for (int i = 0; i < 1000; ++i) MUST(mpt_program_run(trainer.program));
        });
    }
    void eager(mpt_context *context, const Counted *counted, Kind kind, mpt_dtype precision) {
        Trainer trainer(context, kind, precision);
        for (int i = 0; i < 5; ++i) trainer.step();
        expect_steady(context, counted, [&] {
            for (int i = 0; i < 300; ++i) trainer.step();
        });
    }
};

}  // namespace

TEST_F(Steady, CapturedSteps_cuda) {
    for (const Kind kind : {Kind::Mlp, Kind::Cnn})
        for (const mpt_dtype precision : {MPT_F32, MPT_BF16}) captured(ctx, nullptr, kind, precision);
}

TEST_F(Steady, EagerSteps_cuda) {
    for (const Kind kind : {Kind::Mlp, Kind::Cnn})
        for (const mpt_dtype precision : {MPT_F32, MPT_BF16}) eager(ctx, nullptr, kind, precision);
}

TEST_F(Steady, FromTheHostsAllocator_cuda) {
    Counted counted{*driver};
    Context context = must_create(MPT_DEVICE_CUDA, [&](mpt_context_desc &desc) { counted.edit(desc); });
    captured(context, &counted, Kind::Cnn, MPT_F16);
    eager(context, &counted, Kind::Cnn, MPT_F16);
    EXPECT_GT(counted.calls, 10);
}
