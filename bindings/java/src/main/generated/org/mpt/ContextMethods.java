// Written by generate.py from the header; do not edit.
package org.mpt;

import org.mpt.internal.MptNative;

/** The methods of {@link Context} that follow from the header. */
abstract sealed class ContextMethods extends Handle permits Context {
    ContextMethods(Session session, long address) {
        super(session, address);
    }

    /**
     * The device in use, which for {@link Device#AUTO} is the one that was found.
     *
     * @return the value
     */
    public Device device() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_context_device(s.of(this), s.ints);
            return Device.of(s.ints[0]);
        } finally {
            s.leave();
        }
    }

    /**
     * The number of threads in use.
     *
     * @return the value
     */
    public int threads() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_context_threads(s.of(this), s.ints);
            return s.ints[0];
        } finally {
            s.leave();
        }
    }

    /**
     * A line about the device and its libraries.
     *
     * @return the text
     */
    public String describe() {
        Session s = session;
        s.enter();
        try {
            return Text.read(s, (text, needed) -> MptNative.mpt_context_describe(s.of(this), text, needed));
        } finally {
            s.leave();
        }
    }

    /** Waits for all work of the context; returns a device fault that has happened since. Synchronises. */
    public void synchronize() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_context_synchronize(s.of(this));
        } finally {
            s.leave();
        }
    }

    /**
     * Enqueues all work from here on on a stream of the host's, a cudaStream_t of the context's GPU; 0: the context's own again. What was
     * enqueued before comes first. The host keeps the stream until it has set another one. The CPU has none: {@link Status#ARGUMENT} for
     * anything but 0. Not inside a capture.
     *
     * @param stream its address; 0: the context's own
     */
    public void setStream(long stream) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_context_set_stream(s.of(this), stream);
        } finally {
            s.leave();
        }
    }

    /**
     * The stream that work is enqueued on, for a host that adds its own; 0 on the CPU.
     *
     * @return the value
     */
    public long stream() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_context_stream(s.of(this), s.longs);
            return s.longs[0];
        } finally {
            s.leave();
        }
    }

    /**
     * Restarts the context's random numbers (Philox 4x32-10 [Salmon et al. 2011]). Not inside a capture.
     *
     * @param seed the start of the random numbers
     */
    public void setSeed(long seed) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_context_seed(s.of(this), seed);
        } finally {
            s.leave();
        }
    }

    /** Gives cached free blocks and idle workspaces back to the allocator. Synchronises. */
    public void trim() {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_context_trim(s.of(this));
        } finally {
            s.leave();
        }
    }

    /**
     * Experimental knobs. "fusion": "on" (default) or "off": may programs captured from then on run several ops as one kernel, where the
     * device has one? The bits are the same. On the CPU "onednn": "on" (default where it is found) or "off", portable kernels only. On a
     * GPU "tf32": "on" or "off" (default): may products and convolutions of f32 round their operands to tf32, 10 bits of fraction?
     * "cudnn": "on" (default where it is found) or "off": do convolutions and attention without it. "tune": "on" or "off" (default):
     * choose among cuBLASLt's and cuDNN's algorithms by trying them, once for each form of a product or convolution, when its kernel is
     * prepared. That waits for the context's own stream, takes a dozen runs and memory of the operands' and workspaces' size, not from
     * the host's allocator; another choice can mean other bits. "tune_cache": a file that keeps what "tune" found, per device and version
     * ({@link Status#IO} where it is of another kind or cannot be made); "" (default): none. Valid for kernels prepared from then on.
     * {@link Status#NOT_FOUND} for an unknown key.
     *
     * @param key the name of the option
     * @param value the value
     */
    public void setOption(String key, String value) {
        Session s = session;
        s.enter();
        try {
            MptNative.mpt_context_set_option(s.of(this), Text.utf8(key), Text.utf8(value));
        } finally {
            s.leave();
        }
    }
}
