// Written by generate.py from the header; do not edit.
package org.mpt;

import org.mpt.internal.MptNative;

/** The methods of {@link Average} that follow from the header. */
abstract sealed class AverageMethods extends Handle permits Average {
    AverageMethods(Context context, long address) {
        super(context, address, Handle.Kind.AVERAGE);
    }

    /**
     * An exponential moving average of the optimizer's parameters, f32 (f64 for f64), that starts as they are now: average = decay *
     * average + (1 - decay) * parameter. decay: from [0, 1). Not inside a capture.
     *
     * @param optimizer the optimizer
     * @param decay from [0, 1)
     * @return a new object, to be closed
     */
    public static Average create(Optimizer optimizer, double decay) {
        Context context = optimizer.context;
        Session s = context.session;
        s.enter();
        try {
            MptNative.mpt_average_create(s.of(optimizer), decay, s.longs);
            return new Average(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * Moves the average; nothing happens, on the device, where the optimizer has not stepped since the last update. {@link Status#STATE},
     * as for a swap, once the optimizer has got parameters that the average does not know.
     */
    public void update() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_average_update(s.of(this));
        } finally {
            s.leave();
        }
    }

    /** Exchanges averages and parameters: before an evaluation, and again behind it. Not inside a capture. */
    public void swap() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_average_swap(s.of(this));
        } finally {
            s.leave();
        }
    }
}
