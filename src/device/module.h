/* The interface between the core and a device module: a versioned C table of plain arguments. No standard
 * library type and no exception crosses it. Core and modules are built together: the entry symbol carries the
 * exact version, so a module of another build is refused by name instead of misread.
 *
 * Life of a kernel: prepare (may allocate and synchronise; decides the algorithm and the workspace) -> launch
 * (only enqueues; no allocation) any number of times, with other addresses of the same shapes -> destroy.
 *
 * Where a device has streams, stream is the host's own, or NULL for the one that the device came with. */
#ifndef MPT_DEVICE_MODULE_H
#define MPT_DEVICE_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include "mpt.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MPT_MODULE_ENTRY mpt_module_entry_0_1_0
#define MPT_MODULE_ENTRY_NAME "mpt_module_entry_0_1_0"
#define MPT_ACCELERATOR_ENTRY mpt_accelerator_entry_0_1_0
#define MPT_ACCELERATOR_ENTRY_NAME "mpt_accelerator_entry_0_1_0"

enum { MPT_MOD_ALIGNMENT = 64, MPT_MOD_MESSAGE = 512 };

/* What a call leaves when it fails: the text goes into the host's error message. */
typedef struct mpt_mod_error {
    char message[MPT_MOD_MESSAGE];
} mpt_mod_error;

/* The form of one operand. Strides are in elements; a stride of 0 broadcasts (inputs only). */
typedef struct mpt_mod_operand {
    int32_t dtype; /* mpt_dtype; MPT_DTYPE_NONE: the optional operand is absent */
    int32_t ndim;
    int64_t shape[MPT_MAX_DIMS];
    int64_t strides[MPT_MAX_DIMS];
} mpt_mod_operand;

/* One call of a kernel, without addresses. attrs is the struct that device/attrs/ gives for the kernel. */
typedef struct mpt_mod_call {
    const char *kernel;
    const mpt_mod_operand *in;
    const mpt_mod_operand *out;
    int32_t n_in;
    int32_t n_out;
    const void *attrs;
    size_t attrs_bytes;
} mpt_mod_call;

typedef struct mpt_mod_device mpt_mod_device; /* a module's own */
typedef struct mpt_mod_kernel mpt_mod_kernel; /* a module's own */
typedef struct mpt_mod_graph mpt_mod_graph;   /* a module's own */

/* A CPU module's threads, lent to an accelerator of it. body runs once for each part in [0, parts), on parts
 * different threads at most, the caller's included; returns when all have finished. parts is at most threads. */
typedef void (*mpt_mod_body)(int32_t part, int32_t parts, void *arg);
typedef struct mpt_mod_threads {
    void *pool;
    int32_t count;
    void (*run)(void *pool, int32_t parts, mpt_mod_body body, void *arg);
} mpt_mod_threads;

/* What prepares and launches: a device module has it, and so has an accelerator of the CPU module. */
typedef struct mpt_mod_kernels {
    /* MPT_OK; MPT_ERROR_UNSUPPORTED: not for this one (an accelerator: the portable kernel runs); other: a fault.
     * The workspace is aligned to MPT_MOD_ALIGNMENT and holds nothing between launches. */
    mpt_status (*prepare)(mpt_mod_device *dev, const mpt_mod_call *call, mpt_mod_kernel **out, size_t *workspace_bytes_out,
                          mpt_mod_error *error);
    /* in and out: first elements, as many as the call had (NULL for absent ones). */
    mpt_status (*launch)(mpt_mod_kernel *kernel, const void *const *in, void *const *out, void *workspace, void *stream,
                         mpt_mod_error *error);
    void (*destroy)(mpt_mod_kernel *kernel);
    /* The chosen implementation for the plan's text, for example "cpu:gemm" or "onednn:brgconv". Static or the kernel's. */
    const char *(*name)(const mpt_mod_kernel *kernel);
} mpt_mod_kernels;

typedef struct mpt_mod_device_desc {
    int32_t index;
    int32_t threads; /* 0: one per core this process may use */
} mpt_mod_device_desc;

