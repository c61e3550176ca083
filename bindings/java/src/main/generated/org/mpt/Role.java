// Written by generate.py from the header; do not edit.
package org.mpt;

/** Where in training an op stands; a policy can give each role its own precision. */
public enum Role {
    /** The library's {@code Role.FORWARD}. */
    FORWARD(0),
    /** The library's {@code Role.INPUT_GRADIENT}. */
    INPUT_GRADIENT(1),
    /** The library's {@code Role.WEIGHT_GRADIENT}. */
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
