// Written by generate.py from the header; do not edit.
package org.mpt;

/** How pixels are made of others. */
public enum UpsampleMode {
    /** the nearest pixel */
    NEAREST(0),
    /** pixel centres at halves [torch, align_corners=False] */
    BILINEAR(1);

    final int number;

    UpsampleMode(int number) {
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

    static UpsampleMode of(int number) {
        for (UpsampleMode value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no UpsampleMode is " + number);
    }
}
