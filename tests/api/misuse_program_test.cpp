// Captures, programs and checkpoints.
#include "api/misuse.h"

namespace {

int fail_write(const void *, std::size_t, void *) { return 1; }
int fail_read(void *, std::size_t, void *) { return 1; }

// Reads from a string.
struct Source {
    std::string bytes;
    std::size_t at = 0;
    static int read(void *data, std::size_t nbytes, void *source) {
        auto &from = *static_cast<Source *>(source);
        if (nbytes > from.bytes.size() - from.at) return 1;
        std::memcpy(data, from.bytes.data() + from.at, nbytes);
        from.at += nbytes;
        return 0;
    }
};

// A state of one tensor, which loads what another state of a tensor "x" has saved.
mpt_status load_as(misuse::World &w, const char *name, mpt_tensor *tensor) {
    Source source{w.saved()};
    net::State other;
    MUST(mpt_state_create(w.ctx, other.out()));
    MUST(mpt_state_add_tensor(other, name, tensor));
    return mpt_state_load_from(other, Source::read, &source);
}

mpt_status load_bytes(misuse::World &w, std::string bytes) {
    Source source{std::move(bytes)};
    return mpt_state_load_from(w.state, Source::read, &source);
}

// The same through a file.
mpt_status load_file(misuse::World &w, const std::string &bytes) {
    const std::string path = w.path("load.safetensors");
    FILE *file = std::fopen(path.c_str(), "wb");
    if (!file || std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size()) throw std::runtime_error("cannot write " + path);
    std::fclose(file);
    const mpt_status status = mpt_state_load(w.state, path.c_str());
    std::remove(path.c_str());
    return status;
}

const misuse::Rows rows{
    ROW(Null, "ctx", "", mpt_capture_begin, nullptr),
    STEPS("mpt_capture_begin", State, "", "open already", return mpt_capture_begin(w.capture().ctx)),
    ROW(Capture, "", "open already", mpt_capture_begin, w.ctx),
    ROW(Null, "ctx", "", mpt_capture_end, nullptr, nullptr, 0, w.out()),
    ROW(State, "", "mpt_capture_begin", mpt_capture_end, w.ctx, nullptr, 0, w.out()),
    STEPS("mpt_capture_end", Null, "outputs", "", return mpt_capture_end(w.capture().ctx, nullptr, 1, w.out())),
    STEPS("mpt_capture_end", Null, "outputs[1]", "", w.capture(); return mpt_capture_end(w.ctx, w.list({w.doubled(), nullptr}), 2, w.out())),
    STEPS("mpt_capture_end", Taken, "outputs", "", return mpt_capture_end(w.capture().ctx, nullptr, 0, w.out())),
    STEPS("mpt_capture_end", Foreign, "outputs[0]", "", return mpt_capture_end(w.capture().ctx, w.list({w.other.x}), 1, w.out())),
    STEPS("mpt_capture_end", Range, "n", "is -1", w.capture(); return mpt_capture_end(w.ctx, w.list({w.doubled()}), -1, w.out())),
    STEPS("mpt_capture_end", Null, "out", "", w.capture(); return mpt_capture_end(w.ctx, w.list({w.doubled()}), 1, nullptr)),
    STEPS("mpt_capture_end", State, "", "not both inside", MUST(mpt_no_grad_begin(w.capture().ctx));
          return mpt_capture_end(w.ctx, w.list({w.doubled()}), 1, w.out())),
    STEPS("mpt_capture_end", State, "", "not both inside", MUST(mpt_no_grad_begin(w.ctx)); MUST(mpt_no_grad_end(w.capture().ctx));
          return mpt_capture_end(w.ctx, w.list({w.doubled()}), 1, w.out())),
    STEPS_IS("mpt_capture_end", MPT_ERROR_SHAPE, "", "mpt_add: argument 'b'", mpt_tensor *y = w.capture().doubled(); (void)mpt_add(w.x, w.row, &y);
             w.failures = 0; return mpt_capture_end(w.ctx, nullptr, 0, w.out())),
    ROW(Null, "ctx", "", mpt_capture_abort, nullptr),
    ROW(Taken, "ctx", "", mpt_capture_abort, w.ctx),

    ROW(Null, "program", "", mpt_program_feed, nullptr, w.x, w.memory, 24),
    ROW(Null, "input", "", mpt_program_feed, w.program, nullptr, w.memory, 24),
    ROW(Foreign, "input", "", mpt_program_feed, w.program, w.other.x, w.memory, 24),
    ROW(Range, "input", "", mpt_program_feed, w.program, w.row, w.memory, 16),
    ROW(Null, "data", "", mpt_program_feed, w.program, w.x, nullptr, 24),
    ROW(Shape, "nbytes", "is 23", mpt_program_feed, w.program, w.x, w.memory, 23),
    ROW(State, "input", "", mpt_program_feed, w.program, w.output, w.memory, 24),
    STEPS("mpt_program_feed", State, "input", "", w.capture(); mpt_tensor *y = nullptr; MUST(mpt_add(w.leaf, w.x, &y)); net::Tensor sum(y);
          net::Program reader; MUST(mpt_capture_end(w.ctx, w.list({y}), 1, reader.out())); return mpt_program_feed(reader, w.leaf, w.memory, 24)),
    ROW(Capture, "", "", mpt_program_feed, w.program, w.x, w.memory, 24),
    ROW(Null, "program", "", mpt_program_run, nullptr),
    ROW(Capture, "", "", mpt_program_run, w.program),
    ROW(Null, "program", "", mpt_program_memory, nullptr, w.out(), w.out()),
    ROW(Taken, "arena_out", "", mpt_program_memory, w.program, nullptr, w.out()),
    ROW(Taken, "outputs_out", "", mpt_program_memory, w.program, w.out(), nullptr),
    ROW(Null, "program", "", mpt_program_dump, nullptr, w.out(), 16, w.out()),
    TEXT_ROWS(mpt_program_dump, w.program),

    ROW(Null, "ctx", "", mpt_state_create, nullptr, w.out()),
    ROW(Null, "out", "", mpt_state_create, w.ctx, nullptr),
    ROW(Null, "state", "", mpt_state_add_tensor, nullptr, "t", w.x),
    ROW(Null, "name", "", mpt_state_add_tensor, w.state, nullptr, w.x),
    ROW(Null, "tensor", "", mpt_state_add_tensor, w.state, "t", nullptr),
    ROW(Foreign, "tensor", "", mpt_state_add_tensor, w.state, "t", w.other.x),
    ROW(Range, "name", "'x'", mpt_state_add_tensor, w.state, "x", w.row),
    ROW(Range, "name", "'__metadata__'", mpt_state_add_tensor, w.state, "__metadata__", w.row),
    ROW(State, "tensor", "", mpt_state_add_tensor, w.state, "t", w.output),
    ROW(Range, "name", "byte 0 is 237", mpt_state_add_tensor, w.state, "\xed\xa0\x80", w.row),
    ROW(Range, "name", "byte 2 is 240", mpt_state_add_tensor, w.state, "ab\xf0\x9f", w.row),
    ROW(Null, "state", "", mpt_state_add_layer, nullptr, "l", w.chain),
    ROW(Taken, "prefix", "", mpt_state_add_layer, w.state, nullptr, w.chain),
    ROW(Null, "layer", "", mpt_state_add_layer, w.state, "l", nullptr),
    ROW(Foreign, "layer", "", mpt_state_add_layer, w.state, "l", w.other.chain),
    STEPS("mpt_state_add_layer", Range, "prefix", "'l.head.bias'", MUST(mpt_state_add_tensor(w.state, "l.head.bias", w.row));
          return mpt_state_add_layer(w.state, "l", w.chain)),
    ROW(Null, "state", "", mpt_state_add_optimizer, nullptr, "o", w.optimizer),
    ROW(Taken, "prefix", "", mpt_state_add_optimizer, w.state, nullptr, w.optimizer),
    ROW(Null, "optimizer", "", mpt_state_add_optimizer, w.state, "o", nullptr),
    ROW(Foreign, "optimizer", "", mpt_state_add_optimizer, w.state, "o", w.other.optimizer),
    ROW(Capture, "", "", mpt_state_add_optimizer, w.state, "o", w.optimizer),
    STEPS("mpt_state_add_optimizer", Range, "prefix", "'o.own.step'", MUST(mpt_state_set_number(w.state, "o.own.step", 1));
          return mpt_state_add_optimizer(w.state, "o", w.optimizer)),
    ROW(Null, "state", "", mpt_state_add_scaler, nullptr, "s", w.scaler),
    ROW(Taken, "prefix", "", mpt_state_add_scaler, w.state, nullptr, w.scaler),
    ROW(Null, "scaler", "", mpt_state_add_scaler, w.state, "s", nullptr),
    ROW(Foreign, "scaler", "", mpt_state_add_scaler, w.state, "s", w.other.scaler),
    STEPS("mpt_state_add_scaler", Range, "prefix", "'s.scale'", MUST(mpt_state_add_scaler(w.state, "s", w.scaler));
          return mpt_state_add_scaler(w.state, "s", w.scaler)),
    ROW(Null, "state", "", mpt_state_add_random, nullptr, "r"),
    ROW(Taken, "prefix", "", mpt_state_add_random, w.state, nullptr),
    STEPS("mpt_state_add_random", Range, "prefix", "'r.state'", MUST(mpt_state_add_random(w.state, "r")); return mpt_state_add_random(w.state, "r")),
    ROW(Null, "state", "", mpt_state_set_number, nullptr, "n", 1),
    ROW(Null, "name", "", mpt_state_set_number, w.state, nullptr, 1),
    ROW(Range, "name", "'x'", mpt_state_set_number, w.state, "x", 1),
    ROW(Range, "name", "'__metadata__'", mpt_state_set_number, w.state, "__metadata__", 1),
    ROW(Taken, "value", "", mpt_state_set_number, w.state, "n", INT64_MIN),
    ROW(Null, "state", "", mpt_state_number, nullptr, "n", w.out()),
    ROW(Null, "name", "", mpt_state_number, w.state, nullptr, w.out()),
    ROW_IS(MPT_ERROR_NOT_FOUND, "name", "'epoch'", mpt_state_number, w.state, "epoch", w.out()),
    STEPS("mpt_state_number", Null, "out", "", MUST(mpt_state_set_number(w.state, "n", 1)); return mpt_state_number(w.state, "n", nullptr)),

    ROW(Null, "state", "", mpt_state_save, nullptr, "file"),
    ROW(Null, "path", "", mpt_state_save, w.state, nullptr),
    ROW_IS(MPT_ERROR_IO, "path", "/no/such/folder/file", mpt_state_save, w.state, "/no/such/folder/file"),
    ROW(Capture, "", "", mpt_state_save, w.state, "file"),
    ROW(Null, "state", "", mpt_state_load, nullptr, "file"),
    ROW(Null, "path", "", mpt_state_load, w.state, nullptr),
    ROW_IS(MPT_ERROR_IO, "path", "/no/such/file", mpt_state_load, w.state, "/no/such/file"),
    ROW(Capture, "", "", mpt_state_load, w.state, "file"),
    STEPS_IS("mpt_state_load", MPT_ERROR_IO, "path", "load.safetensors", return load_file(w, "")),
    STEPS_IS("mpt_state_load", MPT_ERROR_IO, "path", "load.safetensors", return load_file(w, "no safetensors file, but long enough")),
    STEPS_IS("mpt_state_load", MPT_ERROR_IO, "path", "load.safetensors", return load_file(w, w.saved().substr(0, w.saved().size() - 1))),
    STEPS_IS("mpt_state_load", MPT_ERROR_NOT_FOUND, "path", "'n'", const std::string bytes = w.saved(); MUST(mpt_state_set_number(w.state, "n", 1));
             return load_file(w, bytes)),
    ROW(Null, "state", "", mpt_state_save_to, nullptr, fail_write, nullptr),
    ROW(Null, "write", "", mpt_state_save_to, w.state, nullptr, nullptr),
    ROW_IS(MPT_ERROR_IO, "write", "bytes", mpt_state_save_to, w.state, fail_write, nullptr),
    ROW(Capture, "", "", mpt_state_save_to, w.state, fail_write, nullptr),
    ROW(Null, "state", "", mpt_state_load_from, nullptr, fail_read, nullptr),
    ROW(Null, "read", "", mpt_state_load_from, w.state, nullptr, nullptr),
    ROW_IS(MPT_ERROR_IO, "read", "8 bytes", mpt_state_load_from, w.state, fail_read, nullptr),
    ROW(Capture, "", "", mpt_state_load_from, w.state, fail_read, nullptr),
    STEPS_IS("mpt_state_load_from", MPT_ERROR_IO, "read", "bytes", return load_bytes(w, std::string(8, '\xff'))),
    STEPS_IS("mpt_state_load_from", MPT_ERROR_IO, "read", "byte 0", return load_bytes(w, std::string("\4\0\0\0\0\0\0\0nope", 12))),
    STEPS_IS("mpt_state_load_from", MPT_ERROR_NOT_FOUND, "read", "'y'", return load_as(w, "y", w.x)),
    STEPS("mpt_state_load_from", Shape, "read", "[4]", return load_as(w, "x", w.row)),
    STEPS("mpt_state_load_from", Dtype, "read", "is f16", return load_as(w, "x", w.half)),
};

// A layer whose last name is taken leaves none of its names behind.
TEST(MisuseTable, AStateTakesAllOrNothing) {
    misuse::World w;
    OK(mpt_state_add_tensor(w.state, "l.head.bias", w.row));
    const std::string before = w.saved();
    EXPECT_EQ(mpt_state_add_layer(w.state, "l", w.chain), MPT_ERROR_ARGUMENT);
    EXPECT_EQ(w.saved(), before);
    OK(mpt_state_set_number(w.state, "o.own.counts", 1));
    const std::string with_number = w.saved();
    EXPECT_EQ(mpt_state_add_optimizer(w.state, "o", w.optimizer), MPT_ERROR_ARGUMENT);
    EXPECT_EQ(w.saved(), with_number);
}

// What fails in a capture is what every later call gives, whatever is wrong with that one.
TEST(MisuseTable, APoisonedCaptureGivesItsFirstError) {
    misuse::World w;
    w.capture();
    EXPECT_EQ(mpt_add(w.x, w.row, w.out()), MPT_ERROR_SHAPE);
    EXPECT_EQ(mpt_add(w.x, w.x, w.out()), MPT_ERROR_SHAPE);
    EXPECT_EQ(mpt_add(w.x, w.ints, w.out()), MPT_ERROR_SHAPE);
    EXPECT_EQ(mpt_add(w.x, w.other.x, w.out()), MPT_ERROR_SHAPE);
    EXPECT_EQ(mpt_capture_begin(w.ctx), MPT_ERROR_SHAPE);
    EXPECT_EQ(mpt_program_run(w.program), MPT_ERROR_SHAPE);
    EXPECT_NE(std::string(mpt_last_error()).find("mpt_add: argument 'b' has shape [4]"), std::string::npos) << mpt_last_error();
    EXPECT_NE(std::string(mpt_last_error()).find("mpt_capture_abort"), std::string::npos) << mpt_last_error();
    EXPECT_TRUE(w.untouched());
    OK(mpt_capture_abort(w.ctx));
    OK(mpt_program_run(w.program));
}

}  // namespace
