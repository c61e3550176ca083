package org.mpt;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;
import org.mpt.internal.Callbacks;
import org.mpt.internal.MptNative;
import org.mpt.internal.mpt_context_desc;

/**
 * A device, its memory, its random numbers, its settings. Any thread may use a context and what was made from it: calls wait for each other.
 * What was made from a context keeps the library's context alive and stays usable when this object is closed.
 */
public final class Context extends ContextMethods {
    private Context(Session session, long address) {
        super(session, address);
    }

    /**
     * A context on the CPU with all defaults.
     *
     * @return a new object, to be closed
     */
    public static Context create() {
        return create(new ContextOptions());
    }

    /**
     * A context on a device, else with all defaults. {@code Status.DEVICE}: the device's module cannot be opened; the message says why and what to
     * install.
     *
     * @param device where it computes
     * @return a new object, to be closed
     */
    public static Context create(Device device) {
        return create(new ContextOptions().device(device));
    }

    /**
     * A context. {@code Status.DEVICE}: the device's module cannot be opened; the message says why and what to install.
     *
     * @param options what differs from the defaults
     * @return a new object, to be closed
     */
    public static Context create(ContextOptions options) {
        Session s = new Session();
        s.enter();
        mpt_context_desc core = options.core(s);
        try {
            LogListener to = options.listener;
            if (to != null) s.listen(MptNative.mpt_java_listen(core, new Callbacks.Listener() {
                @Override
                public void log(int level, String message) {
                    to.log(LogLevel.of(level), message);
                }

                @Override
                public void error(int status, String message) {
                    to.error(Status.of(status), message);
                }
            }));
            try {
                MptNative.mpt_context_create(core, s.longs);
            } catch (RuntimeException e) {
                s.forget();
                throw e;
            }
            Context made = new Context(s, s.longs[0]);
            s.device = made.device();
            return made;
        } finally {
            core.delete();
            s.leave();
        }
    }

    /**
     * The version of the library in use.
     *
     * @return major * 10000 + minor * 100 + patch
     */
    public static long version() {
        return MptNative.mpt_version();
    }

    /**
     * Device memory in bytes.
     *
     * @param inUse in tensors, programs and workspaces
     * @param peak the most of that since the start
     * @param reserved taken from the allocator, the cache of free blocks included
     */
    public record Memory(long inUse, long peak, long reserved) {}

    /**
     * Device memory in bytes.
     *
     * @return the figures now
     */
    public Memory memory() {
        session.enter();
        try {
            long[] inUse = new long[1], peak = new long[1], reserved = new long[1];
            MptNative.mpt_context_memory(session.of(this), inUse, peak, reserved);
            return new Memory(inUse[0], peak[0], reserved[0]);
        } finally {
            session.leave();
        }
    }