typedef struct mpt_module {
    const char *name; /* "cpu" */
    /* Rows of a product's large result in 16 bits are so many bytes apart, or a multiple of them. 0: as they come. */
    int64_t row_bytes;
    /* 1: a convolution likes its filter's channels beside each other in memory. */
    int32_t channels_last;
    mpt_status (*open)(const mpt_mod_device_desc *desc, mpt_mod_device **out, mpt_mod_error *error);
    /* forked: this process is a child that has none of the device's threads; wait for nothing. */
    void (*close)(mpt_mod_device *dev, int32_t forked);
    const char *(*describe)(const mpt_mod_device *dev);
    /* NULL when there is none. Aligned to MPT_MOD_ALIGNMENT. */
    void *(*alloc)(mpt_mod_device *dev, size_t nbytes, void *stream);
    void (*free)(mpt_mod_device *dev, void *ptr, size_t nbytes, void *stream);
    mpt_status (*to_device)(mpt_mod_device *dev, void *dst, const void *src, size_t nbytes, void *stream, mpt_mod_error *error);
    mpt_status (*to_host)(mpt_mod_device *dev, void *dst, const void *src, size_t nbytes, void *stream, mpt_mod_error *error);
    mpt_status (*synchronize)(mpt_mod_device *dev, void *stream, mpt_mod_error *error);
    /* NULL for a device whose kernels need no threads of the host. Borrowed from dev. */
    const mpt_mod_threads *(*threads)(mpt_mod_device *dev);
    /* The stream that the device came with. NULL: the device has no streams, so that the functions' stream is NULL always. */
    void *(*stream)(mpt_mod_device *dev);
    /* A knob of the device, for kernels prepared from then on. MPT_ERROR_NOT_FOUND, MPT_ERROR_ARGUMENT. NULL: there are none. */
    mpt_status (*set_option)(mpt_mod_device *dev, const char *key, const char *value, mpt_mod_error *error);
    /* What comes on stream then from here on comes after what is on first by now. There where stream is. */
    mpt_status (*order)(mpt_mod_device *dev, void *first, void *then, mpt_mod_error *error);
    /* One stream more, for copies beside the kernels. There where stream is. */
    mpt_status (*stream_create)(mpt_mod_device *dev, void **out, mpt_mod_error *error);
    void (*stream_destroy)(mpt_mod_device *dev, void *stream);
    /* Whether to_device of these bytes would keep the host waiting for what is on stream, so that it is better done on another one
     * first. 0: they are few, or not the host's, or the host captures the stream. There where stream is. */
    int32_t (*would_wait)(mpt_mod_device *dev, const void *src, size_t nbytes, void *stream);
    /* A sequence of launches as one: enqueue is called once, at once, with the stream to launch on. NULL: the device has none such. */
    mpt_status (*graph_create)(mpt_mod_device *dev, mpt_status (*enqueue)(void *stream, void *user, mpt_mod_error *error), void *user,
                               mpt_mod_graph **out, mpt_mod_error *error);
    /* MPT_ERROR_UNSUPPORTED: the host is capturing the stream itself, so that the launches have to come one by one. */
    mpt_status (*graph_launch)(mpt_mod_device *dev, mpt_mod_graph *graph, void *stream, mpt_mod_error *error);
    void (*graph_destroy)(mpt_mod_graph *graph);
    mpt_mod_kernels kernels;
} mpt_module;

/* An accelerator of the CPU module: asked first, may refuse any call. dev in kernels is what open gave. */
typedef struct mpt_accelerator {
    const char *name; /* "onednn" */
    mpt_status (*open)(const mpt_mod_threads *threads, mpt_mod_device **out, mpt_mod_error *error);
    void (*close)(mpt_mod_device *dev);
    const char *(*describe)(const mpt_mod_device *dev);
    mpt_mod_kernels kernels;
} mpt_accelerator;

/* The one symbol that a module exports. Static storage; NULL never. */
typedef const mpt_module *(*mpt_module_entry_fn)(void);
typedef const mpt_accelerator *(*mpt_accelerator_entry_fn)(void);

#ifdef __cplusplus
}
#endif

#endif
