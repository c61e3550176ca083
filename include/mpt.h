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
    MPT_F8E4M3 = 5, /**< 8 bits, largest value 448, no infinity: storage and operands of products */
    MPT_F8E5M2 = 6, /**< 8 bits, largest value 57344: storage and operands of products */
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
    MPT_REDUCTION_BATCH_MEAN = 3, /**< the sum divided by the first extent */
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
    MPT_INIT_LECUN_NORMAL = 6,    /**< std sqrt(1/fan_in) [LeCun et al. 1998] */
    MPT_INIT_ORTHOGONAL = 7,      /**< orthonormal rows or columns [Saxe et al. 2014] */
    MPT_INIT_ONES = 8,
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
    MPT_SCALER_HYSTERESIS = 2, /**< backs off only from the hysteresis-th bad iteration in a row on [apex] */
    MPT_SCALER_MEGATRON = 3,   /**< every bad iteration beyond the hysteresis backs off until the next growth [Megatron-LM] */
    MPT_SCALER_KIND_FORCE_32 = 0x7fffffff
} mpt_scaler_kind;

/** How the scales of fp8 products are found. A scale is a power of two or not; the product is divided by it again. */
typedef enum mpt_fp8_recipe {
    MPT_FP8_UNSCALED = 0, /**< no scales: for comparison */
    MPT_FP8_CURRENT = 1,  /**< from this tensor's largest magnitude */
    MPT_FP8_DELAYED = 2,  /**< from the largest magnitude of earlier steps [NVIDIA Transformer Engine] */
    MPT_FP8_RECIPE_FORCE_32 = 0x7fffffff
} mpt_fp8_recipe;

/** How f16 and bf16 parameters take updates. */
typedef enum mpt_rounding {
    MPT_ROUNDING_MASTER = 0,     /**< an f32 master is updated; the parameter is its rounded copy */
    MPT_ROUNDING_NEAREST = 1,    /**< no master; to nearest even: small updates are lost */
    MPT_ROUNDING_STOCHASTIC = 2, /**< no master; up or down with the probability of the distance [Gupta et al. 2015]; bf16 */
    MPT_ROUNDING_KAHAN = 3,      /**< no master; what rounding loses is kept in a second tensor of the parameter's type [Kahan 1965] */
    MPT_ROUNDING_FORCE_32 = 0x7fffffff
} mpt_rounding;

/** How a rate moves with the step count. */
typedef enum mpt_schedule_kind {
    MPT_SCHEDULE_CONSTANT = 0,
    MPT_SCHEDULE_STEP = 1,      /**< times gamma every interval steps [torch StepLR] */
    MPT_SCHEDULE_COSINE = 2,    /**< half a cosine from 1 to final_factor over total_steps [Loshchilov and Hutter 2017] */
    MPT_SCHEDULE_LINEAR = 3,    /**< a line from 1 to final_factor over total_steps */
    MPT_SCHEDULE_ONE_CYCLE = 4, /**< up by a cosine during warmup_steps from 1/25, then down to final_factor [Smith 2018; torch OneCycleLR] */
    MPT_SCHEDULE_KIND_FORCE_32 = 0x7fffffff
} mpt_schedule_kind;

/** Activation functions that layers can be made of; the ops of these names say what they compute. */
typedef enum mpt_activation {
    MPT_ACTIVATION_RELU = 0,
    MPT_ACTIVATION_LEAKY_RELU = 1, /**< parameter: the slope */
    MPT_ACTIVATION_GELU = 2,
    MPT_ACTIVATION_GELU_TANH = 3,
    MPT_ACTIVATION_SILU = 4,
    MPT_ACTIVATION_ELU = 5, /**< parameter: alpha */
    MPT_ACTIVATION_SIGMOID = 6,
    MPT_ACTIVATION_TANH = 7,
    MPT_ACTIVATION_SOFTPLUS = 8,
    MPT_ACTIVATION_FORCE_32 = 0x7fffffff
} mpt_activation;

typedef enum mpt_gelu_kind {
    MPT_GELU_EXACT = 0, /**< x/2 (1 + erf(x / sqrt 2)) [Hendrycks and Gimpel 2016] */
    MPT_GELU_TANH = 1,  /**< their approximation with tanh */
    MPT_GELU_KIND_FORCE_32 = 0x7fffffff
} mpt_gelu_kind;

typedef enum mpt_upsample_mode {
    MPT_UPSAMPLE_NEAREST = 0,
    MPT_UPSAMPLE_BILINEAR = 1, /**< pixel centres at halves [torch, align_corners=False] */
    MPT_UPSAMPLE_MODE_FORCE_32 = 0x7fffffff
} mpt_upsample_mode;

typedef enum mpt_recurrent_kind {
    MPT_RECURRENT_TANH = 0, /**< h' = tanh(W x + b + V h + c) [Elman 1990] */
    MPT_RECURRENT_RELU = 1,
    MPT_RECURRENT_LSTM = 2, /**< [Hochreiter and Schmidhuber 1997; gates as torch.nn.LSTM] */
    MPT_RECURRENT_GRU = 3,  /**< [Cho et al. 2014; gates as torch.nn.GRU] */
    MPT_RECURRENT_KIND_FORCE_32 = 0x7fffffff
} mpt_recurrent_kind;

/** What a parallel container does with its children's outputs. */
typedef enum mpt_join {
    MPT_JOIN_SUM = 0,    /**< of equal shapes */
    MPT_JOIN_CONCAT = 1, /**< along the container's dimension */
    MPT_JOIN_LIST = 2,   /**< gives them all, in order: n_outputs is their number */
    MPT_JOIN_FORCE_32 = 0x7fffffff
} mpt_join;

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
typedef struct mpt_average mpt_average;     /**< a moving average of an optimizer's parameters */
typedef struct mpt_state mpt_state;         /**< named tensors on their way to or from a checkpoint */

/* DLPack's own structs, from dlpack/dlpack.h. */
struct DLManagedTensor;
struct DLManagedTensorVersioned;

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
/** Called once when a wrapped piece of memory is no longer used by mpt. On a GPU what is enqueued on the context's stream by then may still use it:
 *  whatever comes next to that memory comes on this stream, or behind it. */
typedef void(MPT_CALL *mpt_release_fn)(void *data, void *user_data);
/** Writes nbytes; returns 0, or another number for failure. */
typedef int(MPT_CALL *mpt_write_fn)(const void *data, size_t nbytes, void *user_data);
/** Reads exactly nbytes; returns 0, or another number for failure or a premature end. */
typedef int(MPT_CALL *mpt_read_fn)(void *data, size_t nbytes, void *user_data);

/** A tensor as a custom op's callbacks see it: form and address on the device. */
typedef struct mpt_buffer {
    void *data;
    int64_t shape[MPT_MAX_DIMS];
    int64_t strides[MPT_MAX_DIMS]; /**< in elements */
    mpt_dtype dtype;
    int32_t ndim;
} mpt_buffer;
/** Fills in dtype, ndim and shape of the outputs from those of the inputs (data is NULL); anything but MPT_OK fails the call. */
typedef mpt_status(MPT_CALL *mpt_custom_shape_fn)(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data);
/** Computes out from in. Outputs are contiguous. May be called on another thread than the one that made the op, and must not call mpt. */
typedef mpt_status(MPT_CALL *mpt_custom_fn)(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data);
/** A custom layer's rule, written in ops: n_inputs borrowed tensors in, n_outputs owned tensors out. */
typedef mpt_status(MPT_CALL *mpt_custom_layer_fn)(mpt_layer *layer, mpt_tensor *const *inputs, int32_t n_inputs, mpt_tensor **outputs,
                                                  int32_t n_outputs, void *user_data);
/** Called once when mpt no longer uses user_data. */
typedef void(MPT_CALL *mpt_user_release_fn)(void *user_data);

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
/** Everything made from a context keeps it alive; it goes with the last of them. An open capture and an autocast with a policy hold it, too. */
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

/**
 * Enqueues all work from here on on a stream of the host's, a cudaStream_t of the context's GPU; NULL: the context's own again. What was enqueued before comes first. The host
 * keeps the stream until it has set another one. The CPU has none: MPT_ERROR_ARGUMENT for anything but NULL. Not inside a capture.
 */
MPT_API mpt_status MPT_CALL mpt_context_set_stream(mpt_context *ctx, void *stream);
/** The stream that work is enqueued on, for a host that adds its own; NULL on the CPU. Borrowed. */
MPT_API mpt_status MPT_CALL mpt_context_stream(const mpt_context *ctx, void **out);

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
 * Experimental knobs. "fusion": "on" (default) or "off": may programs captured from then on run several ops as one kernel, where the device has one? The bits
 * are the same. On the CPU "onednn": "on" (default where it is found) or "off", portable kernels only. On a GPU "tf32": "on" or "off" (default): may products
 * and convolutions of f32 round their operands to tf32, 10 bits of fraction? "cudnn": "on" (default where it is found) or "off": do convolutions and attention without it.
 * "tune": "on" or "off" (default): choose among cuBLASLt's and cuDNN's algorithms by trying them, once for each form of a product or convolution, when its
 * kernel is prepared. That waits for the context's own stream, takes a dozen runs and memory of the operands' and workspaces' size, not from the host's
 * allocator; another choice can mean other bits. "tune_cache": a file that keeps what "tune" found, per device and version (MPT_ERROR_IO where it is of another kind or cannot be made); "" (default): none.
 * Valid for kernels prepared from then on. MPT_ERROR_NOT_FOUND for an unknown key.
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

