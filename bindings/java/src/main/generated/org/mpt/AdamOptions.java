// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, adam: what is not set has the default of the library. */
public final class AdamOptions {
    private Double lr;
    private Double beta1;
    private Double beta2;
    private Double eps;
    private Double weightDecay;

    /** Nothing is set: the defaults. */
    public AdamOptions() {}

    /**
     * default 0.001
     *
     * @param lr the value
     * @return this
     */
    public AdamOptions lr(double lr) {
        this.lr = lr;
        return this;
    }

    /**
     * default 0.9
     *
     * @param beta1 the value
     * @return this
     */
    public AdamOptions beta1(double beta1) {
        this.beta1 = beta1;
        return this;
    }

    /**
     * default 0.999
     *
     * @param beta2 the value
     * @return this
     */
    public AdamOptions beta2(double beta2) {
        this.beta2 = beta2;
        return this;
    }

    /**
     * default 1e-8
     *
     * @param eps the value
     * @return this
     */
    public AdamOptions eps(double eps) {
        this.eps = eps;
        return this;
    }

    /**
     * default 0 for Adam, 0.01 for AdamW
     *
     * @param weightDecay the value
     * @return this
     */
    public AdamOptions weightDecay(double weightDecay) {
        this.weightDecay = weightDecay;
        return this;
    }

    /** The optimizer whose defaults count. */
    enum Kind { ADAM, ADAMW, LAMB }

    org.mpt.internal.mpt_adam_desc core(Session s, Kind kind) {
        org.mpt.internal.mpt_adam_desc to = new org.mpt.internal.mpt_adam_desc();
        switch (kind) {
            case ADAM -> org.mpt.internal.MptNative.mpt_adam_desc_init(to);
            case ADAMW -> org.mpt.internal.MptNative.mpt_adamw_desc_init(to);
            case LAMB -> org.mpt.internal.MptNative.mpt_lamb_desc_init(to);
        }
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_adam_desc to) {
        if (lr != null) to.setLr(lr);
        if (beta1 != null) to.setBeta1(beta1);
        if (beta2 != null) to.setBeta2(beta2);
        if (eps != null) to.setEps(eps);
        if (weightDecay != null) to.setWeight_decay(weightDecay);
    }
}
