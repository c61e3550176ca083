// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, attention: what is not set has the default of the library. */
public final class AttentionOptions {
    private Integer heads;
    private Long embedDim;
    private Double dropout;
    private Boolean causal;
    private Boolean bias;
    private DType dtype;

    /** Nothing is set: the defaults. */
    public AttentionOptions() {}

    /**
     * divides embedDim; default 1
     *
     * @param heads the value
     * @return this
     */
    public AttentionOptions heads(int heads) {
        this.heads = heads;
        return this;
    }

    /**
     * at least 1
     *
     * @param embedDim the value
     * @return this
     */
    public AttentionOptions embedDim(long embedDim) {
        this.embedDim = embedDim;
        return this;
    }

    /**
     * of the probabilities, in training; default 0
     *
     * @param dropout the value
     * @return this
     */
    public AttentionOptions dropout(double dropout) {
        this.dropout = dropout;
        return this;
    }

    /**
     * Whether: no position sees a later one; default false
     *
     * @param causal the value
     * @return this
     */
    public AttentionOptions causal(boolean causal) {
        this.causal = causal;
        return this;
    }

    /**
     * With a bias? Default true.
     *
     * @param bias the value
     * @return this
     */
    public AttentionOptions bias(boolean bias) {
        this.bias = bias;
        return this;
    }

    /**
     * of the parameters; default {@link DType#F32}
     *
     * @param dtype the value
     * @return this
     */
    public AttentionOptions dtype(DType dtype) {
        this.dtype = dtype;
        return this;
    }

    org.mpt.internal.mpt_attention_desc core(Session s) {
        org.mpt.internal.mpt_attention_desc to = new org.mpt.internal.mpt_attention_desc();
        org.mpt.internal.MptNative.mpt_attention_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_attention_desc to) {
        if (heads != null) to.setHeads(heads);
        if (embedDim != null) to.setEmbed_dim(embedDim);
        if (dropout != null) to.setDropout(dropout);
        if (causal != null) to.setCausal(causal ? 1 : 0);
        if (bias != null) to.setNo_bias(bias ? 0 : 1);
        if (dtype != null) to.setDtype(dtype.number);
    }
}
