/* Lists of numbers and of handles. Part of support.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_LISTS_H
#define SUPPORT_LISTS_H

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

#endif
