package org.mpt;

import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;
import org.mpt.internal.MptNative;

/** Something that lasts until its end: autocast, or computing without gradients. For try-with-resources: without close() it lasts as long as the context. */
public final class Scope implements AutoCloseable {
    private final Context context;
    private final long address;
    private final LongConsumer end;
    private final Cleaner.Cleanable handle;
    private boolean ended;

    /** The pair is open. It keeps the library's context, which does not know of it, for its end. */
    Scope(Context context, long address, LongConsumer end) {
        this.context = context;
        this.address = address;
        this.end = end;
        MptNative.mpt_context_retain(address);
        handle = Handle.keep(this, context.session, Handle.Kind.CONTEXT, address);
    }

    /** Ends it. A second call does nothing. */
    @Override
    public void close() {
        context.session.enter();
        try {
            if (ended) return;
            ended = true;
            end.accept(address);
        } finally {
            handle.clean();
            context.session.leave();
        }
    }
}
