package org.mpt;

import java.nio.ByteBuffer;
import java.util.List;
import org.mpt.internal.MptNative;

/** A captured step: see {@link Context#capture}. */
public final class Program extends ProgramMethods {
    private final List<Tensor> outputs;

    Program(Context context, long address, List<Tensor> outputs) {
        super(context, address);
        this.outputs = outputs;
    }

    /**
     * What the step gave: tensors whose contents are those of the last run. They belong to whoever made them.
     *
     * @return the tensors
     */
    public List<Tensor> outputs() {
        return outputs;
    }

    /** Runs the program once. Not inside a capture. */
    public void run() {
        session.enter();
        try {
            MptNative.mpt_program_run(session.of(this));
        } finally {
            session.leave();
        }
    }

    /**
     * Copies the next run's data into a contiguous tensor from outside that the program reads. Not inside a capture.
     *
     * @param input the tensor
     * @param data a direct buffer, from its position to its limit, which stay as they are
     */
    public void feed(Tensor input, ByteBuffer data) {
        ByteBuffer memory = Tensor.direct(data, false);
        session.enter();
        try {
            MptNative.mpt_program_feed(session.of(this), session.of(input), memory);
        } finally {
            session.leave();
        }
    }

    /**
     * Bytes that were taken.
     *
     * @param arena temporaries and workspaces
     * @param outputs the outputs' own storage
     */
    public record Memory(long arena, long outputs) {}

    /**
     * Bytes that were taken.
     *
     * @return the figures
     */
    public Memory memory() {
        session.enter();
        try {
            long[] arena = new long[1], own = new long[1];
            MptNative.mpt_program_memory(session.of(this), arena, own);
            return new Memory(arena[0], own[0]);
        } finally {
            session.leave();
        }
    }
}
