package org.mpt;

/** A call of the library has failed: what it came to, with the library's own message. The cause is what a callback has thrown, where one did. */
public class MptException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What the call came to. */
    private final Status status;

    /**
     * Makes an exception.
     *
     * @param status what the call came to
     * @param message names the argument, the value and the way out
     * @param cause what a callback has thrown, or null
     */
    public MptException(Status status, String message, Throwable cause) {
        super(message, cause);
        this.status = status;
    }

    /**
     * What the call came to.
     *
     * @return the status
     */
    public Status status() {
        return status;
    }
}
