-- Trains a small net with nothing but LuaJIT's FFI and the facts of mpt.h, in f32 and in bf16, as captured programs.
-- usage: luajit train.lua LIBRARY
local ffi = require("ffi")
ffi.cdef [[
typedef struct { uint32_t struct_size; int32_t device, device_index, threads; uint64_t seed; void *pointers[7]; int32_t log_level;
                 uint32_t reserved; } context_desc;
typedef struct { uint32_t struct_size; int32_t no_bias; int64_t in_features, out_features; int32_t init, dtype; } linear_desc;
typedef struct { uint32_t struct_size, reserved; double lr, beta1, beta2, eps, decay; } adam_desc;
const char *mpt_last_error(void);
int mpt_context_desc_init(context_desc *, size_t);
int mpt_context_create(const context_desc *, void **);
int mpt_tensor_create(void *, int, int32_t, const int64_t *, void **);
int mpt_tensor_write(void *, const void *, size_t);
int mpt_tensor_item(void *, double *);
int mpt_layer_sequential(void *, void **), mpt_layer_relu(void *, void **);
int mpt_linear_desc_init(linear_desc *, size_t);
int mpt_layer_linear(void *, const linear_desc *, void **);
int mpt_layer_add(void *, const char *, void *);
int mpt_layer_forward(void *, void **, int32_t, void **, int32_t);
int mpt_adam_desc_init(adam_desc *, size_t);
int mpt_optimizer_adam(void *, const adam_desc *, void **);
int mpt_optimizer_add_layer(void *, void *);
int mpt_optimizer_step(void *, void *), mpt_scaler_create(void *, const void *, void **);
int mpt_scaler_update(void *);
int mpt_policy_create(void *, int, void **);
int mpt_autocast_begin(void *, void *), mpt_autocast_end(void *);
int mpt_cross_entropy(void *, void *, const void *, void **);
int mpt_backward(void *, void *, int);
int mpt_capture_begin(void *), mpt_capture_end(void *, void **, int32_t, void **);
int mpt_program_run(void *);
]]
local lib = ffi.load(arg[1])
local F32, BF16, I64, WRITE = 2, 4, 19, 0 -- mpt_dtype, mpt_grad_mode

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

local function train(dtype, steps)
    local options = desc("context_desc")
    options.seed = 1
    local ctx = made("context_create", options)
    local points, classes = ffi.new("float[512]"), ffi.new("int64_t[256]")
    for i = 0, 255 do -- two interleaved spirals: no straight line separates them
        local radius = (math.floor(i / 2) + 1) / 128
        local angle = 4.5 * radius + math.pi * (i % 2)
        points[2 * i], points[2 * i + 1], classes[i] = radius * math.cos(angle), radius * math.sin(angle), i % 2
    end
    local x, y, model = tensor(ctx, F32, { 256, 2 }, points), tensor(ctx, I64, { 256 }, classes), made("layer_sequential", ctx)
    local linear, adam = desc("linear_desc"), desc("adam_desc")
    linear.in_features, linear.out_features, adam.lr = 2, 64, 0.02
    call("layer_add", model, nil, made("layer_linear", ctx, linear))
    call("layer_add", model, nil, made("layer_relu", ctx))
    linear.in_features, linear.out_features = 64, 2
    call("layer_add", model, nil, made("layer_linear", ctx, linear))
    local optimizer, scaler = made("optimizer_adam", ctx, adam), made("scaler_create", ctx, nil)
    call("optimizer_add_layer", optimizer, model)
    call("capture_begin", ctx)
    call("autocast_begin", ctx, made("policy_create", ctx, dtype))
    local inputs, logits, loss = ffi.new("void *[1]", x), ffi.new("void *[1]"), ffi.new("void *[1]")
    call("layer_forward", model, inputs, 1, logits, 1)
    call("autocast_end", ctx)
    call("cross_entropy", logits[0], y, nil, loss)
    call("backward", loss[0], scaler, WRITE)
    call("optimizer_step", optimizer, scaler)
    call("scaler_update", scaler)
    local program, value, first = made("capture_end", ctx, loss, 1), ffi.new("double[1]"), nil
    for _ = 1, steps do
        call("program_run", program)
        call("tensor_item", loss[0], value)
        first = first or value[0]
    end
    print(("dtype %d: loss %.4f -> %.4f in %d steps"):format(dtype, first, value[0], steps))
    assert(first > 0.4 and first < 1.5 and value[0] < 0.1 * first, "the net did not learn the spirals")
    return value[0]
end

assert(train(F32, 400) ~= train(BF16, 400), "the policy changed nothing")