    /**
     * An f32 tensor of these values.
     *
     * @param values the elements in logical order
     * @param shape the extents
     * @return the tensor
     */
    public Tensor tensor(float[] values, long... shape) {
        Tensor made = Tensor.create(this, DType.F32, shape);
        try {
            made.write(values);
            return made;
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    /**
     * An i64 tensor of these values, for example class indices.
     *
     * @param values the elements in logical order
     * @param shape the extents
     * @return the tensor
     */
    public Tensor tensor(long[] values, long... shape) {
        Tensor made = Tensor.create(this, DType.I64, shape);
        try {
            made.write(values);
            return made;
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    /**
     * Ops of this context, on whatever thread, run by the policy until the result is closed; pairs nest.
     *
     * @param policy the policy; null switches autocast off
     * @return what ends it
     */
    public Scope autocast(Policy policy) {
        session.enter();
        try {
            long address = session.of(this);
            MptNative.mpt_autocast_begin(address, session.of(policy));
            return new Scope(this, address, MptNative::mpt_autocast_end);
        } finally {
            session.leave();
        }
    }

    /**
     * Nothing that this context does, on whatever thread, is remembered for gradients until the result is closed; pairs nest.
     *
     * @return what ends it
     */
    public Scope noGrad() {
        session.enter();
        try {
            long address = session.of(this);
            MptNative.mpt_no_grad_begin(address);
            return new Scope(this, address, MptNative::mpt_no_grad_end);
        } finally {
            session.leave();
        }
    }

    /**
     * Records what step does instead of running it, and plans it as a whole. Other threads that use the context wait meanwhile. An exception in
     * step throws the recording away and goes on to the caller; the context is then as it was before.
     *
     * @param step gives the tensors that the program is to leave behind
     * @return the program, with those tensors
     */
    public Program capture(Supplier<List<Tensor>> step) {
        session.enter();
        try {
            long address = session.of(this);
            MptNative.mpt_capture_begin(address);
            try {
                List<Tensor> outputs = List.copyOf(step.get());
                long[] addresses = session.of(outputs.toArray(new Tensor[0]));
                MptNative.mpt_capture_end(address, addresses, addresses.length, session.longs);
                return new Program(this, session.longs[0], outputs);
            } catch (Throwable e) {
                try {
                    MptNative.mpt_capture_abort(address);
                } catch (RuntimeException second) {
                    e.addSuppressed(second);
                }
                throw e;
            }
        } finally {
            session.leave();
        }
    }

    /**
     * Gradients from several roots: {@code mpt_backward_from}.
     *
     * @param roots where the gradients come from
     * @param cotangents the gradients of the roots, of their shapes
     * @param mode what happens to gradients that exist already
     */
    public void backward(List<Tensor> roots, List<Tensor> cotangents, GradMode mode) {
        if (roots.size() != cotangents.size()) throw new IllegalArgumentException(roots.size() + " roots with " + cotangents.size() + " cotangents");
        session.enter();
        try {
            session.of(this);
            MptNative.mpt_backward_from(session.of(roots.toArray(new Tensor[0])), session.of(cotangents.toArray(new Tensor[0])), roots.size(), mode.number);
        } finally {
            session.leave();
        }
    }

    /**
     * Runs an op of the host's on tensors, on the CPU. Inside a capture it becomes a step of the program and is called at each run.
     *
     * @param name for plans and messages
     * @param op what it computes
     * @param outputs how many tensors it gives
     * @param inputs what it is given
     * @return the results
     */
    public List<Tensor> customOp(String name, CustomOp op, int outputs, Tensor... inputs) {
        session.enter();
        try {
            onCpu("a custom op computes in the host's memory");
            long[] made = new long[outputs];
            MptNative.mpt_java_custom_op(session.of(this), Text.utf8(name), new CustomOpCore(op), op.differentiable() ? 1 : 0, session.of(inputs), inputs.length,
                    made, outputs);
            return Tensor.list(this, made);
        } finally {
            session.leave();
        }
    }

    /**
     * Wraps memory on the CPU without a copy. It lives as long as the library uses it. Writes that mpt cannot see need {@link Tensor#markModified}.
     *
     * @param dtype the element type
     * @param data a direct buffer, from its position to its limit
     * @param strides in elements, or null: contiguous
     * @param shape the extents
     * @return the tensor
     */
    public Tensor wrap(DType dtype, ByteBuffer data, long[] strides, long... shape) {
        ByteBuffer memory = Tensor.direct(data, true);
        if (strides != null && strides.length != shape.length)
            throw new IllegalArgumentException(strides.length + " strides for " + shape.length + " dimensions");
        session.enter();
        try {
            onCpu("a buffer is the host's memory: write() copies it");
            MptNative.mpt_tensor_wrap(session.of(this), dtype.number, shape.length, shape, strides, memory, session.longs);
            return new Tensor(this, session.longs[0]);
        } finally {
            session.leave();
        }
    }

    private void onCpu(String why) {
        if (session.device != Device.CPU) throw new MptException(Status.UNSUPPORTED, "not on a GPU: " + why, null);
    }

    /**
     * The message of the context's last failed call, from whatever thread.
     *
     * @return the message; empty where there is none
     */
    public String lastError() {
        session.enter();
        try {
            return Text.of(MptNative.mpt_context_last_error(session.of(this)));
        } finally {
            session.leave();
        }
    }
}
