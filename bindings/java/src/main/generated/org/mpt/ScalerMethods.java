// Written by generate.py from the header; do not edit.
package org.mpt;

import org.mpt.internal.MptNative;

/** The methods of {@link Scaler} that follow from the header. */
abstract sealed class ScalerMethods extends Handle permits Scaler {
    ScalerMethods(Context context, long address) {
        super(context, address, Handle.Kind.SCALER);
    }

    /**
     * Makes a scaler; options null: the defaults [torch.amp.GradScaler]. Scale and counters live on the device.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Scaler create(Context ctx, ScalerOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_scaler_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_scaler_create(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Scaler(context, s.longs[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The same with the defaults.
     *
     * @param ctx the context
     * @return a new object, to be closed
     */
    public static Scaler create(Context ctx) {
        return create(ctx, null);
    }

    /**
     * Moves the scale by what the optimizers found; once per iteration, after all of them. {@link Status#UPDATE_WITHOUT_STEP}: none has
     * looked at its gradients since the last update.
     */
    public void update() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_scaler_update(s.of(this));
        } finally {
            s.leave();
        }
    }

    /**
     * The scale now. Synchronises. Not inside a capture.
     *
     * @return the value
     */
    public double scale() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_scaler_scale(s.of(this), s.doubles);
            return s.doubles[0];
        } finally {
            s.leave();
        }
    }
}
