package org.mpt;

import org.mpt.internal.MptNative;

/** A loss scaler. */
public final class Scaler extends ScalerMethods {
    Scaler(Context context, long address) {
        super(context, address);
    }

    /**
     * Counts of updates since the start.
     *
     * @param good without a bad gradient
     * @param bad with one
     * @param atMinimum backoffs held at the least scale
     */
    public record Counts(long good, long bad, long atMinimum) {}

    /**
     * Counts of updates since the start. Synchronises. Not inside a capture.
     *
     * @return the counts now
     */
    public Counts counts() {
        session.enter();
        try {
            long[] good = new long[1], bad = new long[1], least = new long[1];
            MptNative.mpt_scaler_counts(session.of(this), good, bad, least);
            return new Counts(good[0], bad[0], least[0]);
        } finally {
            session.leave();
        }
    }
}