/**
 * Gives tensor's memory to another library through DLPack 1.1, without a copy. *out keeps tensor's memory until its deleter is called, once, from any
 * thread. stream: the one that the consumer works on, a cudaStream_t of the context's GPU: it waits for what is enqueued by now;
 * NULL: the host orders the work. The CPU has none. Writes of the consumer need mpt_tensor_mark_modified. Not inside a capture.
 */
MPT_API mpt_status MPT_CALL mpt_tensor_to_dlpack(mpt_tensor *tensor, void *stream, struct DLManagedTensorVersioned **out);
/** The same for consumers that know the struct without a version, of DLPack before 1.0. */
MPT_API mpt_status MPT_CALL mpt_tensor_to_dlpack_unversioned(mpt_tensor *tensor, void *stream, struct DLManagedTensor **out);
/**
 * Wraps memory of another library, on the context's device, without a copy. mpt calls the deleter when it no longer uses the memory, as mpt_tensor_wrap
 * its release function; after a failure managed is the caller's still. stream: the one that the producer works on: the context's waits for what is
 * enqueued there by now; NULL: the producer has ordered the work. The CPU has none. Read-only memory is refused. Not inside a capture.
 */
MPT_API mpt_status MPT_CALL mpt_tensor_from_dlpack(mpt_context *ctx, struct DLManagedTensorVersioned *managed, void *stream, mpt_tensor **out);
/** The same for the struct without a version, of DLPack before 1.0, which cannot say that memory is read-only. */
MPT_API mpt_status MPT_CALL mpt_tensor_from_dlpack_unversioned(mpt_context *ctx, struct DLManagedTensor *managed, void *stream, mpt_tensor **out);

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

/** Copies elements, in logical row-major order and in the tensor's dtype, from host memory, on a GPU from any memory that CUDA can read; nbytes = numel * size.
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
/** Sets element i, in logical order, to start + i * step. Floating and integer dtypes. */
MPT_API mpt_status MPT_CALL mpt_tensor_fill_range(mpt_tensor *tensor, double start, double step);
/** Copies src into tensor, converting the dtype (round to nearest even); src is broadcast to tensor's shape. */
MPT_API mpt_status MPT_CALL mpt_tensor_copy(mpt_tensor *tensor, const mpt_tensor *src);

