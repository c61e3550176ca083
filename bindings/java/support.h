/* What the wrappers that SWIG writes call: exceptions, arrays, and callbacks into Java. SPDX-License-Identifier: Apache-2.0 */
#ifndef MPT_JAVA_SUPPORT_H
#define MPT_JAVA_SUPPORT_H

#include <jni.h>
#include <mpt.h>
#include <stdlib.h>
#include <string.h>

/* Arrays up to this length need no memory from the heap. */
enum { SUPPORT_DIMS = MPT_MAX_DIMS };

/* Throws org.mpt.MptException with this thread's last message. */
void support_throw(JNIEnv *env, mpt_status status);
void support_throw_memory(JNIEnv *env);

/* A text of Java's, from malloc; NULL for null. Returns 0 after it has thrown. */
int support_copy_text(JNIEnv *env, jbyteArray from, char **out);
/* A text for Java, without the closing zero. */
jbyteArray support_text(JNIEnv *env, const char *text);

/* Handles in a long[]: in room where they fit, else from malloc. Returns 0 after it has thrown. */
int support_handles(JNIEnv *env, jlongArray from, void *room[SUPPORT_DIMS], void ***out);
void support_give_handles(JNIEnv *env, jlongArray to, void *const *handles);

/* Callbacks of mpt; user_data is the Java object, a global reference where it outlives the call. */
void MPT_CALL support_release_buffer(void *data, void *user_data);
int MPT_CALL support_write(const void *data, size_t nbytes, void *user_data);
int MPT_CALL support_read(void *data, size_t nbytes, void *user_data);

/* Gives a context's log and errors to a listener, until support_forget of the result. */
int64_t support_listen(JNIEnv *env, mpt_context_desc *desc, jobject listener);
void support_forget(JNIEnv *env, int64_t listener);

mpt_status support_custom_op(JNIEnv *env, mpt_context *ctx, const char *name, jobject op, int differentiable, mpt_tensor *const *inputs,
                             int32_t n_inputs, mpt_tensor **outputs, int32_t n_outputs);
mpt_status support_layer_custom(JNIEnv *env, mpt_context *ctx, jobject rule, mpt_layer **out);

#endif
