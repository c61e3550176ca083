// Written by generate.py from the header; do not edit.
package org.mpt;

/** How a rate moves with the step count. */
public enum ScheduleKind {
    /** the same rate */
    CONSTANT(0),
    /** times gamma every interval steps [torch StepLR] */
    STEP(1),
    /** half a cosine from 1 to finalFactor over totalSteps [Loshchilov and Hutter 2017] */
    COSINE(2),
    /** a line from 1 to finalFactor over totalSteps */
    LINEAR(3),
    /** up by a cosine during warmupSteps from 1/25, then down to finalFactor [Smith 2018; torch OneCycleLR] */
    ONE_CYCLE(4);

    final int number;

    ScheduleKind(int number) {
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

    static ScheduleKind of(int number) {
        for (ScheduleKind value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no ScheduleKind is " + number);
    }
}
