/* What the interface file cannot say in typemaps: errors, callbacks, wrapped memory, buffers and DLPack. Included by the generated code.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every callback takes the interpreter lock first, on whatever thread it comes. An exception inside of one is kept and comes out of the
 * call that failed because of it. A callback runs under its context's lock, so that nobody may wait for a context with the interpreter lock
 * in hand: SUPPORT_CALL. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stdlib.h>
#include <string.h>

enum { SUPPORT_LIST = 64 };

static PyObject *support_factory;   /* (status, message) -> exception */
static _Thread_local PyObject *support_kept; /* the exception of a callback in this thread's call */
static PyObject *support_callables; /* those that contexts log to; contexts may outlive every Python object */
static swig_type_info *support_tensor_type, *support_layer_type;

#define SUPPORT_CALL(STATUS, CALL) \
    do { \
        PyThreadState *support_thread = PyEval_SaveThread(); \
        (STATUS) = (CALL); \
        PyEval_RestoreThread(support_thread); \
    } while (0)

/* ---- errors ---- */

static void support_keep_exception(void) {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (value && trace) PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    if (!value) return;
    if (support_kept)
        Py_DECREF(value); /* the first one says why */
    else
        support_kept = value;
}

static void support_raise(mpt_status status) {
    PyObject *error;
    if (support_kept) {
        PyObject *kept = support_kept;
        support_kept = NULL;
        PyErr_SetObject((PyObject *)Py_TYPE(kept), kept);
        Py_DECREF(kept);
        return;
    }
    if (!support_factory) {
        PyErr_SetString(PyExc_RuntimeError, mpt_last_error());
        return;
    }
    error = PyObject_CallFunction(support_factory, "is", (int)status, mpt_last_error());
    if (!error) return;
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
}

static void set_error_factory(PyObject *factory) {
    Py_INCREF(factory);
    Py_XDECREF(support_factory);
    support_factory = factory;
}

/* Not a handle: either something else, or one that was closed. */
static void support_wrong_handle(PyObject *given, const char *wanted, const char *function, int argument) {
    PyObject *closed = PyObject_GetAttrString(given, "closed");
    if (closed && PyObject_IsTrue(closed) == 1) {
        char text[256];
        PyObject *error;
        PyOS_snprintf(text, sizeof text, "%s: argument %d, a %s, was closed", function, argument, wanted + 4);
        error = support_factory ? PyObject_CallFunction(support_factory, "is", (int)MPT_ERROR_STATE, text) : NULL;
        if (error) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_XDECREF(error);
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, text);
    } else {
        PyObject *name;
        PyErr_Clear();
        name = PyObject_GetAttrString((PyObject *)Py_TYPE(given), "__name__");
        PyErr_Format(PyExc_TypeError, "%s: argument %d must be a %s, not %U", function, argument, wanted + 4, name);
        Py_XDECREF(name);
    }
    Py_XDECREF(closed);
}

/* ---- lists ---- */

/* None is no list at all: NULL and 0. */
static int support_int64_ts(PyObject *given, int64_t *values, int32_t *n, int64_t **out) {
    Py_ssize_t i, count;
    *n = 0;
    if (given == Py_None) {
        *out = NULL;
        return 0;
    }
    count = PySequence_Size(given);
    if (count < 0) return -1;
    if (count > SUPPORT_LIST) {
        PyErr_Format(PyExc_ValueError, "%zd numbers are too many: at most %d", count, (int)SUPPORT_LIST);
        return -1;
    }
    for (i = 0; i < count; ++i) {
        PyObject *item = PySequence_GetItem(given, i);
        PyObject *number = item ? PyNumber_Index(item) : NULL;
        Py_XDECREF(item);
        if (!number) return -1;
        values[i] = PyLong_AsLongLong(number);
        Py_DECREF(number);
        if (values[i] == -1 && PyErr_Occurred()) return -1;
    }
    *n = (int32_t)count;
    *out = values;
    return 0;
}

static int support_int32_ts(PyObject *given, int32_t *values, int32_t *n, int32_t **out) {
    int64_t wide[SUPPORT_LIST];
    int64_t *found = wide;
    int32_t i;
    if (support_int64_ts(given, wide, n, &found) != 0) return -1;
    *out = found ? values : NULL;
    for (i = 0; found && i < *n; ++i) {
        if (wide[i] < INT32_MIN || wide[i] > INT32_MAX) {
            PyErr_SetString(PyExc_OverflowError, "a dimension does not fit 32 bits");
            return -1;
        }
        values[i] = (int32_t)wide[i];
    }
    return 0;
}

