// Written by generate.py from the header; do not edit.
package org.mpt;

/** What a call came to. */
public enum Status {
    /** no failure */
    OK(0),
    /** an argument is null or out of its range */
    ARGUMENT(1),
    /** a tensor's shape does not fit */
    SHAPE(2),
    /** a tensor's element type does not fit */
    DTYPE(3),
    /** a handle belongs to another context */
    CONTEXT(4),
    /** the call comes in the wrong order */
    STATE(5),
    /** a tensor saved for backward was changed, or its graph is used up */
    STALE(6),
    /** known, but not to be had here */
    UNSUPPORTED(7),
    /** no memory */
    MEMORY(8),
    /** the device or its module cannot be used */
    DEVICE(9),
    /** the device has failed and is lost to this process */
    DEVICE_LOST(10),
    /** a file or callback failed, or the data are damaged */
    IO(11),
    /** no such name */
    NOT_FOUND(12),
    /** optimizer unscaled twice since the last scaler update */
    UNSCALED_TWICE(13),
    /** optimizer unscaled after its step */
    UNSCALE_AFTER_STEP(14),
    /** optimizer stepped twice since the last scaler update */
    STEP_TWICE(15),
    /** scaler updated though no optimizer looked at its gradients */
    UPDATE_WITHOUT_STEP(16),
    /** the context was made before fork() and this is the child */
    FORKED(17),
    /** a defect of mpt; please report it */
    INTERNAL(18);

    final int number;

    Status(int number) {
        this.number = number;
    }

    /**
     * The number that mpt.h has for it.
     *
     * @return the number
     */
    public int number() {
        return number;
    }

    static Status of(int number) {
        for (Status value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no Status is " + number);
    }
    /**
     * The name that the library has for the status, for example {@link Status#SHAPE}.
     *
     * @return the name
     */
    public String label() {
        return Text.of(org.mpt.internal.MptNative.mpt_status_name(number));
    }
}
