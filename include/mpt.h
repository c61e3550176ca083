/*
 * mpt: mixed-precision training as an embeddable C library.
 * SPDX-License-Identifier: Apache-2.0
 *
 * This is the only public header. It is strict C89 (given <stdint.h>) and is read as it stands by C, C++,
 * SWIG and bindgen.
 *
 * Conventions, valid for every function unless its comment says otherwise:
 *
 *  - Errors. A function that can fail returns mpt_status. On failure its outputs are untouched and
 *    mpt_last_error() (this thread) and mpt_context_last_error() (this context) name the argument, the value
 *    and the way out. MPT_ERROR_ARGUMENT is returned for NULL where a value is needed, MPT_ERROR_CONTEXT for
 *    a handle that belongs to another context, MPT_ERROR_SHAPE / MPT_ERROR_DTYPE for tensors that do not fit,
 *    MPT_ERROR_STATE for a call in the wrong order, MPT_ERROR_MEMORY when memory is exhausted. Inside a
 *    capture the first error poisons it: later calls return that error until mpt_capture_abort.
 *  - Ownership. Handles are reference counted. A handle that comes out through a parameter named "out" or
 *    "x_out" is owned by the caller and ends with its release function, unless the comment says "borrowed".
 *    Release functions accept NULL and return nothing. Retain and release may be called from any thread.
 *    Passing a handle after its last release is undefined.
 *  - Threads. A context, with everything made from it, is used by one thread at a time; different contexts
 *    are independent.
 *  - Synchronisation. Work is enqueued on the context's stream. Only functions whose comment says
 *    "synchronises" wait for it. (On the CPU every call has finished when it returns.)
 *  - Shapes are logical: images are N,C,H,W and filters O,I,H,W whatever the layout in memory.
 *    Strides count elements, never bytes. Byte ranges are (pointer, nbytes).
 *  - Strings are UTF-8 and are copied on the way in.
 *  - Names in [brackets] in the comments are the source of a method.
 */
#ifndef MPT_H
#define MPT_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define MPT_CALL __cdecl
#if defined(MPT_BUILDING)
#define MPT_API __declspec(dllexport)
#else
#define MPT_API __declspec(dllimport)
#endif
#else
#define MPT_CALL
#if defined(__GNUC__)
#define MPT_API __attribute__((visibility("default")))
#else
#define MPT_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------------------
 * Constants
 * ------------------------------------------------------------------------------------------------------- */

enum { MPT_VERSION_MAJOR = 0, MPT_VERSION_MINOR = 1, MPT_VERSION_PATCH = 0 };

/** The most dimensions that a tensor can have. */
enum { MPT_MAX_DIMS = 8 };

/** What a call came to. */
typedef enum mpt_status {
    MPT_OK = 0,
    MPT_ERROR_ARGUMENT = 1,    /**< an argument is NULL or out of its range */
    MPT_ERROR_SHAPE = 2,       /**< a tensor's shape does not fit */
    MPT_ERROR_DTYPE = 3,       /**< a tensor's element type does not fit */
    MPT_ERROR_CONTEXT = 4,     /**< a handle belongs to another context */
    MPT_ERROR_STATE = 5,       /**< the call comes in the wrong order */
    MPT_ERROR_STALE = 6,       /**< a tensor saved for backward was changed, or its graph is used up */
    MPT_ERROR_UNSUPPORTED = 7, /**< known, but not to be had here */
    MPT_ERROR_MEMORY = 8,      /**< no memory */
    MPT_ERROR_DEVICE = 9,      /**< the device or its module cannot be used */
    MPT_ERROR_DEVICE_LOST = 10, /**< the device has failed and is lost to this process */
    MPT_ERROR_IO = 11,         /**< a file or callback failed, or the data are damaged */
    MPT_ERROR_NOT_FOUND = 12,  /**< no such name */
    MPT_ERROR_UNSCALED_TWICE = 13, /**< optimizer unscaled twice since the last scaler update */
    MPT_ERROR_UNSCALE_AFTER_STEP = 14, /**< optimizer unscaled after its step */
    MPT_ERROR_STEP_TWICE = 15, /**< optimizer stepped twice since the last scaler update */
    MPT_ERROR_UPDATE_WITHOUT_STEP = 16, /**< scaler updated though no optimizer looked at its gradients */
    MPT_ERROR_FORKED = 17,     /**< the context was made before fork() and this is the child */
    MPT_ERROR_INTERNAL = 18,   /**< a defect of mpt; please report it */
    MPT_STATUS_FORCE_32 = 0x7fffffff
} mpt_status;

/** Element types. */
typedef enum mpt_dtype {
    MPT_DTYPE_NONE = 0, /**< "not given" where a dtype is optional */
    MPT_F64 = 1,
    MPT_F32 = 2,
    MPT_F16 = 3,  /**< IEEE 754 binary16 */
    MPT_BF16 = 4, /**< the upper half of an f32 */
    MPT_I8 = 16,
    MPT_I16 = 17,
    MPT_I32 = 18,
    MPT_I64 = 19,
    MPT_U8 = 20,
    MPT_BOOL = 21, /**< one byte, 0 or 1 */
    MPT_DTYPE_FORCE_32 = 0x7fffffff
} mpt_dtype;

/** Where a context computes. */
typedef enum mpt_device {
    MPT_DEVICE_CPU = 0,
    MPT_DEVICE_CUDA = 1, /**< an NVIDIA GPU; MPT_ERROR_DEVICE where libmpt_cuda cannot be used */
    MPT_DEVICE_AUTO = 2, /**< CUDA when it works, else the CPU */
    MPT_DEVICE_FORCE_32 = 0x7fffffff
} mpt_device;

