-- What a call costs through LuaJIT's FFI: see calls.c. usage: luajit calls.lua LIBRARY
local ffi = require("ffi")
ffi.cdef [[
typedef struct { uint32_t struct_size; int32_t device, device_index, threads; } context_desc;
typedef struct { uint32_t struct_size; int32_t no_bias; int64_t in_features, out_features; } linear_desc;
const char *mpt_last_error(void); void mpt_tensor_release(void *);
int mpt_context_desc_init(context_desc *, size_t), mpt_linear_desc_init(linear_desc *, size_t), mpt_context_create(const context_desc *, void **),
    mpt_layer_linear(void *, const linear_desc *, void **), mpt_optimizer_adam(void *, const void *, void **), mpt_layer_sequential(void *, void **),
    mpt_layer_relu(void *, void **), mpt_tensor_create(void *, int, int32_t, const int64_t *, void **), mpt_tensor_fill(void *, double),
    mpt_tensor_ndim(void *, int32_t *), mpt_tensor_item(void *, double *), mpt_add(void *, void *, void **), mpt_layer_add(void *, const char *, void *),
    mpt_layer_forward(void *, void **, int32_t, void **, int32_t), mpt_optimizer_add_layer(void *, void *), mpt_optimizer_step(void *, void *),
    mpt_policy_create(void *, int, void **), mpt_autocast_begin(void *, void *), mpt_autocast_end(void *),
    mpt_cross_entropy(void *, void *, const void *, void **), mpt_backward(void *, void *, int), mpt_capture_begin(void *),
    mpt_capture_end(void *, void **, int32_t, void **), mpt_program_feed(void *, void *, const void *, size_t), mpt_program_run(void *);
]]
local lib = ffi.load(arg[1])
local F32, BF16, I64, BATCH, PIXELS = 2, 4, 19, 128, 784

local function ok(status)
    if status ~= 0 then error(("status %d: %s"):format(status, ffi.string(lib.mpt_last_error()))) end
end

local function made(make, ...)
    local out, arguments, n = ffi.new("void *[1]"), { ... }, select("#", ...)
    arguments[n + 1] = out
    ok(make(unpack(arguments, 1, n + 1)))
    return out[0]
end

local options = ffi.new("context_desc")
ok(lib.mpt_context_desc_init(options, ffi.sizeof(options)))
options.threads = 1
local ctx = made(lib.mpt_context_create, options)

local function tensor(dtype, ...)
    local t = made(lib.mpt_tensor_create, ctx, dtype, select("#", ...), ffi.new("int64_t[2]", ...))
    ok(lib.mpt_tensor_fill(t, 1))
    return t
end

local images, labels = ffi.new("float[?]", BATCH * PIXELS), ffi.new("int64_t[?]", BATCH)
for i = 0, BATCH * PIXELS - 1 do images[i] = i % 251 / 251 end
for i = 0, BATCH - 1 do labels[i] = i % 10 end
local one, x, y = tensor(F32, 1), tensor(F32, BATCH, PIXELS), tensor(I64, BATCH)

local function perceptron()
    local model, desc, widths = made(lib.mpt_layer_sequential, ctx), ffi.new("linear_desc"), { PIXELS, 1024, 1024, 10 }
    for i = 1, 3 do
        ok(lib.mpt_linear_desc_init(desc, ffi.sizeof(desc)))
        desc.in_features, desc.out_features = widths[i], widths[i + 1]
        ok(lib.mpt_layer_add(model, nil, made(lib.mpt_layer_linear, ctx, desc)))
        if i < 3 then ok(lib.mpt_layer_add(model, nil, made(lib.mpt_layer_relu, ctx))) end
    end
    return model
end

local function capture()
    local model, policy, optimizer = perceptron(), made(lib.mpt_policy_create, ctx, BF16), made(lib.mpt_optimizer_adam, ctx, nil)
    local inputs, logits = ffi.new("void *[1]", x), ffi.new("void *[1]")
    ok(lib.mpt_optimizer_add_layer(optimizer, model))
    ok(lib.mpt_capture_begin(ctx))
    ok(lib.mpt_autocast_begin(ctx, policy))
    ok(lib.mpt_layer_forward(model, inputs, 1, logits, 1))
    local loss = ffi.new("void *[1]", made(lib.mpt_cross_entropy, logits[0], y, nil))
    ok(lib.mpt_autocast_end(ctx))
    ok(lib.mpt_backward(loss[0], nil, 0))
    ok(lib.mpt_optimizer_step(optimizer, nil))
    return made(lib.mpt_capture_end, ctx, loss, 1)
end

local program, calls = capture(), {}

function calls.ndim(n)
    local out = ffi.new("int32_t[1]")
    for _ = 1, n do ok(lib.mpt_tensor_ndim(one, out)) end
end

function calls.add(n)
    local out = ffi.new("void *[1]")
    for _ = 1, n do
        ok(lib.mpt_add(one, one, out))
        lib.mpt_tensor_release(out[0])
    end
end

function calls.item(n)
    local out = ffi.new("double[1]")
    for _ = 1, n do ok(lib.mpt_tensor_item(one, out)) end
end

function calls.step(n)
    for _ = 1, n do
        ok(lib.mpt_program_feed(program, x, images, ffi.sizeof(images)))
        ok(lib.mpt_program_feed(program, y, labels, ffi.sizeof(labels)))
        ok(lib.mpt_program_run(program))
    end
end

for line in io.lines() do
    local what, n = line:match("(%w+) (%d+)")
    calls[what](tonumber(n))
    print("done")
    io.flush()
end
