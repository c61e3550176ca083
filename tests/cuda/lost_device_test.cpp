// A kernel of the host's that writes where nothing is: the device is lost to the process, which says so and lives on.
#include "child.h"
#include "gpu.h"

using namespace cuda;

namespace {

// Stores to address 16.
constexpr const char *kPtx = R"(
.version 7.0
.target sm_80
.address_size 64
.visible .entry poke()
{
    .reg .b64 %rd<2>;
    .reg .b32 %r<2>;
    mov.u64 %rd1, 16;
    mov.u32 %r1, 1;
    st.global.u32 [%rd1], %r1;
    ret;
}
)";

struct Poke {
    const Driver &driver;
    void *kernel;
    Stream stream;  // the context's: a callback must not ask for it
};

mpt_status MPT_CALL shape(const mpt_buffer *in, std::int32_t, mpt_buffer *out, std::int32_t, void *) {
    out[0].dtype = in[0].dtype;
    out[0].ndim = in[0].ndim;
    for (int i = 0; i < in[0].ndim; ++i) out[0].shape[i] = in[0].shape[i];
    return MPT_OK;
}
mpt_status MPT_CALL forward(const mpt_buffer *, std::int32_t, mpt_buffer *, std::int32_t, void *user_data) {
    const Poke &poke = *static_cast<Poke *>(user_data);
    try {
        poke.driver.launch_kernel(poke.kernel, poke.stream);
    } catch (const std::exception &) {
        return MPT_ERROR_INTERNAL;
    }
    return MPT_OK;
}

void expect_lost(mpt_status status) {
    EXPECT_EQ(MPT_ERROR_DEVICE_LOST, status) << mpt_status_name(status);
    EXPECT_TRUE(contains(mpt_last_error(), "illegal memory access")) << mpt_last_error();
    EXPECT_TRUE(contains(mpt_last_error(), "lost to this process")) << mpt_last_error();
}

// All that a context can hold is released behind the fault, and the CPU trains before and behind it.
void lose(const std::function<void(mpt_context *)> &fault) {
    Context host = must_create(MPT_DEVICE_CPU);
    Trainer on_host(host, Kind::Mlp);
    on_host.step();
    {
        Context ctx = must_create(MPT_DEVICE_CUDA);
        Trainer mlp(ctx, Kind::Mlp, MPT_BF16), cnn(ctx, Kind::Cnn);
        mlp.step();
        mlp.capture();
        for (int i = 0; i < 2; ++i) MUST(mpt_program_run(mlp.program));
        cnn.step();
        MUST(mpt_context_synchronize(ctx));
        fault(ctx);
        expect_lost(mpt_context_synchronize(ctx));
        expect_lost(mpt_context_synchronize(ctx));  // it stays so
        double loss = 0;
        expect_lost(mpt_tensor_item(mlp.loss, &loss));
        Tensor large;
        const std::int64_t extents[] = {1 << 20};
        expect_lost(mpt_tensor_create(ctx, MPT_F32, 1, extents, large.out()));  // and is not taken for a lack of memory
        EXPECT_NE(MPT_OK, mpt_program_run(mlp.program));
        EXPECT_NE(MPT_OK, cnn.forward_backward());
        expect_lost(mpt_context_trim(ctx));
    }
    Context again;
    EXPECT_NE(MPT_OK, create(MPT_DEVICE_CUDA, again));
    on_host.step();
    Context behind = must_create(MPT_DEVICE_CPU);
    Trainer twin(behind, Kind::Mlp);
    for (int i = 0; i < 2; ++i) twin.step();
    EXPECT_TRUE(twin.snapshot() == on_host.snapshot());
    child_is_done();
}

class LostDevice : public Gpu {};

}  // namespace

TEST(Child, DISABLED_ACustomOpFaults) {
    lose([](mpt_context *ctx) {
        const Driver driver;
        Poke poke{driver, driver.kernel(kPtx, "poke"), nullptr};
        MUST(mpt_context_stream(ctx, &poke.stream));
        mpt_custom_op_desc d;
        MUST(mpt_custom_op_desc_init(&d, sizeof d));
        d.shape = shape;
        d.forward = forward;
        d.user_data = &poke;
        Tensor x = net::tensor(ctx, MPT_F32, {4}, std::vector<float>{1, 2, 3, 4}), y;
        mpt_tensor *in = x;
        MUST(mpt_custom_op(ctx, "poke", &d, &in, 1, y.out(), 1));
    });
}

TEST(Child, DISABLED_WrappedMemoryIsNotThere) {
    lose([](mpt_context *ctx) {
        const std::int64_t extents[] = {4};
        Tensor nowhere;
        MUST(mpt_tensor_wrap(ctx, MPT_F32, 1, extents, nullptr, reinterpret_cast<void *>(std::uintptr_t{64}), 16, nullptr, nullptr,
                             nowhere.out()));
        const mpt_status status = mpt_tensor_fill(nowhere, 1);
        if (status != MPT_OK) expect_lost(status);  // the fault may be seen at once
    });
}

TEST_F(LostDevice, ACustomOpFaults_cuda) {
    EXPECT_CHILD_PASSES("ACustomOpFaults", {});
}
TEST_F(LostDevice, WrappedMemoryIsNotThere_cuda) {
    EXPECT_CHILD_PASSES("WrappedMemoryIsNotThere", {});
}