typedef enum mpt_log_level {
    MPT_LOG_ERROR = 1,
    MPT_LOG_WARNING = 2,
    MPT_LOG_INFO = 3,
    MPT_LOG_DEBUG = 4,
    MPT_LOG_LEVEL_FORCE_32 = 0x7fffffff
} mpt_log_level;

/** How a loss comes from its elements. */
typedef enum mpt_reduction {
    MPT_REDUCTION_MEAN = 0,
    MPT_REDUCTION_SUM = 1,
    MPT_REDUCTION_NONE = 2,
    MPT_REDUCTION_FORCE_32 = 0x7fffffff
} mpt_reduction;

/** What mpt_backward does to gradients that exist already. */
typedef enum mpt_grad_mode {
    MPT_GRAD_WRITE = 0, /**< replace: the first micro-batch */
    MPT_GRAD_ADD = 1,   /**< add to them: accumulation */
    MPT_GRAD_MODE_FORCE_32 = 0x7fffffff
} mpt_grad_mode;

/** Initial values of a layer's weights. Biases: uniform in +-1/sqrt(fan_in) for DEFAULT, else 0. */
typedef enum mpt_init {
    MPT_INIT_DEFAULT = 0,         /**< uniform in +-1/sqrt(fan_in) [PyTorch nn.Linear, nn.Conv2d] */
    MPT_INIT_ZEROS = 1,
    MPT_INIT_XAVIER_UNIFORM = 2,  /**< +-sqrt(6/(fan_in+fan_out)) [Glorot and Bengio 2010] */
    MPT_INIT_XAVIER_NORMAL = 3,   /**< std sqrt(2/(fan_in+fan_out)) [Glorot and Bengio 2010] */
    MPT_INIT_KAIMING_UNIFORM = 4, /**< +-sqrt(6/fan_in) [He et al. 2015] */
    MPT_INIT_KAIMING_NORMAL = 5,  /**< std sqrt(2/fan_in) [He et al. 2015] */
    MPT_INIT_FORCE_32 = 0x7fffffff
} mpt_init;

/** Where in training an op stands; a policy can give each role its own precision. */
typedef enum mpt_role {
    MPT_ROLE_FORWARD = 0,
    MPT_ROLE_INPUT_GRADIENT = 1,
    MPT_ROLE_WEIGHT_GRADIENT = 2,
    MPT_ROLE_FORCE_32 = 0x7fffffff
} mpt_role;

/** How a loss scaler moves its scale. */
typedef enum mpt_scaler_kind {
    MPT_SCALER_STATIC = 0, /**< never moves; non-finite gradients still skip the step */
    MPT_SCALER_TORCH = 1,  /**< [torch.amp.GradScaler] */
    MPT_SCALER_KIND_FORCE_32 = 0x7fffffff
} mpt_scaler_kind;

/* ---------------------------------------------------------------------------------------------------------
 * Handles
 * ------------------------------------------------------------------------------------------------------- */

typedef struct mpt_context mpt_context;     /**< a device, its memory, its random numbers, its settings */
typedef struct mpt_tensor mpt_tensor;       /**< a strided array; views share storage */
typedef struct mpt_layer mpt_layer;         /**< parameters and a forward rule */
typedef struct mpt_policy mpt_policy;       /**< what autocast does */
typedef struct mpt_scaler mpt_scaler;       /**< a loss scaler */
typedef struct mpt_optimizer mpt_optimizer; /**< an update rule with its state */
typedef struct mpt_program mpt_program;     /**< a captured step */
typedef struct mpt_state mpt_state;         /**< named tensors on their way to or from a checkpoint */

/* ---------------------------------------------------------------------------------------------------------
 * Callbacks
 * ------------------------------------------------------------------------------------------------------- */

/** Gives memory aligned to 64 bytes, or NULL when there is none. stream: NULL on the CPU. */
typedef void *(MPT_CALL *mpt_alloc_fn)(size_t nbytes, void *stream, void *user_data);
/** Takes back what mpt_alloc_fn gave. */
typedef void(MPT_CALL *mpt_free_fn)(void *ptr, size_t nbytes, void *stream, void *user_data);
/** Receives a log line without a line feed; the text is valid during the call. */
typedef void(MPT_CALL *mpt_log_fn)(mpt_log_level level, const char *message, void *user_data);
/** Fires on the failing thread with the message that mpt_last_error() will give. */
typedef void(MPT_CALL *mpt_error_fn)(mpt_status status, const char *message, void *user_data);
/** Called once when a wrapped piece of memory is no longer used by mpt. */
typedef void(MPT_CALL *mpt_release_fn)(void *data, void *user_data);
/** Writes nbytes; returns 0, or another number for failure. */
typedef int(MPT_CALL *mpt_write_fn)(const void *data, size_t nbytes, void *user_data);
/** Reads exactly nbytes; returns 0, or another number for failure or a premature end. */
typedef int(MPT_CALL *mpt_read_fn)(void *data, size_t nbytes, void *user_data);

/* ---------------------------------------------------------------------------------------------------------
 * Library and errors
 * ------------------------------------------------------------------------------------------------------- */

/** The version of the library in use: major * 10000 + minor * 100 + patch. */
MPT_API uint32_t MPT_CALL mpt_version(void);

/** The name of a status, for example "MPT_ERROR_SHAPE". Static; never NULL. */
MPT_API const char *MPT_CALL mpt_status_name(mpt_status status);

/** The name of an element type, for example "bf16". Static; never NULL. */
MPT_API const char *MPT_CALL mpt_dtype_name(mpt_dtype dtype);

/** The bytes of one element; 0 for an unknown type. */
MPT_API size_t MPT_CALL mpt_dtype_size(mpt_dtype dtype);

/** The message of this thread's last failed call; "" when there is none. Borrowed until the thread's next failure. */
MPT_API const char *MPT_CALL mpt_last_error(void);

