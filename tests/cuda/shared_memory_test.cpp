// Memory of the GPU that mpt and others share without a copy, and in which order they use it.
#include <atomic>
#include <cstring>

#include "gpu.h"

using namespace cuda;

namespace {

constexpr std::size_t kCount = 1 << 20;

void MPT_CALL count_release(void *, void *user_data) {
    ++*static_cast<std::atomic<int> *>(user_data);
}

void *pointer(Address address) {
    return reinterpret_cast<void *>(address);
}
Address address_of(const mpt_tensor *tensor) {
    void *data = nullptr;
    MUST(mpt_tensor_data(tensor, &data));
    return reinterpret_cast<Address>(data);
}

class SharedMemory : public Gpu {
protected:
    void SetUp() override {
        Gpu::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        memory = driver->allocate(kCount * sizeof(float));
        ASSERT_NE(0u, memory);
        stream = driver->new_stream();
    }
    void TearDown() override {
        if (stream) driver->end(stream);
        if (memory) driver->free(memory);
    }
    void *own_stream(mpt_context *context) {
        void *s = nullptr;
        MUST(mpt_context_stream(context, &s));
        return s;
    }
    std::vector<float> in_memory(std::size_t count) {
        std::vector<float> values(count);
        driver->to_host(values.data(), memory, count * sizeof(float));
        return values;
    }
    Address memory = 0;
    Stream stream = nullptr;
};

// The exchange format of array libraries, as its specification lays it out [dmlc.github.io/dlpack].
struct DLTensor {
    void *data;
    std::int32_t device_type, device_id;
    std::int32_t ndim;
    struct {
        std::uint8_t code, bits;
        std::uint16_t lanes;
    } dtype;
    std::int64_t *shape, *strides;
    std::uint64_t byte_offset;
};
struct DLManagedTensor {
    DLTensor dl_tensor;
    void *manager_ctx;
    void (*deleter)(DLManagedTensor *self);
};
constexpr std::int32_t kDLCUDA = 2;
constexpr std::uint8_t kDLFloat = 2;

// What a host does to give an f32 tensor away: the tensor is kept until the consumer calls the deleter.
struct Exported {
    DLManagedTensor managed = {};
    std::int64_t shape[MPT_MAX_DIMS], strides[MPT_MAX_DIMS];
    Tensor tensor;
};
DLManagedTensor *export_tensor(const Driver &driver, mpt_tensor *tensor) {
    auto made = std::make_unique<Exported>();
    mpt_tensor_retain(tensor);
    made->tensor = Tensor(tensor);
    DLTensor &t = made->managed.dl_tensor;
    MUST(mpt_tensor_ndim(tensor, &t.ndim));
    MUST(mpt_tensor_shape(tensor, made->shape, MPT_MAX_DIMS));
    MUST(mpt_tensor_strides(tensor, made->strides, MPT_MAX_DIMS));
    MUST(mpt_tensor_data(tensor, &t.data));
    t.device_type = kDLCUDA;
    t.device_id = driver.ordinal(reinterpret_cast<Address>(t.data));
    t.dtype = {kDLFloat, 32, 1};
    t.shape = made->shape;
    t.strides = made->strides;
    made->managed.manager_ctx = made.get();
    made->managed.deleter = [](DLManagedTensor *self) { delete static_cast<Exported *>(self->manager_ctx); };
    return &made.release()->managed;
}
// And to take one. The memory reaches to the last element.
mpt_status import_tensor(mpt_context *ctx, DLManagedTensor *managed, Tensor &out) {
    const DLTensor &t = managed->dl_tensor;
    std::int64_t reach = 1;
    for (int i = 0; i < t.ndim; ++i) reach += (t.shape[i] - 1) * t.strides[i];
    return mpt_tensor_wrap(
        ctx, MPT_F32, t.ndim, t.shape, t.strides, static_cast<char *>(t.data) + t.byte_offset,
        static_cast<std::size_t>(reach) * sizeof(float),
        [](void *, void *user_data) {
            auto *self = static_cast<DLManagedTensor *>(user_data);
            self->deleter(self);
        },
        managed, out.out());
}

}  // namespace