/* [(before, after), ...] */
static int support_pads(PyObject *given, int64_t *before, int64_t *after, int32_t *n) {
    Py_ssize_t i, count = PySequence_Size(given);
    if (count < 0) return -1;
    if (count > SUPPORT_LIST) {
        PyErr_SetString(PyExc_ValueError, "too many dimensions");
        return -1;
    }
    for (i = 0; i < count; ++i) {
        PyObject *pair = PySequence_GetItem(given, i);
        int64_t both[SUPPORT_LIST];
        int64_t *found = both;
        int32_t m;
        int failed = !pair || support_int64_ts(pair, both, &m, &found) != 0;
        Py_XDECREF(pair);
        if (failed) return -1;
        if (!found || m != 2) {
            PyErr_SetString(PyExc_ValueError, "a pair (before, after) is needed for each dimension");
            return -1;
        }
        before[i] = both[0];
        after[i] = both[1];
    }
    *n = (int32_t)count;
    return 0;
}

static void support_free_tensors(mpt_tensor *const *tensors, int32_t n) {
    int32_t i;
    for (i = 0; tensors && i < n; ++i) mpt_tensor_release(tensors[i]);
    free((void *)tensors);
}

static int support_tensors(PyObject *given, swig_type_info *type, const char *function, mpt_tensor ***out, int32_t *n) {
    Py_ssize_t i, count = PySequence_Size(given);
    mpt_tensor **tensors;
    *out = NULL;
    *n = 0;
    if (count < 0) return -1;
    tensors = (mpt_tensor **)calloc(count > 0 ? (size_t)count : 1, sizeof *tensors);
    if (!tensors) {
        PyErr_NoMemory();
        return -1;
    }
    for (i = 0; i < count; ++i) {
        PyObject *item = PySequence_GetItem(given, i);
        void *handle = NULL;
        if (item && item != Py_None && !SWIG_IsOK(SWIG_ConvertPtr(item, &handle, type, 0)))
            support_wrong_handle(item, "mpt_tensor", function, (int)i + 1);
        Py_XDECREF(item);
        if (PyErr_Occurred()) {
            support_free_tensors(tensors, (int32_t)i);
            return -1;
        }
        tensors[i] = (mpt_tensor *)handle;
        mpt_tensor_retain(tensors[i]);
    }
    *out = tensors;
    *n = (int32_t)count;
    return 0;
}

/* (roots, cotangents), as many of each. */
static int support_pair(PyObject *given, swig_type_info *type, const char *function, mpt_tensor ***first, int32_t *n, mpt_tensor ***second,
                        int32_t *m) {
    PyObject *a = PySequence_GetItem(given, 0), *b = a ? PySequence_GetItem(given, 1) : NULL;
    int failed = !b || support_tensors(a, type, function, first, n) != 0 || support_tensors(b, type, function, second, m) != 0;
    Py_XDECREF(a);
    Py_XDECREF(b);
    if (!failed && *n != *m) {
        PyErr_Format(PyExc_ValueError, "%d roots, but %d cotangents", (int)*n, (int)*m);
        failed = 1;
    }
    return failed ? -1 : 0;
}

static PyObject *support_tuple(mpt_tensor **tensors, int32_t n, swig_type_info *type) {
    PyObject *tuple = PyTuple_New(n);
    int32_t i;
    for (i = 0; i < n; ++i) {
        PyObject *one = SWIG_NewPointerObj(tensors[i], type, SWIG_POINTER_OWN);
        if (tuple && one)
            PyTuple_SetItem(tuple, i, one);
        else
            Py_XDECREF(one);
    }
    return tuple;
}

/* ---- objects that mpt holds ---- */

static void MPT_CALL support_drop(void *user_data) {
    PyGILState_STATE lock;
    if (!Py_IsInitialized()) return;
    lock = PyGILState_Ensure();
    Py_XDECREF((PyObject *)user_data);
    PyGILState_Release(lock);
}
static void MPT_CALL support_drop_owner(void *data, void *user_data) {
    (void)data;
    support_drop(user_data);
}
static void MPT_CALL support_drop_buffer(void *data, void *user_data) {
    PyGILState_STATE lock;
    (void)data;
    if (!Py_IsInitialized()) return;
    lock = PyGILState_Ensure();
    PyBuffer_Release((Py_buffer *)user_data);
    free(user_data);
    PyGILState_Release(lock);
}