/* ---------------------------------------------------------------------------------------------------------
 * Context
 * ------------------------------------------------------------------------------------------------------- */

typedef struct mpt_context_desc {
    uint32_t struct_size;
    mpt_device device;     /**< default MPT_DEVICE_CPU */
    int32_t device_index;  /**< which GPU; 0 for the CPU */
    int32_t threads;       /**< threads of a CPU context, the caller's included; 0: one per core this process may use */
    uint64_t seed;         /**< of the context's random numbers; default 0 */
    mpt_alloc_fn alloc;    /**< host's allocator, together with free; NULL: mpt's own */
    mpt_free_fn free;
    void *alloc_user_data;
    mpt_log_fn log;        /**< NULL: silent */
    void *log_user_data;
    mpt_error_fn error;    /**< NULL: none */
    void *error_user_data;
    mpt_log_level log_level; /**< the least important level that is logged; default MPT_LOG_WARNING */
    uint32_t reserved;       /**< 0 */
} mpt_context_desc;

/** Writes the defaults into the first nbytes bytes of *desc and sets struct_size to nbytes. */
MPT_API mpt_status MPT_CALL mpt_context_desc_init(mpt_context_desc *desc, size_t nbytes);

/**
 * Makes a context. desc may be NULL: the CPU with all defaults. The CPU needs no GPU, driver or accelerated
 * library; oneDNN is used when its module and library can be opened.
 * MPT_ERROR_DEVICE: the device's module cannot be opened; the message says why and what to install.
 */
MPT_API mpt_status MPT_CALL mpt_context_create(const mpt_context_desc *desc, mpt_context **out);
MPT_API void MPT_CALL mpt_context_retain(mpt_context *ctx);
/** Everything made from a context keeps it alive; it goes with the last of them. Close autocast, no-grad and capture first: they hold it too. */
MPT_API void MPT_CALL mpt_context_release(mpt_context *ctx);

/** The message of the context's last failed call, from whatever thread; "" when there is none. Borrowed until the next failure. */
MPT_API const char *MPT_CALL mpt_context_last_error(const mpt_context *ctx);

/** The device in use, which for MPT_DEVICE_AUTO is the one that was found. */
MPT_API mpt_status MPT_CALL mpt_context_device(const mpt_context *ctx, mpt_device *out);

/** The number of threads in use. */
MPT_API mpt_status MPT_CALL mpt_context_threads(const mpt_context *ctx, int32_t *out);

/** A line about the device and its libraries; text conventions as mpt_policy_describe. */
MPT_API mpt_status MPT_CALL mpt_context_describe(const mpt_context *ctx, char *text, size_t nbytes, size_t *needed_out);

/** Waits for all work of the context; returns a device fault that has happened since. Synchronises. */
MPT_API mpt_status MPT_CALL mpt_context_synchronize(mpt_context *ctx);

/** Restarts the context's random numbers (Philox 4x32-10 [Salmon et al. 2011]). Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_context_seed(mpt_context *ctx, uint64_t seed);

/**
 * Device memory in bytes; each output may be NULL. in_use: in tensors, programs and workspaces; peak: the most
 * of that since the start; reserved: taken from the allocator, the context's cache of free blocks included.
 */
MPT_API mpt_status MPT_CALL mpt_context_memory(const mpt_context *ctx, size_t *in_use_out, size_t *peak_out, size_t *reserved_out);

/** Gives cached free blocks and idle workspaces back to the allocator. Synchronises. */
MPT_API mpt_status MPT_CALL mpt_context_trim(mpt_context *ctx);

/**
 * Experimental knobs. "onednn": "on" (default where it is found) or "off", portable kernels only; valid for
 * kernels prepared from then on. MPT_ERROR_NOT_FOUND for an unknown key.
 */
MPT_API mpt_status MPT_CALL mpt_context_set_option(mpt_context *ctx, const char *key, const char *value);

/* ---------------------------------------------------------------------------------------------------------
 * Tensors
 * ------------------------------------------------------------------------------------------------------- */

/**
 * Makes a contiguous tensor with undefined contents. ndim 0 is a scalar (shape may be NULL); extents may be 0.
 */
MPT_API mpt_status MPT_CALL mpt_tensor_create(mpt_context *ctx, mpt_dtype dtype, int32_t ndim, const int64_t *shape, mpt_tensor **out);

/**
 * Wraps memory of the host, on the context's device, without a copy. strides: in elements and not negative;
 * NULL: contiguous. The memory (nbytes from data) must cover every element and be aligned to the element; it stays valid until
 * release is called (NULL: the host knows by itself). Writes that mpt cannot see need mpt_tensor_mark_modified.
 */
MPT_API mpt_status MPT_CALL mpt_tensor_wrap(mpt_context *ctx, mpt_dtype dtype, int32_t ndim, const int64_t *shape, const int64_t *strides,
                                            void *data, size_t nbytes, mpt_release_fn release, void *user_data, mpt_tensor **out);
MPT_API void MPT_CALL mpt_tensor_retain(mpt_tensor *tensor);
MPT_API void MPT_CALL mpt_tensor_release(mpt_tensor *tensor);

MPT_API mpt_status MPT_CALL mpt_tensor_dtype(const mpt_tensor *tensor, mpt_dtype *out);
MPT_API mpt_status MPT_CALL mpt_tensor_ndim(const mpt_tensor *tensor, int32_t *out);
/** Writes ndim extents; capacity is the room in out. */
MPT_API mpt_status MPT_CALL mpt_tensor_shape(const mpt_tensor *tensor, int64_t *out, int32_t capacity);
/** Writes ndim strides in elements. */
MPT_API mpt_status MPT_CALL mpt_tensor_strides(const mpt_tensor *tensor, int64_t *out, int32_t capacity);
/** The number of elements. */
MPT_API mpt_status MPT_CALL mpt_tensor_numel(const mpt_tensor *tensor, int64_t *out);
/** The first element's address on the device: a view's own, with the strides of mpt_tensor_strides. Borrowed. */
MPT_API mpt_status MPT_CALL mpt_tensor_data(const mpt_tensor *tensor, void **out);

