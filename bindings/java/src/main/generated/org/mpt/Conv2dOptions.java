// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, conv2d: what is not set has the default of the library. */
public final class Conv2dOptions {
    private Integer groups;
    private Long inChannels;
    private Long outChannels;
    private Integer kernelH;
    private Integer kernelW;
    private Integer strideH;
    private Integer strideW;
    private Integer paddingH;
    private Integer paddingW;
    private Integer dilationH;
    private Integer dilationW;
    private Integer outputPaddingH;
    private Integer outputPaddingW;
    private Boolean bias;
    private Init init;
    private DType dtype;

    /** Nothing is set: the defaults. */
    public Conv2dOptions() {}

    /**
     * default 1
     *
     * @param groups the value
     * @return this
     */
    public Conv2dOptions groups(int groups) {
        this.groups = groups;
        return this;
    }

    /**
     * at least 1 and multiples of groups
     *
     * @param inChannels the value
     * @return this
     */
    public Conv2dOptions inChannels(long inChannels) {
        this.inChannels = inChannels;
        return this;
    }

    /**
     * at least 1 and multiples of groups
     *
     * @param outChannels the value
     * @return this
     */
    public Conv2dOptions outChannels(long outChannels) {
        this.outChannels = outChannels;
        return this;
    }

    /**
     * default 3
     *
     * @param kernelH the value
     * @return this
     */
    public Conv2dOptions kernelH(int kernelH) {
        this.kernelH = kernelH;
        return this;
    }

    /**
     * default 3
     *
     * @param kernelW the value
     * @return this
     */
    public Conv2dOptions kernelW(int kernelW) {
        this.kernelW = kernelW;
        return this;
    }

    /**
     * Height and width of kernel.
     *
     * @param kernel for both
     * @return this
     */
    public Conv2dOptions kernel(int kernel) {
        return kernelH(kernel).kernelW(kernel);
    }

    /**
     * default 1
     *
     * @param strideH the value
     * @return this
     */
    public Conv2dOptions strideH(int strideH) {
        this.strideH = strideH;
        return this;
    }

    /**
     * default 1
     *
     * @param strideW the value
     * @return this
     */
    public Conv2dOptions strideW(int strideW) {
        this.strideW = strideW;
        return this;
    }

    /**
     * Height and width of stride.
     *
     * @param stride for both
     * @return this
     */
    public Conv2dOptions stride(int stride) {
        return strideH(stride).strideW(stride);
    }

    /**
     * default 0
     *
     * @param paddingH the value
     * @return this
     */
    public Conv2dOptions paddingH(int paddingH) {
        this.paddingH = paddingH;
        return this;
    }

    /**
     * default 0
     *
     * @param paddingW the value
     * @return this
     */
    public Conv2dOptions paddingW(int paddingW) {
        this.paddingW = paddingW;
        return this;
    }

    /**
     * Height and width of padding.
     *
     * @param padding for both
     * @return this
     */
    public Conv2dOptions padding(int padding) {
        return paddingH(padding).paddingW(padding);
    }

    /**
     * default 1
     *
     * @param dilationH the value
     * @return this
     */
    public Conv2dOptions dilationH(int dilationH) {
        this.dilationH = dilationH;
        return this;
    }

    /**
     * default 1
     *
     * @param dilationW the value
     * @return this
     */
    public Conv2dOptions dilationW(int dilationW) {
        this.dilationW = dilationW;
        return this;
    }

    /**
     * Height and width of dilation.
     *
     * @param dilation for both
     * @return this
     */
    public Conv2dOptions dilation(int dilation) {
        return dilationH(dilation).dilationW(dilation);
    }

    /**
     * transposed only; default 0
     *
     * @param outputPaddingH the value
     * @return this
     */
    public Conv2dOptions outputPaddingH(int outputPaddingH) {
        this.outputPaddingH = outputPaddingH;
        return this;
    }

    /**
     * transposed only; default 0
     *
     * @param outputPaddingW the value
     * @return this
     */
    public Conv2dOptions outputPaddingW(int outputPaddingW) {
        this.outputPaddingW = outputPaddingW;
        return this;
    }

    /**
     * Height and width of output padding.
     *
     * @param outputPadding for both
     * @return this
     */
    public Conv2dOptions outputPadding(int outputPadding) {
        return outputPaddingH(outputPadding).outputPaddingW(outputPadding);
    }

    /**
     * With a bias? Default true.
     *
     * @param bias the value
     * @return this
     */
    public Conv2dOptions bias(boolean bias) {
        this.bias = bias;
        return this;
    }

    /**
     * The init.
     *
     * @param init the value
     * @return this
     */
    public Conv2dOptions init(Init init) {
        this.init = init;
        return this;
    }

    /**
     * of the parameters; default {@link DType#F32}
     *
     * @param dtype the value
     * @return this
     */
    public Conv2dOptions dtype(DType dtype) {
        this.dtype = dtype;
        return this;
    }

    org.mpt.internal.mpt_conv2d_desc core(Session s) {
        org.mpt.internal.mpt_conv2d_desc to = new org.mpt.internal.mpt_conv2d_desc();
        org.mpt.internal.MptNative.mpt_conv2d_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_conv2d_desc to) {
        if (groups != null) to.setGroups(groups);
        if (inChannels != null) to.setIn_channels(inChannels);
        if (outChannels != null) to.setOut_channels(outChannels);
        if (kernelH != null) to.setKernel_h(kernelH);
        if (kernelW != null) to.setKernel_w(kernelW);
        if (strideH != null) to.setStride_h(strideH);
        if (strideW != null) to.setStride_w(strideW);
        if (paddingH != null) to.setPadding_h(paddingH);
        if (paddingW != null) to.setPadding_w(paddingW);
        if (dilationH != null) to.setDilation_h(dilationH);
        if (dilationW != null) to.setDilation_w(dilationW);
        if (outputPaddingH != null) to.setOutput_padding_h(outputPaddingH);
        if (outputPaddingW != null) to.setOutput_padding_w(outputPaddingW);
        if (bias != null) to.setNo_bias(bias ? 0 : 1);
        if (init != null) to.setInit(init.number);
        if (dtype != null) to.setDtype(dtype.number);
    }
}
