package org.mpt;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.mpt.internal.MptNative;

/**
 * A strided array; views share storage. Shapes are logical: images are N,C,H,W and filters O,I,H,W whatever the layout in memory. The first name in the text
 * of an op (x, a, prediction, ...) is the tensor itself. Each result is a new object, to be closed.
 */
public final class Tensor extends TensorMethods {
    Tensor(Context context, long address) {
        super(context, address);
    }

    static List<Tensor> list(Context context, long[] addresses) {
        List<Tensor> made = new ArrayList<>(addresses.length);
        for (long address : addresses) made.add(new Tensor(context, address));
        return List.copyOf(made);
    }

    /** From position to limit, of a direct buffer. */
    static ByteBuffer direct(ByteBuffer data, boolean written) {
        if (!data.isDirect())
            throw new IllegalArgumentException("a buffer on the heap: its memory moves; take one from ByteBuffer.allocateDirect, or an array");
        if (written && data.isReadOnly()) throw new IllegalArgumentException("a read-only buffer where the library writes");
        return data.slice();
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
            if (!contiguous(shape(), strides())) throw new IllegalStateException("the tensor is not contiguous: see contiguous()");
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

    private static boolean contiguous(long[] shape, long[] strides) {
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

    /**
     * Gradients of this scalar loss in every leaf that asks for them. The graph is used up.
     *
     * @param scaler gradients are those of scale * loss; null: of the loss
     * @param mode what happens to gradients that exist already
     */
    public void backward(Scaler scaler, GradMode mode) {
        session.enter();
        try {
            MptNative.mpt_backward(session.of(this), session.of(scaler), mode.number);
        } finally {
            session.leave();
        }
    }

    /** Gradients of this scalar loss, which replace those that exist already. */
    public void backward() {
        backward(null, GradMode.WRITE);
    }

    /**
     * value in front of and behind each dimension; negative numbers cut.
     *
     * @param before elements in front of each dimension
     * @param after elements behind each dimension
     * @param value what is put there
     * @return the result
     */
    public Tensor pad(long[] before, long[] after, double value) {
        if (before.length != after.length) throw new IllegalArgumentException("before and after have " + before.length + " and " + after.length + " numbers");
        session.enter();
        try {
            MptNative.mpt_pad(session.of(this), before.length, before, after, value, session.longs);
            return new Tensor(context, session.longs[0]);
        } finally {
            session.leave();
        }
    }

    /**
     * The tensors one after the other along dim.
     *
     * @param dim the dimension
     * @param tensors at least one
     * @return the result
     */
    public static Tensor concat(int dim, Tensor... tensors) {
        Session s = tensors[0].session;
        s.enter();
        try {
            MptNative.mpt_concat(s.of(tensors), tensors.length, dim, s.longs);
            return new Tensor(tensors[0].context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The tensors of one shape along a new dimension.
     *
     * @param dim the new dimension
     * @param tensors at least one
     * @return the result
     */
    public static Tensor stack(int dim, Tensor... tensors) {
        Session s = tensors[0].session;
        s.enter();
        try {
            MptNative.mpt_stack(s.of(tensors), tensors.length, dim, s.longs);
            return new Tensor(tensors[0].context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Views of the given lengths along dim.
     *
     * @param dim the dimension
     * @param lengths add up to its extent
     * @return a view of each length
     */
    public List<Tensor> split(int dim, long... lengths) {
        session.enter();
        try {
            long[] made = new long[lengths.length];
            MptNative.mpt_split(session.of(this), dim, lengths, lengths.length, made);
            return list(context, made);
        } finally {
            session.leave();
        }
    }

    /**
     * Elements in an order, and where they were.
     *
     * @param values the elements
     * @param indices where they were, I64
     */
    public record Ordered(Tensor values, Tensor indices) implements AutoCloseable {
        @Override
        public void close() {
            values.close();
            indices.close();
        }
    }

    /**
     * The elements along dim in order. Stable; NaN counts as the largest.
     *
     * @param dim the dimension
     * @param descending the largest first
     * @return elements and indices
     */
    public Ordered sort(int dim, boolean descending) {
        session.enter();
        try {
            long[] indices = new long[1];
            MptNative.mpt_sort(session.of(this), dim, descending ? 1 : 0, session.longs, indices);
            return new Ordered(new Tensor(context, session.longs[0]), new Tensor(context, indices[0]));
        } finally {
            session.leave();
        }
    }

    /**
     * The k largest or smallest elements along dim, best first.
     *
     * @param k how many
     * @param dim the dimension
     * @param largest the largest, else the smallest
     * @return elements and indices
     */
    public Ordered topk(long k, int dim, boolean largest) {
        session.enter();
        try {
            long[] indices = new long[1];
            MptNative.mpt_topk(session.of(this), k, dim, largest ? 1 : 0, session.longs, indices);
            return new Ordered(new Tensor(context, session.longs[0]), new Tensor(context, indices[0]));
        } finally {
            session.leave();
        }
    }

    /**
     * The state of an LSTM.
     *
     * @param hidden [N,H]
     * @param cell [N,H]
     */
    public record LstmState(Tensor hidden, Tensor cell) implements AutoCloseable {
        @Override
        public void close() {
            hidden.close();
            cell.close();
        }
    }

    /**
     * One LSTM step behind the products, of gates [N,4H]: input, forget, cell, output; before their functions.
     *
     * @param cell [N,H]
     * @return the new state
     */
    public LstmState lstmCell(Tensor cell) {
        session.enter();
        try {
            long[] next = new long[1];
            MptNative.mpt_lstm_cell(session.of(this), session.of(cell), session.longs, next);
            return new LstmState(new Tensor(context, session.longs[0]), new Tensor(context, next[0]));
        } finally {
            session.leave();
        }
    }

    /** Dtype and shape, for people. */
    @Override
    public String toString() {
        return isClosed() ? "Tensor(closed)" : "Tensor(" + dtype().label() + " " + Arrays.toString(shape()) + ")";
    }
}
