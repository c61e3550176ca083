// Where a test runs. A test is written once and instantiated for each of these.
#pragma once

#include <cstdlib>
#include <ostream>
#include <vector>

#include "common/handles.h"
#include "gtest/gtest.h"

namespace test {

enum class Device {
    Cpu,          // with oneDNN where it is there
    CpuPortable,  // without
    Cuda,
};
inline constexpr Device kDevices[] = {Device::Cpu, Device::CpuPortable, Device::Cuda};

inline const char *name_of(Device device) {
    return device == Device::Cpu ? "cpu" : device == Device::CpuPortable ? "cpu_portable" : "cuda";
}
inline std::ostream &operator<<(std::ostream &out, Device device) {
    return out << name_of(device);
}

// The formats that a device computes in. A GPU stores, copies and casts f64 and leaves arithmetic in it to the CPU.
inline std::vector<mpt_dtype> formats(Device device) {
    if (device == Device::Cuda) return {MPT_F32, MPT_F16, MPT_BF16};
    return {MPT_F64, MPT_F32, MPT_F16, MPT_BF16};
}
inline mpt_dtype widest(Device device) {
    return formats(device).front();
}

inline mpt_status open(Device device, int threads, Context &ctx) {
    mpt_context_desc desc;
    MUST(mpt_context_desc_init(&desc, sizeof desc));
    desc.device = device == Device::Cuda ? MPT_DEVICE_CUDA : MPT_DEVICE_CPU;
    desc.threads = device == Device::Cuda ? 0 : threads;
    const mpt_status status = mpt_context_create(&desc, ctx.out());
    if (status == MPT_OK && device == Device::CpuPortable) MUST(mpt_context_set_option(ctx, "onednn", "off"));
    // The libraries' faster algorithms keep to the same bounds: MPT_TEST_TUNE=1 runs the tests with them.
    if (status == MPT_OK && device == Device::Cuda && std::getenv("MPT_TEST_TUNE")) MUST(mpt_context_set_option(ctx, "tune", "on"));
    return status;
}

inline Context must_open(Device device, int threads = 2) {
    Context ctx;
    MUST(open(device, threads, ctx));
    return ctx;
}

// A test on one device: skipped with the library's reason where there is no GPU. The CPU has no excuse.
class DeviceTest : public testing::TestWithParam<Device> {
protected:
    void SetUp() override {
        const mpt_status status = open(GetParam(), 2, ctx);
        if (status == MPT_ERROR_DEVICE && GetParam() == Device::Cuda) GTEST_SKIP() << mpt_last_error();
        must(status, "mpt_context_create");
    }
    Context ctx;
};

inline std::string device_label(const testing::TestParamInfo<Device> &info) {
    return name_of(info.param);
}

}  // namespace test

#define INSTANTIATE_ON_EVERY_DEVICE(suite) \
    INSTANTIATE_TEST_SUITE_P(AnyDevice, suite, testing::ValuesIn(test::kDevices), test::device_label)
