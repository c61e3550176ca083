// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, group: what is not set has the default of the library. */
public final class GroupOptions {
    private Rounding rounding;
    private Double lrScale;
    private Double weightDecayScale;

    /** Nothing is set: the defaults. */
    public GroupOptions() {}

    /**
     * of f16 and bf16 parameters; default {@link Rounding#MASTER}
     *
     * @param rounding the value
     * @return this
     */
    public GroupOptions rounding(Rounding rounding) {
        this.rounding = rounding;
        return this;
    }

    /**
     * times the optimizer's rate; default 1
     *
     * @param lrScale the value
     * @return this
     */
    public GroupOptions lrScale(double lrScale) {
        this.lrScale = lrScale;
        return this;
    }

    /**
     * times the optimizer's decay; default 1; 0: no decay for this group
     *
     * @param weightDecayScale the value
     * @return this
     */
    public GroupOptions weightDecayScale(double weightDecayScale) {
        this.weightDecayScale = weightDecayScale;
        return this;
    }

    org.mpt.internal.mpt_group_desc core(Session s) {
        org.mpt.internal.mpt_group_desc to = new org.mpt.internal.mpt_group_desc();
        org.mpt.internal.MptNative.mpt_group_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_group_desc to) {
        if (rounding != null) to.setRounding(rounding.number);
        if (lrScale != null) to.setLr_scale(lrScale);
        if (weightDecayScale != null) to.setWeight_decay_scale(weightDecayScale);
    }
}
