package org.mpt.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.mpt.MptException;
import org.mpt.Status;

/** Where calls from the library arrive. Nothing is thrown into C: a failure is kept, and becomes the cause of the exception that follows. */
public final class Callbacks {
    /** Log and errors. */
    public interface Listener {
        void log(int level, String message);

        void error(int status, String message);
    }

    /** A piece of a stream. */
    public interface Bytes {
        void next(ByteBuffer piece) throws Exception;
    }

    /** A custom op; forms are 18 numbers a tensor: dtype, rank, 8 extents, 8 strides. */
    public interface Op {
        void shape(long[] in, long[] out) throws Exception;

        void run(boolean backward, long[] in, ByteBuffer[] inData, long[] out, ByteBuffer[] outData) throws Exception;
    }

    /** A custom layer's rule, from borrowed handles to owned ones. */
    public interface Rule {
        void forward(long layer, long[] in, long[] out) throws Exception;
    }

    private interface Body {
        void run() throws Exception;
    }

    /** Callbacks run on the thread whose call they are part of. */
    private static final ThreadLocal<Throwable> FAILED = new ThreadLocal<>();
    private static final ThreadLocal<Boolean> IN_OP = ThreadLocal.withInitial(() -> false);

    private Callbacks() {}

    /** Whether this thread is inside a custom op, which must not call the library. */
    public static boolean inOp() {
        return IN_OP.get();
    }

    static RuntimeException failure(int status, byte[] message) {
        Throwable cause = FAILED.get();
        FAILED.remove();
        Status known = Status.INTERNAL;
        for (Status s : Status.values()) if (s.number() == status) known = s;
        return new MptException(known, new String(message, StandardCharsets.UTF_8), cause);
    }

    /** What a callback has thrown, for the exception that the call will end with. */
    static void keep(Throwable e) {
        FAILED.set(e);
    }

    private static int run(Body body) {
        try {
            body.run();
            return 0;
        } catch (Throwable e) {
            keep(e);
            return e instanceof MptException m && m.status() != Status.OK ? m.status().number() : Status.IO.number();
        }
    }

    static void log(Listener listener, int level, byte[] message) {
        try {
            listener.log(level, new String(message, StandardCharsets.UTF_8));
        } catch (Throwable e) {
            Thread.currentThread().getUncaughtExceptionHandler().uncaughtException(Thread.currentThread(), e);
        }
    }

    static void error(Listener listener, int status, byte[] message) {
        try {
            listener.error(status, new String(message, StandardCharsets.UTF_8));
        } catch (Throwable e) {
            Thread.currentThread().getUncaughtExceptionHandler().uncaughtException(Thread.currentThread(), e);
        }
    }

    static int write(Bytes to, ByteBuffer piece) {
        return run(() -> to.next(piece.asReadOnlyBuffer()));
    }

    static int read(Bytes from, ByteBuffer piece) {
        return run(() -> from.next(piece));
    }

    static int shape(Op op, long[] in, long[] out) {
        return run(() -> op.shape(in, out));
    }

    static int run(Op op, boolean backward, long[] in, ByteBuffer[] inData, long[] out, ByteBuffer[] outData) {
        IN_OP.set(true);
        try {
            for (int i = 0; i < inData.length; ++i) if (inData[i] != null) inData[i] = inData[i].asReadOnlyBuffer().order(ByteOrder.nativeOrder());
            for (ByteBuffer data : outData) if (data != null) data.order(ByteOrder.nativeOrder());
            return run(() -> op.run(backward, in, inData, out, outData));
        } finally {
            IN_OP.set(false);
        }
    }

    static int forward(Rule rule, long layer, long[] in, long[] out) {
        return run(() -> rule.forward(layer, in, out));
    }
}
