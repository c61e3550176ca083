// Written by generate.py from the header; do not edit.
package org.mpt;

/** Where a context computes. */
public enum Device {
    /** the processor */
    CPU(0),
    /** an NVIDIA GPU; {@link Status#DEVICE} where libmpt_cuda cannot be used */
    CUDA(1),
    /** CUDA when it works, else the CPU */
    AUTO(2);

    final int number;

    Device(int number) {
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

    static Device of(int number) {
        for (Device value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no Device is " + number);
    }
}
