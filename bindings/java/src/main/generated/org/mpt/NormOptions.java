// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, norm: what is not set has the default of the library. */
public final class NormOptions {
    private Integer groups;
    private Long features;
    private Double eps;
    private Double momentum;
    private Boolean affine;
    private Boolean running;
    private Boolean bias;
    private DType dtype;

    /** Nothing is set: the defaults. */
    public NormOptions() {}

    /**
     * group norm only; at least 1; default 1
     *
     * @param groups the value
     * @return this
     */
    public NormOptions groups(int groups) {
        this.groups = groups;
        return this;
    }

    /**
     * channels, or the extent of the last dimension; at least 1
     *
     * @param features the value
     * @return this
     */
    public NormOptions features(long features) {
        this.features = features;
        return this;
    }

    /**
     * default 1e-5
     *
     * @param eps the value
     * @return this
     */
    public NormOptions eps(double eps) {
        this.eps = eps;
        return this;
    }

    /**
     * of batch norm's running statistics; default 0.1
     *
     * @param momentum the value
     * @return this
     */
    public NormOptions momentum(double momentum) {
        this.momentum = momentum;
        return this;
    }

    /**
     * With weight and bias? Default true.
     *
     * @param affine the value
     * @return this
     */
    public NormOptions affine(boolean affine) {
        this.affine = affine;
        return this;
    }

    /**
     * With running statistics? Default true.
     *
     * @param running the value
     * @return this
     */
    public NormOptions running(boolean running) {
        this.running = running;
        return this;
    }

    /**
     * With a bias? Default true.
     *
     * @param bias the value
     * @return this
     */
    public NormOptions bias(boolean bias) {
        this.bias = bias;
        return this;
    }

    /**
     * of the parameters; default {@link DType#F32}
     *
     * @param dtype the value
     * @return this
     */
    public NormOptions dtype(DType dtype) {
        this.dtype = dtype;
        return this;
    }

    org.mpt.internal.mpt_norm_desc core(Session s) {
        org.mpt.internal.mpt_norm_desc to = new org.mpt.internal.mpt_norm_desc();
        org.mpt.internal.MptNative.mpt_norm_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_norm_desc to) {
        if (groups != null) to.setGroups(groups);
        if (features != null) to.setFeatures(features);
        if (eps != null) to.setEps(eps);
        if (momentum != null) to.setMomentum(momentum);
        if (affine != null) to.setNo_affine(affine ? 0 : 1);
        if (running != null) to.setNo_running(running ? 0 : 1);
        if (bias != null) to.setNo_bias(bias ? 0 : 1);
        if (dtype != null) to.setDtype(dtype.number);
    }
}
