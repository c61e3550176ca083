/* The header as Python sees it: handles own what they point to, outputs are results, a failed call raises. Run with -threads and
 * -DSWIGWORDSIZE64. A module's name must not begin with '_'. What no typemap can say is in support.h. */
%module swig_core
%{
#include "mpt.h"
#include "support.h"
%}
%include <stdint.i>

/* ---- results ---- */
%typemap(out) mpt_status {
    if ($1 != MPT_OK) {
        support_raise($1);
        SWIG_fail;
    }
    $result = SWIG_Py_Void();
}
%fragment("support_append", "header") {
/* None is replaced, a tuple grows, anything else becomes the first of two. */
static PyObject *support_append(PyObject *result, PyObject *more) {
    PyObject *both;
    Py_ssize_t i, n;
    if (!result || result == Py_None) {
        Py_XDECREF(result);
        return more;
    }
    n = PyTuple_Check(result) ? PyTuple_Size(result) : 1;
    both = PyTuple_New(n + 1);
    if (!both) {
        Py_DECREF(result);
        Py_XDECREF(more);
        return NULL;
    }
    for (i = 0; i < n; ++i) {
        PyObject *one = PyTuple_Check(result) ? PyTuple_GetItem(result, i) : result;
        Py_INCREF(one);
        PyTuple_SetItem(both, i, one);
    }
    PyTuple_SetItem(both, n, more);
    Py_DECREF(result);
    return both;
}
}
%define OUT_NUMBER(TYPE, NAME, MAKE)
%typemap(in, numinputs=0) TYPE *NAME (TYPE value) { value = 0; $1 = &value; }
%typemap(argout, fragment="support_append") TYPE *NAME { $result = support_append($result, MAKE(*$1)); }
%enddef
%define OUT_NUMBERS(TYPE, MAKE)
OUT_NUMBER(TYPE, out, MAKE)
OUT_NUMBER(TYPE, in_use_out, MAKE)
OUT_NUMBER(TYPE, peak_out, MAKE)
OUT_NUMBER(TYPE, reserved_out, MAKE)
OUT_NUMBER(TYPE, arena_out, MAKE)
OUT_NUMBER(TYPE, outputs_out, MAKE)
OUT_NUMBER(TYPE, good_out, MAKE)
OUT_NUMBER(TYPE, bad_out, MAKE)
OUT_NUMBER(TYPE, at_minimum_out, MAKE)
OUT_NUMBER(TYPE, stepped_out, MAKE)
OUT_NUMBER(TYPE, skipped_out, MAKE)
%enddef
OUT_NUMBERS(int32_t, PyLong_FromLong)
OUT_NUMBERS(int64_t, PyLong_FromLongLong)
OUT_NUMBERS(size_t, PyLong_FromSize_t)
OUT_NUMBERS(double, PyFloat_FromDouble)
%typemap(in, numinputs=0) mpt_dtype *out (mpt_dtype value) { value = MPT_DTYPE_NONE; $1 = &value; }
%typemap(argout, fragment="support_append") mpt_dtype *out { $result = support_append($result, PyLong_FromLong((long)*$1)); }
%typemap(in, numinputs=0) mpt_device *out (mpt_device value) { value = MPT_DEVICE_CPU; $1 = &value; }
%typemap(argout, fragment="support_append") mpt_device *out { $result = support_append($result, PyLong_FromLong((long)*$1)); }
%typemap(in, numinputs=0) void **out (void *value) { value = NULL; $1 = &value; }
%typemap(argout, fragment="support_append") void **out { $result = support_append($result, PyLong_FromVoidPtr(*$1)); }
%typemap(in) void *stream { $1 = $input == Py_None ? NULL : PyLong_AsVoidPtr($input); if (PyErr_Occurred()) SWIG_fail; }
/* Extents or strides as a tuple. */
%typemap(in, numinputs=0) (int64_t *out, int32_t capacity) (int64_t values[MPT_MAX_DIMS]) { $1 = values; $2 = MPT_MAX_DIMS; }
%typemap(argout, fragment="support_append") (int64_t *out, int32_t capacity) {
    int32_t ndim = 0, i;
    PyObject *extents;
    mpt_status status;
    Py_BEGIN_ALLOW_THREADS
    status = mpt_tensor_ndim(arg1, &ndim);
    Py_END_ALLOW_THREADS
    if (status != MPT_OK) ndim = 0;
    extents = PyTuple_New(ndim);
    for (i = 0; extents && i < ndim; ++i) PyTuple_SetItem(extents, i, PyLong_FromLongLong($1[i]));
    $result = support_append($result, extents);
}
/* A text in room for so many bytes, and the bytes of the whole one. */
%typemap(in) (char *text, size_t nbytes, size_t *needed_out) (size_t needed) {
    $2 = PyLong_AsSize_t($input);
    if (PyErr_Occurred()) SWIG_fail;
    $1 = (char *)calloc($2 + 1, 1);
    needed = 0;
    $3 = &needed;
    if (!$1) {
        PyErr_NoMemory();
        SWIG_fail;
    }
}
%typemap(argout, fragment="support_append") (char *text, size_t nbytes, size_t *needed_out) {
    $result = support_append($result, PyUnicode_DecodeUTF8($1, (Py_ssize_t)strlen($1), "replace"));
    $result = support_append($result, PyLong_FromSize_t(*$3));
}
%typemap(freearg) (char *text, size_t nbytes, size_t *needed_out) { free($1); }

