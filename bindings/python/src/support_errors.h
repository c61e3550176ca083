/* Errors: what a failed call raises. Part of support.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_ERRORS_H
#define SUPPORT_ERRORS_H

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

#endif
