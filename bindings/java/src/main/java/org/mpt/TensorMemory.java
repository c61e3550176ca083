package org.mpt;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.mpt.internal.MptNative;

/** A {@link Tensor} in memory: its form, and what brings elements in and out. */
abstract sealed class TensorMemory extends TensorMethods permits Tensor {
    TensorMemory(Context context, long address) {
        super(context, address);
    }

    /**
     * The extents.
     *
     * @return one of each dimension
     */
    public long[] shape() {
        session.enter();
        try {
            long[] shape = new long[rank()];
            MptNative.mpt_tensor_shape(session.of(this), shape, shape.length);
            return shape;
        } finally {
            session.leave();
        }
    }

    /**
     * The strides in elements.
     *
     * @return one of each dimension
     */
    public long[] strides() {
        session.enter();
        try {
            long[] strides = new long[rank()];
            MptNative.mpt_tensor_strides(session.of(this), strides, strides.length);
            return strides;
        } finally {
            session.leave();
        }
    }

    /**
     * The first element's address on the device, for libraries that work on the same memory.
     *
     * @return the address, which is good as long as this object is
     */
    public long address() {
        session.enter();
        try {
            MptNative.mpt_tensor_data(session.of(this), session.longs);
            return session.longs[0];
        } finally {
            session.leave();
        }
    }

    /** From position to limit, of a direct buffer. */
    static ByteBuffer direct(ByteBuffer data, boolean written) {
        if (!data.isDirect())
            throw new IllegalArgumentException("a buffer on the heap: its memory moves; take one from ByteBuffer.allocateDirect, or an array");
        if (written && data.isReadOnly()) throw new IllegalArgumentException("a read-only buffer where the library writes");
        return data.slice();
    }

    /**
     * The memory of a contiguous tensor on the CPU, without a copy, in native order. The buffer keeps the memory alive, also behind close(). What
     * is written there needs {@link #markModified}.
     *
     * @return a direct buffer
     */
    public ByteBuffer data() {
        session.enter();
        try {
            if (session.device != Device.CPU)
                throw new UnsupportedOperationException("the memory is on a GPU: read and write copy it, address() says where it is");
            if (!dense(shape(), strides())) throw new IllegalStateException("the tensor is not contiguous: see contiguous()");
            long nbytes = numel() * dtype().size();
            if (nbytes > Integer.MAX_VALUE) throw new UnsupportedOperationException(nbytes + " bytes: a buffer of Java's has less than 2 GiB; take slices");
            long address = address();
            if (address == 0) return ByteBuffer.allocateDirect(0);
            ByteBuffer made = (ByteBuffer) MptNative.mpt_java_buffer(address, nbytes);
            MptNative.mpt_tensor_retain(session.of(this));
            keep(made, session, Kind.TENSOR, session.of(this)); // every view of the buffer refers to it
            return made.duplicate().order(ByteOrder.nativeOrder());
        } finally {
            session.leave();
        }
    }

    private static boolean dense(long[] shape, long[] strides) {
        long next = 1;
        for (int i = shape.length - 1; i >= 0; --i) {
            if (shape[i] == 0) return true;
            if (shape[i] != 1 && strides[i] != next) return false;
            next *= shape[i];
        }
        return true;
    }

    /**
     * Copies elements, in logical row-major order and in the tensor's dtype, from memory. Not inside a capture.
     *
     * @param data a direct buffer in native order, from its position to its limit, which stay as they are
     */
    public void write(ByteBuffer data) {
        ByteBuffer memory = direct(data, false);
        session.enter();
        try {
            MptNative.mpt_tensor_write(session.of(this), memory);
        } finally {
            session.leave();
        }
    }

    /**
     * Copies elements, in logical row-major order, to memory. Synchronises. Not inside a capture.
     *
     * @param data a direct buffer, from its position to its limit, which stay as they are
     */
    public void read(ByteBuffer data) {
        ByteBuffer memory = direct(data, true);
        session.enter();
        try {
            MptNative.mpt_tensor_read(session.of(this), memory);
        } finally {
            session.leave();
        }
    }

    private ByteBuffer room(long n, Class<?> element, DType... fitting) {
        DType dtype = dtype();
        if (!Arrays.asList(fitting).contains(dtype)) throw new MptException(Status.DTYPE, "an array of " + element + " does not fit a tensor of " + dtype.label(), null);
        if (n != numel()) throw new MptException(Status.SHAPE, "an array of " + n + " elements does not fit a tensor of " + numel(), null);
        return session.scratch(n * dtype.size());
    }

    private interface Copy {
        void with(ByteBuffer room);
    }

    private void copyIn(long n, Class<?> element, Copy copy, DType... fitting) {
        session.enter();
        try {
            ByteBuffer room = room(n, element, fitting);
            copy.with(room);
            MptNative.mpt_tensor_write(session.of(this), room);
        } finally {
            session.leave();
        }
    }

