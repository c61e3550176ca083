// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, conv1d params: what is not set has the default of the library. */
public final class Conv1dParams {
    private Integer stride;
    private Integer padding;
    private Integer dilation;
    private Integer groups;
    private Integer outputPadding;

    /** Nothing is set: the defaults. */
    public Conv1dParams() {}

    /**
     * default 1
     *
     * @param stride the value
     * @return this
     */
    public Conv1dParams stride(int stride) {
        this.stride = stride;
        return this;
    }

    /**
     * zeros on each side; default 0
     *
     * @param padding the value
     * @return this
     */
    public Conv1dParams padding(int padding) {
        this.padding = padding;
        return this;
    }

    /**
     * default 1
     *
     * @param dilation the value
     * @return this
     */
    public Conv1dParams dilation(int dilation) {
        this.dilation = dilation;
        return this;
    }

    /**
     * default 1
     *
     * @param groups the value
     * @return this
     */
    public Conv1dParams groups(int groups) {
        this.groups = groups;
        return this;
    }

    /**
     * {@link Tensor#convTranspose1d} only; default 0
     *
     * @param outputPadding the value
     * @return this
     */
    public Conv1dParams outputPadding(int outputPadding) {
        this.outputPadding = outputPadding;
        return this;
    }

    org.mpt.internal.mpt_conv1d_params core(Session s) {
        org.mpt.internal.mpt_conv1d_params to = new org.mpt.internal.mpt_conv1d_params();
        org.mpt.internal.MptNative.mpt_conv1d_params_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_conv1d_params to) {
        if (stride != null) to.setStride(stride);
        if (padding != null) to.setPadding(padding);
        if (dilation != null) to.setDilation(dilation);
        if (groups != null) to.setGroups(groups);
        if (outputPadding != null) to.setOutput_padding(outputPadding);
    }
}
