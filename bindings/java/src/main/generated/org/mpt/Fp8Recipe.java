// Written by generate.py from the header; do not edit.
package org.mpt;

/** How the scales of fp8 products are found. A scale is a power of two or not; the product is divided by it again. */
public enum Fp8Recipe {
    /** no scales: for comparison */
    UNSCALED(0),
    /** from this tensor's largest magnitude */
    CURRENT(1),
    /** from the largest magnitude of earlier steps [NVIDIA Transformer Engine] */
    DELAYED(2);

    final int number;

    Fp8Recipe(int number) {
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

    static Fp8Recipe of(int number) {
        for (Fp8Recipe value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no Fp8Recipe is " + number);
    }
}