/** Says that the host has written to memory behind mpt's back: low-precision copies are refreshed before their next use. Not inside a capture. */
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
/** |x|; the gradient at 0 is 0. */
MPT_API mpt_status MPT_CALL mpt_abs(mpt_tensor *x, mpt_tensor **out);
/** -1, 0 or 1; NaN stays; the gradient is 0. */
MPT_API mpt_status MPT_CALL mpt_sign(mpt_tensor *x, mpt_tensor **out);
/** x * x. */
MPT_API mpt_status MPT_CALL mpt_square(mpt_tensor *x, mpt_tensor **out);
/** 1 / sqrt(x). */
MPT_API mpt_status MPT_CALL mpt_rsqrt(mpt_tensor *x, mpt_tensor **out);
/** 1 / x. */
MPT_API mpt_status MPT_CALL mpt_reciprocal(mpt_tensor *x, mpt_tensor **out);
/** 2 to the x. */
MPT_API mpt_status MPT_CALL mpt_exp2(mpt_tensor *x, mpt_tensor **out);
/** exp(x) - 1, exact near 0. */
MPT_API mpt_status MPT_CALL mpt_expm1(mpt_tensor *x, mpt_tensor **out);
/** The logarithm to base 2. */
MPT_API mpt_status MPT_CALL mpt_log2(mpt_tensor *x, mpt_tensor **out);
/** The logarithm to base 10. */
MPT_API mpt_status MPT_CALL mpt_log10(mpt_tensor *x, mpt_tensor **out);
/** log(1 + x), exact near 0. */
MPT_API mpt_status MPT_CALL mpt_log1p(mpt_tensor *x, mpt_tensor **out);
/** The sine of x in radians. */
MPT_API mpt_status MPT_CALL mpt_sin(mpt_tensor *x, mpt_tensor **out);
/** The cosine of x in radians. */
MPT_API mpt_status MPT_CALL mpt_cos(mpt_tensor *x, mpt_tensor **out);
/** The tangent of x in radians. */
MPT_API mpt_status MPT_CALL mpt_tan(mpt_tensor *x, mpt_tensor **out);
/** The arc sine. */
MPT_API mpt_status MPT_CALL mpt_asin(mpt_tensor *x, mpt_tensor **out);
/** The arc cosine. */
MPT_API mpt_status MPT_CALL mpt_acos(mpt_tensor *x, mpt_tensor **out);
/** The arc tangent. */
MPT_API mpt_status MPT_CALL mpt_atan(mpt_tensor *x, mpt_tensor **out);
/** The hyperbolic sine. */
MPT_API mpt_status MPT_CALL mpt_sinh(mpt_tensor *x, mpt_tensor **out);
/** The hyperbolic cosine. */
MPT_API mpt_status MPT_CALL mpt_cosh(mpt_tensor *x, mpt_tensor **out);
/** The hyperbolic tangent. */
MPT_API mpt_status MPT_CALL mpt_tanh(mpt_tensor *x, mpt_tensor **out);
/** The inverse hyperbolic sine. */
MPT_API mpt_status MPT_CALL mpt_asinh(mpt_tensor *x, mpt_tensor **out);
/** The inverse hyperbolic cosine. */
MPT_API mpt_status MPT_CALL mpt_acosh(mpt_tensor *x, mpt_tensor **out);
/** The inverse hyperbolic tangent. */
MPT_API mpt_status MPT_CALL mpt_atanh(mpt_tensor *x, mpt_tensor **out);
/** The error function. */
MPT_API mpt_status MPT_CALL mpt_erf(mpt_tensor *x, mpt_tensor **out);
/** The largest integer not above x; the gradient is 0. */
MPT_API mpt_status MPT_CALL mpt_floor(mpt_tensor *x, mpt_tensor **out);
/** The smallest integer not below x; the gradient is 0. */
MPT_API mpt_status MPT_CALL mpt_ceil(mpt_tensor *x, mpt_tensor **out);
/** The nearest integer, halves to even; the gradient is 0. */
MPT_API mpt_status MPT_CALL mpt_round(mpt_tensor *x, mpt_tensor **out);
/** x without its fraction; the gradient is 0. */
MPT_API mpt_status MPT_CALL mpt_trunc(mpt_tensor *x, mpt_tensor **out);
/** 1 / (1 + exp(-x)). */
MPT_API mpt_status MPT_CALL mpt_sigmoid(mpt_tensor *x, mpt_tensor **out);
/** x * sigmoid(x) [Elfwing et al. 2018]. */
MPT_API mpt_status MPT_CALL mpt_silu(mpt_tensor *x, mpt_tensor **out);
/** log(1 + exp(x)). */
MPT_API mpt_status MPT_CALL mpt_softplus(mpt_tensor *x, mpt_tensor **out);
/** Is x NaN? BOOL. */
MPT_API mpt_status MPT_CALL mpt_isnan(mpt_tensor *x, mpt_tensor **out);
/** Is x infinite? BOOL. */
MPT_API mpt_status MPT_CALL mpt_isinf(mpt_tensor *x, mpt_tensor **out);
/** Is x neither NaN nor infinite? BOOL. */
MPT_API mpt_status MPT_CALL mpt_isfinite(mpt_tensor *x, mpt_tensor **out);
/** 1 where x is 0, else 0. Every dtype but fp8; BOOL. */
MPT_API mpt_status MPT_CALL mpt_logical_not(mpt_tensor *x, mpt_tensor **out);
/** x where x > 0, else slope * x. */
MPT_API mpt_status MPT_CALL mpt_leaky_relu(mpt_tensor *x, double slope, mpt_tensor **out);
/** x where x > 0, else alpha * (exp(x) - 1) [Clevert et al. 2016]. */
MPT_API mpt_status MPT_CALL mpt_elu(mpt_tensor *x, double alpha, mpt_tensor **out);
/** x times the normal distribution's function of x, exact or approximate. */
MPT_API mpt_status MPT_CALL mpt_gelu(mpt_tensor *x, mpt_gelu_kind kind, mpt_tensor **out);
/** min(max(x, low), high); low and high may be infinite; NaN stays; no gradient outside and at the limits, as torch.clamp. */
MPT_API mpt_status MPT_CALL mpt_clamp(mpt_tensor *x, double low, double high, mpt_tensor **out);
/** x to the exponent. */
MPT_API mpt_status MPT_CALL mpt_pow_scalar(mpt_tensor *x, double exponent, mpt_tensor **out);
/** a to the b, element by element, with broadcasting. */
MPT_API mpt_status MPT_CALL mpt_pow(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** The larger of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and integer dtypes. */
MPT_API mpt_status MPT_CALL mpt_maximum(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** The smaller of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and integer dtypes. */
MPT_API mpt_status MPT_CALL mpt_minimum(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** The remainder of a / b with the sign of a [C fmod], with broadcasting. */
MPT_API mpt_status MPT_CALL mpt_fmod(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** The remainder of a / b with the sign of b [NumPy remainder], with broadcasting. */
MPT_API mpt_status MPT_CALL mpt_remainder(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** floor(a / b) of the exact quotient, with broadcasting: -1 for -5 and infinity [NumPy floor_divide]; the gradient is 0. */
MPT_API mpt_status MPT_CALL mpt_floor_divide(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** The angle of the point (b, a) in radians [C atan2], with broadcasting. */
MPT_API mpt_status MPT_CALL mpt_atan2(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a == b as BOOL, with broadcasting. Every dtype but fp8; no gradient. */
MPT_API mpt_status MPT_CALL mpt_equal(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a != b as BOOL, with broadcasting. Every dtype but fp8; no gradient. */
MPT_API mpt_status MPT_CALL mpt_not_equal(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a < b as BOOL, with broadcasting. Every dtype but fp8; no gradient. */
MPT_API mpt_status MPT_CALL mpt_less(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a <= b as BOOL, with broadcasting. Every dtype but fp8; no gradient. */
MPT_API mpt_status MPT_CALL mpt_less_equal(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a > b as BOOL, with broadcasting. Every dtype but fp8; no gradient. */
MPT_API mpt_status MPT_CALL mpt_greater(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a >= b as BOOL, with broadcasting. Every dtype but fp8; no gradient. */
MPT_API mpt_status MPT_CALL mpt_greater_equal(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** Logical and of BOOL tensors, with broadcasting. */
MPT_API mpt_status MPT_CALL mpt_logical_and(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** Logical or of BOOL tensors, with broadcasting. */
MPT_API mpt_status MPT_CALL mpt_logical_or(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** Logical xor of BOOL tensors, with broadcasting. */
MPT_API mpt_status MPT_CALL mpt_logical_xor(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** a where condition (BOOL) is true, else b, with broadcasting of all three. a and b of every dtype but fp8. */
MPT_API mpt_status MPT_CALL mpt_where(mpt_tensor *condition, mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);

/** Sum over ndims dimensions (dims NULL: all). keep_dims 1 leaves extents of 1. Accumulates in f32 (f64 for f64). */
MPT_API mpt_status MPT_CALL mpt_sum(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** Mean over dimensions; conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_mean(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** Largest element over dimensions (NaN wins); equal maxima share the gradient [torch.amax]. Conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_max(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);

/** Smallest element over dimensions; conventions as mpt_max. */
MPT_API mpt_status MPT_CALL mpt_min(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** Product over dimensions, accumulated in f32 (f64 for f64); conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_prod(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** Variance over dimensions: the sum of squared distances from the mean divided by (count - correction); conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_var(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, double correction, mpt_tensor **out);
/** Euclidean norm over dimensions; the gradient of a norm of 0 is 0; conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_norm(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** log(sum(exp(x))) over dimensions without overflow; conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_logsumexp(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** Is any element of a BOOL tensor true? Conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_any(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** Are all elements of a BOOL tensor true? Conventions as mpt_sum. */
MPT_API mpt_status MPT_CALL mpt_all(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out);
/** The index (I64) of the largest element along dim, the first of equals; NaN wins. keep_dims as in mpt_sum. No gradient. */
MPT_API mpt_status MPT_CALL mpt_argmax(mpt_tensor *x, int32_t dim, int32_t keep_dims, mpt_tensor **out);
/** The index (I64) of the smallest element along dim; conventions as mpt_argmax. */
MPT_API mpt_status MPT_CALL mpt_argmin(mpt_tensor *x, int32_t dim, int32_t keep_dims, mpt_tensor **out);
/** Running sum along dim, accumulated in f32 (f64 for f64). */
MPT_API mpt_status MPT_CALL mpt_cumsum(mpt_tensor *x, int32_t dim, mpt_tensor **out);
/** The elements along dim in ascending (descending 1: descending) order and where they were (I64). Stable; NaN counts as the largest. */
MPT_API mpt_status MPT_CALL mpt_sort(mpt_tensor *x, int32_t dim, int32_t descending, mpt_tensor **values_out, mpt_tensor **indices_out);
/** The k largest (largest 0: smallest) elements along dim, best first, and where they were (I64). */
MPT_API mpt_status MPT_CALL mpt_topk(mpt_tensor *x, int64_t k, int32_t dim, int32_t largest, mpt_tensor **values_out, mpt_tensor **indices_out);

/** Another shape for the same elements in logical order; one extent may be -1. A view where strides allow, else a copy. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_reshape(mpt_tensor *x, int32_t ndim, const int64_t *shape, mpt_tensor **out);
/** A view with dimensions reordered: dimension i of out is dims[i] of x. dims NULL: the last two exchanged. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_transpose(mpt_tensor *x, int32_t ndim, const int32_t *dims, mpt_tensor **out);
/** A view of length elements from start along dim. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_slice(mpt_tensor *x, int32_t dim, int64_t start, int64_t length, mpt_tensor **out);
/** Another dtype, rounding to nearest even; x itself (retained) when it has that dtype. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_cast(mpt_tensor *x, mpt_dtype dtype, mpt_tensor **out);

/** x with broadcasting to shape: a view with strides of 0. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_expand(mpt_tensor *x, int32_t ndim, const int64_t *shape, mpt_tensor **out);
/** A view without dimension dim, whose extent is 1. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_squeeze(mpt_tensor *x, int32_t dim, mpt_tensor **out);
/** A view with an extent of 1 in front of dimension dim. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_unsqueeze(mpt_tensor *x, int32_t dim, mpt_tensor **out);
/** A contiguous copy; x itself (retained) where it is contiguous. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_contiguous(mpt_tensor *x, mpt_tensor **out);
/** The n tensors one after the other along dim; other extents equal. Every dtype but fp8; floating ones are promoted. */
MPT_API mpt_status MPT_CALL mpt_concat(mpt_tensor *const *tensors, int32_t n, int32_t dim, mpt_tensor **out);
/** The n tensors of one shape along a new dimension dim. Dtypes as mpt_concat. */
MPT_API mpt_status MPT_CALL mpt_stack(mpt_tensor *const *tensors, int32_t n, int32_t dim, mpt_tensor **out);
/** n views of the given lengths along dim, which must add up to its extent. outputs: room for n. Every dtype. */
MPT_API mpt_status MPT_CALL mpt_split(mpt_tensor *x, int32_t dim, const int64_t *lengths, int32_t n, mpt_tensor **outputs);
/** value in front of and behind each dimension: before[i] and after[i] elements, ndim of each; negative ones cut. Every dtype but fp8. */
MPT_API mpt_status MPT_CALL mpt_pad(mpt_tensor *x, int32_t ndim, const int64_t *before, const int64_t *after, double value, mpt_tensor **out);
/** The order of elements reversed along ndims dimensions. Every dtype but fp8. */
MPT_API mpt_status MPT_CALL mpt_flip(mpt_tensor *x, int32_t ndims, const int32_t *dims, mpt_tensor **out);
/** x repeated repeats[i] times along dimension i; ndim may be larger than x's [numpy.tile]. Every dtype but fp8. */
MPT_API mpt_status MPT_CALL mpt_tile(mpt_tensor *x, int32_t ndim, const int64_t *repeats, mpt_tensor **out);
/** The lower triangle of the last two dimensions, up to that diagonal; 0 above. */
MPT_API mpt_status MPT_CALL mpt_tril(mpt_tensor *x, int64_t diagonal, mpt_tensor **out);
/** The upper triangle of the last two dimensions, from that diagonal on; 0 below. */
MPT_API mpt_status MPT_CALL mpt_triu(mpt_tensor *x, int64_t diagonal, mpt_tensor **out);

/* Indices are U8, I32 or I64 tensors. An index outside [0, extent) gives NaN (0 for integers) and no gradient. */

/** out[..., i, ...] = x[..., index[i], ...] along dim; index [K]. Every dtype but fp8. */
MPT_API mpt_status MPT_CALL mpt_index_select(mpt_tensor *x, int32_t dim, mpt_tensor *index, mpt_tensor **out);
/** out[i][j][k] = x[index[i][j][k]][j][k] for dim 0, and so on [torch.gather]. Every dtype but fp8. */
MPT_API mpt_status MPT_CALL mpt_gather(mpt_tensor *x, int32_t dim, mpt_tensor *index, mpt_tensor **out);
/** x with src added at the places that index names, the reverse of mpt_gather [torch.scatter_add]; the order of additions is fixed. */
MPT_API mpt_status MPT_CALL mpt_scatter_add(mpt_tensor *x, int32_t dim, mpt_tensor *index, mpt_tensor *src, mpt_tensor **out);
/** [...] -> [..., classes] of dtype: 1 at the index, else 0; all 0 for an index outside. */
MPT_API mpt_status MPT_CALL mpt_one_hot(mpt_tensor *index, int64_t classes, mpt_dtype dtype, mpt_tensor **out);
/** Rows of weight [count, dim] by index [...] -> [..., dim]; the row padding_index (-1: none) receives no gradient [torch.nn.Embedding]. */
MPT_API mpt_status MPT_CALL mpt_embedding(mpt_tensor *index, mpt_tensor *weight, int64_t padding_index, mpt_tensor **out);

/** Matrix product [..., M, K] x [..., K, N] -> [..., M, N]; leading dimensions broadcast. Accumulates in f32 (f64 for f64). Contiguous, but
 *  for large results in f16 and bf16 on a GPU: their rows start at multiples of 16 bytes (see mpt_tensor_strides, mpt_contiguous). */
MPT_API mpt_status MPT_CALL mpt_matmul(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out);
/** x W^T + bias: [..., in] x [out, in] -> [..., out]; bias [out] or NULL. Strides as of mpt_matmul. */
MPT_API mpt_status MPT_CALL mpt_linear(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, mpt_tensor **out);

typedef struct mpt_conv2d_params {
    uint32_t struct_size;
    int32_t stride_h, stride_w;     /**< default 1 */
    int32_t padding_h, padding_w;   /**< zeros on each side; default 0 */
    int32_t dilation_h, dilation_w; /**< default 1 */
    int32_t groups;                 /**< default 1 */
    int32_t output_padding_h, output_padding_w; /**< mpt_conv_transpose2d only: rows and columns added to the result; default 0 */
} mpt_conv2d_params;
MPT_API mpt_status MPT_CALL mpt_conv2d_params_init(mpt_conv2d_params *params, size_t nbytes);
/** Cross-correlation [N,C,H,W] with [O,C/groups,KH,KW] -> [N,O,H',W'], H' = (H + 2 pad - dil (KH-1) - 1) / stride + 1 [torch.nn.Conv2d].
 *  bias [O] or NULL; params NULL: the defaults. The result is dense with C innermost in memory. */
MPT_API mpt_status MPT_CALL mpt_conv2d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv2d_params *params, mpt_tensor **out);

/** The transposed convolution, the input gradient of mpt_conv2d: [N,C,H,W] with [C,O/groups,KH,KW] -> [N,O,H',W'],
 *  H' = (H - 1) stride - 2 pad + dil (KH - 1) + output_padding + 1 [torch.nn.ConvTranspose2d]. bias [O] or NULL; params NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_conv_transpose2d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv2d_params *params,
                                                 mpt_tensor **out);

typedef struct mpt_conv1d_params {
    uint32_t struct_size;
    int32_t stride;         /**< default 1 */
    int32_t padding;        /**< zeros on each side; default 0 */
    int32_t dilation;       /**< default 1 */
    int32_t groups;         /**< default 1 */
    int32_t output_padding; /**< mpt_conv_transpose1d only; default 0 */
} mpt_conv1d_params;
MPT_API mpt_status MPT_CALL mpt_conv1d_params_init(mpt_conv1d_params *params, size_t nbytes);
/** mpt_conv2d in one dimension: [N,C,L] with [O,C/groups,K] -> [N,O,L']. */
MPT_API mpt_status MPT_CALL mpt_conv1d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv1d_params *params, mpt_tensor **out);
/** mpt_conv_transpose2d in one dimension: [N,C,L] with [C,O/groups,K] -> [N,O,L']. */
MPT_API mpt_status MPT_CALL mpt_conv_transpose1d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv1d_params *params,
                                                 mpt_tensor **out);

typedef struct mpt_pool2d_params {
    uint32_t struct_size;
    int32_t kernel_h, kernel_w;   /**< default 2 */
    int32_t stride_h, stride_w;   /**< 0: the kernel's; default 0 */
    int32_t padding_h, padding_w; /**< never the maximum; at most half the kernel; default 0 */
    int32_t exclude_padding;      /**< mpt_avg_pool2d only, 1: divide by the elements inside; default 0 */
} mpt_pool2d_params;
MPT_API mpt_status MPT_CALL mpt_pool2d_params_init(mpt_pool2d_params *params, size_t nbytes);
/** Largest element of each window, [N,C,H,W] -> [N,C,H',W'], rounding H' down; the first maximum takes the gradient. params NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_max_pool2d(mpt_tensor *x, const mpt_pool2d_params *params, mpt_tensor **out);

/** Mean of each window, zeros of the padding included unless exclude_padding; forms as mpt_max_pool2d. */
MPT_API mpt_status MPT_CALL mpt_avg_pool2d(mpt_tensor *x, const mpt_pool2d_params *params, mpt_tensor **out);
/** Means of windows that divide the image evenly: window i is [floor(i H / h), ceil((i + 1) H / h)) [torch.nn.AdaptiveAvgPool2d]. */
MPT_API mpt_status MPT_CALL mpt_adaptive_avg_pool2d(mpt_tensor *x, int64_t height, int64_t width, mpt_tensor **out);
/** Largest elements of such windows; the first maximum takes the gradient. */
MPT_API mpt_status MPT_CALL mpt_adaptive_max_pool2d(mpt_tensor *x, int64_t height, int64_t width, mpt_tensor **out);
/** mpt_max_pool2d in one dimension: [N,C,L] -> [N,C,L']. stride 0: the kernel's. */
MPT_API mpt_status MPT_CALL mpt_max_pool1d(mpt_tensor *x, int32_t kernel, int32_t stride, int32_t padding, mpt_tensor **out);
/** mpt_avg_pool2d in one dimension, padding counted. stride 0: the kernel's. */
MPT_API mpt_status MPT_CALL mpt_avg_pool1d(mpt_tensor *x, int32_t kernel, int32_t stride, int32_t padding, mpt_tensor **out);
/** [N,C,H,W] -> [N,C,height,width] by the nearest pixel (floor(i H / height)) or between pixels. */
MPT_API mpt_status MPT_CALL mpt_upsample2d(mpt_tensor *x, int64_t height, int64_t width, mpt_upsample_mode mode, mpt_tensor **out);

/* Norms: statistics in f32 (f64 for f64); weight and bias are f32 (or of x's type) or NULL. The result has x's type. */

/**
 * (x - mean) / sqrt(variance + eps) * weight + bias per channel of [N,C,...] [Ioffe and Szegedy 2015]. training 1: statistics of the batch
 * (more than one element per channel), and running = (1 - momentum) running + momentum batch, with the unbiased variance; 0: running statistics.
 * running_mean and running_var [C], f32 (f64 for f64), both or none; written in place, whatever the loss scaler finds later.
 */
MPT_API mpt_status MPT_CALL mpt_batch_norm(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, mpt_tensor *running_mean, mpt_tensor *running_var,
                                           int32_t training, double momentum, double eps, mpt_tensor **out);
/** The same over the last ndims dimensions, whose shape weight and bias have [Ba et al. 2016]. */
MPT_API mpt_status MPT_CALL mpt_layer_norm(mpt_tensor *x, int32_t ndims, mpt_tensor *weight, mpt_tensor *bias, double eps, mpt_tensor **out);
/** x / sqrt(mean(x^2) + eps) * weight over the last dimension [Zhang and Sennrich 2019]. */
MPT_API mpt_status MPT_CALL mpt_rms_norm(mpt_tensor *x, mpt_tensor *weight, double eps, mpt_tensor **out);
/** The same over each image's groups of C / groups channels of [N,C,...]; weight and bias [C] [Wu and He 2018]. */
MPT_API mpt_status MPT_CALL mpt_group_norm(mpt_tensor *x, int64_t groups, mpt_tensor *weight, mpt_tensor *bias, double eps, mpt_tensor **out);
/** mpt_group_norm with a group per channel [Ulyanov et al. 2016]. */
MPT_API mpt_status MPT_CALL mpt_instance_norm(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, double eps, mpt_tensor **out);

/** 0 with probability p (from [0, 1)), else x / (1 - p) [Srivastava et al. 2014], by the context's random numbers: the same for any thread count. */
MPT_API mpt_status MPT_CALL mpt_dropout(mpt_tensor *x, double p, mpt_tensor **out);

/** exp(x) / sum(exp(x)) along dim (negative: from the end), computed in f32 or wider. */
MPT_API mpt_status MPT_CALL mpt_softmax(mpt_tensor *x, int32_t dim, mpt_tensor **out);
/** log(softmax(x)) along dim. */
MPT_API mpt_status MPT_CALL mpt_log_softmax(mpt_tensor *x, int32_t dim, mpt_tensor **out);

typedef struct mpt_attention_params {
    uint32_t struct_size;
    int32_t causal; /**< 1: row i sees columns up to i + S - T; default 0 */
    double scale;   /**< of the scores; 0 (default): 1 / sqrt(D) */
    double dropout; /**< of the probabilities, from [0, 1); default 0 */
} mpt_attention_params;
MPT_API mpt_status MPT_CALL mpt_attention_params_init(mpt_attention_params *params, size_t nbytes);
/**
 * softmax(scale q k^T + mask) v: q [B,H,T,D], k [B,H,S,D], v [B,H,S,E] -> [B,H,T,E] [Vaswani et al. 2017]. mask NULL, BOOL (true: seen) or floating
 * (added), broadcast to [B,H,T,S]; it receives no gradient. Softmax in f32 (f64 for f64). A row that sees nothing gives 0. params NULL: the defaults.
 */
MPT_API mpt_status MPT_CALL mpt_attention(mpt_tensor *q, mpt_tensor *k, mpt_tensor *v, mpt_tensor *mask, const mpt_attention_params *params,
                                          mpt_tensor **out);

/** One LSTM step behind the products: gates [N,4H] (input, forget, cell, output; before their functions), cell [N,H] -> new hidden and cell [N,H]. */
MPT_API mpt_status MPT_CALL mpt_lstm_cell(mpt_tensor *gates, mpt_tensor *cell, mpt_tensor **hidden_out, mpt_tensor **cell_out);
/** One GRU step behind the products: from input and hidden state [N,3H] each (reset, update, new), hidden [N,H] -> new hidden [N,H]. */
MPT_API mpt_status MPT_CALL mpt_gru_cell(mpt_tensor *input_gates, mpt_tensor *hidden_gates, mpt_tensor *hidden, mpt_tensor **out);

/* Losses: a scalar, or one element per row or element for MPT_REDUCTION_NONE, in f32 (f64 for f64). From mpt_mse to mpt_hinge both arguments
 * receive gradients, elsewhere only the first unless said otherwise. */

typedef struct mpt_cross_entropy_params {
    uint32_t struct_size;
    mpt_reduction reduction; /**< default MPT_REDUCTION_MEAN: weighted, over the rows that count */
    double label_smoothing;  /**< from [0, 1]; default 0 [Szegedy et al. 2016] */
    int64_t ignore_index;    /**< rows with this target give 0 and do not count; default -100 */
    mpt_tensor *weight;      /**< [C] in f32 (f64 for f64), of each class; NULL (default): 1 */
} mpt_cross_entropy_params;
MPT_API mpt_status MPT_CALL mpt_cross_entropy_params_init(mpt_cross_entropy_params *params, size_t nbytes);
/**
 * Cross-entropy of logits [N,C] against class indices [N] (U8, I32 or I64) or probabilities [N,C] [torch.nn.functional.cross_entropy]; params NULL:
 * the defaults. An index outside [0, C) that is not ignore_index gives NaN for its row and no gradient.
 */
MPT_API mpt_status MPT_CALL mpt_cross_entropy(mpt_tensor *logits, mpt_tensor *target, const mpt_cross_entropy_params *params, mpt_tensor **out);
/** The same of log-probabilities [N,C] against class indices; label_smoothing must be 0 [torch.nn.functional.nll_loss]. */
MPT_API mpt_status MPT_CALL mpt_nll(mpt_tensor *log_probabilities, mpt_tensor *target, const mpt_cross_entropy_params *params, mpt_tensor **out);
/** (prediction - target)^2; shapes equal, here and below. */
MPT_API mpt_status MPT_CALL mpt_mse(mpt_tensor *prediction, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out);
/** |prediction - target|; the gradient at 0 is 0. */
MPT_API mpt_status MPT_CALL mpt_l1(mpt_tensor *prediction, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out);
/** d^2/2 for |d| <= delta, else delta (|d| - delta/2) [Huber 1964]. */
MPT_API mpt_status MPT_CALL mpt_huber(mpt_tensor *prediction, mpt_tensor *target, double delta, mpt_reduction reduction, mpt_tensor **out);
/** -(w t log s + (1 - t) log(1 - s)), s = sigmoid(logits), without overflow; w: positive_weight, 1 for none. */
MPT_API mpt_status MPT_CALL mpt_bce_with_logits(mpt_tensor *logits, mpt_tensor *target, double positive_weight, mpt_reduction reduction,
                                                mpt_tensor **out);
/** target (log target - log_prediction), 0 where target is 0 [torch.nn.functional.kl_div]. */
MPT_API mpt_status MPT_CALL mpt_kl_div(mpt_tensor *log_prediction, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out);
/** max(0, margin - prediction * target) for targets of 1 and -1. */
MPT_API mpt_status MPT_CALL mpt_hinge(mpt_tensor *prediction, mpt_tensor *target, double margin, mpt_reduction reduction, mpt_tensor **out);
/** a.b / max(|a| |b|, eps) along dim, which goes; gradients to both. */
MPT_API mpt_status MPT_CALL mpt_cosine_similarity(mpt_tensor *a, mpt_tensor *b, int32_t dim, double eps, mpt_tensor **out);
/** Of rows of a and b [N,D]: 1 - cosine for target 1, max(0, cosine - margin) for -1; gradients to a and b [torch.nn.CosineEmbeddingLoss]. */
MPT_API mpt_status MPT_CALL mpt_cosine_embedding(mpt_tensor *a, mpt_tensor *b, mpt_tensor *target, double margin, mpt_reduction reduction,
                                                 mpt_tensor **out);
/**
 * -log of the probability of all alignments of targets [N,S] (I32 or I64) to log_probabilities [T,N,C] [Graves et al. 2006, as torch.nn.CTCLoss].
 * input_lengths and target_lengths [N] (I32 or I64). MEAN divides each by its target length first. zero_infinity 1: impossible ones give 0.
 * A target that is no class or the blank, and a length that does not fit, give NaN without a gradient, whatever zero_infinity says.
 */
MPT_API mpt_status MPT_CALL mpt_ctc(mpt_tensor *log_probabilities, mpt_tensor *targets, mpt_tensor *input_lengths, mpt_tensor *target_lengths,
                                    int64_t blank, mpt_reduction reduction, int32_t zero_infinity, mpt_tensor **out);

/* ---------------------------------------------------------------------------------------------------------
 * Custom ops: the host's own arithmetic
 * ------------------------------------------------------------------------------------------------------- */

typedef struct mpt_custom_op_desc {
    uint32_t struct_size;
    uint32_t reserved;
    mpt_custom_shape_fn shape;     /**< forms of the outputs */
    mpt_custom_fn forward;
    mpt_custom_fn backward;        /**< NULL: no gradient. in: inputs, outputs, gradients of the outputs; out: gradients of the inputs, as they are
                                        (those of integer inputs have dtype MPT_DTYPE_NONE and data NULL) */
    mpt_user_release_fn release;   /**< NULL: none */
    void *user_data;
} mpt_custom_op_desc;
MPT_API mpt_status MPT_CALL mpt_custom_op_desc_init(mpt_custom_op_desc *desc, size_t nbytes);
/**
 * Runs forward on n_inputs tensors; with gradient when backward is there. name: for plans and messages. Inside a capture forward and backward become steps of the program
 * and are called at each run; user_data lives as long as it does. On a GPU data are device addresses and a capture is refused.
 * A callback's status other than MPT_OK fails the call, or the run; the message names the inputs' dtypes.
 * Under autocast the callbacks get the tensors as they come: behind a linear layer under a bf16 policy that is bf16. So look at mpt_buffer's dtype, or call
 * mpt_policy_set_op(policy, "custom", MPT_F32): then the floating inputs of all custom ops are converted, and gradients go back in the dtypes that came. f64 stays.
 */
MPT_API mpt_status MPT_CALL mpt_custom_op(mpt_context *ctx, const char *name, const mpt_custom_op_desc *desc, mpt_tensor *const *inputs,
                                          int32_t n_inputs, mpt_tensor **outputs, int32_t n_outputs);

/* ---------------------------------------------------------------------------------------------------------
 * Gradients
 * ------------------------------------------------------------------------------------------------------- */

/**
 * Gradients of the scalar loss in every leaf that asks for them and that the loss reaches; others keep theirs.
 * scaler may be NULL; otherwise the gradients are those of scale * loss. The graph is used up.
 * MPT_ERROR_STALE: a tensor that the gradient needs was changed since, or the graph was used before; nothing was changed then.
 * MPT_ERROR_MEMORY: some gradients may have been written or added to, and the graph is used up: run the forward again, and with MPT_GRAD_ADD
 * begin again at the first micro-batch.
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

/** A policy that runs products, their biases included, in dtype (f32, f16 or bf16) and what needs range in f32. */
MPT_API mpt_status MPT_CALL mpt_policy_create(mpt_context *ctx, mpt_dtype dtype, mpt_policy **out);
MPT_API void MPT_CALL mpt_policy_retain(mpt_policy *policy);
MPT_API void MPT_CALL mpt_policy_release(mpt_policy *policy);
/** The products of layers whose path matches pattern ('*' any text, dots too, '?' any character) run in dtype; the last match counts. A path is the names from below the layer
 *  that the host runs down to the one with the product, joined by '.': "blocks.block0.mlp.body.linear1", which "*linear1" and "blocks.*" match and "linear1" does not.
 *  Parameters' names begin with it, mpt_program_dump shows it. MPT_F8E4M3 stands for fp8 by the recipe of mpt_policy_set_fp8, or by its defaults; MPT_ERROR_DTYPE for
 *  MPT_F8E5M2. */
MPT_API mpt_status MPT_CALL mpt_policy_set_layer(mpt_policy *policy, const char *pattern, mpt_dtype dtype);
typedef struct mpt_fp8_desc {
    uint32_t struct_size;
    mpt_fp8_recipe recipe;   /**< default MPT_FP8_CURRENT */
    int32_t history;         /**< MPT_FP8_DELAYED: optimizer steps that the scale looks back; default 1024 */
    int32_t margin;          /**< the scale is 2^-margin times the largest possible one; default 0 */
    mpt_dtype forward;       /**< of activations and weights; default MPT_F8E4M3 */
    mpt_dtype backward;      /**< of gradients; default MPT_F8E5M2 */
} mpt_fp8_desc;
MPT_API mpt_status MPT_CALL mpt_fp8_desc_init(mpt_fp8_desc *desc, size_t nbytes);
/**
 * Linear layers (attention's projections and the weights of recurrent layers too) and convolutions run in fp8 by this recipe, and so do the products of their gradients;
 * other products in the policy's dtype; results have the policy's dtype. A device without such products, as every CPU, decodes the operands and multiplies in f32: the
 * same numbers, but slower than bf16. A layer that must not: mpt_policy_set_layer(policy, pattern, MPT_BF16). Overrides by op and role take products out as well; a gradient's
 * can be in fp8 only where its forward was. desc NULL: the defaults. Values beyond the range saturate; a gradient with non-finite elements gives NaN, so that a scaler
 * sees it. MPT_FP8_DELAYED: scales move when an optimizer steps, from the largest magnitudes since its last step; a weight keeps them for each recipe. What is only a
 * part of a parameter, as the projections of attention from different inputs, has no history: its products have the scales of MPT_FP8_CURRENT.
 */
MPT_API mpt_status MPT_CALL mpt_policy_set_fp8(mpt_policy *policy, const mpt_fp8_desc *desc);
/** The op of that name (see mpt_policy_describe) runs in dtype, whatever its class; not for ops that only move data. "custom": all custom ops. */
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
 * Layers. They are made outside of a capture.
 * ------------------------------------------------------------------------------------------------------- */

typedef struct mpt_linear_desc {
    uint32_t struct_size;
    int32_t no_bias;                   /**< 1: without; default 0 */
    int64_t in_features, out_features; /**< at least 1 */
    mpt_init init;
    mpt_dtype dtype;                   /**< of the parameters; default MPT_F32 */
} mpt_linear_desc;
MPT_API mpt_status MPT_CALL mpt_linear_desc_init(mpt_linear_desc *desc, size_t nbytes);
/** Parameters "weight" [out, in] and "bias" [out], initialised from the context's random numbers. */
MPT_API mpt_status MPT_CALL mpt_layer_linear(mpt_context *ctx, const mpt_linear_desc *desc, mpt_layer **out);

typedef struct mpt_conv2d_desc {
    uint32_t struct_size;
    int32_t groups;                    /**< default 1 */
    int64_t in_channels, out_channels; /**< at least 1 and multiples of groups */
    int32_t kernel_h, kernel_w;        /**< default 3 */
    int32_t stride_h, stride_w;        /**< default 1 */
    int32_t padding_h, padding_w;      /**< default 0 */
    int32_t dilation_h, dilation_w;    /**< default 1 */
    int32_t output_padding_h, output_padding_w; /**< transposed only; default 0 */
    int32_t no_bias;                   /**< 1: without; default 0 */
    mpt_init init;
    mpt_dtype dtype;                   /**< of the parameters; default MPT_F32 */
    uint32_t reserved;
} mpt_conv2d_desc;
MPT_API mpt_status MPT_CALL mpt_conv2d_desc_init(mpt_conv2d_desc *desc, size_t nbytes);
/** Parameters "weight" [out, in/groups, kh, kw] and "bias" [out]. On a GPU the weight's channels lie beside each other in memory: see
 *  mpt_tensor_strides. Files and initial values are in logical order. Likewise in the other convolutions. */
MPT_API mpt_status MPT_CALL mpt_layer_conv2d(mpt_context *ctx, const mpt_conv2d_desc *desc, mpt_layer **out);
/** mpt_conv_transpose2d. Parameters "weight" [in, out/groups, kh, kw] and "bias" [out]. */
MPT_API mpt_status MPT_CALL mpt_layer_conv_transpose2d(mpt_context *ctx, const mpt_conv2d_desc *desc, mpt_layer **out);

typedef struct mpt_conv1d_desc {
    uint32_t struct_size;
    int32_t groups;                    /**< default 1 */
    int64_t in_channels, out_channels; /**< at least 1 and multiples of groups */
    int32_t kernel;                    /**< default 3 */
    int32_t stride;                    /**< default 1 */
    int32_t padding;                   /**< default 0 */
    int32_t dilation;                  /**< default 1 */
    int32_t output_padding;            /**< transposed only; default 0 */
    int32_t no_bias;                   /**< 1: without; default 0 */
    mpt_init init;
    mpt_dtype dtype;                   /**< of the parameters; default MPT_F32 */
} mpt_conv1d_desc;
MPT_API mpt_status MPT_CALL mpt_conv1d_desc_init(mpt_conv1d_desc *desc, size_t nbytes);
/** Parameters "weight" [out, in/groups, k] and "bias" [out]. */
MPT_API mpt_status MPT_CALL mpt_layer_conv1d(mpt_context *ctx, const mpt_conv1d_desc *desc, mpt_layer **out);
/** mpt_conv_transpose1d. Parameters "weight" [in, out/groups, k] and "bias" [out]. */
MPT_API mpt_status MPT_CALL mpt_layer_conv_transpose1d(mpt_context *ctx, const mpt_conv1d_desc *desc, mpt_layer **out);

typedef struct mpt_norm_desc {
    uint32_t struct_size;
    int32_t groups;      /**< group norm only; at least 1; default 1 */
    int64_t features;    /**< channels, or the extent of the last dimension; at least 1 */
    double eps;          /**< default 1e-5 */
    double momentum;     /**< of batch norm's running statistics; default 0.1 */
    int32_t no_affine;   /**< 1: neither weight nor bias; default 0 */
    int32_t no_running;  /**< 1: batch norm without running statistics; default 0 */
    int32_t no_bias;     /**< 1: weight alone; default 0. RMS norm never has a bias */
    mpt_dtype dtype;     /**< of the parameters; default MPT_F32 */
} mpt_norm_desc;
MPT_API mpt_status MPT_CALL mpt_norm_desc_init(mpt_norm_desc *desc, size_t nbytes);
/** mpt_batch_norm. Parameters "weight" and "bias" [features], buffers "running_mean" and "running_var". In a program each run moves the statistics. */
MPT_API mpt_status MPT_CALL mpt_layer_batch_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out);
/** mpt_layer_norm over the last dimension. Parameters "weight" and "bias". (The op has the name mpt_layer_norm.) */
MPT_API mpt_status MPT_CALL mpt_layer_layer_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out);
/** mpt_rms_norm. Parameter "weight". */
MPT_API mpt_status MPT_CALL mpt_layer_rms_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out);
/** mpt_group_norm. Parameters "weight" and "bias". */
MPT_API mpt_status MPT_CALL mpt_layer_group_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out);
/** mpt_instance_norm. Parameters "weight" and "bias". */
MPT_API mpt_status MPT_CALL mpt_layer_instance_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out);

typedef struct mpt_embedding_desc {
    uint32_t struct_size;
    mpt_dtype dtype;       /**< of the parameters; default MPT_F32 */
    int64_t count, dim;    /**< rows and their length; at least 1 */
    int64_t padding_index; /**< the row of zeros without gradient; -1 (default): none */
    double std;            /**< of the initial normal values; default 1 */
} mpt_embedding_desc;
MPT_API mpt_status MPT_CALL mpt_embedding_desc_init(mpt_embedding_desc *desc, size_t nbytes);
/** mpt_embedding of integers. Parameter "weight" [count, dim]. */
MPT_API mpt_status MPT_CALL mpt_layer_embedding(mpt_context *ctx, const mpt_embedding_desc *desc, mpt_layer **out);

typedef struct mpt_recurrent_desc {
    uint32_t struct_size;
    mpt_recurrent_kind kind;     /**< default MPT_RECURRENT_LSTM */
    int64_t input_size, hidden_size; /**< at least 1 */
    int32_t layers;              /**< default 1 */
    int32_t bidirectional;       /**< 1: both directions, concatenated; default 0 */
    int32_t batch_first;         /**< 1: [N,T,...]; 0 (default): [T,N,...] */
    int32_t no_bias;             /**< 1: without; default 0 */
    double dropout;              /**< between layers, in training; default 0 */
    mpt_dtype dtype;             /**< of the parameters; default MPT_F32 */
    uint32_t reserved;
} mpt_recurrent_desc;
MPT_API mpt_status MPT_CALL mpt_recurrent_desc_init(mpt_recurrent_desc *desc, size_t nbytes);
/** Inputs x, or x and the first state (h [layers * directions, N, hidden]; LSTM: and c). Outputs y, or y and the last state (1, 2 or 3 tensors).
 *  Parameters as torch.nn.LSTM names them: "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "..._reverse". */
MPT_API mpt_status MPT_CALL mpt_layer_recurrent(mpt_context *ctx, const mpt_recurrent_desc *desc, mpt_layer **out);

typedef struct mpt_attention_desc {
    uint32_t struct_size;
    int32_t heads;      /**< divides embed_dim; default 1 */
    int64_t embed_dim;  /**< at least 1 */
    double dropout;     /**< of the probabilities, in training; default 0 */
    int32_t causal;     /**< 1: no position sees a later one; default 0 */
    int32_t no_bias;    /**< 1: without; default 0 */
    mpt_dtype dtype;    /**< of the parameters; default MPT_F32 */
    uint32_t reserved;
} mpt_attention_desc;
MPT_API mpt_status MPT_CALL mpt_attention_desc_init(mpt_attention_desc *desc, size_t nbytes);
/** Multi-head attention [Vaswani et al. 2017]. Inputs x [N,T,E] (self-attention), or query, key, value, or these and a mask as mpt_attention's; one output [N,T,E].
 *  Parameters as torch.nn.MultiheadAttention: "in_proj_weight" [3E,E], "in_proj_bias", "out_proj.weight", "out_proj.bias"; biases start at 0. */
MPT_API mpt_status MPT_CALL mpt_layer_attention(mpt_context *ctx, const mpt_attention_desc *desc, mpt_layer **out);

/** mpt_max_pool2d as a layer; params NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_layer_max_pool2d(mpt_context *ctx, const mpt_pool2d_params *params, mpt_layer **out);
/** mpt_avg_pool2d as a layer; params NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_layer_avg_pool2d(mpt_context *ctx, const mpt_pool2d_params *params, mpt_layer **out);
/** mpt_adaptive_avg_pool2d as a layer. */
MPT_API mpt_status MPT_CALL mpt_layer_adaptive_avg_pool2d(mpt_context *ctx, int64_t height, int64_t width, mpt_layer **out);
/** mpt_adaptive_max_pool2d as a layer. */
MPT_API mpt_status MPT_CALL mpt_layer_adaptive_max_pool2d(mpt_context *ctx, int64_t height, int64_t width, mpt_layer **out);
/** mpt_max_pool1d as a layer. */
MPT_API mpt_status MPT_CALL mpt_layer_max_pool1d(mpt_context *ctx, int32_t kernel, int32_t stride, int32_t padding, mpt_layer **out);
/** mpt_avg_pool1d as a layer. */
MPT_API mpt_status MPT_CALL mpt_layer_avg_pool1d(mpt_context *ctx, int32_t kernel, int32_t stride, int32_t padding, mpt_layer **out);
/** mpt_upsample2d by whole factors as a layer. */
MPT_API mpt_status MPT_CALL mpt_layer_upsample2d(mpt_context *ctx, int32_t factor_h, int32_t factor_w, mpt_upsample_mode mode, mpt_layer **out);
/** mpt_dropout in training, nothing in evaluation. */
MPT_API mpt_status MPT_CALL mpt_layer_dropout(mpt_context *ctx, double p, mpt_layer **out);
/** An activation function as a layer. parameter: as mpt_activation says, else ignored. */
MPT_API mpt_status MPT_CALL mpt_layer_activation(mpt_context *ctx, mpt_activation kind, double parameter, mpt_layer **out);
/** mpt_relu as a layer. */
MPT_API mpt_status MPT_CALL mpt_layer_relu(mpt_context *ctx, mpt_layer **out);
/** mpt_softmax as a layer. */
MPT_API mpt_status MPT_CALL mpt_layer_softmax(mpt_context *ctx, int32_t dim, mpt_layer **out);
/** [N, ...] -> [N, product of the rest]. */
MPT_API mpt_status MPT_CALL mpt_layer_flatten(mpt_context *ctx, mpt_layer **out);

/** An empty chain of layers; each gets the one output of the layer before. */
MPT_API mpt_status MPT_CALL mpt_layer_sequential(mpt_context *ctx, mpt_layer **out);
/** y = body(x) + shortcut(x), shapes equal. shortcut NULL: x itself. Both stay the caller's to release; their names are "body" and "shortcut" [He et al. 2016]. */
MPT_API mpt_status MPT_CALL mpt_layer_residual(mpt_context *ctx, mpt_layer *body, mpt_layer *shortcut, mpt_layer **out);
/** An empty set of layers that all get the same inputs, each with one output; join and dim say what comes of those. */
MPT_API mpt_status MPT_CALL mpt_layer_parallel(mpt_context *ctx, mpt_join join, int32_t dim, mpt_layer **out);

typedef struct mpt_custom_layer_desc {
    uint32_t struct_size;
    uint32_t reserved;
    mpt_custom_layer_fn forward; /**< calls ops and children; the gradient follows from them */
    mpt_user_release_fn release; /**< NULL: none */
    void *user_data;
} mpt_custom_layer_desc;
MPT_API mpt_status MPT_CALL mpt_custom_layer_desc_init(mpt_custom_layer_desc *desc, size_t nbytes);
/** A layer whose rule is the host's. Inside a capture the callback runs once, while recording. */
MPT_API mpt_status MPT_CALL mpt_layer_custom(mpt_context *ctx, const mpt_custom_layer_desc *desc, mpt_layer **out);
/** Gives a custom layer a parameter: a dense floating leaf, which asks for gradients from now on. */
MPT_API mpt_status MPT_CALL mpt_layer_add_parameter(mpt_layer *custom, const char *name, mpt_tensor *tensor);

/** Appends child to a sequential, parallel or custom layer; it stays the caller's to release. name NULL: its index. A name is unique here and has no '.' or '/'.
 *  A layer may be there more than once: its parameters count once, by their first name. */
MPT_API mpt_status MPT_CALL mpt_layer_add(mpt_layer *container, const char *name, mpt_layer *child);

MPT_API void MPT_CALL mpt_layer_retain(mpt_layer *layer);
MPT_API void MPT_CALL mpt_layer_release(mpt_layer *layer);

/** Runs the layer: n_inputs tensors in, n_outputs owned tensors out. Layers take and give one unless said otherwise.
 *  A custom layer's callback that runs a child with it runs it under the child's name, which policies match. */
MPT_API mpt_status MPT_CALL mpt_layer_forward(mpt_layer *layer, mpt_tensor *const *inputs, int32_t n_inputs, mpt_tensor **outputs, int32_t n_outputs);
/** Training (1, the start) or evaluation (0), for the layer and all below it. */
MPT_API mpt_status MPT_CALL mpt_layer_set_training(mpt_layer *layer, int32_t training);
/** Frozen (1): no parameter below asks for gradients; 0: all do. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_layer_freeze(mpt_layer *layer, int32_t frozen);
/** The number of parameter tensors, children's included; one that is there more than once counts once. */
MPT_API mpt_status MPT_CALL mpt_layer_parameter_count(const mpt_layer *layer, int32_t *out);
/** Parameter i in a fixed order. Owned by the caller. */
MPT_API mpt_status MPT_CALL mpt_layer_parameter(const mpt_layer *layer, int32_t index, mpt_tensor **out);
/** The name of parameter i, for example "0.weight"; text conventions as mpt_policy_describe. */
MPT_API mpt_status MPT_CALL mpt_layer_parameter_name(const mpt_layer *layer, int32_t index, char *text, size_t nbytes, size_t *needed_out);
/** A parameter by name. Owned by the caller. MPT_ERROR_NOT_FOUND names the ones there are. */
MPT_API mpt_status MPT_CALL mpt_layer_parameter_by_name(const mpt_layer *layer, const char *name, mpt_tensor **out);

/** The number of tensors that belong to the layer and are no parameters (running statistics), children's included. */
MPT_API mpt_status MPT_CALL mpt_layer_buffer_count(const mpt_layer *layer, int32_t *out);
/** Buffer i in a fixed order. Owned by the caller. */
MPT_API mpt_status MPT_CALL mpt_layer_buffer(const mpt_layer *layer, int32_t index, mpt_tensor **out);
/** The name of buffer i; conventions as mpt_layer_parameter_name. */
MPT_API mpt_status MPT_CALL mpt_layer_buffer_name(const mpt_layer *layer, int32_t index, char *text, size_t nbytes, size_t *needed_out);

/** Is the layer in training (1) or in evaluation (0)? For a custom layer's callback, which asks its own layer; a program keeps the answer that it had while recording. */
MPT_API mpt_status MPT_CALL mpt_layer_training(const mpt_layer *layer, int32_t *out);
/** Gives a custom layer a buffer: a tensor of any dtype that asks for no gradients, such as a running mean. It is saved with the layer and not trained; the callback finds
 *  it with mpt_layer_buffer and changes it with mpt_tensor_copy, which a program does at each run. Names as those of parameters. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_layer_add_buffer(mpt_layer *custom, const char *name, mpt_tensor *tensor);

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
    int32_t hysteresis;       /**< bad iterations that are forgiven, the one that backs off included; at least 1; default 2 */
    uint32_t reserved;
} mpt_scaler_desc;
MPT_API mpt_status MPT_CALL mpt_scaler_desc_init(mpt_scaler_desc *desc, size_t nbytes);
/** Makes a scaler; desc NULL: the defaults [torch.amp.GradScaler]. Scale and counters live on the device. */
MPT_API mpt_status MPT_CALL mpt_scaler_create(mpt_context *ctx, const mpt_scaler_desc *desc, mpt_scaler **out);
MPT_API void MPT_CALL mpt_scaler_retain(mpt_scaler *scaler);
MPT_API void MPT_CALL mpt_scaler_release(mpt_scaler *scaler);
/** Moves the scale by what the optimizers found; once per iteration, after all of them.
 *  MPT_ERROR_UPDATE_WITHOUT_STEP: none has looked at its gradients since the last update. */
MPT_API mpt_status MPT_CALL mpt_scaler_update(mpt_scaler *scaler);
/** The scale now. Synchronises. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_scaler_scale(mpt_scaler *scaler, double *out);
/** Counts of updates since the start; each output may be NULL. at_minimum: backoffs held at min_scale. Synchronises. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_scaler_counts(mpt_scaler *scaler, int64_t *good_out, int64_t *bad_out, int64_t *at_minimum_out);

/* ---------------------------------------------------------------------------------------------------------
 * Optimizers. Masters and state are f32 for f32, f16 and bf16 parameters (f64 for f64), rates f32 for all; low-precision parameters
 * get a master of their own. State is made at the first step.
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

typedef struct mpt_adagrad_desc {
    uint32_t struct_size;
    uint32_t reserved;
    double lr;                  /**< default 0.01 */
    double lr_decay;            /**< default 0 */
    double weight_decay;        /**< default 0 */
    double initial_accumulator; /**< default 0 */
    double eps;                 /**< default 1e-10 */
} mpt_adagrad_desc;
MPT_API mpt_status MPT_CALL mpt_adagrad_desc_init(mpt_adagrad_desc *desc, size_t nbytes);
/** [Duchi et al. 2011, as torch.optim.Adagrad]; desc NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_optimizer_adagrad(mpt_context *ctx, const mpt_adagrad_desc *desc, mpt_optimizer **out);

typedef struct mpt_adadelta_desc {
    uint32_t struct_size;
    uint32_t reserved;
    double lr;           /**< default 1 */
    double rho;          /**< default 0.9 */
    double eps;          /**< default 1e-6 */
    double weight_decay; /**< default 0 */
} mpt_adadelta_desc;
MPT_API mpt_status MPT_CALL mpt_adadelta_desc_init(mpt_adadelta_desc *desc, size_t nbytes);
/** [Zeiler 2012, as torch.optim.Adadelta]; desc NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_optimizer_adadelta(mpt_context *ctx, const mpt_adadelta_desc *desc, mpt_optimizer **out);

typedef struct mpt_rmsprop_desc {
    uint32_t struct_size;
    int32_t centered;    /**< 1: by the variance instead of the second moment; default 0 */
    double lr;           /**< default 0.01 */
    double alpha;        /**< default 0.99 */
    double eps;          /**< default 1e-8 */
    double weight_decay; /**< default 0 */
    double momentum;     /**< default 0 */
} mpt_rmsprop_desc;
MPT_API mpt_status MPT_CALL mpt_rmsprop_desc_init(mpt_rmsprop_desc *desc, size_t nbytes);
/** [Tieleman and Hinton 2012, as torch.optim.RMSprop]; desc NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_optimizer_rmsprop(mpt_context *ctx, const mpt_rmsprop_desc *desc, mpt_optimizer **out);

/** The defaults of LAMB: lr 0.001, betas 0.9 and 0.999, eps 1e-6, weight_decay 0.01. */
MPT_API mpt_status MPT_CALL mpt_lamb_desc_init(mpt_adam_desc *desc, size_t nbytes);
/** [You et al. 2020, algorithm 2, phi the identity]: AdamW's direction, scaled per parameter by |p| / |direction| (1 where one is 0). desc NULL: the defaults. */
MPT_API mpt_status MPT_CALL mpt_optimizer_lamb(mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out);

MPT_API void MPT_CALL mpt_optimizer_retain(mpt_optimizer *optimizer);
MPT_API void MPT_CALL mpt_optimizer_release(mpt_optimizer *optimizer);

typedef struct mpt_group_desc {
    uint32_t struct_size;
    mpt_rounding rounding;     /**< of f16 and bf16 parameters; default MPT_ROUNDING_MASTER */
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
/** Clip by the norm of all gradients together: they are multiplied by min(1, max_norm / (norm + 1e-6)) [torch.nn.utils.clip_grad_norm_]; 0: no clipping. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_optimizer_set_clip_norm(mpt_optimizer *optimizer, double max_norm);
/** Clip each element of the unscaled gradients to [-max_value, max_value], before clipping by norm would look at them; 0: no clipping. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_optimizer_set_clip_value(mpt_optimizer *optimizer, double max_value);

typedef struct mpt_schedule_desc {
    uint32_t struct_size;
    mpt_schedule_kind kind; /**< default MPT_SCHEDULE_CONSTANT */
    int64_t warmup_steps;   /**< a line from 1 / warmup_steps to 1 first (ONE_CYCLE: its rise); default 0 */
    int64_t total_steps;    /**< warm-up included; COSINE, LINEAR and ONE_CYCLE need it */
    int64_t interval;       /**< STEP needs it */
    double gamma;           /**< STEP; default 0.1 */
    double final_factor;    /**< default 0 */
} mpt_schedule_desc;
MPT_API mpt_status MPT_CALL mpt_schedule_desc_init(mpt_schedule_desc *desc, size_t nbytes);
/** The rate is multiplied by a factor of the group's step count, found on the device: a skipped step does not move it, and programs follow it. NULL: none.
 *  In a program it is what it was while recording. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_optimizer_set_schedule(mpt_optimizer *optimizer, const mpt_schedule_desc *desc);
/** The rate that the last step used, schedule included, before a group's lr_scale; of groups with different step counts the last one's that took part. The base rate before
 *  any step. Synchronises. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_optimizer_lr(mpt_optimizer *optimizer, double *out);

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
 * On MPT_ERROR_MEMORY nothing was changed; so it is for mpt_optimizer_unscale, mpt_state_load and the making of layers.
 * Gradients are left as they were (still scaled, unless mpt_optimizer_unscale was called). MPT_ERROR_STEP_TWICE.
 * The step count is a group's: a parameter whose first gradient comes later has the corrections of its group's count.
 * In a program, unscale, step and mpt_scaler_update belong into one capture: runs do not move the order that a host is held to.
 */
MPT_API mpt_status MPT_CALL mpt_optimizer_step(mpt_optimizer *optimizer, mpt_scaler *scaler);
/** Steps done and skipped since the start; each output may be NULL. Synchronises. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_optimizer_counts(mpt_optimizer *optimizer, int64_t *stepped_out, int64_t *skipped_out);
/** The norm of all gradients at the last step with clipping or a scaler, before clipping, unscaled; NaN before. Synchronises. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_optimizer_grad_norm(mpt_optimizer *optimizer, double *out);

/**
 * An exponential moving average of the optimizer's parameters, f32 (f64 for f64), that starts as they are now: average = decay * average +
 * (1 - decay) * parameter. decay: from [0, 1). Not inside a capture.
 */
MPT_API mpt_status MPT_CALL mpt_average_create(mpt_optimizer *optimizer, double decay, mpt_average **out);
MPT_API void MPT_CALL mpt_average_retain(mpt_average *average);
MPT_API void MPT_CALL mpt_average_release(mpt_average *average);
/** Moves the average; nothing happens, on the device, where the optimizer has not stepped since the last update. MPT_ERROR_STATE, as for a swap, once the optimizer
 *  has got parameters that the average does not know. */
MPT_API mpt_status MPT_CALL mpt_average_update(mpt_average *average);
/** Exchanges averages and parameters: before an evaluation, and again behind it. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_average_swap(mpt_average *average);

/* ---------------------------------------------------------------------------------------------------------
 * Capture: a step becomes a program
 * ------------------------------------------------------------------------------------------------------- */

/** From here on ops of the context are recorded instead of run. MPT_ERROR_STATE: a capture is open already. */
MPT_API mpt_status MPT_CALL mpt_capture_begin(mpt_context *ctx);
/**
 * Ends the recording and plans it: all memory is taken now. The n outputs have storage of their own, valid from the first run
 * until the next one; everything else born inside the capture is invalid from here on. Tensors from outside are kept by the program.
 * Gradients that mpt_backward made inside are zeros until the first run, but an eager mpt_optimizer_step takes them for gradients: run the program first.
 * On failure the capture stays open (and poisoned): call mpt_capture_abort.
 */
MPT_API mpt_status MPT_CALL mpt_capture_end(mpt_context *ctx, mpt_tensor *const *outputs, int32_t n, mpt_program **out);
/** Throws the recording away; host-side state is as before the begin: open pairs, gradients, training flags, the stages of scalers. Fine without an open capture. */
MPT_API mpt_status MPT_CALL mpt_capture_abort(mpt_context *ctx);

MPT_API void MPT_CALL mpt_program_retain(mpt_program *program);
MPT_API void MPT_CALL mpt_program_release(mpt_program *program);
/** Copies the next run's data into input, a contiguous tensor from outside that the program reads; conventions as mpt_tensor_write, but that on a GPU it does not wait for the last run: the copy goes to memory that the program keeps from the first feed on. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_program_feed(mpt_program *program, mpt_tensor *input, const void *data, size_t nbytes);
/** Runs the program once: no allocation and no synchronisation after the first run. Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_program_run(mpt_program *program);
/** Bytes of the program; each output may be NULL. arena: temporaries and workspaces; outputs: the outputs' own storage. Both are what was taken. */
MPT_API mpt_status MPT_CALL mpt_program_memory(const mpt_program *program, size_t *arena_out, size_t *outputs_out);
/** The plan as text: two lines about the whole, then a line per step with tabs between number, op, kernel, role, layer and operands. Behind an operand's dtype and shape:
 *  "@offset", its place in the arena in bytes; "#number", memory outside of it, counted in order of appearance (parameters, data, outputs). "-": an absent operand, or no
 *  layer. Text conventions as mpt_policy_describe. */
MPT_API mpt_status MPT_CALL mpt_program_dump(const mpt_program *program, char *text, size_t nbytes, size_t *needed_out);

/* ---------------------------------------------------------------------------------------------------------
 * Checkpoints: a safetensors file [github.com/huggingface/safetensors]. Tensors are stored in logical order.
 * ------------------------------------------------------------------------------------------------------- */

/** An empty list of things to save or load. It keeps what is added alive. Where a function takes a prefix, NULL and "" mean none: "name" instead of "prefix.name". */
MPT_API mpt_status MPT_CALL mpt_state_create(mpt_context *ctx, mpt_state **out);
MPT_API void MPT_CALL mpt_state_retain(mpt_state *state);
MPT_API void MPT_CALL mpt_state_release(mpt_state *state);
/** Adds a tensor under its name, which is unique in the state. */
MPT_API mpt_status MPT_CALL mpt_state_add_tensor(mpt_state *state, const char *name, mpt_tensor *tensor);
/** Adds the parameters and buffers of a layer as "prefix.name". */
MPT_API mpt_status MPT_CALL mpt_state_add_layer(mpt_state *state, const char *prefix, mpt_layer *layer);
/** Adds masters, moments, step counts and rates as "prefix.group.index.slot". Not inside a capture. */
MPT_API mpt_status MPT_CALL mpt_state_add_optimizer(mpt_state *state, const char *prefix, mpt_optimizer *optimizer);
/** Adds scale and counters as "prefix.slot". */
MPT_API mpt_status MPT_CALL mpt_state_add_scaler(mpt_state *state, const char *prefix, mpt_scaler *scaler);
/** Adds the averages as "prefix.group.index". */
MPT_API mpt_status MPT_CALL mpt_state_add_average(mpt_state *state, const char *prefix, mpt_average *average);
/** Adds the scales and histories of fp8 products of a layer's weights under the policy, as "prefix.parameter.slot"; made here where they are not there yet. */
MPT_API mpt_status MPT_CALL mpt_state_add_fp8(mpt_state *state, const char *prefix, mpt_policy *policy, mpt_layer *layer);
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
