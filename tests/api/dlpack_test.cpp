// Memory exchanged through DLPack: form, address, ownership on any thread.
#include "api/dlpack.h"

#include <atomic>
#include <thread>

#include "training/net.h"

using namespace net;

namespace {

std::atomic<int> deleted{0};
std::int64_t extents[] = {2, 3}, steps[] = {3, 1};
float memory[8] = {0, 1, 2, 3, 4, 5, 6, 7};

template <class Managed>
Managed foreign() {
    deleted = 0;
    Managed m = {};
    m.dl_tensor = {memory, 1, 0, 2, 2, 32, 1, extents, steps, 0};
    m.deleter = [](Managed *) { ++deleted; };
    return m;
}

Context on_the_cpu() {
    Context ctx;
    MUST(mpt_context_create(nullptr, ctx.out()));
    return ctx;
}

}  // namespace

TEST(Dlpack, AViewGoesOutWithItsOwnAddressAndStrides) {
    Context ctx = context();
    Tensor x = tensor(ctx, MPT_F32, {4, 3}), view, turned;
    OK(mpt_slice(x, 0, 1, 2, view.out()));
    const std::int32_t dims[] = {1, 0};
    OK(mpt_transpose(view, 2, dims, turned.out()));
    void *data = nullptr;
    OK(mpt_tensor_data(view, &data));
    DLManagedTensorVersioned *m = nullptr;
    OK(mpt_tensor_to_dlpack(turned, nullptr, &m));
    EXPECT_EQ(1u, m->major);
    EXPECT_EQ(0u, m->flags);
    const DLTensor &d = m->dl_tensor;
    EXPECT_EQ(data, static_cast<char *>(d.data) + d.byte_offset);
    EXPECT_EQ(device() == MPT_DEVICE_CUDA ? 2 : 1, d.device_type);
    EXPECT_EQ(0, d.device_id);
    ASSERT_EQ(2, d.ndim);
    EXPECT_EQ(3, d.shape[0]);
    EXPECT_EQ(2, d.shape[1]);
    EXPECT_EQ(1, d.strides[0]);
    EXPECT_EQ(3, d.strides[1]);
    m->deleter(m);
}

TEST(Dlpack, EveryTypeComesBackAsItself) {
    struct Type {
        mpt_dtype dtype;
        int code, bits;
    };
    const Type types[] = {{MPT_F64, 2, 64},   {MPT_F32, 2, 32}, {MPT_F16, 2, 16}, {MPT_BF16, 4, 16}, {MPT_F8E4M3, 10, 8}, {MPT_F8E5M2, 12, 8},
                          {MPT_I8, 0, 8},     {MPT_I16, 0, 16}, {MPT_I32, 0, 32}, {MPT_I64, 0, 64},  {MPT_U8, 1, 8},      {MPT_BOOL, 6, 8}};
    Context ctx = context();
    for (const Type &type : types) {
        Tensor x = tensor(ctx, type.dtype, {5}), back;
        DLManagedTensor *m = nullptr;
        OK(mpt_tensor_to_dlpack_unversioned(x, nullptr, &m));
        EXPECT_EQ(type.code, m->dl_tensor.code) << mpt_dtype_name(type.dtype);
        EXPECT_EQ(type.bits, m->dl_tensor.bits);
        EXPECT_EQ(1, m->dl_tensor.lanes);
        OK(mpt_tensor_from_dlpack_unversioned(ctx, m, nullptr, back.out()));
        mpt_dtype dtype = MPT_DTYPE_NONE;
        OK(mpt_tensor_dtype(back, &dtype));
        EXPECT_EQ(type.dtype, dtype);
        void *one = nullptr, *two = nullptr;
        OK(mpt_tensor_data(x, &one));
        OK(mpt_tensor_data(back, &two));
        EXPECT_EQ(one, two);
    }
}

TEST(Dlpack, WhatWentOutOutlivesTensorAndContextAndEndsOnAnyThread) {
    DLManagedTensorVersioned *m = nullptr;
    {
        Context ctx = on_the_cpu();
        Tensor x = tensor(ctx, MPT_F32, {3});
        OK(mpt_tensor_fill(x, 7));
        OK(mpt_tensor_to_dlpack(x, nullptr, &m));
    }
    EXPECT_EQ(7, static_cast<float *>(m->dl_tensor.data)[2]);
    std::thread([m] { m->deleter(m); }).join();
}

