package org.mpt;

import java.lang.ref.Cleaner;
import org.mpt.internal.MptNative;

/** Something that the library has made. It ends with close(), or when the garbage collector finds that nobody has it any more. */
public abstract sealed class Handle implements AutoCloseable
        permits ContextMethods, TensorMethods, LayerMethods, PolicyMethods, ScalerMethods, OptimizerMethods, ProgramMethods, AverageMethods, StateMethods {
    private static final Cleaner CLEANER = Cleaner.create();

    enum Kind {
        CONTEXT, TENSOR, LAYER, POLICY, SCALER, OPTIMIZER, PROGRAM, AVERAGE, STATE;

        void release(long address) {
            switch (this) {
                case CONTEXT -> MptNative.mpt_context_release(address);
                case TENSOR -> MptNative.mpt_tensor_release(address);
                case LAYER -> MptNative.mpt_layer_release(address);
                case POLICY -> MptNative.mpt_policy_release(address);
                case SCALER -> MptNative.mpt_scaler_release(address);
                case OPTIMIZER -> MptNative.mpt_optimizer_release(address);
                case PROGRAM -> MptNative.mpt_program_release(address);
                case AVERAGE -> MptNative.mpt_average_release(address);
                case STATE -> MptNative.mpt_state_release(address);
            }
        }
    }

    /** What the cleaner has: the handle without its object. */
    static final class Owned implements Runnable {
        final Session session;
        final Kind kind;
        volatile long address;
        volatile boolean closed;

        Owned(Session session, Kind kind, long address) {
            this.session = session;
            this.kind = kind;
            this.address = address;
            session.add();
        }

        @Override
        public void run() {
            closed = true;
            session.drop(this);
        }
    }

    final Context context;
    final Session session;
    final Owned owned;
    private final Cleaner.Cleanable cleanable;

    Handle(Context context, long address, Kind kind) {
        this.context = context;
        session = context.session;
        owned = new Owned(session, kind, address);
        cleanable = CLEANER.register(this, owned);
    }

    /** A context itself. */
    Handle(Session session, long address) {
        context = (Context) this;
        this.session = session;
        owned = new Owned(session, Kind.CONTEXT, address);
        cleanable = CLEANER.register(this, owned);
    }

    /** Keeps a handle for as long as an object lives that is none of ours. */
    static Cleaner.Cleanable keep(Object object, Session session, Kind kind, long address) {
        return CLEANER.register(object, new Owned(session, kind, address));
    }

    /**
     * The context that this was made in.
     *
     * @return the context, which may be closed already
     */
    public Context context() {
        return context;
    }

    /**
     * Whether close() was called.
     *
     * @return true from then on
     */
    public boolean isClosed() {
        return owned.closed;
    }

    /** Gives the library's object back: at once, or behind the call that is using it on another thread. Closing twice is fine. */
    @Override
    public void close() {
        cleanable.clean();
    }
}
