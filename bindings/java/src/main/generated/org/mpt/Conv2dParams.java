// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, conv2d params: what is not set has the default of the library. */
public final class Conv2dParams {
    private Integer strideH;
    private Integer strideW;
    private Integer paddingH;
    private Integer paddingW;
    private Integer dilationH;
    private Integer dilationW;
    private Integer groups;
    private Integer outputPaddingH;
    private Integer outputPaddingW;

    /** Nothing is set: the defaults. */
    public Conv2dParams() {}

    /**
     * default 1
     *
     * @param strideH the value
     * @return this
     */
    public Conv2dParams strideH(int strideH) {
        this.strideH = strideH;
        return this;
    }

    /**
     * default 1
     *
     * @param strideW the value
     * @return this
     */
    public Conv2dParams strideW(int strideW) {
        this.strideW = strideW;
        return this;
    }

    /**
     * Height and width of stride.
     *
     * @param stride for both
     * @return this
     */
    public Conv2dParams stride(int stride) {
        return strideH(stride).strideW(stride);
    }

    /**
     * zeros on each side; default 0
     *
     * @param paddingH the value
     * @return this
     */
    public Conv2dParams paddingH(int paddingH) {
        this.paddingH = paddingH;
        return this;
    }

    /**
     * zeros on each side; default 0
     *
     * @param paddingW the value
     * @return this
     */
    public Conv2dParams paddingW(int paddingW) {
        this.paddingW = paddingW;
        return this;
    }

    /**
     * Height and width of padding.
     *
     * @param padding for both
     * @return this
     */
    public Conv2dParams padding(int padding) {
        return paddingH(padding).paddingW(padding);
    }

    /**
     * default 1
     *
     * @param dilationH the value
     * @return this
     */
    public Conv2dParams dilationH(int dilationH) {
        this.dilationH = dilationH;
        return this;
    }

    /**
     * default 1
     *
     * @param dilationW the value
     * @return this
     */
    public Conv2dParams dilationW(int dilationW) {
        this.dilationW = dilationW;
        return this;
    }

    /**
     * Height and width of dilation.
     *
     * @param dilation for both
     * @return this
     */
    public Conv2dParams dilation(int dilation) {
        return dilationH(dilation).dilationW(dilation);
    }

    /**
     * default 1
     *
     * @param groups the value
     * @return this
     */
    public Conv2dParams groups(int groups) {
        this.groups = groups;
        return this;
    }

    /**
     * {@link Tensor#convTranspose2d} only: rows and columns added to the result; default 0
     *
     * @param outputPaddingH the value
     * @return this
     */
    public Conv2dParams outputPaddingH(int outputPaddingH) {
        this.outputPaddingH = outputPaddingH;
        return this;
    }

    /**
     * {@link Tensor#convTranspose2d} only: rows and columns added to the result; default 0
     *
     * @param outputPaddingW the value
     * @return this
     */
    public Conv2dParams outputPaddingW(int outputPaddingW) {
        this.outputPaddingW = outputPaddingW;
        return this;
    }

    /**
     * Height and width of output padding.
     *
     * @param outputPadding for both
     * @return this
     */
    public Conv2dParams outputPadding(int outputPadding) {
        return outputPaddingH(outputPadding).outputPaddingW(outputPadding);
    }

    org.mpt.internal.mpt_conv2d_params core(Session s) {
        org.mpt.internal.mpt_conv2d_params to = new org.mpt.internal.mpt_conv2d_params();
        org.mpt.internal.MptNative.mpt_conv2d_params_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_conv2d_params to) {
        if (strideH != null) to.setStride_h(strideH);
        if (strideW != null) to.setStride_w(strideW);
        if (paddingH != null) to.setPadding_h(paddingH);
        if (paddingW != null) to.setPadding_w(paddingW);
        if (dilationH != null) to.setDilation_h(dilationH);
        if (dilationW != null) to.setDilation_w(dilationW);
        if (groups != null) to.setGroups(groups);
        if (outputPaddingH != null) to.setOutput_padding_h(outputPaddingH);
        if (outputPaddingW != null) to.setOutput_padding_w(outputPaddingW);
    }
}
