// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, adagrad: what is not set has the default of the library. */
public final class AdagradOptions {
    private Double lr;
    private Double lrDecay;
    private Double weightDecay;
    private Double initialAccumulator;
    private Double eps;

    /** Nothing is set: the defaults. */
    public AdagradOptions() {}

    /**
     * default 0.01
     *
     * @param lr the value
     * @return this
     */
    public AdagradOptions lr(double lr) {
        this.lr = lr;
        return this;
    }

    /**
     * default 0
     *
     * @param lrDecay the value
     * @return this
     */
    public AdagradOptions lrDecay(double lrDecay) {
        this.lrDecay = lrDecay;
        return this;
    }

    /**
     * default 0
     *
     * @param weightDecay the value
     * @return this
     */
    public AdagradOptions weightDecay(double weightDecay) {
        this.weightDecay = weightDecay;
        return this;
    }

    /**
     * default 0
     *
     * @param initialAccumulator the value
     * @return this
     */
    public AdagradOptions initialAccumulator(double initialAccumulator) {
        this.initialAccumulator = initialAccumulator;
        return this;
    }

    /**
     * default 1e-10
     *
     * @param eps the value
     * @return this
     */
    public AdagradOptions eps(double eps) {
        this.eps = eps;
        return this;
    }

    org.mpt.internal.mpt_adagrad_desc core(Session s) {
        org.mpt.internal.mpt_adagrad_desc to = new org.mpt.internal.mpt_adagrad_desc();
        org.mpt.internal.MptNative.mpt_adagrad_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_adagrad_desc to) {
        if (lr != null) to.setLr(lr);
        if (lrDecay != null) to.setLr_decay(lrDecay);
        if (weightDecay != null) to.setWeight_decay(weightDecay);
        if (initialAccumulator != null) to.setInitial_accumulator(initialAccumulator);
        if (eps != null) to.setEps(eps);
    }
}