static void MPT_CALL support_log(mpt_log_level level, const char *message, void *user_data) {
    PyGILState_STATE lock;
    PyObject *result;
    if (!Py_IsInitialized()) return;
    lock = PyGILState_Ensure();
    result = PyObject_CallFunction((PyObject *)user_data, "is", (int)level, message);
    if (!result) PyErr_WriteUnraisable((PyObject *)user_data);
    Py_XDECREF(result);
    PyGILState_Release(lock);
}

static void set_log(mpt_context_desc *desc, PyObject *callable) {
    if (!support_callables) support_callables = PyList_New(0);
    if (!support_callables || (!PySequence_Contains(support_callables, callable) && PyList_Append(support_callables, callable) != 0)) return;
    desc->log = support_log;
    /* The list's own object: an equal one, such as a bound method made anew, may go. */
    desc->log_user_data = PyList_GetItem(support_callables, PySequence_Index(support_callables, callable));
}

static PyObject *address(mpt_tensor *tensor) {
    void *data = NULL;
    mpt_status status;
    SUPPORT_CALL(status, mpt_tensor_data(tensor, &data));
    if (status != MPT_OK) {
        support_raise(status);
        return NULL;
    }
    return PyLong_FromVoidPtr(data);
}

static mpt_status wrap(mpt_context *ctx, mpt_dtype dtype, int32_t ndim, const int64_t *shape, PyObject *strides, PyObject *at, size_t size,
                       PyObject *owner, mpt_tensor **out) {
    int64_t values[SUPPORT_LIST];
    int64_t *given = values;
    int32_t n = 0;
    void *data = PyLong_AsVoidPtr(at);
    mpt_status status;
    if (PyErr_Occurred() || support_int64_ts(strides, values, &n, &given) != 0) {
        support_keep_exception();
        return MPT_ERROR_ARGUMENT;
    }
    if (given && n != ndim) {
        PyErr_SetString(PyExc_ValueError, "as many strides as extents are needed");
        support_keep_exception();
        return MPT_ERROR_ARGUMENT;
    }
    Py_INCREF(owner);
    SUPPORT_CALL(status, mpt_tensor_wrap(ctx, dtype, ndim, shape, given, data, size, support_drop_owner, owner, out));
    if (status != MPT_OK) Py_DECREF(owner);
    return status;
}

static mpt_status wrap_buffer(mpt_context *ctx, mpt_dtype dtype, int32_t ndim, const int64_t *shape, PyObject *exporter, mpt_tensor **out) {
    Py_buffer *view = (Py_buffer *)calloc(1, sizeof *view);
    mpt_status status;
    if (!view || PyObject_GetBuffer(exporter, view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) != 0) {
        free(view);
        if (PyErr_Occurred()) support_keep_exception();
        return MPT_ERROR_ARGUMENT;
    }
    SUPPORT_CALL(status, mpt_tensor_wrap(ctx, dtype, ndim, shape, NULL, view->buf, (size_t)view->len, support_drop_buffer, view, out));
    if (status != MPT_OK) {
        PyBuffer_Release(view);
        free(view);
    }
    return status;
}

/* ---- the buffer protocol ---- */

static const char *support_format(mpt_dtype dtype) {
    switch (dtype) {
        case MPT_F64: return "d";
        case MPT_F32: return "f";
        case MPT_F16: return "e";
        case MPT_I8: return "b";
        case MPT_I16: return "h";
        case MPT_I32: return "i";
        case MPT_I64: return "q";
        case MPT_U8: return "B";
        case MPT_BOOL: return "?";
        default: return NULL;
    }
}

typedef struct support_view {
    Py_ssize_t shape[MPT_MAX_DIMS], strides[MPT_MAX_DIMS];
    mpt_tensor *tensor;
} support_view;

