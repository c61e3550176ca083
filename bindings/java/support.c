/* What the wrappers that SWIG writes call. SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <pthread.h>
#include <stdint.h>

enum { BUFFER_LONGS = 2 + 2 * MPT_MAX_DIMS }; /* dtype, ndim, shape, strides: a buffer's form for Java */

static struct {
    JavaVM *vm;
    pthread_key_t detach;
    jclass callbacks, byte_buffer;
    jmethodID failure, keep, log, error, write, read, shape, run, forward;
} java;

static void detach_thread(void *attached) {
    (void)attached;
    (*java.vm)->DetachCurrentThread(java.vm);
}

static jclass find_class(JNIEnv *env, const char *name) {
    jclass local = (*env)->FindClass(env, name);
    jclass global = local ? (jclass)(*env)->NewGlobalRef(env, local) : NULL;
    if (local) (*env)->DeleteLocalRef(env, local);
    return global;
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
    JNIEnv *env;
    const struct {
        jmethodID *out;
        const char *name, *signature;
    } methods[] = {
        {&java.failure, "failure", "(I[B)Ljava/lang/RuntimeException;"},
        {&java.keep, "keep", "(Ljava/lang/Throwable;)V"},
        {&java.log, "log", "(Lorg/mpt/internal/Callbacks$Listener;I[B)V"},
        {&java.error, "error", "(Lorg/mpt/internal/Callbacks$Listener;I[B)V"},
        {&java.write, "write", "(Lorg/mpt/internal/Callbacks$Bytes;Ljava/nio/ByteBuffer;)I"},
        {&java.read, "read", "(Lorg/mpt/internal/Callbacks$Bytes;Ljava/nio/ByteBuffer;)I"},
        {&java.shape, "shape", "(Lorg/mpt/internal/Callbacks$Op;[J[J)I"},
        {&java.run, "run", "(Lorg/mpt/internal/Callbacks$Op;Z[J[Ljava/nio/ByteBuffer;[J[Ljava/nio/ByteBuffer;)I"},
        {&java.forward, "forward", "(Lorg/mpt/internal/Callbacks$Rule;J[J[J)I"},
    };
    size_t i;
    (void)reserved;
    java.vm = vm;
    if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_10) != JNI_OK) return JNI_ERR;
    if (pthread_key_create(&java.detach, detach_thread) != 0) return JNI_ERR;
    java.callbacks = find_class(env, "org/mpt/internal/Callbacks");
    java.byte_buffer = java.callbacks ? find_class(env, "java/nio/ByteBuffer") : NULL;
    if (!java.byte_buffer) return JNI_ERR;
    for (i = 0; i < sizeof methods / sizeof methods[0]; ++i) {
        *methods[i].out = (*env)->GetStaticMethodID(env, java.callbacks, methods[i].name, methods[i].signature);
        if (!*methods[i].out) return JNI_ERR;
    }
    return JNI_VERSION_10;
}

/* This thread's environment. A thread of mpt's is attached when it first comes, and detached when it ends. */
static JNIEnv *environment(void) {
    JNIEnv *env;
    if ((*java.vm)->GetEnv(java.vm, (void **)&env, JNI_VERSION_10) == JNI_OK) return env;
    if ((*java.vm)->AttachCurrentThreadAsDaemon(java.vm, (void **)&env, NULL) != JNI_OK) return NULL;
    pthread_setspecific(java.detach, env);
    return env;
}

/* Where Java's half has failed in a way that it could not catch itself: that becomes the cause of what the call throws. */
static int gone_wrong(JNIEnv *env) {
    jthrowable thrown = (*env)->ExceptionOccurred(env);
    if (!thrown) return 0;
    (*env)->ExceptionClear(env);
    (*env)->CallStaticVoidMethod(env, java.callbacks, java.keep, thrown);
    (*env)->ExceptionClear(env);
    (*env)->DeleteLocalRef(env, thrown);
    return 1;
}

/* ---- exceptions and texts ---- */

void support_throw(JNIEnv *env, mpt_status status) {
    jbyteArray message = support_text(env, mpt_last_error());
    jthrowable failure;
    if (!message) return; /* an OutOfMemoryError is on its way */
    failure = (jthrowable)(*env)->CallStaticObjectMethod(env, java.callbacks, java.failure, (jint)status, message);
    if ((*env)->ExceptionCheck(env) || !failure) return;
    (*env)->Throw(env, failure);
    (*env)->DeleteLocalRef(env, failure);
    (*env)->DeleteLocalRef(env, message);
}

