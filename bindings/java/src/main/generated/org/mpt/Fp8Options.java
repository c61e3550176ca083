// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, fp8: what is not set has the default of the library. */
public final class Fp8Options {
    private Fp8Recipe recipe;
    private Integer history;
    private Integer margin;
    private DType forward;
    private DType backward;

    /** Nothing is set: the defaults. */
    public Fp8Options() {}

    /**
     * default {@link Fp8Recipe#CURRENT}
     *
     * @param recipe the value
     * @return this
     */
    public Fp8Options recipe(Fp8Recipe recipe) {
        this.recipe = recipe;
        return this;
    }

    /**
     * {@link Fp8Recipe#DELAYED}: optimizer steps that the scale looks back; default 1024
     *
     * @param history the value
     * @return this
     */
    public Fp8Options history(int history) {
        this.history = history;
        return this;
    }

    /**
     * the scale is 2^-margin times the largest possible one; default 0
     *
     * @param margin the value
     * @return this
     */
    public Fp8Options margin(int margin) {
        this.margin = margin;
        return this;
    }

    /**
     * of activations and weights; default {@link DType#F8E4M3}
     *
     * @param forward the value
     * @return this
     */
    public Fp8Options forward(DType forward) {
        this.forward = forward;
        return this;
    }

    /**
     * of gradients; default {@link DType#F8E5M2}
     *
     * @param backward the value
     * @return this
     */
    public Fp8Options backward(DType backward) {
        this.backward = backward;
        return this;
    }

    org.mpt.internal.mpt_fp8_desc core(Session s) {
        org.mpt.internal.mpt_fp8_desc to = new org.mpt.internal.mpt_fp8_desc();
        org.mpt.internal.MptNative.mpt_fp8_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_fp8_desc to) {
        if (recipe != null) to.setRecipe(recipe.number);
        if (history != null) to.setHistory(history);
        if (margin != null) to.setMargin(margin);
        if (forward != null) to.setForward(forward.number);
        if (backward != null) to.setBackward(backward.number);
    }
}
