// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, conv1d: what is not set has the default of the library. */
public final class Conv1dOptions {
    private Integer groups;
    private Long inChannels;
    private Long outChannels;
    private Integer kernel;
    private Integer stride;
    private Integer padding;
    private Integer dilation;
    private Integer outputPadding;
    private Boolean bias;
    private Init init;
    private DType dtype;

    /** Nothing is set: the defaults. */
    public Conv1dOptions() {}

    /**
     * default 1
     *
     * @param groups the value
     * @return this
     */
    public Conv1dOptions groups(int groups) {
        this.groups = groups;
        return this;
    }

    /**
     * at least 1 and multiples of groups
     *
     * @param inChannels the value
     * @return this
     */
    public Conv1dOptions inChannels(long inChannels) {
        this.inChannels = inChannels;
        return this;
    }

    /**
     * at least 1 and multiples of groups
     *
     * @param outChannels the value
     * @return this
     */
    public Conv1dOptions outChannels(long outChannels) {
        this.outChannels = outChannels;
        return this;
    }

    /**
     * default 3
     *
     * @param kernel the value
     * @return this
     */
    public Conv1dOptions kernel(int kernel) {
        this.kernel = kernel;
        return this;
    }

    /**
     * default 1
     *
     * @param stride the value
     * @return this
     */
    public Conv1dOptions stride(int stride) {
        this.stride = stride;
        return this;
    }

    /**
     * default 0
     *
     * @param padding the value
     * @return this
     */
    public Conv1dOptions padding(int padding) {
        this.padding = padding;
        return this;
    }

    /**
     * default 1
     *
     * @param dilation the value
     * @return this
     */
    public Conv1dOptions dilation(int dilation) {
        this.dilation = dilation;
        return this;
    }

    /**
     * transposed only; default 0
     *
     * @param outputPadding the value
     * @return this
     */
    public Conv1dOptions outputPadding(int outputPadding) {
        this.outputPadding = outputPadding;
        return this;
    }

    /**
     * With a bias? Default true.
     *
     * @param bias the value
     * @return this
     */
    public Conv1dOptions bias(boolean bias) {
        this.bias = bias;
        return this;
    }

    /**
     * The init.
     *
     * @param init the value
     * @return this
     */
    public Conv1dOptions init(Init init) {
        this.init = init;
        return this;
    }

    /**
     * of the parameters; default {@link DType#F32}
     *
     * @param dtype the value
     * @return this
     */
    public Conv1dOptions dtype(DType dtype) {
        this.dtype = dtype;
        return this;
    }

    org.mpt.internal.mpt_conv1d_desc core(Session s) {
        org.mpt.internal.mpt_conv1d_desc to = new org.mpt.internal.mpt_conv1d_desc();
        org.mpt.internal.MptNative.mpt_conv1d_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_conv1d_desc to) {
        if (groups != null) to.setGroups(groups);
        if (inChannels != null) to.setIn_channels(inChannels);
        if (outChannels != null) to.setOut_channels(outChannels);
        if (kernel != null) to.setKernel(kernel);
        if (stride != null) to.setStride(stride);
        if (padding != null) to.setPadding(padding);
        if (dilation != null) to.setDilation(dilation);
        if (outputPadding != null) to.setOutput_padding(outputPadding);
        if (bias != null) to.setNo_bias(bias ? 0 : 1);
        if (init != null) to.setInit(init.number);
        if (dtype != null) to.setDtype(dtype.number);
    }
}