static void throw_new(JNIEnv *env, const char *name, const char *message) {
    jclass type = (*env)->FindClass(env, name);
    if (type) (*env)->ThrowNew(env, type, message);
}

void support_throw_memory(JNIEnv *env) {
    throw_new(env, "java/lang/OutOfMemoryError", "native memory");
}

int support_copy_text(JNIEnv *env, jbyteArray from, char **out) {
    jsize length;
    *out = NULL;
    if (!from) return 1;
    length = (*env)->GetArrayLength(env, from);
    *out = (char *)malloc((size_t)length + 1);
    if (!*out) {
        support_throw_memory(env);
        return 0;
    }
    (*env)->GetByteArrayRegion(env, from, 0, length, (jbyte *)*out);
    (*out)[length] = '\0';
    return 1;
}

jbyteArray support_text(JNIEnv *env, const char *text) {
    const jsize length = (jsize)strlen(text);
    jbyteArray made = (*env)->NewByteArray(env, length);
    if (made) (*env)->SetByteArrayRegion(env, made, 0, length, (const jbyte *)text);
    return made;
}

/* ---- handles ---- */

int support_handles(JNIEnv *env, jlongArray from, void *room[SUPPORT_DIMS], void ***out) {
    jlong few[SUPPORT_DIMS], *values = few;
    jsize length, i;
    *out = NULL;
    if (!from) return 1;
    length = (*env)->GetArrayLength(env, from);
    *out = room;
    if (length > SUPPORT_DIMS) {
        *out = (void **)malloc((size_t)length * sizeof **out);
        values = (jlong *)malloc((size_t)length * sizeof *values);
        if (!*out || !values) {
            free(*out);
            free(values);
            support_throw_memory(env);
            return 0;
        }
    }
    (*env)->GetLongArrayRegion(env, from, 0, length, values);
    for (i = 0; i < length; ++i) (*out)[i] = (void *)(intptr_t)values[i];
    if (values != few) free(values);
    return 1;
}

void support_give_handles(JNIEnv *env, jlongArray to, void *const *handles) {
    const jsize length = (*env)->GetArrayLength(env, to);
    jsize i;
    for (i = 0; i < length; ++i) {
        const jlong value = (jlong)(intptr_t)handles[i];
        (*env)->SetLongArrayRegion(env, to, i, 1, &value);
    }
}

/* ---- memory and streams ---- */

void MPT_CALL support_release_buffer(void *data, void *user_data) {
    JNIEnv *env = environment();
    (void)data;
    if (env && user_data) (*env)->DeleteGlobalRef(env, (jobject)user_data);
}

static int stream(jmethodID method, void *data, size_t nbytes, void *user_data) {
    const size_t piece = (size_t)1 << 30; /* a buffer of Java's has less than 2 GiB */
    JNIEnv *env = environment();
    size_t done = 0;
    int failed = !env;
    while (!failed && done < nbytes) {
        const size_t n = nbytes - done < piece ? nbytes - done : piece;
        jobject buffer = (*env)->NewDirectByteBuffer(env, (char *)data + done, (jlong)n);
        failed = !buffer || (*env)->CallStaticIntMethod(env, java.callbacks, method, (jobject)user_data, buffer) != 0;
        failed |= gone_wrong(env);
        if (buffer) (*env)->DeleteLocalRef(env, buffer);
        done += n;
    }
    return failed;
}

int MPT_CALL support_write(const void *data, size_t nbytes, void *user_data) {
    return stream(java.write, (void *)(uintptr_t)data, nbytes, user_data);
}

int MPT_CALL support_read(void *data, size_t nbytes, void *user_data) {
    return stream(java.read, data, nbytes, user_data);
}

/* ---- log and errors ---- */

static void tell(jmethodID method, int number, const char *message, void *listener) {
    JNIEnv *env = environment();
    jbyteArray text;
    if (!env || (*env)->PushLocalFrame(env, 4) != 0) return;
    text = support_text(env, message);
    if (text) (*env)->CallStaticVoidMethod(env, java.callbacks, method, (jobject)listener, (jint)number, text);
    (*env)->ExceptionClear(env); /* the call goes on */
    (*env)->PopLocalFrame(env, NULL);
}

