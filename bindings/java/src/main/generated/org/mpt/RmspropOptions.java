// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, rmsprop: what is not set has the default of the library. */
public final class RmspropOptions {
    private Boolean centered;
    private Double lr;
    private Double alpha;
    private Double eps;
    private Double weightDecay;
    private Double momentum;

    /** Nothing is set: the defaults. */
    public RmspropOptions() {}

    /**
     * Whether: by the variance instead of the second moment; default false
     *
     * @param centered the value
     * @return this
     */
    public RmspropOptions centered(boolean centered) {
        this.centered = centered;
        return this;
    }

    /**
     * default 0.01
     *
     * @param lr the value
     * @return this
     */
    public RmspropOptions lr(double lr) {
        this.lr = lr;
        return this;
    }

    /**
     * default 0.99
     *
     * @param alpha the value
     * @return this
     */
    public RmspropOptions alpha(double alpha) {
        this.alpha = alpha;
        return this;
    }

    /**
     * default 1e-8
     *
     * @param eps the value
     * @return this
     */
    public RmspropOptions eps(double eps) {
        this.eps = eps;
        return this;
    }

    /**
     * default 0
     *
     * @param weightDecay the value
     * @return this
     */
    public RmspropOptions weightDecay(double weightDecay) {
        this.weightDecay = weightDecay;
        return this;
    }

    /**
     * default 0
     *
     * @param momentum the value
     * @return this
     */
    public RmspropOptions momentum(double momentum) {
        this.momentum = momentum;
        return this;
    }

    org.mpt.internal.mpt_rmsprop_desc core(Session s) {
        org.mpt.internal.mpt_rmsprop_desc to = new org.mpt.internal.mpt_rmsprop_desc();
        org.mpt.internal.MptNative.mpt_rmsprop_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_rmsprop_desc to) {
        if (centered != null) to.setCentered(centered ? 1 : 0);
        if (lr != null) to.setLr(lr);
        if (alpha != null) to.setAlpha(alpha);
        if (eps != null) to.setEps(eps);
        if (weightDecay != null) to.setWeight_decay(weightDecay);
        if (momentum != null) to.setMomentum(momentum);
    }
}
