// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, embedding: what is not set has the default of the library. */
public final class EmbeddingOptions {
    private DType dtype;
    private Long count;
    private Long dim;
    private Long paddingIndex;
    private Double std;

    /** Nothing is set: the defaults. */
    public EmbeddingOptions() {}

    /**
     * of the parameters; default {@link DType#F32}
     *
     * @param dtype the value
     * @return this
     */
    public EmbeddingOptions dtype(DType dtype) {
        this.dtype = dtype;
        return this;
    }

    /**
     * rows and their length; at least 1
     *
     * @param count the value
     * @return this
     */
    public EmbeddingOptions count(long count) {
        this.count = count;
        return this;
    }

    /**
     * rows and their length; at least 1
     *
     * @param dim the value
     * @return this
     */
    public EmbeddingOptions dim(long dim) {
        this.dim = dim;
        return this;
    }

    /**
     * the row of zeros without gradient; -1 (default): none
     *
     * @param paddingIndex the value
     * @return this
     */
    public EmbeddingOptions paddingIndex(long paddingIndex) {
        this.paddingIndex = paddingIndex;
        return this;
    }

    /**
     * of the initial normal values; default 1
     *
     * @param std the value
     * @return this
     */
    public EmbeddingOptions std(double std) {
        this.std = std;
        return this;
    }

    org.mpt.internal.mpt_embedding_desc core(Session s) {
        org.mpt.internal.mpt_embedding_desc to = new org.mpt.internal.mpt_embedding_desc();
        org.mpt.internal.MptNative.mpt_embedding_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_embedding_desc to) {
        if (dtype != null) to.setDtype(dtype.number);
        if (count != null) to.setCount(count);
        if (dim != null) to.setDim(dim);
        if (paddingIndex != null) to.setPadding_index(paddingIndex);
        if (std != null) to.setStd(std);
    }
}
