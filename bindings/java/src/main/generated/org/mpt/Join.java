// Written by generate.py from the header; do not edit.
package org.mpt;

/** What a parallel container does with its children's outputs. */
public enum Join {
    /** of equal shapes */
    SUM(0),
    /** along the container's dimension */
    CONCAT(1),
    /** gives them all, in order */
    LIST(2);

    final int number;

    Join(int number) {
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

    static Join of(int number) {
        for (Join value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no Join is " + number);
    }
}
