#include "api/misuse.h"

namespace {

struct Context {
    static constexpr const char *function = "mpt_context_create", *argument = "desc";
    static mpt_context_desc good() {
        mpt_context_desc d;
        MUST(mpt_context_desc_init(&d, sizeof d));
        d.threads = 1;
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_context_desc *desc) { return mpt_context_create(desc, w.out()); }
};
mpt_alloc_fn some_alloc() { return [](std::size_t, void *, void *) -> void * { return nullptr; }; }
mpt_free_fn some_free() { return [](void *, std::size_t, void *, void *) {}; }

const misuse::Rows rows{
    INIT_ROWS(mpt_context_desc_init, "desc"),
    ROW(Taken, "desc", "", mpt_context_create, nullptr, w.out()),
    ROW(Null, "out", "", mpt_context_create, nullptr, nullptr),
    DESCRIPTOR_ROWS(Context),
    FIELD(Context, Range, "device is 9", d.device = static_cast<mpt_device>(9)),
    FIELD(Context, Range, "device is -1", d.device = static_cast<mpt_device>(-1)),
    FIELD(Context, Range, "device_index is -1", d.device_index = -1),
    FIELD(Context, Range, "device_index is 1", d.device_index = 1),
    FIELD(Context, Range, "threads is -1", d.threads = -1),
    FIELD(Context, Range, "threads is 100000", d.threads = 100000),
    FIELD(Context, Range, "alloc and free", d.alloc = some_alloc()),
    FIELD(Context, Range, "alloc and free", d.free = some_free()),
    FIELD(Context, Range, "log_level is 9", d.log_level = static_cast<mpt_log_level>(9)),
    FIELD(Context, Range, "log_level is 0", d.log_level = static_cast<mpt_log_level>(0)),
    FIELD(Context, Tail, "reserved is 7", d.reserved = 7),
    STEPS_IS("mpt_context_create", MPT_ERROR_MEMORY, "", "64 bytes", auto d = Context::good(); d.alloc = some_alloc(); d.free = some_free();
             return mpt_context_create(&d, w.out())),

    ROW(Null, "ctx", "", mpt_context_device, nullptr, w.out()),
    ROW(Null, "out", "", mpt_context_device, w.ctx, nullptr),
    ROW(Null, "ctx", "", mpt_context_threads, nullptr, w.out()),
    ROW(Null, "out", "", mpt_context_threads, w.ctx, nullptr),
    ROW(Null, "ctx", "", mpt_context_describe, nullptr, w.out(), 16, w.out()),
    TEXT_ROWS(mpt_context_describe, w.ctx),
    ROW(Null, "ctx", "", mpt_context_synchronize, nullptr),
    ROW(Null, "ctx", "", mpt_context_set_stream, nullptr, nullptr),
    ROW(Taken, "stream", "", mpt_context_set_stream, w.ctx, nullptr),
    ROW_IS(MPT_ERROR_ARGUMENT, "stream", "CPU has no streams", mpt_context_set_stream, w.ctx, &w),
    ROW(Capture, "", "", mpt_context_set_stream, w.ctx, nullptr),
    ROW(Null, "ctx", "", mpt_context_stream, nullptr, w.out()),
    ROW(Null, "out", "", mpt_context_stream, w.ctx, nullptr),
    ROW(Null, "ctx", "", mpt_context_seed, nullptr, 1),
    ROW(Taken, "seed", "", mpt_context_seed, w.ctx, UINT64_MAX),
    ROW(Capture, "", "", mpt_context_seed, w.ctx, 1),
    ROW(Null, "ctx", "", mpt_context_memory, nullptr, w.out(), w.out(), w.out()),
    ROW(Taken, "in_use_out", "", mpt_context_memory, w.ctx, nullptr, w.out(), w.out()),
    ROW(Taken, "peak_out", "", mpt_context_memory, w.ctx, w.out(), nullptr, w.out()),
    ROW(Taken, "reserved_out", "", mpt_context_memory, w.ctx, w.out(), w.out(), nullptr),
    ROW(Null, "ctx", "", mpt_context_trim, nullptr),
    ROW(Null, "ctx", "", mpt_context_set_option, nullptr, "onednn", "off"),
    ROW(Null, "key", "", mpt_context_set_option, w.ctx, nullptr, "off"),
    ROW(Null, "value", "", mpt_context_set_option, w.ctx, "onednn", nullptr),
    ROW_IS(MPT_ERROR_NOT_FOUND, "key", "'warp'", mpt_context_set_option, w.ctx, "warp", "on"),
    ROW_IS(MPT_ERROR_NOT_FOUND, "key", "''", mpt_context_set_option, w.ctx, "", "on"),
    ROW(Range, "value", "'maybe'", mpt_context_set_option, w.ctx, "onednn", "maybe"),
};

// What a caller with a smaller descriptor did not ask for is not written.
TEST(MisuseTable, InitWritesOnlyTheCallersSize) {
    misuse::World w;
    mpt_context_desc desc;
    std::memset(&desc, misuse::World::kSentinel, sizeof desc);
    OK(mpt_context_desc_init(&desc, 8));
    EXPECT_EQ(desc.struct_size, 8u);
    EXPECT_EQ(desc.device, MPT_DEVICE_CPU);
    unsigned char rest[sizeof desc];
    std::memcpy(rest, &desc, sizeof desc);
    for (std::size_t i = 8; i < sizeof desc; ++i) EXPECT_EQ(rest[i], misuse::World::kSentinel) << i;
}

}  // namespace