/* ---- numbers in ---- */
/* Enums are numbers; mpt looks at their values itself. */
%define ENUM(NAME)
%typemap(in) NAME {
    long number = PyLong_AsLong($input);
    if (number == -1 && PyErr_Occurred()) SWIG_fail;
    $1 = (NAME)number;
}
%typemap(out) NAME { $result = PyLong_FromLong((long)$1); }
%enddef
ENUM(mpt_dtype)
ENUM(mpt_device)
ENUM(mpt_log_level)
ENUM(mpt_reduction)
ENUM(mpt_grad_mode)
ENUM(mpt_init)
ENUM(mpt_role)
ENUM(mpt_scaler_kind)
ENUM(mpt_fp8_recipe)
ENUM(mpt_rounding)
ENUM(mpt_schedule_kind)
ENUM(mpt_activation)
ENUM(mpt_gelu_kind)
ENUM(mpt_upsample_mode)
ENUM(mpt_recurrent_kind)
ENUM(mpt_join)
%typemap(in) mpt_status { $1 = (mpt_status)PyLong_AsLong($input); if (PyErr_Occurred()) SWIG_fail; }

%define LIST_IN(TYPE, COUNT, VALUES)
%typemap(in) (int32_t COUNT, const TYPE *VALUES) (TYPE values[SUPPORT_LIST]) {
    $2 = values;
    if (support_##TYPE##s($input, values, &$1, &$2) != 0) SWIG_fail;
}
%enddef
LIST_IN(int64_t, ndim, shape)
LIST_IN(int64_t, ndim, repeats)
LIST_IN(int32_t, ndims, dims)
LIST_IN(int32_t, ndim, dims)
%typemap(in) (int32_t ndim, const int64_t *before, const int64_t *after) (int64_t before[SUPPORT_LIST], int64_t after[SUPPORT_LIST]) {
    $2 = before;
    $3 = after;
    if (support_pads($input, before, after, &$1) != 0) SWIG_fail;
}

/* ---- memory ---- */
%typemap(in) (const void *data, size_t nbytes) (Py_buffer view) {
    view.obj = NULL;
    if (PyObject_GetBuffer($input, &view, PyBUF_C_CONTIGUOUS) != 0) SWIG_fail;
    $1 = view.buf;
    $2 = (size_t)view.len;
}
%typemap(in) (void *data, size_t nbytes) (Py_buffer view) {
    view.obj = NULL;
    if (PyObject_GetBuffer($input, &view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) != 0) SWIG_fail;
    $1 = view.buf;
    $2 = (size_t)view.len;
}
%typemap(freearg) (const void *data, size_t nbytes), (void *data, size_t nbytes) { if (view$argnum.obj) PyBuffer_Release(&view$argnum); }

/* ---- handles ---- */
/* The call holds what it uses, so that another thread may close it meanwhile. */
%define HANDLE(NAME)
%nodefaultctor NAME;
%nodefaultdtor NAME;
struct NAME {};
%extend NAME { ~NAME() { NAME##_release($self); } }
%ignore NAME##_release;
%ignore NAME##_retain;
%typemap(in) NAME *, const NAME * {
    void *handle = NULL;
    if ($input != Py_None && !SWIG_IsOK(SWIG_ConvertPtr($input, &handle, $descriptor(NAME *), 0))) {
        support_wrong_handle($input, #NAME, "$symname", $argnum);
        SWIG_fail;
    }
    $1 = (NAME *)handle;
    NAME##_retain($1);
}
%typemap(freearg) NAME *, const NAME * { NAME##_release((NAME *)$1); }
%typemap(in, numinputs=0) NAME **out (NAME *made) { made = NULL; $1 = &made; }
%typemap(argout, fragment="support_append") NAME **out {
    $result = support_append($result, SWIG_NewPointerObj(*$1, $descriptor(NAME *), SWIG_POINTER_OWN));
}
%enddef
%typemap(freearg) SWIGTYPE *self ""
HANDLE(mpt_context)
HANDLE(mpt_tensor)
HANDLE(mpt_layer)
HANDLE(mpt_policy)
HANDLE(mpt_scaler)
HANDLE(mpt_optimizer)
HANDLE(mpt_program)
HANDLE(mpt_average)
HANDLE(mpt_state)
%typemap(in) mpt_tensor *self, mpt_context *self, mpt_layer *self, mpt_policy *self, mpt_scaler *self, mpt_optimizer *self, mpt_program *self,
             mpt_average *self, mpt_state *self {
    if (!SWIG_IsOK(SWIG_ConvertPtr($input, (void **)&$1, $descriptor, SWIG_POINTER_DISOWN))) SWIG_fail;
}
%typemap(freearg) mpt_tensor *self, mpt_context *self, mpt_layer *self, mpt_policy *self, mpt_scaler *self, mpt_optimizer *self,
                  mpt_program *self, mpt_average *self, mpt_state *self ""
%apply mpt_tensor **out { mpt_tensor **values_out, mpt_tensor **indices_out, mpt_tensor **hidden_out, mpt_tensor **cell_out };

%define TENSORS(VALUES, COUNT)
%typemap(in) (mpt_tensor *const *VALUES, int32_t COUNT) {
    if (support_tensors($input, $descriptor(mpt_tensor *), "$symname", &$1, &$2) != 0) SWIG_fail;
}
%typemap(freearg) (mpt_tensor *const *VALUES, int32_t COUNT) { support_free_tensors($1, $2); }
%enddef
TENSORS(inputs, n_inputs)
TENSORS(tensors, n)
TENSORS(params, n)
TENSORS(outputs, n)
%typemap(in) (mpt_tensor *const *roots, mpt_tensor *const *cotangents, int32_t n) (int32_t n_cotangents) {
    n_cotangents = 0;
    if (support_pair($input, $descriptor(mpt_tensor *), "$symname", &$1, &$3, &$2, &n_cotangents) != 0) SWIG_fail;
}
%typemap(freearg) (mpt_tensor *const *roots, mpt_tensor *const *cotangents, int32_t n) {
    support_free_tensors($1, $3);
    support_free_tensors($2, n_cotangents$argnum);
}
/* n outputs as a tuple. */
%typemap(in) (mpt_tensor **outputs, int32_t n_outputs) {
    $2 = (int32_t)PyLong_AsLong($input);
    if (PyErr_Occurred()) SWIG_fail;
    $1 = (mpt_tensor **)calloc($2 > 0 ? (size_t)$2 : 1, sizeof *$1);
    if (!$1) {
        PyErr_NoMemory();
        SWIG_fail;
    }
}
%typemap(argout) (mpt_tensor **outputs, int32_t n_outputs) { Py_XDECREF($result); $result = support_tuple($1, $2, $descriptor(mpt_tensor *)); }
%typemap(freearg) (mpt_tensor **outputs, int32_t n_outputs) { free($1); }
%typemap(in) (const int64_t *lengths, int32_t n, mpt_tensor **outputs) (int64_t lengths[SUPPORT_LIST], int64_t *given) {
    given = lengths;
    if (support_int64_ts($input, lengths, &$2, &given) != 0) SWIG_fail;
    $1 = given;
    $3 = (mpt_tensor **)calloc($2 > 0 ? (size_t)$2 : 1, sizeof *$3);
    if (!$3) {
        PyErr_NoMemory();
        SWIG_fail;
    }
}
%typemap(argout) (const int64_t *lengths, int32_t n, mpt_tensor **outputs) {
    Py_XDECREF($result);
    $result = support_tuple($3, $2, $descriptor(mpt_tensor *));
}
%typemap(freearg) (const int64_t *lengths, int32_t n, mpt_tensor **outputs) { free($3); }

/* ---- descriptors: their size is known here ---- */
%define DESCRIPTOR(NAME, ARGUMENT)
%typemap(in) (NAME *ARGUMENT, size_t nbytes) {
    void *descriptor = NULL;
    if (!SWIG_IsOK(SWIG_ConvertPtr($input, &descriptor, $descriptor(NAME *), 0))) {
        PyErr_SetString(PyExc_TypeError, "a " #NAME " is needed");
        SWIG_fail;
    }
    $1 = (NAME *)descriptor;
    $2 = sizeof(NAME);
}
%enddef
DESCRIPTOR(mpt_context_desc, desc)
DESCRIPTOR(mpt_conv2d_params, params)
DESCRIPTOR(mpt_conv1d_params, params)
DESCRIPTOR(mpt_pool2d_params, params)
DESCRIPTOR(mpt_attention_params, params)
DESCRIPTOR(mpt_cross_entropy_params, params)
DESCRIPTOR(mpt_fp8_desc, desc)
DESCRIPTOR(mpt_linear_desc, desc)
DESCRIPTOR(mpt_conv2d_desc, desc)
DESCRIPTOR(mpt_conv1d_desc, desc)
DESCRIPTOR(mpt_norm_desc, desc)
DESCRIPTOR(mpt_embedding_desc, desc)
DESCRIPTOR(mpt_recurrent_desc, desc)
DESCRIPTOR(mpt_attention_desc, desc)
DESCRIPTOR(mpt_scaler_desc, desc)
DESCRIPTOR(mpt_sgd_desc, desc)
DESCRIPTOR(mpt_adam_desc, desc)
DESCRIPTOR(mpt_adagrad_desc, desc)
DESCRIPTOR(mpt_adadelta_desc, desc)
DESCRIPTOR(mpt_rmsprop_desc, desc)
DESCRIPTOR(mpt_group_desc, desc)
DESCRIPTOR(mpt_schedule_desc, desc)
/* A tensor in a descriptor is borrowed from the object that the caller keeps. */
%typemap(memberin) mpt_tensor *weight "$1 = $input;"

/* ---- what support.h does by hand ---- */
%ignore mpt_context_desc::alloc;
%ignore mpt_context_desc::free;
%ignore mpt_context_desc::alloc_user_data;
%ignore mpt_context_desc::log;
%ignore mpt_context_desc::log_user_data;
%ignore mpt_context_desc::error;
%ignore mpt_context_desc::error_user_data;
%ignore mpt_buffer;
%ignore mpt_custom_op_desc;
%ignore mpt_custom_op_desc_init;
%ignore mpt_custom_op;
%ignore mpt_custom_layer_desc;
%ignore mpt_custom_layer_desc_init;
%ignore mpt_layer_custom;
%ignore mpt_tensor_wrap;
%ignore mpt_tensor_to_dlpack;
%ignore mpt_tensor_to_dlpack_unversioned;
%ignore mpt_tensor_from_dlpack;
%ignore mpt_tensor_from_dlpack_unversioned;
%ignore mpt_state_save_to;
%ignore mpt_state_load_from;

/* These wait for nobody. What takes a context's lock must not wait for it with the interpreter's lock in hand: who has the context may be
 * in a callback that waits for the interpreter. */
%nothread mpt_version;
%nothread mpt_status_name;
%nothread mpt_dtype_name;
%nothread mpt_dtype_size;
%nothread mpt_last_error;

%include "mpt.h"

%nothread;
%typemap(in, numinputs=0) swig_type_info *types "$1 = $descriptor(mpt_tensor *);"
%typemap(in, numinputs=0) swig_type_info *layers "$1 = $descriptor(mpt_layer *);"
void set_error_factory(PyObject *factory);
void set_log(mpt_context_desc *desc, PyObject *callable);
PyObject *address(mpt_tensor *tensor);
mpt_status wrap(mpt_context *ctx, mpt_dtype dtype, int32_t ndim, const int64_t *shape, PyObject *strides, PyObject *address, size_t size,
                PyObject *owner, mpt_tensor **out);
mpt_status wrap_buffer(mpt_context *ctx, mpt_dtype dtype, int32_t ndim, const int64_t *shape, PyObject *exporter, mpt_tensor **out);
PyObject *to_dlpack(mpt_tensor *tensor, PyObject *stream, int versioned);
mpt_status from_dlpack(mpt_context *ctx, PyObject *capsule, mpt_tensor **out);
mpt_status layer_custom(mpt_context *ctx, PyObject *rule, mpt_layer **out);
mpt_status custom_op(mpt_context *ctx, const char *name, PyObject *rule, int backward, mpt_tensor *const *inputs, int32_t n_inputs,
                     mpt_tensor **outputs, int32_t n_outputs);
mpt_status state_save_to(mpt_state *state, PyObject *write);
mpt_status state_load_from(mpt_state *state, PyObject *read);
%init %{
    support_init(m, SWIGTYPE_p_mpt_tensor, SWIGTYPE_p_mpt_layer);
%}