static void MPT_CALL on_log(mpt_log_level level, const char *message, void *user_data) {
    tell(java.log, (int)level, message, user_data);
}

static void MPT_CALL on_error(mpt_status status, const char *message, void *user_data) {
    tell(java.error, (int)status, message, user_data);
}

int64_t support_listen(JNIEnv *env, mpt_context_desc *desc, jobject listener) {
    jobject kept = (*env)->NewGlobalRef(env, listener);
    if (!kept) return 0;
    desc->log = on_log;
    desc->error = on_error;
    desc->log_user_data = desc->error_user_data = kept;
    return (int64_t)(intptr_t)kept;
}

void support_forget(JNIEnv *env, int64_t listener) {
    if (listener) (*env)->DeleteGlobalRef(env, (jobject)(intptr_t)listener);
}

/* ---- custom ops and layers ---- */

static void MPT_CALL release_object(void *user_data) {
    JNIEnv *env = environment();
    if (env) (*env)->DeleteGlobalRef(env, (jobject)user_data);
}

static jlongArray forms(JNIEnv *env, const mpt_buffer *buffers, int32_t n) {
    jlongArray made = (*env)->NewLongArray(env, n * BUFFER_LONGS);
    int32_t i;
    int k;
    for (i = 0; made && i < n; ++i) {
        jlong form[BUFFER_LONGS] = {0};
        form[0] = (jlong)buffers[i].dtype;
        form[1] = buffers[i].ndim;
        for (k = 0; k < buffers[i].ndim; ++k) {
            form[2 + k] = buffers[i].shape[k];
            form[2 + MPT_MAX_DIMS + k] = buffers[i].strides[k];
        }
        (*env)->SetLongArrayRegion(env, made, i * BUFFER_LONGS, BUFFER_LONGS, form);
    }
    return made;
}

/* The memory from the first to the last element, as strides are not negative. */
static jlong span(const mpt_buffer *b) {
    jlong last = 0;
    int k;
    for (k = 0; k < b->ndim; ++k) {
        if (b->shape[k] == 0) return 0;
        last += (b->shape[k] - 1) * b->strides[k];
    }
    return (last + 1) * (jlong)mpt_dtype_size(b->dtype);
}

static jobjectArray memories(JNIEnv *env, const mpt_buffer *buffers, int32_t n) {
    jobjectArray made = (*env)->NewObjectArray(env, n, java.byte_buffer, NULL);
    int32_t i;
    for (i = 0; made && i < n; ++i) {
        const jlong nbytes = span(&buffers[i]);
        jobject memory;
        if (!buffers[i].data) continue;
        if (nbytes > INT32_MAX) {
            throw_new(env, "java/lang/UnsupportedOperationException", "a tensor of 2 GiB or more: a buffer of Java's has less");
            return NULL;
        }
        memory = (*env)->NewDirectByteBuffer(env, buffers[i].data, nbytes);
        if (!memory) return NULL;
        (*env)->SetObjectArrayElement(env, made, i, memory);
        (*env)->DeleteLocalRef(env, memory);
    }
    return made;
}

static mpt_status MPT_CALL op_shape(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    JNIEnv *env = environment();
    mpt_status status = MPT_ERROR_INTERNAL;
    jlongArray in_forms, out_forms;
    int32_t i;
    int k;
    if (!env || (*env)->PushLocalFrame(env, 8) != 0) return MPT_ERROR_MEMORY;
    in_forms = forms(env, in, n_in);
    out_forms = in_forms ? (*env)->NewLongArray(env, n_out * BUFFER_LONGS) : NULL;
    if (out_forms) status = (mpt_status)(*env)->CallStaticIntMethod(env, java.callbacks, java.shape, (jobject)user_data, in_forms, out_forms);
    if (gone_wrong(env)) status = MPT_ERROR_INTERNAL;
    for (i = 0; status == MPT_OK && i < n_out; ++i) {
        jlong form[BUFFER_LONGS];
        (*env)->GetLongArrayRegion(env, out_forms, i * BUFFER_LONGS, BUFFER_LONGS, form);
        out[i].dtype = (mpt_dtype)form[0];
        out[i].ndim = (int32_t)form[1];
        for (k = 0; k < MPT_MAX_DIMS; ++k) out[i].shape[k] = form[2 + k];
    }
    (*env)->PopLocalFrame(env, NULL);
    return status;
}

