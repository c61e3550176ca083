// Written by generate.py from the header; do not edit.
package org.mpt;

/** How important a line of the log is. */
public enum LogLevel {
    /** The library's {@code LogLevel.ERROR}. */
    ERROR(1),
    /** The library's {@code LogLevel.WARNING}. */
    WARNING(2),
    /** The library's {@code LogLevel.INFO}. */
    INFO(3),
    /** The library's {@code LogLevel.DEBUG}. */
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