static mpt_status support_form(mpt_tensor *tensor, mpt_dtype *dtype, int32_t *ndim, int64_t *shape, int64_t *strides, void **data) {
    mpt_status status = mpt_tensor_dtype(tensor, dtype);
    if (status == MPT_OK) status = mpt_tensor_ndim(tensor, ndim);
    if (status == MPT_OK) status = mpt_tensor_shape(tensor, shape, MPT_MAX_DIMS);
    if (status == MPT_OK) status = mpt_tensor_strides(tensor, strides, MPT_MAX_DIMS);
    if (status == MPT_OK) status = mpt_tensor_data(tensor, data);
    return status;
}

/* The view owns the tensor from here on where all goes well. */
static int support_fill_view(PyObject *self, mpt_tensor *tensor, mpt_dtype dtype, int32_t ndim, const int64_t *shape, const int64_t *strides,
                             void *data, Py_buffer *view, int flags) {
    int64_t numel = 1, expected = 1;
    support_view *held;
    int32_t i, dense = 1;
    if (!support_format(dtype)) {
        PyErr_Format(PyExc_BufferError, "the buffer protocol has no format for %s: use numpy() with ml_dtypes, or DLPack", mpt_dtype_name(dtype));
        return -1;
    }
    if (flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "a tensor's buffer is read-only: use `with tensor.writable() as array:`");
        return -1;
    }
    for (i = ndim - 1; i >= 0; --i) {
        if (shape[i] != 1 && strides[i] != expected) dense = 0;
        expected *= shape[i];
        numel *= shape[i];
    }
    if (!dense && numel > 0 && (flags & PyBUF_STRIDES) != PyBUF_STRIDES) {
        PyErr_SetString(PyExc_BufferError, "the tensor is not contiguous");
        return -1;
    }
    if (!dense && numel > 0 && ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS || (flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS)) {
        PyErr_SetString(PyExc_BufferError, "the tensor is not contiguous: use contiguous()");
        return -1;
    }
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "the tensor is not in Fortran's order");
        return -1;
    }
    held = (support_view *)calloc(1, sizeof *held);
    if (!held) {
        PyErr_NoMemory();
        return -1;
    }
    for (i = 0; i < ndim; ++i) {
        held->shape[i] = (Py_ssize_t)shape[i];
        held->strides[i] = (Py_ssize_t)(strides[i] * (int64_t)mpt_dtype_size(dtype));
    }
    held->tensor = tensor;
    view->buf = data;
    view->obj = self;
    Py_INCREF(self);
    view->itemsize = (Py_ssize_t)mpt_dtype_size(dtype);
    view->len = (Py_ssize_t)numel * view->itemsize;
    view->readonly = 1;
    view->ndim = ndim;
    view->format = flags & PyBUF_FORMAT ? (char *)support_format(dtype) : NULL;
    view->shape = flags & PyBUF_ND ? held->shape : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? held->strides : NULL;
    view->suboffsets = NULL;
    view->internal = held;
    return 0;
}

static int support_get_buffer(PyObject *self, Py_buffer *view, int flags) {
    int64_t shape[MPT_MAX_DIMS], strides[MPT_MAX_DIMS];
    void *handle = NULL, *data = NULL;
    mpt_dtype dtype = MPT_DTYPE_NONE;
    PyObject *readable;
    mpt_status status;
    int32_t ndim = 0;
    int refused;
    view->obj = NULL;
    if (!SWIG_IsOK(SWIG_ConvertPtr(self, &handle, support_tensor_type, 0)) || !handle) {
        PyErr_SetString(PyExc_BufferError, "the tensor was closed");
        return -1;
    }
    mpt_tensor_retain((mpt_tensor *)handle); /* closing the object leaves the memory to those who look at it */
    /* On a GPU the address means nothing here; the class knows, and raises. */
    readable = PyObject_CallMethod(self, "_check_readable", NULL);
    if (!readable) {
        mpt_tensor_release((mpt_tensor *)handle);
        return -1;
    }
    Py_DECREF(readable);
    SUPPORT_CALL(status, support_form((mpt_tensor *)handle, &dtype, &ndim, shape, strides, &data));
    if (status != MPT_OK) {
        PyErr_SetString(PyExc_BufferError, mpt_last_error());
        mpt_tensor_release((mpt_tensor *)handle);
        return -1;
    }
    refused = support_fill_view(self, (mpt_tensor *)handle, dtype, ndim, shape, strides, data, view, flags);
    if (refused) mpt_tensor_release((mpt_tensor *)handle);
    return refused;
}

