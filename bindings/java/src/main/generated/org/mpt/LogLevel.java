// Written by generate.py from the header; do not edit.
package org.mpt;

/** How important a line of the log is. */
public enum LogLevel {
    /** something has failed */
    ERROR(1),
    /** something that may not be meant */
    WARNING(2),
    /** what is going on */
    INFO(3),
    /** details, for finding defects */
    DEBUG(4);

    final int number;

    LogLevel(int number) {
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

    static LogLevel of(int number) {
        for (LogLevel value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no LogLevel is " + number);
    }
}
