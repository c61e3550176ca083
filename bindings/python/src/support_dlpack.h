/* DLPack's structs in capsules. Part of support.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_DLPACK_H
#define SUPPORT_DLPACK_H

/* As far as a capsule that nobody took needs them [dmlc.github.io/dlpack/latest/c_api.html]. */
struct DLManagedTensor {
    struct {
        void *data;
        int32_t device[2], ndim;
        uint8_t code, bits;
        uint16_t lanes;
        int64_t *shape, *strides;
        uint64_t byte_offset;
    } tensor;
    void *manager;
    void (*deleter)(struct DLManagedTensor *);
};
struct DLManagedTensorVersioned {
    uint32_t version[2];
    void *manager;
    void (*deleter)(struct DLManagedTensorVersioned *);
};

static const char support_old[] = "dltensor", support_versioned[] = "dltensor_versioned";

/* A consumer renames what it takes. */
static void support_capsule_gone(PyObject *capsule) {
    if (PyCapsule_IsValid(capsule, support_old)) {
        struct DLManagedTensor *m = (struct DLManagedTensor *)PyCapsule_GetPointer(capsule, support_old);
        m->deleter(m);
    } else if (PyCapsule_IsValid(capsule, support_versioned)) {
        struct DLManagedTensorVersioned *m = (struct DLManagedTensorVersioned *)PyCapsule_GetPointer(capsule, support_versioned);
        m->deleter(m);
    }
}

/* stream: a stream's address, or None. */
static PyObject *to_dlpack(mpt_tensor *tensor, PyObject *stream, int versioned) {
    void *consumer = stream == Py_None ? NULL : PyLong_AsVoidPtr(stream);
    struct DLManagedTensor *old = NULL;
    struct DLManagedTensorVersioned *made = NULL;
    PyObject *capsule;
    mpt_status status;
    if (PyErr_Occurred()) return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = versioned ? mpt_tensor_to_dlpack(tensor, consumer, &made) : mpt_tensor_to_dlpack_unversioned(tensor, consumer, &old);
    Py_END_ALLOW_THREADS
    if (status != MPT_OK) {
        support_raise(status);
        return NULL;
    }
    capsule = versioned ? PyCapsule_New(made, support_versioned, support_capsule_gone) : PyCapsule_New(old, support_old, support_capsule_gone);
    if (!capsule && versioned) made->deleter(made);
    if (!capsule && !versioned) old->deleter(old);
    return capsule;
}

static mpt_status from_dlpack(mpt_context *ctx, PyObject *capsule, mpt_tensor **out) {
    const int versioned = PyCapsule_IsValid(capsule, support_versioned);
    void *managed;
    mpt_status status;
    if (!versioned && !PyCapsule_IsValid(capsule, support_old)) {
        PyErr_SetString(PyExc_BufferError, "not a DLPack capsule, or one that was used");
        support_keep_exception();
        return MPT_ERROR_ARGUMENT;
    }
    managed = PyCapsule_GetPointer(capsule, versioned ? support_versioned : support_old);
    Py_BEGIN_ALLOW_THREADS
    status = versioned ? mpt_tensor_from_dlpack(ctx, (struct DLManagedTensorVersioned *)managed, NULL, out)
                       : mpt_tensor_from_dlpack_unversioned(ctx, (struct DLManagedTensor *)managed, NULL, out);
    Py_END_ALLOW_THREADS
    if (status == MPT_OK) PyCapsule_SetName(capsule, versioned ? "used_dltensor_versioned" : "used_dltensor");
    return status;
}

#endif
