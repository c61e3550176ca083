// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, linear: what is not set has the default of the library. */
public final class LinearOptions {
    private Boolean bias;
    private Long inFeatures;
    private Long outFeatures;
    private Init init;
    private DType dtype;

    /** Nothing is set: the defaults. */
    public LinearOptions() {}

    /**
     * With a bias? Default true.
     *
     * @param bias the value
     * @return this
     */
    public LinearOptions bias(boolean bias) {
        this.bias = bias;
        return this;
    }

    /**
     * at least 1
     *
     * @param inFeatures the value
     * @return this
     */
    public LinearOptions inFeatures(long inFeatures) {
        this.inFeatures = inFeatures;
        return this;
    }

    /**
     * at least 1
     *
     * @param outFeatures the value
     * @return this
     */
    public LinearOptions outFeatures(long outFeatures) {
        this.outFeatures = outFeatures;
        return this;
    }

    /**
     * The init.
     *
     * @param init the value
     * @return this
     */
    public LinearOptions init(Init init) {
        this.init = init;
        return this;
    }

    /**
     * of the parameters; default {@link DType#F32}
     *
     * @param dtype the value
     * @return this
     */
    public LinearOptions dtype(DType dtype) {
        this.dtype = dtype;
        return this;
    }

    org.mpt.internal.mpt_linear_desc core(Session s) {
        org.mpt.internal.mpt_linear_desc to = new org.mpt.internal.mpt_linear_desc();
        org.mpt.internal.MptNative.mpt_linear_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_linear_desc to) {
        if (bias != null) to.setNo_bias(bias ? 0 : 1);
        if (inFeatures != null) to.setIn_features(inFeatures);
        if (outFeatures != null) to.setOut_features(outFeatures);
        if (init != null) to.setInit(init.number);
        if (dtype != null) to.setDtype(dtype.number);
    }
}