static void support_release_buffer(PyObject *self, Py_buffer *view) {
    support_view *held = (support_view *)view->internal;
    (void)self;
    if (!held) return;
    mpt_tensor_release(held->tensor);
    free(held);
}

static PyType_Slot support_slots[] = {
    {Py_bf_getbuffer, (void *)support_get_buffer}, {Py_bf_releasebuffer, (void *)support_release_buffer}, {0, NULL}};
static PyType_Spec support_spec = {"mpt.swig_core.TensorBuffer", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, support_slots};

static void support_init(PyObject *module, swig_type_info *tensors, swig_type_info *layers) {
    PyObject *type = PyType_FromSpec(&support_spec);
    support_tensor_type = tensors;
    support_layer_type = layers;
    if (type) PyModule_AddObject(module, "TensorBuffer", type);
}

/* ---- DLPack [github.com/dmlc/dlpack, its C interface in its own terms] ---- */

typedef struct dl_tensor {
    void *data;
    int32_t device_type, device_id;
    int32_t ndim;
    uint8_t code, bits;
    uint16_t lanes;
    int64_t *shape, *strides;
    uint64_t byte_offset;
} dl_tensor;
typedef struct dl_managed {
    dl_tensor tensor;
    void *manager;
    void (*deleter)(struct dl_managed *);
} dl_managed;
typedef struct dl_versioned {
    uint32_t major, minor;
    void *manager;
    void (*deleter)(struct dl_versioned *);
    uint64_t flags;
    dl_tensor tensor;
} dl_versioned;
enum { DL_CPU = 1, DL_CUDA = 2, DL_INT = 0, DL_UINT = 1, DL_FLOAT = 2, DL_BFLOAT = 4, DL_BOOL = 6, DL_F8E4M3FN = 10, DL_F8E5M2 = 12 };

typedef struct dl_export {
    dl_managed old;
    dl_versioned versioned;
    int64_t shape[MPT_MAX_DIMS], strides[MPT_MAX_DIMS];
    mpt_tensor *tensor;
} dl_export;

static void dl_delete_export(dl_export *held) {
    mpt_tensor_release(held->tensor);
    free(held);
}
static void dl_delete_old(dl_managed *m) {
    dl_delete_export((dl_export *)m->manager);
}
static void dl_delete_versioned(dl_versioned *m) {
    dl_delete_export((dl_export *)m->manager);
}
/* A capsule that nobody took. */
static void dl_capsule_gone(PyObject *capsule) {
    if (PyCapsule_IsValid(capsule, "dltensor")) {
        dl_managed *m = (dl_managed *)PyCapsule_GetPointer(capsule, "dltensor");
        m->deleter(m);
    } else if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
        dl_versioned *m = (dl_versioned *)PyCapsule_GetPointer(capsule, "dltensor_versioned");
        m->deleter(m);
    }
}

static int dl_code(mpt_dtype dtype) {
    switch (dtype) {
        case MPT_F64: case MPT_F32: case MPT_F16: return DL_FLOAT;
        case MPT_BF16: return DL_BFLOAT;
        case MPT_F8E4M3: return DL_F8E4M3FN;
        case MPT_F8E5M2: return DL_F8E5M2;
        case MPT_U8: return DL_UINT;
        case MPT_BOOL: return DL_BOOL;
        default: return DL_INT;
    }
}
static mpt_dtype dl_dtype(const dl_tensor *t) {
    static const mpt_dtype all[] = {MPT_F64, MPT_F32, MPT_F16, MPT_BF16, MPT_F8E4M3, MPT_F8E5M2, MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8, MPT_BOOL};
    size_t i;
    for (i = 0; t->lanes == 1 && i < sizeof all / sizeof all[0]; ++i) {
        if (dl_code(all[i]) == t->code && mpt_dtype_size(all[i]) * 8 == t->bits) return all[i];
    }
    return MPT_DTYPE_NONE;
}

