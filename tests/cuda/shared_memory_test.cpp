// Memory of the GPU that mpt and others share without a copy, and in which order they use it.
#include <atomic>
#include <cstring>

#include "api/dlpack.h"
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
    DLManagedTensorVersioned *managed = nullptr;
    MUST(mpt_tensor_to_dlpack(columns, own_stream(consumer), &managed));
    EXPECT_EQ(2, managed->dl_tensor.device_type) << "CUDA";
    EXPECT_EQ(driver->ordinal(address), managed->dl_tensor.device_id);
    MUST(mpt_tensor_from_dlpack(consumer, managed, nullptr, imported.out()));
    EXPECT_EQ(in_use, memory_of(consumer).in_use) << "a copy was made";
    EXPECT_EQ(address, address_of(imported));
    rows = Tensor();
    columns = Tensor();  // the importer keeps it now
    EXPECT_EQ((std::vector<float>{1, 4, 2, 5, 3, 6}), net::floats(imported));
    MUST(mpt_tensor_fill(imported, 7));
    EXPECT_EQ(std::vector<float>(6, 7.0f), net::floats(imported));
    const std::size_t before = memory_of(ctx).in_use;
    imported = Tensor();
    EXPECT_LT(memory_of(ctx).in_use, before) << "the exporter's tensor ends with the importer's";
}

// Each side's stream waits for the other's: no synchronisation in between.
TEST_F(SharedMemory, DLPackOrdersBothWays_cuda) {
    const std::int64_t extents[] = {static_cast<std::int64_t>(kCount)};
    Tensor tensor = net::tensor(ctx, MPT_F32, {extents[0]});
    for (int i = 0; i < 200; ++i) MUST(mpt_tensor_fill(tensor, i));
    MUST(mpt_tensor_fill(tensor, 1000));
    DLManagedTensor *out = nullptr;
    MUST(mpt_tensor_to_dlpack_unversioned(tensor, stream, &out));
    driver->copy(memory, reinterpret_cast<Address>(out->dl_tensor.data) + out->dl_tensor.byte_offset, kCount * sizeof(float), stream);
    driver->wait(stream);
    out->deleter(out);
    EXPECT_EQ(std::vector<float>(kCount, 1000.0f), in_memory(kCount));

    const float value = 2.5f;
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 200; ++i) driver->set(memory, 0, kCount, stream);
    driver->set(memory, bits, kCount, stream);
    DLManagedTensorVersioned foreign = {};
    foreign.major = 1;
    std::int64_t shape[] = {extents[0]}, steps[] = {1};
    foreign.dl_tensor = {pointer(memory), 2, driver->ordinal(memory), 1, 2, 32, 1, shape, steps, 0};
    foreign.deleter = [](DLManagedTensorVersioned *) {};
    Tensor imported, doubled;
    MUST(mpt_tensor_from_dlpack(ctx, &foreign, stream, imported.out()));
    MUST(mpt_affine(imported, 2, 0, doubled.out()));
    EXPECT_EQ(std::vector<float>(kCount, 5.0f), net::floats(doubled));
    // Memory of another device than the context's is refused and stays the producer's.
    foreign.dl_tensor.device_type = 1;
    EXPECT_NE(MPT_OK, mpt_tensor_from_dlpack(ctx, &foreign, nullptr, doubled.out()));
}
