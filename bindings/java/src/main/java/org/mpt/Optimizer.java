package org.mpt;

import java.util.List;
import org.mpt.internal.MptNative;
import org.mpt.internal.mpt_group_desc;

/** An update rule with its state. */
public final class Optimizer extends OptimizerMethods {
    Optimizer(Context context, long address) {
        super(context, address);
    }

    /**
     * A group of leaf parameters of one dtype, each in one group only. Not inside a capture.
     *
     * @param name unique in the optimizer, used in checkpoints
     * @param parameters the parameters
     * @param options what differs from the defaults; null: nothing
     */
    public void addGroup(String name, List<Tensor> parameters, GroupOptions options) {
        session.enter();
        try {
            mpt_group_desc core = options == null ? null : options.core(session);
            try {
                MptNative.mpt_optimizer_add_group(session.of(this), Text.utf8(name), session.of(parameters.toArray(new Tensor[0])), parameters.size(), core);
            } finally {
                if (core != null) core.delete();
            }
        } finally {
            session.leave();
        }
    }

    /** A step without a loss scaler. */
    public void step() {
        step(null);
    }

    /**
     * Steps since the start.
     *
     * @param stepped done
     * @param skipped left out because a gradient was not finite
     */
    public record Counts(long stepped, long skipped) {}

    /**
     * Steps done and skipped since the start. Synchronises. Not inside a capture.
     *
     * @return the counts now
     */
    public Counts counts() {
        session.enter();
        try {
            long[] stepped = new long[1], skipped = new long[1];
            MptNative.mpt_optimizer_counts(session.of(this), stepped, skipped);
            return new Counts(stepped[0], skipped[0]);
        } finally {
            session.leave();
        }
    }
}
