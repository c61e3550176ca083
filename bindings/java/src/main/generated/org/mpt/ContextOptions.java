// Written by generate.py from the header; do not edit.
package org.mpt;

/** Settings, context: what is not set has the default of the library. */
public final class ContextOptions {
    LogListener listener;
    private Device device;
    private Integer deviceIndex;
    private Integer threads;
    private Long seed;
    private LogLevel logLevel;

    /** Nothing is set: the defaults. */
    public ContextOptions() {}

    /**
     * Receives the log and the errors of the context. It is kept until everything of the context is closed.
     *
     * @param listener the receiver; null: none
     * @return this
     */
    public ContextOptions listener(LogListener listener) {
        this.listener = listener;
        return this;
    }

    /**
     * default {@link Device#CPU}
     *
     * @param device the value
     * @return this
     */
    public ContextOptions device(Device device) {
        this.device = device;
        return this;
    }

    /**
     * which GPU; 0 for the CPU
     *
     * @param deviceIndex the value
     * @return this
     */
    public ContextOptions deviceIndex(int deviceIndex) {
        this.deviceIndex = deviceIndex;
        return this;
    }

    /**
     * threads of a CPU context, the caller's included; 0: one per core this process may use
     *
     * @param threads the value
     * @return this
     */
    public ContextOptions threads(int threads) {
        this.threads = threads;
        return this;
    }

    /**
     * of the context's random numbers; default 0
     *
     * @param seed the value
     * @return this
     */
    public ContextOptions seed(long seed) {
        this.seed = seed;
        return this;
    }

    /**
     * the least important level that is logged; default {@link LogLevel#WARNING}
     *
     * @param logLevel the value
     * @return this
     */
    public ContextOptions logLevel(LogLevel logLevel) {
        this.logLevel = logLevel;
        return this;
    }

    org.mpt.internal.mpt_context_desc core(Session s) {
        org.mpt.internal.mpt_context_desc to = new org.mpt.internal.mpt_context_desc();
        org.mpt.internal.MptNative.mpt_context_desc_init(to);
        try {
            fill(s, to);
            return to;
        } catch (RuntimeException e) {
            to.delete();
            throw e;
        }
    }

    private void fill(Session s, org.mpt.internal.mpt_context_desc to) {
        if (device != null) to.setDevice(device.number);
        if (deviceIndex != null) to.setDevice_index(deviceIndex);
        if (threads != null) to.setThreads(threads);
        if (seed != null) to.setSeed(seed);
        if (logLevel != null) to.setLog_level(logLevel.number);
    }
}
