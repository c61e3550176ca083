// Written by generate.py from the header; do not edit.
package org.mpt;

/** What {@link Tensor#backward} does to gradients that exist already. */
public enum GradMode {
    /** replace: the first micro-batch */
    WRITE(0),
    /** add to them: accumulation */
    ADD(1);

    final int number;

    GradMode(int number) {
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

    static GradMode of(int number) {
        for (GradMode value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no GradMode is " + number);
    }
}
