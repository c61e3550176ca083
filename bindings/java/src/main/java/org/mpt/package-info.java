/**
 * Mixed-precision training. Begin with {@link org.mpt.Context}; {@link org.mpt.Tensor} has the ops, {@link org.mpt.Layer} the layers. Failures are
 * {@link org.mpt.MptException}s with the library's message; an object that is closed throws {@link java.lang.IllegalStateException}.
 */
package org.mpt;
