// Written by generate.py from the header; do not edit.
package org.mpt;

/** How f16 and bf16 parameters take updates. */
public enum Rounding {
    /** an f32 master is updated; the parameter is its rounded copy */
    MASTER(0),
    /** no master; to nearest even: small updates are lost */
    NEAREST(1),
    /** no master; up or down with the probability of the distance [Gupta et al. 2015]; bf16 */
    STOCHASTIC(2),
    /** no master; what rounding loses is kept in a second tensor of the parameter's type [Kahan 1965] */
    KAHAN(3);

    final int number;

    Rounding(int number) {
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

    static Rounding of(int number) {
        for (Rounding value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no Rounding is " + number);
    }
}