static PyObject *to_dlpack(mpt_tensor *tensor, int device, int index, int versioned) {
    dl_export *held = (dl_export *)calloc(1, sizeof *held);
    dl_tensor *t;
    mpt_dtype dtype = MPT_DTYPE_NONE;
    mpt_status status;
    PyObject *capsule;
    if (!held) return PyErr_NoMemory();
    t = versioned ? &held->versioned.tensor : &held->old.tensor;
    SUPPORT_CALL(status, support_form(tensor, &dtype, &t->ndim, held->shape, held->strides, &t->data));
    if (status != MPT_OK) {
        free(held);
        support_raise(status);
        return NULL;
    }
    t->device_type = device;
    t->device_id = index;
    t->code = (uint8_t)dl_code(dtype);
    t->bits = (uint8_t)(mpt_dtype_size(dtype) * 8);
    t->lanes = 1;
    t->shape = held->shape;
    t->strides = held->strides;
    held->old.manager = held->versioned.manager = held;
    held->old.deleter = dl_delete_old;
    held->versioned.deleter = dl_delete_versioned;
    held->versioned.major = 1;
    held->tensor = tensor;
    mpt_tensor_retain(tensor);
    capsule = versioned ? PyCapsule_New(&held->versioned, "dltensor_versioned", dl_capsule_gone) : PyCapsule_New(&held->old, "dltensor", dl_capsule_gone);
    if (!capsule) dl_delete_export(held);
    return capsule;
}

static void MPT_CALL dl_drop_old(void *data, void *user_data) {
    dl_managed *m = (dl_managed *)user_data;
    (void)data;
    if (m->deleter && Py_IsInitialized()) m->deleter(m);
}
static void MPT_CALL dl_drop_versioned(void *data, void *user_data) {
    dl_versioned *m = (dl_versioned *)user_data;
    (void)data;
    if (m->deleter && Py_IsInitialized()) m->deleter(m);
}

static mpt_status support_value_error(const char *text) {
    PyErr_SetString(PyExc_BufferError, text);
    support_keep_exception();
    return MPT_ERROR_ARGUMENT;
}

static mpt_status from_dlpack(mpt_context *ctx, PyObject *capsule, mpt_tensor **out) {
    const int versioned = PyCapsule_IsValid(capsule, "dltensor_versioned");
    dl_versioned *v = versioned ? (dl_versioned *)PyCapsule_GetPointer(capsule, "dltensor_versioned") : NULL;
    dl_managed *m = !versioned && PyCapsule_IsValid(capsule, "dltensor") ? (dl_managed *)PyCapsule_GetPointer(capsule, "dltensor") : NULL;
    const dl_tensor *t = v ? &v->tensor : m ? &m->tensor : NULL;
    mpt_device device = MPT_DEVICE_CPU;
    int64_t last = 0, extent = 1;
    mpt_dtype dtype;
    mpt_status status;
    int32_t i;
    if (!t) return support_value_error("not a DLPack capsule, or one that was used");
    if (v && v->major != 1) return support_value_error("a DLPack version that is not understood");
    if (v && v->flags & 1) return support_value_error("the memory is read-only: make a copy with mpt.tensor()");
    SUPPORT_CALL(status, mpt_context_device(ctx, &device));
    if (status != MPT_OK) return status;
    if (t->device_type != (device == MPT_DEVICE_CUDA ? DL_CUDA : DL_CPU))
        return support_value_error("the memory is on another device than the context");
    dtype = dl_dtype(t);
    if (dtype == MPT_DTYPE_NONE) return support_value_error("mpt has no such element type");
    for (i = 0; i < t->ndim; ++i) {
        if (t->strides && t->strides[i] < 0) return support_value_error("negative strides: make a copy with mpt.tensor()");
        extent *= t->shape[i];
        if (t->strides && t->shape[i] > 0) last += (t->shape[i] - 1) * t->strides[i];
    }
    if (t->strides && extent > 0) extent = last + 1;
    SUPPORT_CALL(status, mpt_tensor_wrap(ctx, dtype, t->ndim, t->shape, t->strides, (char *)t->data + t->byte_offset,
                                         (size_t)extent * mpt_dtype_size(dtype), v ? dl_drop_versioned : dl_drop_old, v ? (void *)v : (void *)m, out));
    if (status == MPT_OK) PyCapsule_SetName(capsule, v ? "used_dltensor_versioned" : "used_dltensor");
    return status;
}

/* ---- custom layers and ops ---- */

