/**
 * Mixed-precision training. Begin with {@link org.mpt.Context}; {@link org.mpt.Tensor} has the ops, {@link org.mpt.Layer} the layers. Failures are
 * {@link org.mpt.MptException}s with the library's message; an object that is closed throws {@link java.lang.IllegalStateException}.
 * Nothing is null unless its text says so: null for an object that is needed fails, with {@link org.mpt.Status#ARGUMENT} or a
 * {@link java.lang.NullPointerException}, and no method returns null but {@link org.mpt.CustomOp.Buffer#data}.
 */
package org.mpt;