/** Copies elements, in logical row-major order and in the tensor's dtype, from host memory; nbytes = numel * size.
 *  What takes part in gradients is written between mpt_no_grad_begin and mpt_no_grad_end. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_tensor_write(mpt_tensor *tensor, const void *data, size_t nbytes);
/** Copies elements, in logical row-major order, to host memory. Synchronises. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_tensor_read(const mpt_tensor *tensor, void *data, size_t nbytes);
/** The one element of a tensor as a double. Synchronises. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_tensor_item(const mpt_tensor *tensor, double *out);

/** Sets every element to value, rounded to the tensor's dtype. */
MPT_API mpt_status MPT_CALL mpt_tensor_fill(mpt_tensor *tensor, double value);
/** Fills with uniform numbers from [low, high), rounded to the dtype (which can give high): the same numbers on every device, for any thread count. Floating dtypes. */
MPT_API mpt_status MPT_CALL mpt_tensor_random_uniform(mpt_tensor *tensor, double low, double high);
/** Fills with normal numbers [Box and Muller 1958]. Floating dtypes. */
MPT_API mpt_status MPT_CALL mpt_tensor_random_normal(mpt_tensor *tensor, double mean, double std);
/** Fills a weight as a layer would; fan_in and fan_out are read from the shape [out, in, ...]. Floating dtypes, at least 2 dimensions. */
MPT_API mpt_status MPT_CALL mpt_tensor_init(mpt_tensor *tensor, mpt_init init);
/** Copies src into tensor, converting the dtype (round to nearest even); src is broadcast to tensor's shape. */
MPT_API mpt_status MPT_CALL mpt_tensor_copy(mpt_tensor *tensor, const mpt_tensor *src);

/** Says that the host has written to memory behind mpt's back: low-precision copies are refreshed before their next use. */
MPT_API mpt_status MPT_CALL mpt_tensor_mark_modified(mpt_tensor *tensor);

/** A view of the same elements, cut from the gradient's graph. */
MPT_API mpt_status MPT_CALL mpt_tensor_detach(mpt_tensor *tensor, mpt_tensor **out);
/** Asks for (1) or refuses (0) gradients. Floating leaf tensors only. */
MPT_API mpt_status MPT_CALL mpt_tensor_set_requires_grad(mpt_tensor *tensor, int32_t requires_grad);
MPT_API mpt_status MPT_CALL mpt_tensor_requires_grad(const mpt_tensor *tensor, int32_t *out);
/**
 * The gradient of a leaf, an ordinary tensor of its shape and dtype, made (zero) when first asked for; its address never changes.
 * After mpt_backward with a scaler it is scaled until mpt_optimizer_unscale. Owned by the caller.
 */
MPT_API mpt_status MPT_CALL mpt_tensor_grad(mpt_tensor *tensor, mpt_tensor **out);

/* ---------------------------------------------------------------------------------------------------------
 * Ops. Each gives a new tensor (views: a tensor that shares storage) and knows its gradient. Floating dtypes
 * unless said otherwise; mixed floating dtypes are promoted to the widest (f16 with bf16: f32).
 * ------------------------------------------------------------------------------------------------------- */

