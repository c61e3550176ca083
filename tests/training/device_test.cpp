// Where MPT_TEST_DEVICE asks for a device that is not there, every test is skipped with the library's reason.
#include "net.h"

namespace {

class Needs : public testing::Environment {
    void SetUp() override {
        if (net::device() == MPT_DEVICE_CPU) return;
        mpt_context_desc desc;
        MUST(mpt_context_desc_init(&desc, sizeof desc));
        desc.device = net::device();
        test::Context ctx;
        if (mpt_context_create(&desc, ctx.out()) == MPT_ERROR_DEVICE) GTEST_SKIP() << mpt_last_error();
    }
};
[[maybe_unused]] const testing::Environment *const needs = testing::AddGlobalTestEnvironment(new Needs);

}  // namespace
