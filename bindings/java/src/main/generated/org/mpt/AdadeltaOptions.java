// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, adadelta: what is not set has the default of the library. */
public final class AdadeltaOptions {
    private Double lr;
    private Double rho;
    private Double eps;
    private Double weightDecay;

    /** Nothing is set: the defaults. */
    public AdadeltaOptions() {}

    /**
     * default 1
     *
     * @param lr the value
     * @return this
     */
    public AdadeltaOptions lr(double lr) {
        this.lr = lr;
        return this;
    }

    /**
     * default 0.9
     *
     * @param rho the value
     * @return this
     */
    public AdadeltaOptions rho(double rho) {
        this.rho = rho;
        return this;
    }

    /**
     * default 1e-6
     *
     * @param eps the value
     * @return this
     */
    public AdadeltaOptions eps(double eps) {
        this.eps = eps;
        return this;
    }

    /**
     * default 0
     *
     * @param weightDecay the value
     * @return this
     */
    public AdadeltaOptions weightDecay(double weightDecay) {
        this.weightDecay = weightDecay;
        return this;
    }

    org.mpt.internal.mpt_adadelta_desc core(Session s) {
        org.mpt.internal.mpt_adadelta_desc to = new org.mpt.internal.mpt_adadelta_desc();
        org.mpt.internal.MptNative.mpt_adadelta_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_adadelta_desc to) {
        if (lr != null) to.setLr(lr);
        if (rho != null) to.setRho(rho);
        if (eps != null) to.setEps(eps);
        if (weightDecay != null) to.setWeight_decay(weightDecay);
    }
}
