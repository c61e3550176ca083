// Written by generate.py from the header; do not edit.
package org.mpt;

/** How a loss comes from its elements. */
public enum Reduction {
    /** their mean */
    MEAN(0),
    /** their sum */
    SUM(1),
    /** the elements themselves */
    NONE(2),
    /** the sum divided by the first extent */
    BATCH_MEAN(3);

    final int number;

    Reduction(int number) {
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

    static Reduction of(int number) {
        for (Reduction value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no Reduction is " + number);
    }
}
