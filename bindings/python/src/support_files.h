/* States in file objects. Part of support.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_FILES_H
#define SUPPORT_FILES_H

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
    Py_BEGIN_ALLOW_THREADS
    status = mpt_state_save_to(state, support_write, write);
    Py_END_ALLOW_THREADS
    return status;
}
static mpt_status state_load_from(mpt_state *state, PyObject *read) {
    mpt_status status;
    Py_BEGIN_ALLOW_THREADS
    status = mpt_state_load_from(state, support_read, read);
    Py_END_ALLOW_THREADS
    return status;
}

#endif
