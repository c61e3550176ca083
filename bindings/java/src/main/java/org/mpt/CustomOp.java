package org.mpt;

import java.nio.ByteBuffer;

/**
 * An op of the host's own. It may be called on another thread than the one that made it, and must not call mpt, not even another context. What it throws becomes the cause
 * of the exception of the call, or of the run of the program, that it was part of.
 */
public interface CustomOp {
    /** A tensor as an op sees it. */
    final class Buffer {
        private final long[] forms;
        private final int at;
        private final ByteBuffer data;

        Buffer(long[] forms, int index, ByteBuffer data) {
            this.forms = forms;
            at = index * 18;
            this.data = data;
        }

        /**
         * The element type; NONE for the gradient of an input that has none.
         *
         * @return the type
         */
        public DType dtype() {
            return DType.of((int) forms[at]);
        }

        /**
         * The extents.
         *
         * @return one of each dimension
         */
        public long[] shape() {
            return java.util.Arrays.copyOfRange(forms, at + 2, at + 2 + (int) forms[at + 1]);
        }

        /**
         * The strides in elements; outputs are contiguous.
         *
         * @return one of each dimension
         */
        public long[] strides() {
            return java.util.Arrays.copyOfRange(forms, at + 10, at + 10 + (int) forms[at + 1]);
        }

        /**
         * The memory, in native order, from the first element to the last; only during the call: behind it the memory is somebody else's.
         *
         * @return a direct buffer, read-only of an input; null while shapes are asked for, and without a gradient
         */
        public ByteBuffer data() {
            return data;
        }

        /**
         * Says what an output looks like.
         *
         * @param dtype the element type
         * @param shape the extents
         */
        public void set(DType dtype, long... shape) {
            if (shape.length > 8) throw new IllegalArgumentException(shape.length + " dimensions: a tensor has at most 8");
            forms[at] = dtype.number;
            forms[at + 1] = shape.length;
            System.arraycopy(shape, 0, forms, at + 2, shape.length);
        }
    }

    /**
     * Says what the outputs look like, by {@link Buffer#set}.
     *
     * @param in the inputs, without memory
     * @param out the outputs
     * @throws Exception fails the call
     */
    void shape(Buffer[] in, Buffer[] out) throws Exception;

    /**
     * Computes the outputs.
     *
     * @param in the inputs
     * @param out the outputs, contiguous
     * @throws Exception fails the call
     */
    void forward(Buffer[] in, Buffer[] out) throws Exception;

    /**
     * Whether backward is there.
     *
     * @return false: the op has no gradient
     */
    default boolean differentiable() {
        return false;
    }

    /**
     * Computes the gradients of the inputs.
     *
     * @param in inputs, outputs, gradients of the outputs
     * @param out gradients of the inputs
     * @throws Exception fails the call
     */
    default void backward(Buffer[] in, Buffer[] out) throws Exception {
        throw new UnsupportedOperationException("this op has no gradient");
    }
}
