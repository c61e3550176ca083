/*
 * The header as SWIG sees it: the core that the classes of org.mpt call. Run with -DSWIGWORDSIZE64 -package org.mpt.internal.
 *
 * Handles and addresses are long; what a C function gives through a pointer comes in an array of one; strings are UTF-8 with a closing zero in
 * byte[]; memory is a direct ByteBuffer, all of it. A status other than MPT_OK is thrown as org.mpt.MptException with the message of the library.
 */
%module MptNative

%{
#include "mpt.h"
#include "support.h"
%}

%pragma(java) jniclassclassmodifiers="final class"
%pragma(java) moduleclassmodifiers="public final class"
%pragma(java) jniclasscode=%{
    static {
        Library.load();
    }
%}
%include <stdint.i>

/* SWIG would take long for 32 bits. */
%apply long long { int64_t, uint64_t };

/* ---- results ---- */

%typemap(jni) mpt_status "void"
%typemap(jtype) mpt_status "void"
%typemap(jstype) mpt_status "void"
%typemap(javaout) mpt_status "{ $jnicall; }"
%typemap(out) mpt_status { if ($1 != MPT_OK) support_throw(jenv, $1); }

%typemap(jni) const char * "jbyteArray"
%typemap(jtype) const char * "byte[]"
%typemap(jstype) const char * "byte[]"
%typemap(javain) const char * "$javainput"
%typemap(javaout) const char * { return $jnicall; }
%typemap(in) const char * { if (!support_copy_text(jenv, $input, (char **)&$1)) return $null; }
%typemap(freearg) const char * { free((void *)$1); }
%typemap(out) const char * { $result = support_text(jenv, $1); }

/* ---- outputs: arrays ---- */

%define MPT_OUT_ARRAY(pattern, ctype, jarray, jelement, java, Kind)
%typemap(jni) pattern #jarray
%typemap(jtype) pattern #java
%typemap(jstype) pattern #java
%typemap(javain) pattern "$javainput"
%typemap(in) pattern (ctype room[SUPPORT_DIMS], jsize length) {
    length = $input ? (*jenv)->GetArrayLength(jenv, $input) : 0;
    if (length > SUPPORT_DIMS) length = SUPPORT_DIMS;
    memset(room, 0, sizeof room);
    $1 = $input ? ($1_ltype)room : NULL;
}
%typemap(argout) pattern {
    if ($input && result == MPT_OK) {
        jelement values[SUPPORT_DIMS];
        jsize i;
        for (i = 0; i < length$argnum; ++i) values[i] = (jelement)room$argnum[i];
        (*jenv)->Set##Kind##ArrayRegion(jenv, $input, 0, length$argnum, values);
    }
}
%enddef
MPT_OUT_ARRAY(int64_t *, int64_t, jlongArray, jlong, long[], Long)
MPT_OUT_ARRAY(int32_t *OUT_INTS, int32_t, jintArray, jint, int[], Int)
MPT_OUT_ARRAY(size_t *, size_t, jlongArray, jlong, long[], Long)
MPT_OUT_ARRAY(double *, double, jdoubleArray, jdouble, double[], Double)
MPT_OUT_ARRAY(void **, intptr_t, jlongArray, jlong, long[], Long)
%apply int32_t *OUT_INTS { int32_t * };

/* Enums go as numbers; the classes of org.mpt have real ones. */
%rename($ignore, %$isenum) "";
%rename($ignore, %$isenumitem) "";
%define MPT_ENUM(name)
%apply int { name };
%apply int32_t *OUT_INTS { name * };
%enddef
%apply int { mpt_status status };
MPT_ENUM(mpt_dtype)
MPT_ENUM(mpt_device)
MPT_ENUM(mpt_log_level)
MPT_ENUM(mpt_reduction)
MPT_ENUM(mpt_grad_mode)
MPT_ENUM(mpt_init)
MPT_ENUM(mpt_role)
MPT_ENUM(mpt_scaler_kind)
MPT_ENUM(mpt_fp8_recipe)
MPT_ENUM(mpt_rounding)
MPT_ENUM(mpt_schedule_kind)
MPT_ENUM(mpt_activation)
MPT_ENUM(mpt_gelu_kind)
MPT_ENUM(mpt_upsample_mode)
MPT_ENUM(mpt_recurrent_kind)
MPT_ENUM(mpt_join)

