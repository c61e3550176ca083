// Written by generate.py from the header; do not edit.
package org.mpt;

import org.mpt.internal.MptNative;

/** The methods of {@link Optimizer} that follow from the header. */
abstract sealed class OptimizerMethods extends Handle permits Optimizer {
    OptimizerMethods(Context context, long address) {
        super(context, address, Handle.Kind.OPTIMIZER);
    }

    /**
     * [torch.optim.SGD]; options null: the defaults.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Optimizer sgd(Context ctx, SgdOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_sgd_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_optimizer_sgd(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Optimizer(context, s.longs[0]);
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
    public static Optimizer sgd(Context ctx) {
        return sgd(ctx, null);
    }

    /**
     * [Kingma and Ba 2015, as torch.optim.Adam]: weight decay is added to the gradient. options null: the defaults.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Optimizer adam(Context ctx, AdamOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_adam_desc core = options == null ? null : options.core(s, AdamOptions.Kind.ADAM);
            try {
                MptNative.mpt_optimizer_adam(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Optimizer(context, s.longs[0]);
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
    public static Optimizer adam(Context ctx) {
        return adam(ctx, null);
    }

    /**
     * [Loshchilov and Hutter 2019, as torch.optim.AdamW]: p *= 1 - lr * weightDecay first. options null: the defaults.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Optimizer adamw(Context ctx, AdamOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_adam_desc core = options == null ? null : options.core(s, AdamOptions.Kind.ADAMW);
            try {
                MptNative.mpt_optimizer_adamw(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Optimizer(context, s.longs[0]);
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
    public static Optimizer adamw(Context ctx) {
        return adamw(ctx, null);
    }

    /**
     * [Duchi et al. 2011, as torch.optim.Adagrad]; options null: the defaults.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Optimizer adagrad(Context ctx, AdagradOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_adagrad_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_optimizer_adagrad(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Optimizer(context, s.longs[0]);
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
    public static Optimizer adagrad(Context ctx) {
        return adagrad(ctx, null);
    }

    /**
     * [Zeiler 2012, as torch.optim.Adadelta]; options null: the defaults.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Optimizer adadelta(Context ctx, AdadeltaOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_adadelta_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_optimizer_adadelta(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Optimizer(context, s.longs[0]);
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
    public static Optimizer adadelta(Context ctx) {
        return adadelta(ctx, null);
    }

    /**
     * [Tieleman and Hinton 2012, as torch.optim.RMSprop]; options null: the defaults.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Optimizer rmsprop(Context ctx, RmspropOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_rmsprop_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_optimizer_rmsprop(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Optimizer(context, s.longs[0]);
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
    public static Optimizer rmsprop(Context ctx) {
        return rmsprop(ctx, null);
    }

    /**
     * [You et al. 2020, algorithm 2, phi the identity]: AdamW's direction, scaled per parameter by |p| / |direction| (1 where one is 0).
     * options null: the defaults.
     *
     * @param ctx the context
     * @param options what differs from the defaults; null: nothing
     * @return a new object, to be closed
     */
    public static Optimizer lamb(Context ctx, AdamOptions options) {
        Context context = ctx;
        Session s = context.session;
        s.enter();
        try {
            org.mpt.internal.mpt_adam_desc core = options == null ? null : options.core(s, AdamOptions.Kind.LAMB);
            try {
                MptNative.mpt_optimizer_lamb(s.of(ctx), core, s.longs);
            } finally {
                if (core != null) core.delete();
            }
            return new Optimizer(context, s.longs[0]);
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
    public static Optimizer lamb(Context ctx) {
        return lamb(ctx, null);
    }

    /**
     * A group "layer" of all parameters of a layer. Not inside a capture.
     *
     * @param layer the layer
     */
    public void addLayer(Layer layer) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_optimizer_add_layer(s.of(this), s.of(layer));
        } finally {
            s.leave();
        }
    }

