// Without a GPU, a driver, or one that is new enough: a context on a GPU is refused with the reason, and the CPU computes as ever.
#include "child.h"
#include "gpu.h"

using namespace cuda;

namespace {

void expect_refused(std::initializer_list<const char *> reasons) {
    Context refused;
    EXPECT_EQ(MPT_ERROR_DEVICE, create(MPT_DEVICE_CUDA, refused));
    EXPECT_EQ(nullptr, static_cast<mpt_context *>(refused));
    const std::string message = mpt_last_error();
    bool said = false;
    for (const char *reason : reasons) said |= contains(message, reason);
    EXPECT_TRUE(said) << message;
    Context automatic = must_create(MPT_DEVICE_AUTO);
    mpt_device device;
    MUST(mpt_context_device(automatic, &device));
    EXPECT_EQ(MPT_DEVICE_CPU, device);
}

// A context that was there before goes on, and so does one that is made behind.
void expect_refused_beside_the_cpu(std::initializer_list<const char *> reasons) {
    Context before = must_create(MPT_DEVICE_CPU);
    Trainer trainer(before, Kind::Mlp);
    trainer.step();
    expect_refused(reasons);
    trainer.step();
    Context behind = must_create(MPT_DEVICE_CPU);
    Trainer twin(behind, Kind::Mlp);
    twin.step();
    twin.step();
    EXPECT_TRUE(trainer.snapshot() == twin.snapshot());
    child_is_done();
}

constexpr const char *kNoModule = "the CUDA module cannot be used";

}  // namespace

TEST(Child, DISABLED_NoGpu) {
    expect_refused_beside_the_cpu({"CUDA: no GPU can be used", "CUDA: there is no NVIDIA driver here", kNoModule});
}

TEST(Child, DISABLED_NoDriver) {
    expect_refused_beside_the_cpu({"CUDA: there is no NVIDIA driver here", kNoModule});
}

TEST(Child, DISABLED_OldDriver) {
    expect_refused_beside_the_cpu({"but this build needs 13.", kNoModule});
}

// These run on every machine.
TEST(NoGpu_cuda, NoneToBeSeen) {
    EXPECT_CHILD_PASSES("NoGpu", (std::map<std::string, std::string>{{"CUDA_VISIBLE_DEVICES", ""}}));
}

TEST(NoGpu_cuda, NoDriverThatCanBeOpened) {
    const BrokenLibrary driver("libcuda.so.1");
    EXPECT_CHILD_PASSES("NoDriver", driver.environment());
}

// A stand-in for such a driver is built beside this program.
TEST(NoGpu_cuda, ADriverThatIsTooOld) {
    const std::string program = cuda::this_program(), folder = program.substr(0, program.rfind('/')) + "/old_driver";
    if (access((folder + "/libcuda.so.1").c_str(), R_OK) != 0)
        GTEST_SKIP() << folder << "/libcuda.so.1 is not there: build mpt_old_driver";
    EXPECT_CHILD_PASSES("OldDriver", cuda::searching_first(folder));
}