/* ---- inputs: arrays ---- */

%define MPT_IN_ARRAY(pattern, ctype, jarray, jelement, java, Kind)
%typemap(jni) pattern #jarray
%typemap(jtype) pattern #java
%typemap(jstype) pattern #java
%typemap(javain) pattern "$javainput"
%typemap(in) pattern (ctype room[SUPPORT_DIMS], ctype *large = NULL) {
    $1 = NULL;
    if ($input) {
        const jsize length = (*jenv)->GetArrayLength(jenv, $input);
        ctype *to = room;
        if (length > SUPPORT_DIMS) {
            to = large = (ctype *)malloc((size_t)length * sizeof *to);
            if (!to) {
                support_throw_memory(jenv);
                return $null;
            }
        }
        (*jenv)->Get##Kind##ArrayRegion(jenv, $input, 0, length, (jelement *)to);
        $1 = ($1_ltype)to;
    }
}
%typemap(argout) pattern ""
%typemap(freearg) pattern { free(large$argnum); }
%enddef
MPT_IN_ARRAY(const int64_t *, int64_t, jlongArray, jlong, long[], Long)
MPT_IN_ARRAY(const int32_t *, int32_t, jintArray, jint, int[], Int)

/* ---- handles ---- */

%define MPT_HANDLE(name)
%ignore name;
%typemap(jni) name *, const name * "jlong"
%typemap(jtype) name *, const name * "long"
%typemap(jstype) name *, const name * "long"
%typemap(javain) name *, const name * "$javainput"
%typemap(javaout) name *, const name * { return $jnicall; }
%typemap(in) name *, const name * { $1 = ($1_ltype)(intptr_t)$input; }
%typemap(out) name *, const name * { $result = (jlong)(intptr_t)$1; }
%apply void ** { name ** };
%enddef
MPT_HANDLE(mpt_context)
MPT_HANDLE(mpt_tensor)
MPT_HANDLE(mpt_layer)
MPT_HANDLE(mpt_policy)
MPT_HANDLE(mpt_scaler)
MPT_HANDLE(mpt_optimizer)
MPT_HANDLE(mpt_program)
MPT_HANDLE(mpt_average)
MPT_HANDLE(mpt_state)

/* Several tensors, in and out. */
%typemap(argout) mpt_tensor *const * ""
%typemap(jni) mpt_tensor *const *, mpt_tensor **outputs "jlongArray"
%typemap(jtype) mpt_tensor *const *, mpt_tensor **outputs "long[]"
%typemap(jstype) mpt_tensor *const *, mpt_tensor **outputs "long[]"
%typemap(javain) mpt_tensor *const *, mpt_tensor **outputs "$javainput"
%typemap(in) mpt_tensor *const * (mpt_tensor *room[SUPPORT_DIMS]), mpt_tensor **outputs (mpt_tensor *room[SUPPORT_DIMS]) {
    if (!support_handles(jenv, $input, (void **)room, (void ***)&$1)) return $null;
}
%typemap(freearg) mpt_tensor *const *, mpt_tensor **outputs { if ((void *)$1 != (void *)room$argnum) free((void *)$1); }
%typemap(argout) mpt_tensor **outputs { if ($input && result == MPT_OK) support_give_handles(jenv, $input, (void **)$1); }

/* ---- memory and text ---- */