static mpt_status op_run(jboolean backward, const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    JNIEnv *env = environment();
    mpt_status status = MPT_ERROR_INTERNAL;
    jlongArray in_forms, out_forms;
    jobjectArray in_data, out_data;
    if (!env || (*env)->PushLocalFrame(env, 16 + n_in + n_out) != 0) return MPT_ERROR_MEMORY;
    in_forms = forms(env, in, n_in);
    out_forms = in_forms ? forms(env, out, n_out) : NULL;
    in_data = out_forms ? memories(env, in, n_in) : NULL;
    out_data = in_data ? memories(env, out, n_out) : NULL;
    if (out_data)
        status = (mpt_status)(*env)->CallStaticIntMethod(env, java.callbacks, java.run, (jobject)user_data, backward, in_forms, in_data, out_forms,
                                                         out_data);
    if (gone_wrong(env)) status = MPT_ERROR_INTERNAL;
    (*env)->PopLocalFrame(env, NULL);
    return status;
}

static mpt_status MPT_CALL op_forward(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    return op_run(JNI_FALSE, in, n_in, out, n_out, user_data);
}

static mpt_status MPT_CALL op_backward(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    return op_run(JNI_TRUE, in, n_in, out, n_out, user_data);
}

mpt_status support_custom_op(JNIEnv *env, mpt_context *ctx, const char *name, jobject op, int differentiable, mpt_tensor *const *inputs,
                             int32_t n_inputs, mpt_tensor **outputs, int32_t n_outputs) {
    mpt_custom_op_desc desc;
    mpt_status status = mpt_custom_op_desc_init(&desc, sizeof desc);
    if (status != MPT_OK) return status;
    desc.shape = op_shape;
    desc.forward = op_forward;
    desc.backward = differentiable ? op_backward : NULL;
    desc.release = release_object;
    desc.user_data = (*env)->NewGlobalRef(env, op);
    if (!desc.user_data) return MPT_ERROR_MEMORY;
    status = mpt_custom_op(ctx, name, &desc, inputs, n_inputs, outputs, n_outputs);
    if (status != MPT_OK) (*env)->DeleteGlobalRef(env, (jobject)desc.user_data); /* mpt has not taken it */
    return status;
}

static mpt_status MPT_CALL layer_forward(mpt_layer *layer, mpt_tensor *const *inputs, int32_t n_inputs, mpt_tensor **outputs, int32_t n_outputs,
                                         void *user_data) {
    JNIEnv *env = environment();
    mpt_status status = MPT_ERROR_INTERNAL;
    jlongArray in, out;
    int32_t i;
    if (!env || (*env)->PushLocalFrame(env, 8) != 0) return MPT_ERROR_MEMORY;
    in = (*env)->NewLongArray(env, n_inputs);
    out = in ? (*env)->NewLongArray(env, n_outputs) : NULL;
    if (out) {
        support_give_handles(env, in, (void *const *)inputs);
        status = (mpt_status)(*env)->CallStaticIntMethod(env, java.callbacks, java.forward, (jobject)user_data, (jlong)(intptr_t)layer, in, out);
    }
    if (gone_wrong(env)) status = MPT_ERROR_INTERNAL;
    for (i = 0; status == MPT_OK && i < n_outputs; ++i) {
        jlong value;
        (*env)->GetLongArrayRegion(env, out, i, 1, &value);
        outputs[i] = (mpt_tensor *)(intptr_t)value;
    }
    (*env)->PopLocalFrame(env, NULL);
    return status;
}

mpt_status support_layer_custom(JNIEnv *env, mpt_context *ctx, jobject rule, mpt_layer **out) {
    mpt_custom_layer_desc desc;
    mpt_status status = mpt_custom_layer_desc_init(&desc, sizeof desc);
    if (status != MPT_OK) return status;
    desc.forward = layer_forward;
    desc.release = release_object;
    desc.user_data = (*env)->NewGlobalRef(env, rule);
    if (!desc.user_data) return MPT_ERROR_MEMORY;
    status = mpt_layer_custom(ctx, &desc, out);
    if (status != MPT_OK) (*env)->DeleteGlobalRef(env, (jobject)desc.user_data);
    return status;
}
