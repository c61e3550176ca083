// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, attention params: what is not set has the default of the library. */
public final class AttentionParams {
    private Boolean causal;
    private Double scale;
    private Double dropout;

    /** Nothing is set: the defaults. */
    public AttentionParams() {}

    /**
     * Whether: row i sees columns up to i + S - T; default false
     *
     * @param causal the value
     * @return this
     */
    public AttentionParams causal(boolean causal) {
        this.causal = causal;
        return this;
    }

    /**
     * of the scores; 0 (default): 1 / sqrt(D)
     *
     * @param scale the value
     * @return this
     */
    public AttentionParams scale(double scale) {
        this.scale = scale;
        return this;
    }

    /**
     * of the probabilities, from [0, 1); default 0
     *
     * @param dropout the value
     * @return this
     */
    public AttentionParams dropout(double dropout) {
        this.dropout = dropout;
        return this;
    }

    org.mpt.internal.mpt_attention_params core(Session s) {
        org.mpt.internal.mpt_attention_params to = new org.mpt.internal.mpt_attention_params();
        org.mpt.internal.MptNative.mpt_attention_params_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_attention_params to) {
        if (causal != null) to.setCausal(causal ? 1 : 0);
        if (scale != null) to.setScale(scale);
        if (dropout != null) to.setDropout(dropout);
    }
}