TEST_F(SharedMemory, TheDriversMemoryIsUsedInPlace_cuda) {
    const std::vector<float> numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    driver->to_device(memory, numbers.data(), numbers.size() * sizeof(float));
    std::atomic<int> released{0};
    {
        // Columns of a matrix of 3 rows, from the second on: element (i, j) is number 3 + i + 3 j.
        const std::int64_t extents[] = {3, 2}, strides[] = {1, 3};
        const Address first = memory + 3 * sizeof(float);
        Tensor wrapped, doubled;
        MUST(mpt_tensor_wrap(ctx, MPT_F32, 2, extents, strides, pointer(first), 6 * sizeof(float), count_release, &released,
                             wrapped.out()));
        EXPECT_EQ(first, address_of(wrapped));
        MUST(mpt_affine(wrapped, 2, 0, doubled.out()));
        EXPECT_EQ((std::vector<float>{6, 12, 8, 14, 10, 16}), net::floats(doubled));
        MUST(mpt_tensor_fill(wrapped, -1));
        MUST(mpt_context_synchronize(ctx));
        EXPECT_EQ((std::vector<float>{0, 1, 2, -1, -1, -1, -1, -1, -1, 9, 10, 11}), in_memory(numbers.size()));
        EXPECT_EQ(0, released);
    }
    EXPECT_EQ(1, released);
}

TEST_F(SharedMemory, AProgramFollowsWhatTheHostWrites_cuda) {
    const std::int64_t extents[] = {static_cast<std::int64_t>(kCount)};
    std::atomic<int> released{0};
    Tensor wrapped, doubled;
    MUST(mpt_tensor_wrap(ctx, MPT_F32, 1, extents, nullptr, pointer(memory), kCount * sizeof(float), count_release, &released,
                         wrapped.out()));
    Program program;
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_affine(wrapped, 2, 0, doubled.out()));
    mpt_tensor *outputs[] = {doubled};
    MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    wrapped = Tensor();
    const float values[] = {1, 2.5f, -3};
    for (const float value : values) {
        unsigned bits;
        std::memcpy(&bits, &value, sizeof bits);
        // Long work in front of the write: without the order, the program would read what was there before.
        for (int i = 0; i < 200; ++i) driver->set(memory, 0, kCount, stream);
        driver->set(memory, bits, kCount, stream);
        driver->order(stream, own_stream(ctx));
        MUST(mpt_program_run(program));
        EXPECT_EQ(std::vector<float>(kCount, 2 * value), net::floats(doubled));
    }
    EXPECT_EQ(0, released);
    program = Program();
    EXPECT_EQ(1, released);
}

TEST_F(SharedMemory, TheHostReadsBehindTheContextsStream_cuda) {
    Tensor tensor = net::tensor(ctx, MPT_F32, {static_cast<std::int64_t>(kCount)});
    for (int i = 0; i < 200; ++i) MUST(mpt_tensor_fill(tensor, i));
    MUST(mpt_tensor_fill(tensor, 1000));
    driver->order(own_stream(ctx), stream);
    driver->copy(memory, address_of(tensor), kCount * sizeof(float), stream);
    driver->wait(stream);
    EXPECT_EQ(std::vector<float>(kCount, 1000.0f), in_memory(kCount));
}

TEST_F(SharedMemory, TwoContextsExchangeATensorAsDLPack_cuda) {
    Context consumer = must_create(MPT_DEVICE_CUDA);
    Tensor rows = net::tensor(ctx, MPT_F32, {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}), columns, imported, sum;
    MUST(mpt_transpose(rows, 0, nullptr, columns.out()));
    const Address address = address_of(columns);
    const std::size_t in_use = memory_of(consumer).in_use;
    DLManagedTensor *managed = export_tensor(*driver, columns);
    EXPECT_EQ(0, managed->dl_tensor.device_id);
    MUST(import_tensor(consumer, managed, imported));
    EXPECT_EQ(in_use, memory_of(consumer).in_use) << "a copy was made";
    EXPECT_EQ(address, address_of(imported));
    rows = Tensor();
    columns = Tensor();  // the importer keeps it now
    driver->order(own_stream(ctx), own_stream(consumer));
    EXPECT_EQ((std::vector<float>{1, 4, 2, 5, 3, 6}), net::floats(imported));
    MUST(mpt_tensor_fill(imported, 7));
    EXPECT_EQ(std::vector<float>(6, 7.0f), net::floats(imported));
    const std::size_t before = memory_of(ctx).in_use;
    imported = Tensor();
    EXPECT_LT(memory_of(ctx).in_use, before) << "the exporter's tensor ends with the importer's";
}
