// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, scaler: what is not set has the default of the library. */
public final class ScalerOptions {
    private ScalerKind kind;
    private Double initialScale;
    private Double growthFactor;
    private Double backoffFactor;
    private Long growthInterval;
    private Double minScale;
    private Double maxScale;
    private Integer hysteresis;

    /** Nothing is set: the defaults. */
    public ScalerOptions() {}

    /**
     * default {@link ScalerKind#TORCH}
     *
     * @param kind the value
     * @return this
     */
    public ScalerOptions kind(ScalerKind kind) {
        this.kind = kind;
        return this;
    }

    /**
     * default 65536
     *
     * @param initialScale the value
     * @return this
     */
    public ScalerOptions initialScale(double initialScale) {
        this.initialScale = initialScale;
        return this;
    }

    /**
     * default 2
     *
     * @param growthFactor the value
     * @return this
     */
    public ScalerOptions growthFactor(double growthFactor) {
        this.growthFactor = growthFactor;
        return this;
    }

    /**
     * default 0.5
     *
     * @param backoffFactor the value
     * @return this
     */
    public ScalerOptions backoffFactor(double backoffFactor) {
        this.backoffFactor = backoffFactor;
        return this;
    }

    /**
     * good iterations before a growth; default 2000
     *
     * @param growthInterval the value
     * @return this
     */
    public ScalerOptions growthInterval(long growthInterval) {
        this.growthInterval = growthInterval;
        return this;
    }

    /**
     * 0 (default): none
     *
     * @param minScale the value
     * @return this
     */
    public ScalerOptions minScale(double minScale) {
        this.minScale = minScale;
        return this;
    }

    /**
     * 0 (default): none
     *
     * @param maxScale the value
     * @return this
     */
    public ScalerOptions maxScale(double maxScale) {
        this.maxScale = maxScale;
        return this;
    }

    /**
     * bad iterations that are forgiven, the one that backs off included; at least 1; default 2
     *
     * @param hysteresis the value
     * @return this
     */
    public ScalerOptions hysteresis(int hysteresis) {
        this.hysteresis = hysteresis;
        return this;
    }

    org.mpt.internal.mpt_scaler_desc core(Session s) {
        org.mpt.internal.mpt_scaler_desc to = new org.mpt.internal.mpt_scaler_desc();
        org.mpt.internal.MptNative.mpt_scaler_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_scaler_desc to) {
        if (kind != null) to.setKind(kind.number);
        if (initialScale != null) to.setInitial_scale(initialScale);
        if (growthFactor != null) to.setGrowth_factor(growthFactor);
        if (backoffFactor != null) to.setBackoff_factor(backoffFactor);
        if (growthInterval != null) to.setGrowth_interval(growthInterval);
        if (minScale != null) to.setMin_scale(minScale);
        if (maxScale != null) to.setMax_scale(maxScale);
        if (hysteresis != null) to.setHysteresis(hysteresis);
    }
}
