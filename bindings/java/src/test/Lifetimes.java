import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.mpt.*;

/** Whatever the order of closing and whatever is thrown where: an exception, never a crash. Run with -Xcheck:jni. */
final class Lifetimes {
    public static void main(String[] args) {
        Check.that("use after close", () -> {
            Context ctx = Context.create();
            Tensor x = ctx.tensor(new float[] {1, 2, 3}, 3), y = ctx.tensor(new float[] {1, 2, 3}, 3);
            x.close();
            Check.isTrue(x.isClosed(), "closed");
            Check.throwing(IllegalStateException.class, () -> x.add(y));
            Check.throwing(IllegalStateException.class, () -> y.add(x));
            Check.throwing(IllegalStateException.class, x::item);
            Check.throwing(IllegalStateException.class, x::shape);
            Check.throwing(IllegalStateException.class, () -> Tensor.concat(0, y, x));
            Check.throwing(IllegalStateException.class, () -> { x.read(new float[3]); return 0; });
            Check.equal("Tensor(closed)", x.toString());
            Layer layer = Layer.linear(ctx, 3, 1);
            layer.close();
            Check.throwing(IllegalStateException.class, () -> layer.forward(y));
            Check.throwing(IllegalStateException.class, layer::parameters);
            Optimizer optimizer = Optimizer.sgd(ctx);
            optimizer.close();
            Check.throwing(IllegalStateException.class, () -> { optimizer.step(); return 0; });
            Tensor weights = ctx.tensor(new float[] {1, 2}, 2);
            weights.close();
            Tensor logits = y.reshape(1, 3);
            try (Tensor target = ctx.tensor(new long[] {0}, 1)) {
                Check.throwing(IllegalStateException.class, () -> logits.crossEntropy(target, new CrossEntropyParams().weight(weights)));
            }
            ctx.close();
            Check.throwing(IllegalStateException.class, ctx::describe);
            Check.throwing(IllegalStateException.class, () -> Layer.relu(ctx));
        });
        Check.that("double close", () -> {
            Context ctx = Context.create();
            Tensor x = ctx.tensor(new float[] {1}, 1);
            x.close();
            x.close();
            try (Tensor y = ctx.tensor(new float[] {1}, 1)) {
                y.close();
            }
            ctx.close();
            ctx.close();
        });
        Check.that("a context closed before what was made from it", () -> {
            Context ctx = Context.create();
            Tensor x = ctx.tensor(new float[] {1, 2}, 2);
            Layer layer = Layer.linear(ctx, 2, 2);
            Scope scope = ctx.noGrad();
            ctx.close();
            Check.near(3, x.sum().item(), 0);
            Check.throwing(IllegalStateException.class, () -> Tensor.create(ctx, DType.F32, 1));
            layer.forward(x.reshape(1, 2)).close();
            Check.equal(2.0f, x.data().getFloat(4));
            scope.close();
            scope.close();
            layer.close();
            x.close();
        });
        Check.that("drops on another thread, in the middle of calls", () -> {
            try (Context ctx = Context.create()) {
                for (int i = 0; i < 300; ++i) {
                    Tensor x = ctx.tensor(new float[4096], 64, 64);
                    Thread closer = new Thread(x::close);
                    closer.start();
                    try {
                        for (int k = 0; k < 100; ++k) x.add(x).close();
                    } catch (IllegalStateException closed) {
                        // either way is right
                    }
                    closer.join();
                    Check.throwing(IllegalStateException.class, () -> x.add(x));
                }
            }
        });
        Check.that("one context from several threads", () -> {
            try (Context ctx = Context.create()) {
                List<Thread> threads = new ArrayList<>();
                List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
                for (int t = 0; t < 4; ++t) {
                    float value = t;
                    threads.add(new Thread(() -> {
                        try {
                            for (int i = 0; i < 500; ++i) {
                                try (Tensor x = ctx.tensor(new float[] {value, value}, 2); Tensor y = x.square(); Tensor sum = y.sum()) {
                                    Check.near(2 * value * value, sum.item(), 0);
                                    Check.failing(Status.SHAPE, () -> x.reshape(3));
                                }
                            }
                        } catch (Throwable e) {
                            failures.add(e);
                        }
                    }));
                }
                for (Thread t : threads) t.start();
                for (Thread t : threads) t.join();
                if (!failures.isEmpty()) throw new AssertionError(failures.get(0));
            }
        });
        Check.that("dropped without close", () -> {
            try (Context ctx = Context.create()) {
                long before = ctx.memory().inUse();
                for (int i = 0; i < 20000; ++i) ctx.tensor(new float[1024], 1024);
                for (int i = 0; i < 100 && ctx.memory().inUse() > before; ++i) {
                    System.gc();
                    Thread.sleep(20);
                }
                Check.equal(before, ctx.memory().inUse());
            }
        });
        Check.that("100 000 created and closed", () -> {
            try (Context ctx = Context.create()) {
                long early = 0, before = ctx.memory().inUse();
                for (int i = 0; i < 100000; ++i) {
                    try (Tensor x = Tensor.create(ctx, DType.F32, 256); Tensor y = x.relu()) {
                        if (i == 1000) early = resident();
                    }
                }
                Check.equal(before, ctx.memory().inUse());
                long grown = resident() - early;
                Check.isTrue(grown < 64 << 20, "resident memory has grown by " + grown);
            }
        });
        Check.that("a context dropped with everything", () -> {
            WeakReference<Context> gone = new WeakReference<>(make());
            for (int i = 0; i < 100 && gone.get() != null; ++i) {
                System.gc();
                Thread.sleep(10);
            }
            Check.equal(null, gone.get());
        });
        Check.that("an exception in the middle of a capture", () -> {
            try (Context ctx = Context.create(); Layer model = Layer.linear(ctx, 2, 1); Tensor x = ctx.tensor(new float[] {1, 2}, 1, 2);
                    Policy policy = Policy.create(ctx, DType.BF16)) {
                IllegalStateException thrown = new IllegalStateException("mine");
                Tensor[] inside = new Tensor[1];
                IllegalStateException caught = Check.throwing(IllegalStateException.class, () -> ctx.capture(() -> {
                    try (Scope autocast = ctx.autocast(policy)) {
                        inside[0] = model.forward(x);
                        throw thrown;
                    }
                }));
                Check.isTrue(caught == thrown && caught.getSuppressed().length == 0, "the exception itself");
                Check.throwing(MptException.class, inside[0]::item);
                inside[0].close();
                // An error of the library inside: its message, and no capture is left open.
                MptException e = Check.failing(Status.SHAPE, () -> ctx.capture(() -> {
                    try (Scope autocast = ctx.autocast(policy)) {
                        return List.of(x.reshape(7));
                    }
                }));
                Check.isTrue(e.getMessage().contains("shape"), e.getMessage());
                // A scope that nobody closes inside is closed by the abort.
                Scope[] left = new Scope[1];
                Check.throwing(IllegalStateException.class, () -> ctx.capture(() -> {
                    left[0] = ctx.noGrad();
                    throw new IllegalStateException();
                }));
                Check.failing(Status.STATE, () -> { left[0].close(); return 0; });
                Check.failing(Status.STATE, () -> ctx.capture(() -> ctx.capture(() -> List.of(x)).outputs()));
                Check.throwing(NullPointerException.class, () -> ctx.capture(() -> null));
                Tensor closed = x.relu();
                closed.close();
                Check.throwing(IllegalStateException.class, () -> ctx.capture(() -> List.of(closed)));
                try (Program program = ctx.capture(() -> List.of(model.forward(x)))) {
                    program.run();
                    program.outputs().get(0).item();
                }
            }
        });
        Check.that("what a capture has made, closed in any order", () -> {
            Context ctx = Context.create();
            Tensor x = ctx.tensor(new float[] {1, 2}, 2);
            Program program = ctx.capture(() -> List.of(x.square().sum()));
            ctx.close();
            x.close();
            program.run();
            Tensor sum = program.outputs().get(0);
            Check.near(5, sum.item(), 0);
            program.close();
            Check.near(5, sum.item(), 0);
            Check.throwing(IllegalStateException.class, () -> { program.run(); return 0; });
            sum.close();
        });
        Check.that("memory outlives its tensor, and a tensor its memory's owner", () -> {
            try (Context ctx = Context.create()) {
                Tensor x = ctx.tensor(new float[] {1, 2, 3}, 3);
                java.nio.FloatBuffer view = x.data().asFloatBuffer();
                x.close();
                for (int i = 0; i < 5; ++i) {
                    System.gc();
                    Thread.sleep(10);
                    ctx.tensor(new float[] {9, 9, 9}, 3);
                }
                Check.equal(3.0f, view.get(2));
                Tensor wrapped = wrap(ctx);
                for (int i = 0; i < 5; ++i) {
                    System.gc();
                    ByteBuffer.allocateDirect(1 << 20);
                    Thread.sleep(10);
                }
                Check.equal(7.0, wrapped.item());
                wrapped.close();
            }
        });
        Check.that("buffers", () -> {
            try (Context ctx = Context.create(); Tensor x = Tensor.create(ctx, DType.F32, 2)) {
                Check.throwing(IllegalArgumentException.class, () -> { x.write(ByteBuffer.allocate(8)); return 0; });
                Check.throwing(IllegalArgumentException.class, () -> { x.read(ByteBuffer.allocateDirect(8).asReadOnlyBuffer()); return 0; });
                Check.throwing(IllegalArgumentException.class, () -> ctx.wrap(DType.F32, ByteBuffer.allocate(8), null, 2));
                Check.throwing(IllegalArgumentException.class, () -> ctx.wrap(DType.F32, ByteBuffer.allocateDirect(8), new long[1], 1, 2));
                Check.failing(Status.SHAPE, () -> { x.write(ByteBuffer.allocateDirect(4)); return 0; });
                Check.failing(Status.SHAPE, () -> { x.write(new float[3]); return 0; });
                Check.failing(Status.DTYPE, () -> { x.write(new double[2]); return 0; });
                ByteBuffer room = ByteBuffer.allocateDirect(16).order(java.nio.ByteOrder.nativeOrder());
                room.putFloat(4, 1.5f).putFloat(8, 2.5f).position(4).limit(12);
                x.write(room);
                Check.equal(4, room.position());
                Check.equal(new float[] {1.5f, 2.5f}, x.toFloats());
            }
        });
        Check.that("errors", () -> {
            try (Context ctx = Context.create(); Context other = Context.create(); Tensor x = ctx.tensor(new float[] {1, 2}, 2);
                    Tensor y = other.tensor(new float[] {1, 2}, 2)) {
                Check.failing(Status.CONTEXT, () -> x.add(y));
                Check.failing(Status.ARGUMENT, () -> x.add(null));
                MptException e = Check.failing(Status.SHAPE, () -> x.reshape(3));
                Check.equal(e.getMessage(), ctx.lastError());
                Check.failing(Status.NOT_FOUND, () -> { ctx.setOption("\ud83d\ude00", "on"); return 0; });
                Check.isTrue(ctx.lastError().contains("\ud83d\ude00"), ctx.lastError());
                Check.throwing(IllegalArgumentException.class, () -> { ctx.setOption("a\0b", "on"); return 0; });
                Check.throwing(NullPointerException.class, () -> x.cast(null));
                Check.failing(Status.SHAPE, () -> Tensor.create(ctx, DType.F32, -1));
                Check.failing(Status.ARGUMENT, () -> Tensor.create(ctx, DType.F32, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1));
                Check.failing(Status.IO, () -> { State.create(ctx).load("/nowhere/at/all"); return 0; });
            }
        });
        Check.end();
    }

    private static Context make() {
        Context ctx = Context.create();
        Layer.sequential(ctx, Layer.linear(ctx, 2, 2), Layer.relu(ctx));
        ctx.autocast(null);
        return ctx;
    }

    private static Tensor wrap(Context ctx) {
        ByteBuffer memory = ByteBuffer.allocateDirect(4).order(java.nio.ByteOrder.nativeOrder());
        return ctx.wrap(DType.F32, memory.putFloat(0, 7), null, 1);
    }

    private static long resident() throws java.io.IOException {
        for (String line : java.nio.file.Files.readAllLines(java.nio.file.Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS")) return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
        }
        return 0;
    }
}
