// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, schedule: what is not set has the default of the library. */
public final class ScheduleOptions {
    private ScheduleKind kind;
    private Long warmupSteps;
    private Long totalSteps;
    private Long interval;
    private Double gamma;
    private Double finalFactor;

    /** Nothing is set: the defaults. */
    public ScheduleOptions() {}

    /**
     * default {@link ScheduleKind#CONSTANT}
     *
     * @param kind the value
     * @return this
     */
    public ScheduleOptions kind(ScheduleKind kind) {
        this.kind = kind;
        return this;
    }

    /**
     * a line from 1 / warmupSteps to 1 first (ONE_CYCLE: its rise); default 0
     *
     * @param warmupSteps the value
     * @return this
     */
    public ScheduleOptions warmupSteps(long warmupSteps) {
        this.warmupSteps = warmupSteps;
        return this;
    }

    /**
     * warm-up included; COSINE, LINEAR and ONE_CYCLE need it
     *
     * @param totalSteps the value
     * @return this
     */
    public ScheduleOptions totalSteps(long totalSteps) {
        this.totalSteps = totalSteps;
        return this;
    }

    /**
     * STEP needs it
     *
     * @param interval the value
     * @return this
     */
    public ScheduleOptions interval(long interval) {
        this.interval = interval;
        return this;
    }

    /**
     * STEP; default 0.1
     *
     * @param gamma the value
     * @return this
     */
    public ScheduleOptions gamma(double gamma) {
        this.gamma = gamma;
        return this;
    }

    /**
     * default 0
     *
     * @param finalFactor the value
     * @return this
     */
    public ScheduleOptions finalFactor(double finalFactor) {
        this.finalFactor = finalFactor;
        return this;
    }

    org.mpt.internal.mpt_schedule_desc core(Session s) {
        org.mpt.internal.mpt_schedule_desc to = new org.mpt.internal.mpt_schedule_desc();
        org.mpt.internal.MptNative.mpt_schedule_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_schedule_desc to) {
        if (kind != null) to.setKind(kind.number);
        if (warmupSteps != null) to.setWarmup_steps(warmupSteps);
        if (totalSteps != null) to.setTotal_steps(totalSteps);
        if (interval != null) to.setInterval(interval);
        if (gamma != null) to.setGamma(gamma);
        if (finalFactor != null) to.setFinal_factor(finalFactor);
    }
}
