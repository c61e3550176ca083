/* Layers and ops whose rules are written in Python. Part of support.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_CUSTOM_H
#define SUPPORT_CUSTOM_H

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
    Py_BEGIN_ALLOW_THREADS
    status = mpt_layer_custom(ctx, &desc, out);
    Py_END_ALLOW_THREADS
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
    Py_BEGIN_ALLOW_THREADS
    status = mpt_custom_op(ctx, name, &desc, inputs, n_inputs, outputs, n_outputs);
    Py_END_ALLOW_THREADS
    if (status != MPT_OK) Py_DECREF(rule);
    return status;
}

#endif
