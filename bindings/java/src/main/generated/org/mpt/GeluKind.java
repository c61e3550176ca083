// Written by generate.py from the header; do not edit.
package org.mpt;

/** Which GELU. */
public enum GeluKind {
    /** x/2 (1 + erf(x / sqrt 2)) [Hendrycks and Gimpel 2016] */
    EXACT(0),
    /** their approximation with tanh */
    TANH(1);

    final int number;

    GeluKind(int number) {
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

    static GeluKind of(int number) {
        for (GeluKind value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no GeluKind is " + number);
    }
}
