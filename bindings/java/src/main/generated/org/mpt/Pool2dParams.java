// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, pool2d params: what is not set has the default of the library. */
public final class Pool2dParams {
    private Integer kernelH;
    private Integer kernelW;
    private Integer strideH;
    private Integer strideW;
    private Integer paddingH;
    private Integer paddingW;
    private Boolean excludePadding;

    /** Nothing is set: the defaults. */
    public Pool2dParams() {}

    /**
     * default 2
     *
     * @param kernelH the value
     * @return this
     */
    public Pool2dParams kernelH(int kernelH) {
        this.kernelH = kernelH;
        return this;
    }

    /**
     * default 2
     *
     * @param kernelW the value
     * @return this
     */
    public Pool2dParams kernelW(int kernelW) {
        this.kernelW = kernelW;
        return this;
    }

    /**
     * Height and width of kernel.
     *
     * @param kernel for both
     * @return this
     */
    public Pool2dParams kernel(int kernel) {
        return kernelH(kernel).kernelW(kernel);
    }

    /**
     * 0: the kernel's; default 0
     *
     * @param strideH the value
     * @return this
     */
    public Pool2dParams strideH(int strideH) {
        this.strideH = strideH;
        return this;
    }

    /**
     * 0: the kernel's; default 0
     *
     * @param strideW the value
     * @return this
     */
    public Pool2dParams strideW(int strideW) {
        this.strideW = strideW;
        return this;
    }

    /**
     * Height and width of stride.
     *
     * @param stride for both
     * @return this
     */
    public Pool2dParams stride(int stride) {
        return strideH(stride).strideW(stride);
    }

    /**
     * never the maximum; at most half the kernel; default 0
     *
     * @param paddingH the value
     * @return this
     */
    public Pool2dParams paddingH(int paddingH) {
        this.paddingH = paddingH;
        return this;
    }

    /**
     * never the maximum; at most half the kernel; default 0
     *
     * @param paddingW the value
     * @return this
     */
    public Pool2dParams paddingW(int paddingW) {
        this.paddingW = paddingW;
        return this;
    }

    /**
     * Height and width of padding.
     *
     * @param padding for both
     * @return this
     */
    public Pool2dParams padding(int padding) {
        return paddingH(padding).paddingW(padding);
    }

    /**
     * {@link Tensor#avgPool2d} only, 1: divide by the elements inside; default false
     *
     * @param excludePadding the value
     * @return this
     */
    public Pool2dParams excludePadding(boolean excludePadding) {
        this.excludePadding = excludePadding;
        return this;
    }

    org.mpt.internal.mpt_pool2d_params core(Session s) {
        org.mpt.internal.mpt_pool2d_params to = new org.mpt.internal.mpt_pool2d_params();
        org.mpt.internal.MptNative.mpt_pool2d_params_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_pool2d_params to) {
        if (kernelH != null) to.setKernel_h(kernelH);
        if (kernelW != null) to.setKernel_w(kernelW);
        if (strideH != null) to.setStride_h(strideH);
        if (strideW != null) to.setStride_w(strideW);
        if (paddingH != null) to.setPadding_h(paddingH);
        if (paddingW != null) to.setPadding_w(paddingW);
        if (excludePadding != null) to.setExclude_padding(excludePadding ? 1 : 0);
    }
}
