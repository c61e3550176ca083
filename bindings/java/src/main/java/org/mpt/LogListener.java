package org.mpt;

/** Receives the log and the errors of a context, on whatever thread they come from. */
public interface LogListener {
    /**
     * A line of the log.
     *
     * @param level how important it is
     * @param message the line
     */
    void log(LogLevel level, String message);

    /**
     * A call has failed; the exception with the same message follows.
     *
     * @param status what the call came to
     * @param message names the argument, the value and the way out
     */
    default void error(Status status, String message) {}
}
