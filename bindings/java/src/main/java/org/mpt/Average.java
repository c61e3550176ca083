package org.mpt;

/** A moving average of an optimizer's parameters. */
public final class Average extends AverageMethods {
    Average(Context context, long address) {
        super(context, address);
    }
}