TEST(Dlpack, EmptyTensorsAndScalarsGoBothWays) {
    Context ctx = context();
    for (const std::vector<std::int64_t> &shape : {std::vector<std::int64_t>{0, 3}, std::vector<std::int64_t>{}}) {
        Tensor x = tensor(ctx, MPT_F32, shape), back;
        DLManagedTensorVersioned *m = nullptr;
        OK(mpt_tensor_to_dlpack(x, nullptr, &m));
        OK(mpt_tensor_from_dlpack(ctx, m, nullptr, back.out()));
        std::int64_t numel = -1;
        OK(mpt_tensor_numel(back, &numel));
        EXPECT_EQ(shape.empty() ? 1 : 0, numel);
    }
}

TEST(Dlpack, ForeignMemoryIsSharedAndDeletedOnce) {
    Context ctx = on_the_cpu();
    auto m = foreign<DLManagedTensorVersioned>();
    m.major = 1;
    m.dl_tensor.byte_offset = sizeof(float);
    m.dl_tensor.device_type = 3;  // pinned memory is the host's too
    {
        Tensor x, view;
        OK(mpt_tensor_from_dlpack(ctx, &m, nullptr, x.out()));
        EXPECT_EQ((std::vector<float>{1, 2, 3, 4, 5, 6}), floats(x));
        OK(mpt_slice(x, 0, 0, 1, view.out()));
        x = Tensor();
        EXPECT_EQ(0, deleted);
    }
    EXPECT_EQ(1, deleted);
    auto old = foreign<DLManagedTensor>();
    old.dl_tensor.strides = nullptr;
    {
        Tensor x;
        OK(mpt_tensor_from_dlpack_unversioned(ctx, &old, nullptr, x.out()));
        EXPECT_EQ((std::vector<float>{0, 1, 2, 3, 4, 5}), floats(x));
    }
    EXPECT_EQ(1, deleted);
    old.deleter = nullptr;
    Tensor x;
    OK(mpt_tensor_from_dlpack_unversioned(ctx, &old, nullptr, x.out()));
}

TEST(Dlpack, WhatIsRefusedStaysTheCallers) {
    struct Wrong {
        const char *text;
        mpt_status status;
        void (*change)(DLManagedTensorVersioned &);
    };
    static std::int64_t negative[] = {-3, 1};
    const Wrong all[] = {
        {"version 2.0", MPT_ERROR_UNSUPPORTED, [](DLManagedTensorVersioned &m) { m.major = 2; }},
        {"flags 1", MPT_ERROR_ARGUMENT, [](DLManagedTensorVersioned &m) { m.flags = 1; }},
        {"code 5 with 64 bits", MPT_ERROR_DTYPE, [](DLManagedTensorVersioned &m) { m.dl_tensor.code = 5, m.dl_tensor.bits = 64; }},
        {"4 lanes", MPT_ERROR_DTYPE, [](DLManagedTensorVersioned &m) { m.dl_tensor.lanes = 4; }},
        {"device (8, 1)", MPT_ERROR_CONTEXT, [](DLManagedTensorVersioned &m) { m.dl_tensor.device_type = 8, m.dl_tensor.device_id = 1; }},
        {"[-3, 1]", MPT_ERROR_ARGUMENT, [](DLManagedTensorVersioned &m) { m.dl_tensor.strides = negative; }},
        {"'ndim' is 9", MPT_ERROR_ARGUMENT, [](DLManagedTensorVersioned &m) { m.dl_tensor.ndim = 9; }},
        {"'data' is NULL", MPT_ERROR_ARGUMENT, [](DLManagedTensorVersioned &m) { m.dl_tensor.data = nullptr; }},
        {"not aligned", MPT_ERROR_ARGUMENT, [](DLManagedTensorVersioned &m) { m.dl_tensor.byte_offset = 2; }},
    };
    Context ctx = on_the_cpu();
    for (const Wrong &wrong : all) {
        auto m = foreign<DLManagedTensorVersioned>();
        m.major = 1;
        wrong.change(m);
        mpt_tensor *out = nullptr;
        EXPECT_EQ(wrong.status, mpt_tensor_from_dlpack(ctx, &m, nullptr, &out)) << wrong.text;
        const std::string message = mpt_last_error();
        EXPECT_NE(std::string::npos, message.find(wrong.text)) << message;
        EXPECT_NE(std::string::npos, message.find("'managed'")) << message;
        EXPECT_EQ(nullptr, out);
        EXPECT_EQ(0, deleted) << wrong.text;
    }
}
