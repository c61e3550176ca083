// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, cross entropy params: what is not set has the default of the library. */
public final class CrossEntropyParams {
    private Reduction reduction;
    private Double labelSmoothing;
    private Long ignoreIndex;
    private Tensor weight;

    /** Nothing is set: the defaults. */
    public CrossEntropyParams() {}

    /**
     * default {@link Reduction#MEAN}: weighted, over the rows that count
     *
     * @param reduction the value
     * @return this
     */
    public CrossEntropyParams reduction(Reduction reduction) {
        this.reduction = reduction;
        return this;
    }

    /**
     * from [0, 1]; default 0 [Szegedy et al. 2016]
     *
     * @param labelSmoothing the value
     * @return this
     */
    public CrossEntropyParams labelSmoothing(double labelSmoothing) {
        this.labelSmoothing = labelSmoothing;
        return this;
    }

    /**
     * rows with this target give 0 and do not count; default -100
     *
     * @param ignoreIndex the value
     * @return this
     */
    public CrossEntropyParams ignoreIndex(long ignoreIndex) {
        this.ignoreIndex = ignoreIndex;
        return this;
    }

    /**
     * [C] in f32 (f64 for f64), of each class; null (default): 1
     *
     * @param weight the value
     * @return this
     */
    public CrossEntropyParams weight(Tensor weight) {
        this.weight = weight;
        return this;
    }

    org.mpt.internal.mpt_cross_entropy_params core(Session s) {
        org.mpt.internal.mpt_cross_entropy_params to = new org.mpt.internal.mpt_cross_entropy_params();
        org.mpt.internal.MptNative.mpt_cross_entropy_params_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_cross_entropy_params to) {
        if (reduction != null) to.setReduction(reduction.number);
        if (labelSmoothing != null) to.setLabel_smoothing(labelSmoothing);
        if (ignoreIndex != null) to.setIgnore_index(ignoreIndex);
        if (weight != null) to.setWeight(s.of(weight));
    }
}