/* user_data is a weak reference: the layer's object owns the handle, so mpt must not own the object. */
static mpt_status MPT_CALL support_layer_forward(mpt_layer *layer, mpt_tensor *const *inputs, int32_t n_inputs, mpt_tensor **outputs,
                                                 int32_t n_outputs, void *user_data) {
    PyGILState_STATE lock = PyGILState_Ensure();
    mpt_status status = MPT_ERROR_STATE;
    PyObject *rule = PyObject_CallFunctionObjArgs((PyObject *)user_data, NULL), *arguments = NULL, *result = NULL;
    int32_t i;
    (void)layer;
    if (rule == Py_None) {
        PyErr_SetString(PyExc_ReferenceError, "the object of a layer is gone: keep it while its container is used");
    } else if (rule) {
        for (i = 0; i < n_inputs; ++i) mpt_tensor_retain(inputs[i]);
        arguments = support_tuple((mpt_tensor **)inputs, n_inputs, support_tensor_type);
        if (arguments) result = PyObject_CallMethod(rule, "_forward", "Oi", arguments, (int)n_outputs);
    }
    for (i = 0; result && i < n_outputs; ++i) {
        PyObject *one = PySequence_GetItem(result, i);
        void *handle = NULL;
        if (!one || !SWIG_IsOK(SWIG_ConvertPtr(one, &handle, support_tensor_type, 0)) || !handle) {
            if (one) PyErr_SetString(PyExc_TypeError, "a layer's forward must return tensors");
            Py_XDECREF(one);
            break;
        }
        outputs[i] = (mpt_tensor *)handle;
        mpt_tensor_retain(outputs[i]);
        Py_DECREF(one);
    }
    if (result && !PyErr_Occurred()) {
        status = MPT_OK;
    } else {
        for (i = 0; i < n_outputs; ++i) {
            mpt_tensor_release(outputs[i]);
            outputs[i] = NULL;
        }
        support_keep_exception();
    }
    Py_XDECREF(result);
    Py_XDECREF(arguments);
    Py_XDECREF(rule);
    PyGILState_Release(lock);
    return status;
}

static mpt_status layer_custom(mpt_context *ctx, PyObject *rule, mpt_layer **out) {
    mpt_custom_layer_desc desc;
    mpt_status status = mpt_custom_layer_desc_init(&desc, sizeof desc);
    if (status != MPT_OK) return status;
    desc.forward = support_layer_forward;
    desc.release = support_drop;
    desc.user_data = PyWeakref_NewRef(rule, NULL);
    if (!desc.user_data) {
        support_keep_exception();
        return MPT_ERROR_ARGUMENT;
    }
    SUPPORT_CALL(status, mpt_layer_custom(ctx, &desc, out));
    if (status != MPT_OK) Py_DECREF((PyObject *)desc.user_data);
    return status;
}

/* [(address, dtype, shape, strides), ...] */
static PyObject *support_buffers(const mpt_buffer *buffers, int32_t n) {
    PyObject *list = PyList_New(n);
    int32_t i, d;
    for (i = 0; list && i < n; ++i) {
        PyObject *shape = PyTuple_New(buffers[i].ndim), *strides = PyTuple_New(buffers[i].ndim), *one;
        for (d = 0; shape && strides && d < buffers[i].ndim; ++d) {
            PyTuple_SetItem(shape, d, PyLong_FromLongLong(buffers[i].shape[d]));
            PyTuple_SetItem(strides, d, PyLong_FromLongLong(buffers[i].strides[d]));
        }
        one = Py_BuildValue("(NiNN)", PyLong_FromVoidPtr(buffers[i].data), (int)buffers[i].dtype, shape, strides);
        if (!one) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SetItem(list, i, one);
    }
    return list;
}

static mpt_status MPT_CALL support_op_shape(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    PyGILState_STATE lock = PyGILState_Ensure();
    PyObject *inputs = support_buffers(in, n_in);
    PyObject *forms = inputs ? PyObject_CallMethod((PyObject *)user_data, "_shape", "Oi", inputs, (int)n_out) : NULL;
    mpt_status status = MPT_ERROR_ARGUMENT;
    int32_t i;
    for (i = 0; forms && i < n_out; ++i) {
        PyObject *form = PySequence_GetItem(forms, i), *shape = form ? PySequence_GetItem(form, 0) : NULL;
        PyObject *dtype = form ? PySequence_GetItem(form, 1) : NULL;
        int64_t values[SUPPORT_LIST];
        int64_t *found = values;
        int32_t n = 0;
        int failed = !shape || !dtype || support_int64_ts(shape, values, &n, &found) != 0;
        if (!failed && (!found || n > MPT_MAX_DIMS)) {
            PyErr_SetString(PyExc_ValueError, "a shape has too many dimensions");
            failed = 1;
        }
        if (!failed) {
            out[i].dtype = (mpt_dtype)PyLong_AsLong(dtype);
            out[i].ndim = n;
            memcpy(out[i].shape, values, (size_t)n * sizeof *values);
        }
        Py_XDECREF(shape);
        Py_XDECREF(dtype);
        Py_XDECREF(form);
        if (failed || PyErr_Occurred()) break;
    }
    if (forms && !PyErr_Occurred())
        status = MPT_OK;
    else
        support_keep_exception();
    Py_XDECREF(inputs);
    Py_XDECREF(forms);
    PyGILState_Release(lock);
    return status;
}