    private void copyOut(long n, Class<?> element, Copy copy, DType... fitting) {
        session.enter();
        try {
            ByteBuffer room = room(n, element, fitting);
            MptNative.mpt_tensor_read(session.of(this), room);
            copy.with(room);
        } finally {
            session.leave();
        }
    }

    /**
     * Copies elements from an array, which has as many and fits the dtype (f32). Not inside a capture.
     *
     * @param values the elements in logical order
     */
    public void write(float[] values) {
        copyIn(values.length, float.class, room -> room.asFloatBuffer().put(values), DType.F32);
    }

    /**
     * Copies elements into an array, which has as many and fits the dtype (f32). Synchronises. Not inside a capture.
     *
     * @param values where they go, in logical order
     */
    public void read(float[] values) {
        copyOut(values.length, float.class, room -> room.asFloatBuffer().get(values), DType.F32);
    }

    /**
     * Copies elements from an array, which has as many and fits the dtype (f64). Not inside a capture.
     *
     * @param values the elements in logical order
     */
    public void write(double[] values) {
        copyIn(values.length, double.class, room -> room.asDoubleBuffer().put(values), DType.F64);
    }

    /**
     * Copies elements into an array, which has as many and fits the dtype (f64). Synchronises. Not inside a capture.
     *
     * @param values where they go, in logical order
     */
    public void read(double[] values) {
        copyOut(values.length, double.class, room -> room.asDoubleBuffer().get(values), DType.F64);
    }

    /**
     * Copies elements from an array, which has as many and fits the dtype (i64). Not inside a capture.
     *
     * @param values the elements in logical order
     */
    public void write(long[] values) {
        copyIn(values.length, long.class, room -> room.asLongBuffer().put(values), DType.I64);
    }

    /**
     * Copies elements into an array, which has as many and fits the dtype (i64). Synchronises. Not inside a capture.
     *
     * @param values where they go, in logical order
     */
    public void read(long[] values) {
        copyOut(values.length, long.class, room -> room.asLongBuffer().get(values), DType.I64);
    }

    /**
     * Copies elements from an array, which has as many and fits the dtype (i32). Not inside a capture.
     *
     * @param values the elements in logical order
     */
    public void write(int[] values) {
        copyIn(values.length, int.class, room -> room.asIntBuffer().put(values), DType.I32);
    }

    /**
     * Copies elements into an array, which has as many and fits the dtype (i32). Synchronises. Not inside a capture.
     *
     * @param values where they go, in logical order
     */
    public void read(int[] values) {
        copyOut(values.length, int.class, room -> room.asIntBuffer().get(values), DType.I32);
    }

    /**
     * Copies elements from an array, which has as many and fits the dtype (i16, f16, bf16). Not inside a capture.
     *
     * @param values the elements in logical order
     */
    public void write(short[] values) {
        copyIn(values.length, short.class, room -> room.asShortBuffer().put(values), DType.I16, DType.F16, DType.BF16);
    }

    /**
     * Copies elements into an array, which has as many and fits the dtype (i16, f16, bf16). Synchronises. Not inside a capture.
     *
     * @param values where they go, in logical order
     */
    public void read(short[] values) {
        copyOut(values.length, short.class, room -> room.asShortBuffer().get(values), DType.I16, DType.F16, DType.BF16);
    }

    /**
     * Copies elements from an array, which has as many and fits the dtype (i8, u8, bool, f8e4m3, f8e5m2). Not inside a capture.
     *
     * @param values the elements in logical order
     */
    public void write(byte[] values) {
        copyIn(values.length, byte.class, room -> room.put(values), DType.I8, DType.U8, DType.BOOL, DType.F8E4M3, DType.F8E5M2);
    }

    /**
     * Copies elements into an array, which has as many and fits the dtype (i8, u8, bool, f8e4m3, f8e5m2). Synchronises. Not inside a capture.
     *
     * @param values where they go, in logical order
     */
    public void read(byte[] values) {
        copyOut(values.length, byte.class, room -> room.get(values), DType.I8, DType.U8, DType.BOOL, DType.F8E4M3, DType.F8E5M2);
    }

    /**
     * All elements as floats, whatever the dtype. Synchronises. Not inside a capture.
     *
     * @return the elements in logical order
     */
    public float[] toFloats() {
        session.enter();
        try (Tensor wide = cast(DType.F32)) {
            long n = wide.numel();
            if (n > Integer.MAX_VALUE / Float.BYTES) throw new IllegalArgumentException(n + " elements: read them in parts, by slices");
            float[] values = new float[(int) n];
            wide.read(values);
            return values;
        } finally {
            session.leave();
        }
    }
}
