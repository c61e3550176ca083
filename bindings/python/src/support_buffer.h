/* Tensors as Python's buffers. Part of support.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_BUFFER_H
#define SUPPORT_BUFFER_H

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

static int support_fill_view(PyObject *self, mpt_tensor *tensor, Py_buffer *view, int flags) {
    int64_t shape[MPT_MAX_DIMS], strides[MPT_MAX_DIMS], numel = 1, expected = 1;
    void *data = NULL;
    mpt_dtype dtype = MPT_DTYPE_NONE;
    support_view *held;
    int32_t ndim = 0, i, dense = 1;
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = mpt_tensor_dtype(tensor, &dtype) != MPT_OK || mpt_tensor_ndim(tensor, &ndim) != MPT_OK ||
             mpt_tensor_shape(tensor, shape, MPT_MAX_DIMS) != MPT_OK || mpt_tensor_strides(tensor, strides, MPT_MAX_DIMS) != MPT_OK ||
             mpt_tensor_data(tensor, &data) != MPT_OK;
    Py_END_ALLOW_THREADS
    if (failed) {
        PyErr_SetString(PyExc_BufferError, mpt_last_error());
        return -1;
    }
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
    mpt_tensor_retain(held->tensor); /* closing the object leaves the memory to those who look at it */
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
    void *handle = NULL;
    PyObject *readable;
    int result;
    view->obj = NULL;
    if (!SWIG_IsOK(SWIG_ConvertPtr(self, &handle, support_tensor_type, 0)) || !handle) {
        PyErr_SetString(PyExc_BufferError, "the tensor was closed");
        return -1;
    }
    mpt_tensor_retain((mpt_tensor *)handle); /* another thread may close the object meanwhile */
    /* On a GPU the address means nothing here; the class knows, and raises. */
    readable = PyObject_CallMethod(self, "_check_readable", NULL);
    result = readable ? support_fill_view(self, (mpt_tensor *)handle, view, flags) : -1;
    Py_XDECREF(readable);
    mpt_tensor_release((mpt_tensor *)handle);
    return result;
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

#endif
