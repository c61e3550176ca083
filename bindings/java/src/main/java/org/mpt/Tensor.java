package org.mpt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.mpt.internal.MptNative;

/**
 * A strided array; views share storage. Shapes are logical: images are N,C,H,W and filters O,I,H,W whatever the layout in memory. The first name in the text
 * of an op (x, a, prediction, ...) is the tensor itself. Each result is a new object, to be closed.
 */
public final class Tensor extends TensorMemory {
    Tensor(Context context, long address) {
        super(context, address);
    }

    static List<Tensor> list(Context context, long[] addresses) {
        List<Tensor> made = new ArrayList<>(addresses.length);
        for (long address : addresses) made.add(new Tensor(context, address));
        return List.copyOf(made);
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