%define MPT_MEMORY(pattern)
%typemap(jni) pattern "jobject"
%typemap(jtype) pattern "java.nio.ByteBuffer"
%typemap(jstype) pattern "java.nio.ByteBuffer"
%typemap(javain) pattern "$javainput"
%enddef
MPT_MEMORY((const void *data, size_t nbytes))
MPT_MEMORY((void *data, size_t nbytes))
MPT_MEMORY((void *data, size_t nbytes, mpt_release_fn release, void *user_data))
%typemap(in) (const void *data, size_t nbytes), (void *data, size_t nbytes) {
    $1 = $input ? (*jenv)->GetDirectBufferAddress(jenv, $input) : NULL;
    $2 = $1 ? (size_t)(*jenv)->GetDirectBufferCapacity(jenv, $input) : 0;
}
/* Wrapped memory is a direct buffer, which lives until mpt has let go of it. */
%typemap(in) (void *data, size_t nbytes, mpt_release_fn release, void *user_data) {
    $1 = $input ? (*jenv)->GetDirectBufferAddress(jenv, $input) : NULL;
    $2 = $1 ? (size_t)(*jenv)->GetDirectBufferCapacity(jenv, $input) : 0;
    $3 = support_release_buffer;
    $4 = $input ? (*jenv)->NewGlobalRef(jenv, $input) : NULL;
}
%typemap(argout) (void *data, size_t nbytes, mpt_release_fn release, void *user_data) {
    if (result != MPT_OK && $4) (*jenv)->DeleteGlobalRef(jenv, (jobject)$4);
}

%typemap(jni) (char *text, size_t nbytes) "jbyteArray"
%typemap(jtype) (char *text, size_t nbytes) "byte[]"
%typemap(jstype) (char *text, size_t nbytes) "byte[]"
%typemap(javain) (char *text, size_t nbytes) "$javainput"
%typemap(in) (char *text, size_t nbytes) {
    $1 = NULL;
    $2 = $input ? (size_t)(*jenv)->GetArrayLength(jenv, $input) : 0;
    if ($2 && !($1 = (char *)calloc($2, 1))) {
        support_throw_memory(jenv);
        return $null;
    }
}
%typemap(argout) (char *text, size_t nbytes) {
    if ($1 && result == MPT_OK) (*jenv)->SetByteArrayRegion(jenv, $input, 0, (jsize)$2, (const jbyte *)$1);
}
%typemap(freearg) (char *text, size_t nbytes) { free($1); }

%typemap(jni) void *stream "jlong"
%typemap(jtype) void *stream "long"
%typemap(jstype) void *stream "long"
%typemap(javain) void *stream "$javainput"
%typemap(in) void *stream { $1 = (void *)(intptr_t)$input; }

/* ---- callbacks: objects of org.mpt.internal ---- */

%define MPT_CALLBACK(pattern, type, function)
%typemap(jni) pattern "jobject"
%typemap(jtype) pattern #type
%typemap(jstype) pattern #type
%typemap(javain) pattern "$javainput"
%typemap(in) pattern {
    $1 = function;
    $2 = $input;
}
%enddef
MPT_CALLBACK((mpt_write_fn write, void *user_data), Callbacks.Bytes, support_write)
MPT_CALLBACK((mpt_read_fn read, void *user_data), Callbacks.Bytes, support_read)
%define MPT_OBJECT(name, type)
%typemap(jni) jobject name "jobject"
%typemap(jtype) jobject name #type
%typemap(jstype) jobject name #type
%typemap(javain) jobject name "$javainput"
%enddef
MPT_OBJECT(listener, Callbacks.Listener)
MPT_OBJECT(op, Callbacks.Op)
MPT_OBJECT(rule, Callbacks.Rule)
%typemap(in, numinputs=0) JNIEnv *jenv { $1 = jenv; }

%ignore mpt_buffer;
%ignore mpt_tensor_to_dlpack;
%ignore mpt_tensor_to_dlpack_unversioned;
%ignore mpt_tensor_from_dlpack;
%ignore mpt_tensor_from_dlpack_unversioned;
%ignore mpt_context_desc::alloc;
%ignore mpt_context_desc::free;
%ignore mpt_context_desc::alloc_user_data;
%ignore mpt_context_desc::log;
%ignore mpt_context_desc::log_user_data;
%ignore mpt_context_desc::error;
%ignore mpt_context_desc::error_user_data;
%ignore mpt_custom_op_desc;
%ignore mpt_custom_op_desc_init;
%ignore mpt_custom_op;
%ignore mpt_custom_layer_desc;
%ignore mpt_custom_layer_desc_init;
%ignore mpt_layer_custom;
%rename($ignore, regextarget=1, fullname=1) "_fn$";

