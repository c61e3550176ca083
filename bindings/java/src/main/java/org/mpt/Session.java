package org.mpt;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.mpt.internal.Callbacks;
import org.mpt.internal.MptNative;

/**
 * What all objects of a context share: a lock, which every call holds, and a list of dropped handles. C leaves it to the host to use a context
 * from one thread at a time and never to pass a handle that is released; here the lock sees to both. A handle is released only while nobody is
 * inside a call: by the outermost leave, or at once where the lock is free. So neither close() nor the cleaner can take memory away from under a
 * call, on whatever thread they run, and they never wait. (This is why no call needs a reachability fence: what becomes unreachable during a call
 * is released behind it.)
 */
final class Session {
    private final ReentrantLock lock = new ReentrantLock();
    private final ConcurrentLinkedQueue<Handle.Owned> dropped = new ConcurrentLinkedQueue<>();
    private final AtomicInteger live = new AtomicInteger();
    private ByteBuffer scratch;
    private long listener;
    Device device;

    /** Where C's outputs arrive; read before anything else is called. */
    final long[] longs = new long[1];
    final int[] ints = new int[1];
    final double[] doubles = new double[1];

    void enter() {
        if (Callbacks.inOp()) throw new IllegalStateException("a custom op computes from what it is given: it must not call mpt");
        lock.lock();
    }

    void leave() {
        boolean outermost = lock.getHoldCount() == 1;
        if (!outermost || dropped.isEmpty()) {
            lock.unlock();
            if (!outermost) return;
        } else {
            drain();
            lock.unlock();
        }
        // What came between the last look and the unlock.
        while (!dropped.isEmpty() && lock.tryLock()) {
            if (lock.getHoldCount() == 1) drain();
            lock.unlock();
        }
    }

    private void drain() {
        for (Handle.Owned o = dropped.poll(); o != null; o = dropped.poll()) {
            long address = o.address;
            o.address = 0;
            o.kind.release(address);
            if (live.decrementAndGet() == 0) forget();
        }
    }

    void add() {
        live.incrementAndGet();
    }

    void drop(Handle.Owned owned) {
        dropped.add(owned);
        if (lock.isHeldByCurrentThread()) return; // the outermost leave
        if (lock.tryLock()) leave();
    }

    /** The address of a handle that is about to be passed to C, which says what NULL means. */
    long of(Handle handle) {
        if (handle == null) return 0;
        if (handle.session != this) throw new MptException(Status.CONTEXT, "a " + handle.getClass().getSimpleName() + " belongs to another context", null);
        long address = handle.owned.address;
        if (handle.owned.closed || address == 0) throw new IllegalStateException("this " + handle.getClass().getSimpleName() + " is closed");
        return address;
    }

    long[] of(Handle[] handles) {
        if (handles == null) return null;
        long[] made = new long[handles.length];
        for (int i = 0; i < made.length; ++i) made[i] = of(handles[i]);
        return made;
    }

    /** Memory for arrays on their way; valid until the next call of this. */
    ByteBuffer scratch(long nbytes) {
        if (nbytes > Integer.MAX_VALUE) throw new IllegalArgumentException(nbytes + " bytes: an array of Java's has less than 2 GiB; read or write in parts");
        if (nbytes > 1 << 24) return ByteBuffer.allocateDirect((int) nbytes).order(ByteOrder.nativeOrder());
        if (scratch == null || scratch.capacity() < nbytes) scratch = ByteBuffer.allocateDirect((int) Math.max(4096, 2 * nbytes)).order(ByteOrder.nativeOrder());
        return scratch.slice(0, (int) nbytes).order(ByteOrder.nativeOrder());
    }

    void listen(long listener) {
        this.listener = listener;
    }

    /** The last handle is gone, and the context with it: nobody logs any more. */
    void forget() {
        if (listener != 0) MptNative.mpt_java_forget(listener);
        listener = 0;
    }
}
