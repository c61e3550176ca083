// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, sgd: what is not set has the default of the library. */
public final class SgdOptions {
    private Boolean nesterov;
    private Double lr;
    private Double momentum;
    private Double dampening;
    private Double weightDecay;

    /** Nothing is set: the defaults. */
    public SgdOptions() {}

    /**
     * Whether: Nesterov's momentum; default false
     *
     * @param nesterov the value
     * @return this
     */
    public SgdOptions nesterov(boolean nesterov) {
        this.nesterov = nesterov;
        return this;
    }

    /**
     * default 0.01
     *
     * @param lr the value
     * @return this
     */
    public SgdOptions lr(double lr) {
        this.lr = lr;
        return this;
    }

    /**
     * default 0
     *
     * @param momentum the value
     * @return this
     */
    public SgdOptions momentum(double momentum) {
        this.momentum = momentum;
        return this;
    }

    /**
     * default 0
     *
     * @param dampening the value
     * @return this
     */
    public SgdOptions dampening(double dampening) {
        this.dampening = dampening;
        return this;
    }

    /**
     * default 0
     *
     * @param weightDecay the value
     * @return this
     */
    public SgdOptions weightDecay(double weightDecay) {
        this.weightDecay = weightDecay;
        return this;
    }

    org.mpt.internal.mpt_sgd_desc core(Session s) {
        org.mpt.internal.mpt_sgd_desc to = new org.mpt.internal.mpt_sgd_desc();
        org.mpt.internal.MptNative.mpt_sgd_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_sgd_desc to) {
        if (nesterov != null) to.setNesterov(nesterov ? 1 : 0);
        if (lr != null) to.setLr(lr);
        if (momentum != null) to.setMomentum(momentum);
        if (dampening != null) to.setDampening(dampening);
        if (weightDecay != null) to.setWeight_decay(weightDecay);
    }
}
