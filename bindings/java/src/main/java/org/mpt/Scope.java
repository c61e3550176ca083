package org.mpt;

/** Something that lasts until its end: autocast, or computing without gradients. For try-with-resources. */
public final class Scope implements AutoCloseable {
    private final Context context;
    private final Runnable end;
    private boolean ended;

    Scope(Context context, Runnable end) {
        this.context = context;
        this.end = end;
    }

    /** Ends it. A second call does nothing. */
    @Override
    public void close() {
        context.session.enter();
        try {
            if (ended) return;
            ended = true;
            end.run();
        } finally {
            context.session.leave();
        }
    }
}
