// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, recurrent: what is not set has the default of the library. */
public final class RecurrentOptions {
    private RecurrentKind kind;
    private Long inputSize;
    private Long hiddenSize;
    private Integer layers;
    private Boolean bidirectional;
    private Boolean batchFirst;
    private Boolean bias;
    private Double dropout;
    private DType dtype;

    /** Nothing is set: the defaults. */
    public RecurrentOptions() {}

    /**
     * default {@link RecurrentKind#LSTM}
     *
     * @param kind the value
     * @return this
     */
    public RecurrentOptions kind(RecurrentKind kind) {
        this.kind = kind;
        return this;
    }

    /**
     * at least 1
     *
     * @param inputSize the value
     * @return this
     */
    public RecurrentOptions inputSize(long inputSize) {
        this.inputSize = inputSize;
        return this;
    }

    /**
     * at least 1
     *
     * @param hiddenSize the value
     * @return this
     */
    public RecurrentOptions hiddenSize(long hiddenSize) {
        this.hiddenSize = hiddenSize;
        return this;
    }

    /**
     * default 1
     *
     * @param layers the value
     * @return this
     */
    public RecurrentOptions layers(int layers) {
        this.layers = layers;
        return this;
    }

    /**
     * Whether: both directions, concatenated; default false
     *
     * @param bidirectional the value
     * @return this
     */
    public RecurrentOptions bidirectional(boolean bidirectional) {
        this.bidirectional = bidirectional;
        return this;
    }

    /**
     * Whether: [N,T,...]; 0 (default): [T,N,...]
     *
     * @param batchFirst the value
     * @return this
     */
    public RecurrentOptions batchFirst(boolean batchFirst) {
        this.batchFirst = batchFirst;
        return this;
    }

    /**
     * With a bias? Default true.
     *
     * @param bias the value
     * @return this
     */
    public RecurrentOptions bias(boolean bias) {
        this.bias = bias;
        return this;
    }

    /**
     * between layers, in training; default 0
     *
     * @param dropout the value
     * @return this
     */
    public RecurrentOptions dropout(double dropout) {
        this.dropout = dropout;
        return this;
    }

    /**
     * of the parameters; default {@link DType#F32}
     *
     * @param dtype the value
     * @return this
     */
    public RecurrentOptions dtype(DType dtype) {
        this.dtype = dtype;
        return this;
    }

    org.mpt.internal.mpt_recurrent_desc core(Session s) {
        org.mpt.internal.mpt_recurrent_desc to = new org.mpt.internal.mpt_recurrent_desc();
        org.mpt.internal.MptNative.mpt_recurrent_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_recurrent_desc to) {
        if (kind != null) to.setKind(kind.number);
        if (inputSize != null) to.setInput_size(inputSize);
        if (hiddenSize != null) to.setHidden_size(hiddenSize);
        if (layers != null) to.setLayers(layers);
        if (bidirectional != null) to.setBidirectional(bidirectional ? 1 : 0);
        if (batchFirst != null) to.setBatch_first(batchFirst ? 1 : 0);
        if (bias != null) to.setNo_bias(bias ? 0 : 1);
        if (dropout != null) to.setDropout(dropout);
        if (dtype != null) to.setDtype(dtype.number);
    }
}