static mpt_status support_op_call(const char *method, const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    PyGILState_STATE lock;
    PyObject *inputs, *outputs, *result = NULL;
    mpt_status status = MPT_OK;
    if (!Py_IsInitialized()) return MPT_ERROR_STATE;
    lock = PyGILState_Ensure();
    inputs = support_buffers(in, n_in);
    outputs = inputs ? support_buffers(out, n_out) : NULL;
    if (outputs) result = PyObject_CallMethod((PyObject *)user_data, method, "OO", inputs, outputs);
    if (!result) {
        support_keep_exception();
        status = MPT_ERROR_IO;
    }
    Py_XDECREF(result);
    Py_XDECREF(outputs);
    Py_XDECREF(inputs);
    PyGILState_Release(lock);
    return status;
}
static mpt_status MPT_CALL support_op_forward(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    return support_op_call("_forward", in, n_in, out, n_out, user_data);
}
static mpt_status MPT_CALL support_op_backward(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    return support_op_call("_backward", in, n_in, out, n_out, user_data);
}

static mpt_status custom_op(mpt_context *ctx, const char *name, PyObject *rule, int backward, mpt_tensor *const *inputs, int32_t n_inputs,
                            mpt_tensor **outputs, int32_t n_outputs) {
    mpt_custom_op_desc desc;
    mpt_status status = mpt_custom_op_desc_init(&desc, sizeof desc);
    if (status != MPT_OK) return status;
    desc.shape = support_op_shape;
    desc.forward = support_op_forward;
    desc.backward = backward ? support_op_backward : NULL;
    desc.release = support_drop;
    desc.user_data = rule;
    Py_INCREF(rule);
    SUPPORT_CALL(status, mpt_custom_op(ctx, name, &desc, inputs, n_inputs, outputs, n_outputs));
    if (status != MPT_OK) Py_DECREF(rule);
    return status;
}

/* ---- files ---- */

static int MPT_CALL support_write(const void *data, size_t nbytes, void *user_data) {
    PyGILState_STATE lock = PyGILState_Ensure();
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)nbytes);
    PyObject *result = bytes ? PyObject_CallFunctionObjArgs((PyObject *)user_data, bytes, NULL) : NULL;
    const int failed = !result;
    if (failed) support_keep_exception();
    Py_XDECREF(result);
    Py_XDECREF(bytes);
    PyGILState_Release(lock);
    return failed;
}
/* user_data gives the bytes that were asked for. */
static int MPT_CALL support_read(void *data, size_t nbytes, void *user_data) {
    PyGILState_STATE lock = PyGILState_Ensure();
    PyObject *result = PyObject_CallFunction((PyObject *)user_data, "n", (Py_ssize_t)nbytes);
    char *bytes = NULL;
    Py_ssize_t n = 0;
    int failed = 1;
    if (result && PyBytes_AsStringAndSize(result, &bytes, &n) == 0 && (size_t)n == nbytes) {
        memcpy(data, bytes, nbytes);
        failed = 0;
    }
    if (PyErr_Occurred()) support_keep_exception();
    Py_XDECREF(result);
    PyGILState_Release(lock);
    return failed;
}
static mpt_status state_save_to(mpt_state *state, PyObject *write) {
    mpt_status status;
    SUPPORT_CALL(status, mpt_state_save_to(state, support_write, write));
    return status;
}
static mpt_status state_load_from(mpt_state *state, PyObject *read) {
    mpt_status status;
    SUPPORT_CALL(status, mpt_state_load_from(state, support_read, read));
    return status;
}

#endif