/** a + b, with broadcasting as NumPy's. Floating and integer dtypes. */
MPT_API mpt_status MPT_CALL mpt_add(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a - b, with broadcasting. Floating and integer dtypes. */
MPT_API mpt_status MPT_CALL mpt_sub(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a * b, element by element, with broadcasting. Floating and integer dtypes. */
MPT_API mpt_status MPT_CALL mpt_mul(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a / b, element by element, with broadcasting. */
MPT_API mpt_status MPT_CALL mpt_div(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** scale * x + shift. */
MPT_API mpt_status MPT_CALL mpt_affine(mpt_tensor *x, double scale, double shift, mpt_tensor **out);
/** -x. */
MPT_API mpt_status MPT_CALL mpt_neg(mpt_tensor *x, mpt_tensor **out);
/** e to the x. */
MPT_API mpt_status MPT_CALL mpt_exp(mpt_tensor *x, mpt_tensor **out);
/** The natural logarithm. */
MPT_API mpt_status MPT_CALL mpt_log(mpt_tensor *x, mpt_tensor **out);
/** The square root. */
MPT_API mpt_status MPT_CALL mpt_sqrt(mpt_tensor *x, mpt_tensor **out);
/** max(x, 0); NaN stays NaN; the gradient at 0 is 0. */
MPT_API mpt_status MPT_CALL mpt_relu(mpt_tensor *x, mpt_tensor **out);

/** Sum over ndims dimensions (dims NULL: all). keep_dims 1 leaves extents of 1. Accumulates in f32 (f64 for f64). */
MPT_API mpt_status MPT_CALL mpt_sum(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** Mean over dimensions; conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_mean(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** Largest element over dimensions (NaN wins); equal maxima share the gradient [torch.amax]. Conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_max(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);

/** Another shape for the same elements in logical order; one extent may be -1. A view where strides allow, else a copy. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_reshape(mpt_tensor *x, int32_t ndim, const int64_t *shape, mpt_tensor **out);
/** A view with dimensions reordered: dimension i of out is dims[i] of x. dims NULL: the last two exchanged. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_transpose(mpt_tensor *x, int32_t ndim, const int32_t *dims, mpt_tensor **out);
/** A view of length elements from start along dim. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_slice(mpt_tensor *x, int32_t dim, int64_t start, int64_t length, mpt_tensor **out);
/** Another dtype, rounding to nearest even; x itself (retained) when it has that dtype. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_cast(mpt_tensor *x, mpt_dtype dtype, mpt_tensor **out);

/** Matrix product [..., M, K] x [..., K, N] -> [..., M, N]; leading dimensions broadcast. Accumulates in f32 (f64 for f64). */
MPT_API mpt_status MPT_CALL mpt_matmul(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** x W^T + bias: [..., in] x [out, in] -> [..., out]; bias [out] or NULL. */
MPT_API mpt_status MPT_CALL mpt_linear(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, mpt_tensor **out);

typedef struct mpt_conv2d_params {
    uint32_t struct_size;
    int32_t stride_h, stride_w;     /**< default 1 */
    int32_t padding_h, padding_w;   /**< zeros on each side; default 0 */
    int32_t dilation_h, dilation_w; /**< default 1 */
    int32_t groups;                 /**< default 1 */
} mpt_conv2d_params;
MPT_API mpt_status MPT_CALL mpt_conv2d_params_init(mpt_conv2d_params *params, size_t nbytes);
/** Cross-correlation [N,C,H,W] with [O,C/groups,KH,KW] -> [N,O,H',W'], H' = (H + 2 pad - dil (KH-1) - 1) / stride + 1 [torch.nn.Conv2d].
 *  bias [O] or NULL; params NULL: the defaults. The result is dense with C innermost in memory. */
MPT_API mpt_status MPT_CALL mpt_conv2d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv2d_params *params, mpt_tensor **out);

typedef struct mpt_pool2d_params {
    uint32_t struct_size;
    int32_t kernel_h, kernel_w;   /**< default 2 */
    int32_t stride_h, stride_w;   /**< 0: the kernel's; default 0 */
    int32_t padding_h, padding_w; /**< never the maximum; at most half the kernel; default 0 */
} mpt_pool2d_params;
MPT_API mpt_status MPT_CALL mpt_pool2d_params_init(mpt_pool2d_params *params, size_t nbytes);
/** Largest element of each window, [N,C,H,W] -> [N,C,H',W'], rounding H' down; the first maximum takes the gradient. params NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_max_pool2d(mpt_tensor *x, const mpt_pool2d_params *params, mpt_tensor **out);

/** exp(x) / sum(exp(x)) along dim (negative: from the end), computed in f32 or wider. */
MPT_API mpt_status MPT_CALL mpt_softmax(mpt_tensor *x, int32_t dim, mpt_tensor **out);
/** log(softmax(x)) along dim. */
MPT_API mpt_status MPT_CALL mpt_log_softmax(mpt_tensor *x, int32_t dim, mpt_tensor **out);

/**
 * Cross-entropy of logits [N, C] against class indices [N] (u8, i32 or i64): a scalar, or [N] for NONE, in f32 (f64 for f64).
 * An index outside [0, C) gives NaN for its row and no gradient.
 */
MPT_API mpt_status MPT_CALL mpt_cross_entropy(mpt_tensor *logits, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out);
/** (prediction - target)^2, shapes equal; result as mpt_cross_entropy. */
MPT_API mpt_status MPT_CALL mpt_mse(mpt_tensor *prediction, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out);

/* ---------------------------------------------------------------------------------------------------------
 * Gradients
 * ------------------------------------------------------------------------------------------------------- */

/**
 * Gradients of the scalar loss in every leaf that asks for them and that the loss reaches; others keep theirs.
 * scaler may be NULL; otherwise the gradients are those of scale * loss. The graph is used up.
 * MPT_ERROR_STALE: a tensor that the gradient needs was changed since, or the graph was used before; nothing was changed then.
 */
MPT_API mpt_status MPT_CALL mpt_backward(mpt_tensor *loss, mpt_scaler *scaler, mpt_grad_mode mode);
/** The same from n roots with their cotangents: same shapes; a dtype that differs is cast. */
MPT_API mpt_status MPT_CALL mpt_backward_from(mpt_tensor *const *roots, mpt_tensor *const *cotangents, int32_t n, mpt_grad_mode mode);
/** Between begin and end nothing is remembered for gradients. Pairs nest. */
MPT_API mpt_status MPT_CALL mpt_no_grad_begin(mpt_context *ctx);
MPT_API mpt_status MPT_CALL mpt_no_grad_end(mpt_context *ctx);

/* ---------------------------------------------------------------------------------------------------------
 * Precision: autocast
 * ------------------------------------------------------------------------------------------------------- */

/** A policy that runs products in dtype (f32, f16 or bf16) and what needs range in f32. */
MPT_API mpt_status MPT_CALL mpt_policy_create(mpt_context *ctx, mpt_dtype dtype, mpt_policy **out);
MPT_API void MPT_CALL mpt_policy_retain(mpt_policy *policy);
MPT_API void MPT_CALL mpt_policy_release(mpt_policy *policy);
/** The products of layers whose name matches pattern ('*' any text, '?' any character) run in dtype; the last match counts. */
MPT_API mpt_status MPT_CALL mpt_policy_set_layer(mpt_policy *policy, const char *pattern, mpt_dtype dtype);
/** The op of that name (see mpt_policy_describe) runs in dtype, whatever its class; not for ops that only move data. */
MPT_API mpt_status MPT_CALL mpt_policy_set_op(mpt_policy *policy, const char *op, mpt_dtype dtype);
/** Products in that role run in dtype. A layer's override counts more than a role's, an op's more than both. */
MPT_API mpt_status MPT_CALL mpt_policy_set_role(mpt_policy *policy, mpt_role role, mpt_dtype dtype);
/**
 * The class lists with their version and the overrides, as text. Writes at most nbytes bytes, the closing zero
 * included; needed_out (may be NULL) gets the bytes of the whole text. text may be NULL when nbytes is 0.
 */
MPT_API mpt_status MPT_CALL mpt_policy_describe(const mpt_policy *policy, char *text, size_t nbytes, size_t *needed_out);
/** Between begin and end ops run by the policy. Pairs nest; policy NULL switches autocast off inside. Backward follows the forward's policy. */
MPT_API mpt_status MPT_CALL mpt_autocast_begin(mpt_context *ctx, mpt_policy *policy);
MPT_API mpt_status MPT_CALL mpt_autocast_end(mpt_context *ctx);

/* ---------------------------------------------------------------------------------------------------------
 * Layers
 * ------------------------------------------------------------------------------------------------------- */

typedef struct mpt_linear_desc {
    uint32_t struct_size;
    int64_t in_features, out_features; /**< at least 1 */
    int32_t no_bias;                   /**< 1: without; default 0 */
    mpt_init init;
    mpt_dtype dtype;                   /**< of the parameters; default MPT_F32 */
    uint32_t reserved;
} mpt_linear_desc;
MPT_API mpt_status MPT_CALL mpt_linear_desc_init(mpt_linear_desc *desc, size_t nbytes);
/** Parameters "weight" [out, in] and "bias" [out], initialised from the context's random numbers. */
MPT_API mpt_status MPT_CALL mpt_layer_linear(mpt_context *ctx, const mpt_linear_desc *desc, mpt_layer **out);

typedef struct mpt_conv2d_desc {
    uint32_t struct_size;
    int64_t in_channels, out_channels; /**< at least 1 and multiples of groups */
    int32_t kernel_h, kernel_w;        /**< default 3 */
    int32_t stride_h, stride_w;        /**< default 1 */
    int32_t padding_h, padding_w;      /**< default 0 */
    int32_t dilation_h, dilation_w;    /**< default 1 */
    int32_t groups;                    /**< default 1 */
    int32_t no_bias;                   /**< 1: without; default 0 */
    mpt_init init;
    mpt_dtype dtype;                   /**< of the parameters; default MPT_F32 */
} mpt_conv2d_desc;
MPT_API mpt_status MPT_CALL mpt_conv2d_desc_init(mpt_conv2d_desc *desc, size_t nbytes);
/** Parameters "weight" [out, in/groups, kh, kw] and "bias" [out]. */
MPT_API mpt_status MPT_CALL mpt_layer_conv2d(mpt_context *ctx, const mpt_conv2d_desc *desc, mpt_layer **out);

/** mpt_max_pool2d as a layer; params NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_layer_max_pool2d(mpt_context *ctx, const mpt_pool2d_params *params, mpt_layer **out);
/** mpt_relu as a layer. */
MPT_API mpt_status MPT_CALL mpt_layer_relu(mpt_context *ctx, mpt_layer **out);
/** [N, ...] -> [N, product of the rest]. */
MPT_API mpt_status MPT_CALL mpt_layer_flatten(mpt_context *ctx, mpt_layer **out);

/** An empty chain of layers; each gets the one output of the layer before. */
MPT_API mpt_status MPT_CALL mpt_layer_sequential(mpt_context *ctx, mpt_layer **out);
/** Appends child, which stays the caller's to release. name NULL: its index. A name is unique here and has no '.' or '/'. */
MPT_API mpt_status MPT_CALL mpt_layer_add(mpt_layer *sequential, const char *name, mpt_layer *child);

MPT_API void MPT_CALL mpt_layer_retain(mpt_layer *layer);
MPT_API void MPT_CALL mpt_layer_release(mpt_layer *layer);

/** Runs the layer: n_inputs tensors in, n_outputs owned tensors out. The layers of this version take one and give one. */
MPT_API mpt_status MPT_CALL mpt_layer_forward(mpt_layer *layer, mpt_tensor *const *inputs, int32_t n_inputs, mpt_tensor **outputs, int32_t n_outputs);
/** Training (1, the start) or evaluation (0), for the layer and all below it. */
MPT_API mpt_status MPT_CALL mpt_layer_set_training(mpt_layer *layer, int32_t training);
/** Frozen (1): no parameter below asks for gradients; 0: all do. */
MPT_API mpt_status MPT_CALL mpt_layer_freeze(mpt_layer *layer, int32_t frozen);
/** The number of parameter tensors, children's included. */
MPT_API mpt_status MPT_CALL mpt_layer_parameter_count(const mpt_layer *layer, int32_t *out);
/** Parameter i in a fixed order. Owned by the caller. */
MPT_API mpt_status MPT_CALL mpt_layer_parameter(const mpt_layer *layer, int32_t index, mpt_tensor **out);
/** The name of parameter i, for example "0.weight"; text conventions as mpt_policy_describe. */
MPT_API mpt_status MPT_CALL mpt_layer_parameter_name(const mpt_layer *layer, int32_t index, char *text, size_t nbytes, size_t *needed_out);
/** A parameter by name. Owned by the caller. MPT_ERROR_NOT_FOUND names the ones there are. */
MPT_API mpt_status MPT_CALL mpt_layer_parameter_by_name(const mpt_layer *layer, const char *name, mpt_tensor **out);

/* ---------------------------------------------------------------------------------------------------------
 * Loss scaling
 * ------------------------------------------------------------------------------------------------------- */

typedef struct mpt_scaler_desc {
    uint32_t struct_size;
    mpt_scaler_kind kind;     /**< default MPT_SCALER_TORCH */
    double initial_scale;     /**< default 65536 */
    double growth_factor;     /**< default 2 */
    double backoff_factor;    /**< default 0.5 */
    int64_t growth_interval;  /**< good iterations before a growth; default 2000 */
    double min_scale;         /**< 0 (default): none */
    double max_scale;         /**< 0 (default): none */
} mpt_scaler_desc;
MPT_API mpt_status MPT_CALL mpt_scaler_desc_init(mpt_scaler_desc *desc, size_t nbytes);
/** Makes a scaler; desc NULL: the defaults [torch.amp.GradScaler]. Scale and counters live on the device. */
MPT_API mpt_status MPT_CALL mpt_scaler_create(mpt_context *ctx, const mpt_scaler_desc *desc, mpt_scaler **out);
MPT_API void MPT_CALL mpt_scaler_retain(mpt_scaler *scaler);
MPT_API void MPT_CALL mpt_scaler_release(mpt_scaler *scaler);
/** Moves the scale by what the optimizers found; once per iteration, after all of them.
 *  MPT_ERROR_UPDATE_WITHOUT_STEP: none has looked at its gradients since the last update. */
MPT_API mpt_status MPT_CALL mpt_scaler_update(mpt_scaler *scaler);
/** The scale now. Synchronises. */
MPT_API mpt_status MPT_CALL mpt_scaler_scale(mpt_scaler *scaler, double *out);
/** Counts of updates since the start; each output may be NULL. at_minimum: backoffs held at min_scale. Synchronises. */
MPT_API mpt_status MPT_CALL mpt_scaler_counts(mpt_scaler *scaler, int64_t *good_out, int64_t *bad_out, int64_t *at_minimum_out);

/* ---------------------------------------------------------------------------------------------------------
 * Optimizers. Masters and state are f32 for f32, f16 and bf16 parameters (f64 for f64); low-precision parameters get a
 * master of their own. State is made at the first step.
 * ------------------------------------------------------------------------------------------------------- */

typedef struct mpt_sgd_desc {
    uint32_t struct_size;
    int32_t nesterov;    /**< 1: Nesterov's momentum; default 0 */
    double lr;           /**< default 0.01 */
    double momentum;     /**< default 0 */
    double dampening;    /**< default 0 */
    double weight_decay; /**< default 0 */
} mpt_sgd_desc;
MPT_API mpt_status MPT_CALL mpt_sgd_desc_init(mpt_sgd_desc *desc, size_t nbytes);
/** [torch.optim.SGD]; desc NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_optimizer_sgd(mpt_context *ctx, const mpt_sgd_desc *desc, mpt_optimizer **out);

typedef struct mpt_adam_desc {
    uint32_t struct_size;
    uint32_t reserved;
    double lr;           /**< default 0.001 */
    double beta1;        /**< default 0.9 */
    double beta2;        /**< default 0.999 */
    double eps;          /**< default 1e-8 */
    double weight_decay; /**< default 0 for Adam, 0.01 for AdamW */
} mpt_adam_desc;
/** The defaults of Adam. */
MPT_API mpt_status MPT_CALL mpt_adam_desc_init(mpt_adam_desc *desc, size_t nbytes);
/** The defaults of AdamW. */
MPT_API mpt_status MPT_CALL mpt_adamw_desc_init(mpt_adam_desc *desc, size_t nbytes);
/** [Kingma and Ba 2015, as torch.optim.Adam]: weight decay is added to the gradient. desc NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_optimizer_adam(mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out);
/** [Loshchilov and Hutter 2019, as torch.optim.AdamW]: p *= 1 - lr * weight_decay first. desc NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_optimizer_adamw(mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out);

MPT_API void MPT_CALL mpt_optimizer_retain(mpt_optimizer *optimizer);
MPT_API void MPT_CALL mpt_optimizer_release(mpt_optimizer *optimizer);

typedef struct mpt_group_desc {
    uint32_t struct_size;
    uint32_t reserved;
    double lr_scale;          /**< times the optimizer's rate; default 1 */
    double weight_decay_scale; /**< times the optimizer's decay; default 1; 0: no decay for this group */
} mpt_group_desc;
MPT_API mpt_status MPT_CALL mpt_group_desc_init(mpt_group_desc *desc, size_t nbytes);
/** A group of n leaf parameters of one dtype, dense in memory, each in one group only (f16 and bf16: each with memory of its own); desc NULL: the defaults. name: unique per optimizer, used in checkpoints. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_optimizer_add_group(mpt_optimizer *optimizer, const char *name, mpt_tensor *const *params, int32_t n,
                                                    const mpt_group_desc *desc);
/** A group "layer" of all parameters of a layer. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_optimizer_add_layer(mpt_optimizer *optimizer, mpt_layer *layer);
/** The rate from the next step on, in captured programs too: it lives in device memory and is written in stream order. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_optimizer_set_lr(mpt_optimizer *optimizer, double lr);
/** Clip by the norm of all gradients together: they are multiplied by min(1, max_norm / (norm + 1e-6)) [torch.nn.utils.clip_grad_norm_]; 0: no clipping. */
MPT_API mpt_status MPT_CALL mpt_optimizer_set_clip_norm(mpt_optimizer *optimizer, double max_norm);
/** Sets all gradients to zero. Not needed with MPT_GRAD_WRITE. */
MPT_API mpt_status MPT_CALL mpt_optimizer_zero_grad(mpt_optimizer *optimizer);
/**
 * Divides the gradients by the scale and looks for non-finite ones, so that the host can look at true gradients
 * before the step. Once per iteration and before the step: MPT_ERROR_UNSCALED_TWICE, MPT_ERROR_UNSCALE_AFTER_STEP.
 */
MPT_API mpt_status MPT_CALL mpt_optimizer_unscale(mpt_optimizer *optimizer, mpt_scaler *scaler);
/**
 * Unscale unless done, check, clip, then step or skip, all on the device. scaler NULL: no scale and no check.
 * A skipped step changes neither parameters nor state nor the step count. Parameters without a gradient stay as they are.
 * Gradients are left as they were (still scaled, unless mpt_optimizer_unscale was called). MPT_ERROR_STEP_TWICE.
 * The step count is a group's: a parameter whose first gradient comes later has the corrections of its group's count.
 * In a program, unscale, step and mpt_scaler_update belong into one capture: runs do not move the order that a host is held to.
 */
MPT_API mpt_status MPT_CALL mpt_optimizer_step(mpt_optimizer *optimizer, mpt_scaler *scaler);
/** Steps done and skipped since the start; each output may be NULL. Synchronises. */
MPT_API mpt_status MPT_CALL mpt_optimizer_counts(mpt_optimizer *optimizer, int64_t *stepped_out, int64_t *skipped_out);
/** The norm of all gradients at the last step with clipping or a scaler, before clipping, unscaled; NaN before. Synchronises. */
MPT_API mpt_status MPT_CALL mpt_optimizer_grad_norm(mpt_optimizer *optimizer, double *out);

/* ---------------------------------------------------------------------------------------------------------
 * Capture: a step becomes a program
 * ------------------------------------------------------------------------------------------------------- */

/** From here on ops of the context are recorded instead of run. MPT_ERROR_STATE: a capture is open already. */
MPT_API mpt_status MPT_CALL mpt_capture_begin(mpt_context *ctx);
/**
 * Ends the recording and plans it: all memory is taken now. The n outputs have storage of their own, valid from the first run
 * until the next one; everything else born inside the capture is invalid from here on. Tensors from outside are kept by the program.
 * On failure the capture stays open (and poisoned): call mpt_capture_abort.
 */
MPT_API mpt_status MPT_CALL mpt_capture_end(mpt_context *ctx, mpt_tensor *const *outputs, int32_t n, mpt_program **out);
/** Throws the recording away; host-side state is as before the begin. Fine without an open capture. */
MPT_API mpt_status MPT_CALL mpt_capture_abort(mpt_context *ctx);

MPT_API void MPT_CALL mpt_program_retain(mpt_program *program);
MPT_API void MPT_CALL mpt_program_release(mpt_program *program);
/** Copies the next run's data into input, a contiguous tensor from outside that the program reads; conventions as mpt_tensor_write. */
MPT_API mpt_status MPT_CALL mpt_program_feed(mpt_program *program, mpt_tensor *input, const void *data, size_t nbytes);
/** Runs the program once: no allocation and no synchronisation after the first run. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_program_run(mpt_program *program);
/** Bytes of the program; each output may be NULL. arena: temporaries and workspaces; outputs: the outputs' own storage. Both are what was taken. */
MPT_API mpt_status MPT_CALL mpt_program_memory(const mpt_program *program, size_t *arena_out, size_t *outputs_out);
/** The plan as text, a line per step; text conventions as mpt_policy_describe. */
MPT_API mpt_status MPT_CALL mpt_program_dump(const mpt_program *program, char *text, size_t nbytes, size_t *needed_out);

/* ---------------------------------------------------------------------------------------------------------
 * Checkpoints: a safetensors file [github.com/huggingface/safetensors]. Tensors are stored in logical order.
 * ------------------------------------------------------------------------------------------------------- */

/** An empty list of things to save or load. It keeps what is added alive. */
MPT_API mpt_status MPT_CALL mpt_state_create(mpt_context *ctx, mpt_state **out);
MPT_API void MPT_CALL mpt_state_retain(mpt_state *state);
MPT_API void MPT_CALL mpt_state_release(mpt_state *state);
/** Adds a tensor under its name, which is unique in the state. */
MPT_API mpt_status MPT_CALL mpt_state_add_tensor(mpt_state *state, const char *name, mpt_tensor *tensor);
/** Adds the parameters of a layer as "prefix.parameter". */
MPT_API mpt_status MPT_CALL mpt_state_add_layer(mpt_state *state, const char *prefix, mpt_layer *layer);
/** Adds masters, moments, step counts and rates as "prefix.group.index.slot". */
MPT_API mpt_status MPT_CALL mpt_state_add_optimizer(mpt_state *state, const char *prefix, mpt_optimizer *optimizer);
/** Adds scale and counters as "prefix.slot". */
MPT_API mpt_status MPT_CALL mpt_state_add_scaler(mpt_state *state, const char *prefix, mpt_scaler *scaler);
/** Adds the context's random counter as "prefix.state". */
MPT_API mpt_status MPT_CALL mpt_state_add_random(mpt_state *state, const char *prefix);
/** A number of the host's own, such as the epoch, kept as an i64 tensor: set before saving, get after loading. */
MPT_API mpt_status MPT_CALL mpt_state_set_number(mpt_state *state, const char *name, int64_t value);
MPT_API mpt_status MPT_CALL mpt_state_number(const mpt_state *state, const char *name, int64_t *out);
/** Writes a file: to a new file beside it first, then renamed, so that a crash leaves the old or the new. Synchronises. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_state_save(mpt_state *state, const char *path);
/** Reads a file back into everything that was added. Every name must be there with its shape and dtype, else nothing is changed;
 *  names in the file that were not added are left alone. Where model and optimizer are in two files, load the model first:
 *  f32 masters belong to the parameters that are there when they come. Synchronises. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_state_load(mpt_state *state, const char *path);
/** The same through the host's own callback. */
MPT_API mpt_status MPT_CALL mpt_state_save_to(mpt_state *state, mpt_write_fn write, void *user_data);
/** The same through the host's own callback. */
MPT_API mpt_status MPT_CALL mpt_state_load_from(mpt_state *state, mpt_read_fn read, void *user_data);

#ifdef __cplusplus
}
#endif

#endif /* MPT_H */
