// Written by generate.py from the header; do not edit.
package org.mpt;

/** Where in training an op stands; a policy can give each role its own precision. */
public enum Role {
    /** the forward product */
    FORWARD(0),
    /** the product that gives the gradient of the input */
    INPUT_GRADIENT(1),
    /** the product that gives the gradient of the weight */
    WEIGHT_GRADIENT(2);

    final int number;

    Role(int number) {
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

    static Role of(int number) {
        for (Role value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no Role is " + number);
    }
}
