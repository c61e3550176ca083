-- The golden run (tests/golden/golden.c) with nothing but LuaJIT's FFI and the facts of mpt.h. usage: luajit train.lua LIBRARY
local ffi, bit = require("ffi"), require("bit")
ffi.cdef [[
typedef struct { uint32_t struct_size; int32_t device, device_index, threads; uint64_t seed; void *pointers[7]; int32_t log_level;
                 uint32_t reserved; } context_desc;
typedef struct { uint32_t struct_size; int32_t no_bias; int64_t in_features, out_features; int32_t init, dtype; } linear_desc;
typedef struct { uint32_t struct_size, reserved; double lr, beta1, beta2, eps, weight_decay; } adam_desc;
const char *mpt_last_error(void); void mpt_tensor_release(void *);
int mpt_context_desc_init(context_desc *, size_t), mpt_linear_desc_init(linear_desc *, size_t), mpt_adam_desc_init(adam_desc *, size_t),
    mpt_context_create(const context_desc *, void **), mpt_layer_linear(void *, const linear_desc *, void **),
    mpt_optimizer_adam(void *, const adam_desc *, void **), mpt_layer_sequential(void *, void **), mpt_layer_relu(void *, void **),
    mpt_tensor_create(void *, int, int32_t, const int64_t *, void **), mpt_tensor_write(void *, const void *, size_t),
    mpt_tensor_read(void *, void *, size_t), mpt_tensor_item(void *, double *), mpt_tensor_numel(void *, int64_t *),
    mpt_layer_add(void *, const char *, void *), mpt_layer_forward(void *, void **, int32_t, void **, int32_t),
    mpt_layer_parameter_count(void *, int32_t *), mpt_layer_parameter(void *, int32_t, void **),
    mpt_optimizer_add_layer(void *, void *), mpt_optimizer_step(void *, void *), mpt_scaler_create(void *, const void *, void **),
    mpt_scaler_update(void *), mpt_policy_create(void *, int, void **), mpt_policy_set_fp8(void *, const void *),
    mpt_autocast_begin(void *, void *), mpt_autocast_end(void *), mpt_cross_entropy(void *, void *, const void *, void **),
    mpt_backward(void *, void *, int), mpt_capture_begin(void *), mpt_capture_end(void *, void **, int32_t, void **), mpt_program_run(void *);
]]
local lib = ffi.load(arg[1])
local F32, F16, BF16, I64, WRITE = 2, 3, 4, 19, 0 -- mpt_dtype, mpt_grad_mode

local function call(name, ...)
    local status = lib["mpt_" .. name](...)
    if status ~= 0 then error(("mpt_%s: status %d: %s"):format(name, status, ffi.string(lib.mpt_last_error()))) end
end

local function made(name, ...) -- what a function makes comes through its last argument
    local out, arguments, n = ffi.new("void *[1]"), { ... }, select("#", ...)
    arguments[n + 1] = out
    call(name, unpack(arguments, 1, n + 1))
    return out[0]
end

local function desc(name)
    local struct = ffi.new(name)
    call(name .. "_init", struct, ffi.sizeof(struct))
    return struct
end

local function tensor(ctx, dtype, shape, values)
    local t = made("tensor_create", ctx, dtype, #shape, ffi.new("int64_t[?]", #shape, shape))
    call("tensor_write", t, values, ffi.sizeof(values))
    return t
end

local function train(precision, dtype, captured)
    local options, linear, adam, s = desc("context_desc"), desc("linear_desc"), desc("adam_desc"), 1
    options.seed, linear.in_features, linear.out_features, adam.lr = 1, 2, 64, 0.02
    local ctx, points, classes = made("context_create", options), ffi.new("float[512]"), ffi.new("int64_t[256]")
    for i = 0, 511 do
        s = (s * 1664525 + 1013904223) % 2 ^ 32
        points[i] = (math.floor(s / 2 ^ 24) - 128) / 128
        if i % 2 == 1 then classes[(i - 1) / 2] = (points[i - 1] >= 0) == (points[i] >= 0) and 1 or 0 end
    end
    local x, y, model = tensor(ctx, F32, { 256, 2 }, points), tensor(ctx, I64, { 256 }, classes), made("layer_sequential", ctx)
    call("layer_add", model, nil, made("layer_linear", ctx, linear))
    call("layer_add", model, nil, made("layer_relu", ctx))
    linear.in_features, linear.out_features = 64, 2
    call("layer_add", model, nil, made("layer_linear", ctx, linear))
    local optimizer, scaler, policy = made("optimizer_adam", ctx, adam), made("scaler_create", ctx, nil), made("policy_create", ctx, dtype)
    call("optimizer_add_layer", optimizer, model)
    if precision == "fp8" then call("policy_set_fp8", policy, nil) end
    local inputs, logits, loss = ffi.new("void *[1]", x), ffi.new("void *[1]"), ffi.new("void *[1]")
    local function step()
        call("autocast_begin", ctx, policy)
        call("layer_forward", model, inputs, 1, logits, 1)
        call("cross_entropy", logits[0], y, nil, loss)
        call("autocast_end", ctx)
        call("backward", loss[0], scaler, WRITE)
        call("optimizer_step", optimizer, scaler)
        call("scaler_update", scaler)
        lib.mpt_tensor_release(logits[0])
    end
    local value, program, first = ffi.new("double[1]")
    if captured then call("capture_begin", ctx) step() program = made("capture_end", ctx, loss, 1) end
    for _ = 1, 100 do
        if captured then call("program_run", program) else step() end
        call("tensor_item", loss[0], value)
        if not captured then lib.mpt_tensor_release(loss[0]) end
        first = first or value[0]
    end
    local hash, count, n = 0xcbf29ce484222325ULL, ffi.new("int32_t[1]"), ffi.new("int64_t[1]")
    call("layer_parameter_count", model, count)
    for i = 0, count[0] - 1 do
        local parameter = made("layer_parameter", model, i)
        call("tensor_numel", parameter, n)
        local bytes = ffi.new("uint8_t[?]", 4 * n[0])
        call("tensor_read", parameter, bytes, ffi.sizeof(bytes))
        for k = 0, ffi.sizeof(bytes) - 1 do hash = bit.bxor(hash, 0ULL + bytes[k]) * 0x100000001b3ULL end
    end
    print(("%s %s %s"):format(precision, captured and "captured" or "eager", bit.tohex(hash)))
    assert(first > 0.4 and first < 1.5 and value[0] < 0.1 * first, "the net did not learn")
end

for _, captured in ipairs { false, true } do
    for _, one in ipairs { { "f32", F32 }, { "f16", F16 }, { "bf16", BF16 }, { "fp8", BF16 } } do train(one[1], one[2], captured) end
end