/* ---- descriptors: made with the library's defaults, deleted by hand ---- */

%typemap(javafinalize) SWIGTYPE ""
%typemap(javaclassmodifiers) SWIGTYPE "public final class"
%define MPT_DESCRIPTOR_WITH(name, desc)
%ignore name::struct_size;
%ignore name::reserved;
%typemap(in) (name *desc, size_t nbytes) {
    $1 = *(name **)&$input;
    $2 = sizeof *$1;
}
%typemap(jni) (name *desc, size_t nbytes) "jlong"
%typemap(jtype) (name *desc, size_t nbytes) "long"
%typemap(jstype) (name *desc, size_t nbytes) #name
%typemap(javain) (name *desc, size_t nbytes) "name.getCPtr($javainput)"
%nodefaultctor name;
%extend name {
    name() {
        name *made = (name *)calloc(1, sizeof *made);
        if (made && name##_init(made, sizeof *made) != MPT_OK) {
            free(made);
            made = NULL;
        }
        return made;
    }
    ~name() { free($self); }
}
%enddef
%define MPT_DESCRIPTOR(name) MPT_DESCRIPTOR_WITH(name, desc) %enddef
%define MPT_PARAMETERS(name) MPT_DESCRIPTOR_WITH(name, params) %enddef

MPT_DESCRIPTOR(mpt_context_desc)
MPT_PARAMETERS(mpt_conv2d_params)
MPT_PARAMETERS(mpt_conv1d_params)
MPT_PARAMETERS(mpt_pool2d_params)
MPT_PARAMETERS(mpt_attention_params)
MPT_PARAMETERS(mpt_cross_entropy_params)
MPT_DESCRIPTOR(mpt_fp8_desc)
MPT_DESCRIPTOR(mpt_linear_desc)
MPT_DESCRIPTOR(mpt_conv2d_desc)
MPT_DESCRIPTOR(mpt_conv1d_desc)
MPT_DESCRIPTOR(mpt_norm_desc)
MPT_DESCRIPTOR(mpt_embedding_desc)
MPT_DESCRIPTOR(mpt_recurrent_desc)
MPT_DESCRIPTOR(mpt_attention_desc)
MPT_DESCRIPTOR(mpt_scaler_desc)
MPT_DESCRIPTOR(mpt_sgd_desc)
MPT_DESCRIPTOR(mpt_adam_desc)
MPT_DESCRIPTOR(mpt_adagrad_desc)
MPT_DESCRIPTOR(mpt_adadelta_desc)
MPT_DESCRIPTOR(mpt_rmsprop_desc)
MPT_DESCRIPTOR(mpt_group_desc)
MPT_DESCRIPTOR(mpt_schedule_desc)

%include "mpt.h"

%inline %{
/* What the header does with function pointers. */
static int64_t mpt_java_listen(JNIEnv *jenv, mpt_context_desc *desc, jobject listener) {
    return support_listen(jenv, desc, listener);
}
static void mpt_java_forget(JNIEnv *jenv, int64_t listener) {
    support_forget(jenv, listener);
}
static mpt_status mpt_java_custom_op(JNIEnv *jenv, mpt_context *ctx, const char *name, jobject op, int32_t differentiable,
                                     mpt_tensor *const *inputs, int32_t n_inputs, mpt_tensor **outputs, int32_t n_outputs) {
    return support_custom_op(jenv, ctx, name, op, differentiable, inputs, n_inputs, outputs, n_outputs);
}
static mpt_status mpt_java_layer_custom(JNIEnv *jenv, mpt_context *ctx, jobject rule, mpt_layer **out) {
    return support_layer_custom(jenv, ctx, rule, out);
}
/* Memory of a tensor as a buffer, which must not outlive the tensor. */
static jobject mpt_java_buffer(JNIEnv *jenv, int64_t address, int64_t nbytes) {
    return (*jenv)->NewDirectByteBuffer(jenv, (void *)(intptr_t)address, nbytes);
}
%}