    /**
     * The rate from the next step on, in captured programs too: it lives in device memory and is written in stream order. Not inside a
     * capture.
     *
     * @param lr the rate
     */
    public void setLearningRate(double lr) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_optimizer_set_lr(s.of(this), lr);
        } finally {
            s.leave();
        }
    }

    /**
     * Clip by the norm of all gradients together: they are multiplied by min(1, maxNorm / (norm + 1e-6))
     * [torch.nn.utils.clip_grad_norm_]; 0: no clipping. Not inside a capture.
     *
     * @param maxNorm the largest norm; 0: no clipping
     */
    public void setClipNorm(double maxNorm) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_optimizer_set_clip_norm(s.of(this), maxNorm);
        } finally {
            s.leave();
        }
    }

    /**
     * Clip each element of the unscaled gradients to [-maxValue, maxValue], before clipping by norm would look at them; 0: no clipping.
     * Not inside a capture.
     *
     * @param maxValue the largest magnitude; 0: no clipping
     */
    public void setClipValue(double maxValue) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_optimizer_set_clip_value(s.of(this), maxValue);
        } finally {
            s.leave();
        }
    }

    /**
     * The rate is multiplied by a factor of the group's step count, found on the device: a skipped step does not move it, and programs
     * follow it. null: none. In a program it is what it was while recording. Not inside a capture.
     *
     * @param options what differs from the defaults; null: nothing
     */
    public void setSchedule(ScheduleOptions options) {
        Session s = session;
        s.enter();
        try {
            org.mpt.internal.mpt_schedule_desc core = options == null ? null : options.core(s);
            try {
                MptNative.mpt_optimizer_set_schedule(s.of(this), core);
            } finally {
                if (core != null) core.delete();
            }
        } finally {
            s.leave();
        }
    }

    /**
     * The rate that the last step used, schedule included, before a group's lrScale; of groups with different step counts the last one's
     * that took part. The base rate before any step. Synchronises. Not inside a capture.
     *
     * @return the value
     */
    public double learningRate() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_optimizer_lr(s.of(this), s.doubles);
            return s.doubles[0];
        } finally {
            s.leave();
        }
    }

    /** Sets all gradients to zero. Not needed with {@link GradMode#WRITE}. */
    public void zeroGrad() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_optimizer_zero_grad(s.of(this));
        } finally {
            s.leave();
        }
    }

    /**
     * Divides the gradients by the scale and looks for non-finite ones, so that the host can look at true gradients before the step. Once
     * per iteration and before the step: {@link Status#UNSCALED_TWICE}, {@link Status#UNSCALE_AFTER_STEP}.
     *
     * @param scaler the loss scaler, or null
     */
    public void unscale(Scaler scaler) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_optimizer_unscale(s.of(this), s.of(scaler));
        } finally {
            s.leave();
        }
    }

    /**
     * Unscale unless done, check, clip, then step or skip, all on the device. scaler null: no scale and no check. A skipped step changes
     * neither parameters nor state nor the step count. Parameters without a gradient stay as they are. On {@link Status#MEMORY} nothing
     * was changed; so it is for {@link Optimizer#unscale}, {@link State#load} and the making of layers. Gradients are left as they were
     * (still scaled, unless {@link Optimizer#unscale} was called). {@link Status#STEP_TWICE}. The step count is a group's: a parameter
     * whose first gradient comes later has the corrections of its group's count. In a program, unscale, step and {@link Scaler#update}
     * belong into one capture: runs do not move the order that a host is held to.
     *
     * @param scaler the loss scaler, or null
     */
    public void step(Scaler scaler) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_optimizer_step(s.of(this), s.of(scaler));
        } finally {
            s.leave();
        }
    }

    /**
     * The norm of all gradients at the last step with clipping or a scaler, before clipping, unscaled; NaN before. Synchronises. Not
     * inside a capture.
     *
     * @return the value
     */
    public double gradNorm() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_optimizer_grad_norm(s.of(this), s.doubles);
            return s.doubles[0];
        } finally {
            s.leave();
        }
    }
}
