package org.mpt;

/** What autocast does. */
public final class Policy extends PolicyMethods {
    Policy(Context context, long address) {
        super(context, address);
    }
}
