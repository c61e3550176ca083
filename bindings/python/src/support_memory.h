/* Objects and memory of Python that mpt holds. Part of support.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_MEMORY_H
#define SUPPORT_MEMORY_H

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
    Py_BEGIN_ALLOW_THREADS
    status = mpt_tensor_data(tensor, &data);
    Py_END_ALLOW_THREADS
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
    Py_BEGIN_ALLOW_THREADS
    status = mpt_tensor_wrap(ctx, dtype, ndim, shape, given, data, size, support_drop_owner, owner, out);
    Py_END_ALLOW_THREADS
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
    Py_BEGIN_ALLOW_THREADS
    status = mpt_tensor_wrap(ctx, dtype, ndim, shape, NULL, view->buf, (size_t)view->len, support_drop_buffer, view, out);
    Py_END_ALLOW_THREADS
    if (status != MPT_OK) {
        PyBuffer_Release(view);
        free(view);
    }
    return status;
}

#endif
