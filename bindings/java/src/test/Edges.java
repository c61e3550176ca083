import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.mpt.*;

/** Where threads, callbacks and sizes meet their ends: an exception or a result, never a crash and no wait without end. Run with -Xcheck:jni. */
final class Edges {
    public static void main(String[] args) {
        Check.that("a scope that ends behind everything else", () -> {
            List<String> heard = new ArrayList<>();
            Scope[] scopes = new Scope[3];
            for (int i = 0; i < 50; ++i) {
                Context ctx = Context.create(new ContextOptions().threads(1).listener(new LogListener() {
                    @Override
                    public void log(LogLevel level, String message) {}

                    @Override
                    public void error(Status status, String message) {
                        heard.add(message);
                    }
                }));
                Check.throwing(IllegalStateException.class, () -> ctx.capture(() -> {
                    scopes[0] = ctx.noGrad(); // closed by the abort: its own close fails, and the listener hears of it
                    throw new IllegalStateException();
                }));
                scopes[1] = ctx.autocast(null);
                scopes[2] = ctx.noGrad();
                ctx.close();
                scopes[2].close();
                scopes[1].close();
                System.gc();
                Check.failing(Status.STATE, () -> { scopes[0].close(); return 0; });
                scopes[0].close();
            }
            Check.equal(50, heard.size());
        });
        Check.that("each failure has the cause of its own callback", () -> {
            CountDownLatch failed = new CountDownLatch(1), looked = new CountDownLatch(1);
            Exception mine = new Exception("mine");
            Throwable[] cause = new Throwable[1];
            Thread other = new Thread(() -> {
                try (Context ctx = Context.create(new ContextOptions().listener(new LogListener() {
                    @Override
                    public void log(LogLevel level, String message) {}

                    @Override
                    public void error(Status status, String message) { // behind the callback, before the exception
                        failed.countDown();
                        try {
                            looked.await(10, TimeUnit.SECONDS);
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                })); Tensor x = Tensor.create(ctx, DType.F32, 2)) {
                    ctx.customOp("broken", new Op(() -> { throw mine; }), 1, x);
                } catch (MptException e) {
                    cause[0] = e.getCause();
                }
            });
            other.start();
            try (Context ctx = Context.create(); Tensor x = Tensor.create(ctx, DType.F32, 2)) {
                Check.isTrue(failed.await(10, TimeUnit.SECONDS), "the other thread's op has failed");
                Check.equal(null, Check.failing(Status.SHAPE, () -> x.reshape(3)).getCause());
            } finally {
                looked.countDown();
            }
            other.join();
            Check.isTrue(cause[0] == mine, "" + cause[0]);
        });
        Check.that("an op calls nothing, not even another context", () -> {
            try (Context ctx = Context.create(); Context other = Context.create(); Tensor x = Tensor.create(ctx, DType.F32, 2); Tensor y = Tensor.create(other, DType.F32, 2)) {
                for (Check.Case inside : new Check.Case[] {() -> y.relu(), () -> x.relu(), () -> Context.create(), () -> ctx.memory()}) {
                    Throwable cause = Check.throwing(MptException.class, () -> ctx.customOp("caller", new Op(inside), 1, x)).getCause();
                    Check.isTrue(cause instanceof IllegalStateException && cause.getMessage().contains("must not call"), "" + cause);
                }
                Check.throwing(MptException.class, () -> ctx.customOp("writer", new Op(null) {
                    @Override
                    public void forward(Buffer[] in, Buffer[] out) {
                        in[0].data().putFloat(0, 1);
                    }
                }, 1, x));
                Check.failing(Status.ARGUMENT, () -> ctx.customOp("formless", new Op(null) {
                    @Override
                    public void shape(Buffer[] in, Buffer[] out) {}
                }, 1, x));
                Check.failing(Status.SHAPE, () -> ctx.customOp("negative", new Op(null) {
                    @Override
                    public void shape(Buffer[] in, Buffer[] out) {
                        out[0].set(DType.F32, -5);
                    }
                }, 1, x));
            }
        });
        Check.that("an error in a callback", () -> {
            try (Context ctx = Context.create(); Tensor x = Tensor.create(ctx, DType.F32, 1, 2)) {
                Layer hungry = Layer.custom(ctx, (self, in) -> { throw new OutOfMemoryError("mine"); });
                Check.isTrue(Check.throwing(MptException.class, () -> hungry.forward(x)).getCause() instanceof OutOfMemoryError, "the cause");
                Layer statusless = Layer.custom(ctx, (self, in) -> { throw new MptException(null, "no status", null); });
                Check.isTrue(Check.throwing(MptException.class, () -> statusless.forward(x)).getCause() instanceof NullPointerException, "the cause");
                Layer without = Layer.custom(ctx, (self, in) -> java.util.Arrays.asList((Tensor) null));
                Check.throwing(MptException.class, () -> without.forward(x));
                Layer deep = Layer.custom(ctx, (self, in) -> List.of(self.forward(in.get(0))));
                Check.throwing(MptException.class, () -> deep.forward(x));
                Check.near(0, x.affine(0, 0).sum().item(), 0);
            }
        });
        Check.that("closed by others while it runs", () -> {
            for (int i = 0; i < 20; ++i) {
                Context ctx = Context.create(new ContextOptions().threads(2));
                Tensor x = Tensor.create(ctx, DType.F32, 64, 64);
                Program program = ctx.capture(() -> List.of(x.matmul(x).sum()));
                List<Thread> closers = List.of(new Thread(program::close), new Thread(x::close), new Thread(ctx::close), new Thread(program.outputs().get(0)::close));
                for (Thread t : closers) t.start();
                try {
                    for (int k = 0; k < 50; ++k) program.run();
                } catch (IllegalStateException closed) {
                    // either way is right
                }
                for (Thread t : closers) t.join();
                Check.throwing(IllegalStateException.class, () -> { program.run(); return 0; });
            }
        });
        Check.that("who waits in a callback holds up neither close() nor other contexts' garbage", () -> {
            CountDownLatch inside = new CountDownLatch(1), on = new CountDownLatch(1);
            try (Context ctx = Context.create(); Context other = Context.create(); Tensor x = Tensor.create(ctx, DType.F32, 2); Tensor y = Tensor.create(ctx, DType.F32, 2)) {
                long before = other.memory().inUse();
                Layer slow = Layer.custom(ctx, (self, in) -> {
                    inside.countDown();
                    on.await(30, TimeUnit.SECONDS);
                    return in;
                });
                Thread runner = new Thread(() -> slow.forward(x));
                runner.start();
                Check.isTrue(inside.await(10, TimeUnit.SECONDS), "the rule runs");
                y.close(); // at once: released behind the call
                for (int i = 0; i < 100; ++i) Tensor.create(other, DType.F32, 1024);
                for (int i = 0; i < 200 && other.memory().inUse() > before; ++i) {
                    System.gc();
                    Thread.sleep(10);
                }
                Check.equal(before, other.memory().inUse());
                Check.isTrue(on.getCount() == 1, "the rule is still waiting");
                on.countDown();
                runner.join();
            }
        });
        Check.that("sizes that nothing has", () -> {
            try (Context ctx = Context.create(); Tensor x = Tensor.create(ctx, DType.F32, 4); Layer relu = Layer.relu(ctx)) {
                for (long n : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE / 2, 1L << 62}) {
                    Check.throwing(MptException.class, () -> Tensor.create(ctx, DType.F32, n));
                    Check.throwing(MptException.class, () -> Tensor.create(ctx, DType.F32, n, n));
                    Check.throwing(MptException.class, () -> ctx.wrap(DType.F32, ByteBuffer.allocateDirect(16), null, n));
                    Check.throwing(MptException.class, () -> ctx.wrap(DType.F32, ByteBuffer.allocateDirect(16), new long[] {n}, 2));
                    Check.throwing(MptException.class, () -> x.slice(0, n, 1));
                    Check.throwing(MptException.class, () -> x.slice(0, 1, n));
                }
                Check.throwing(NegativeArraySizeException.class, () -> relu.forward(-1, x));
                Check.throwing(MptException.class, () -> relu.forward(1000, x));
                Check.throwing(NegativeArraySizeException.class, () -> ctx.customOp("op", new Op(null), -1, x));
                Check.throwing(MptException.class, () -> ctx.tensor(new float[3], Integer.MAX_VALUE + 1L));
                Tensor huge = Tensor.create(ctx, DType.I8, 1L << 31); // never touched
                Check.equal(1L << 31, huge.numel());
                Check.throwing(UnsupportedOperationException.class, huge::data);
                Throwable cause = Check.throwing(MptException.class, () -> ctx.customOp("op", new Op(null), 1, huge)).getCause();
                Check.isTrue(cause instanceof UnsupportedOperationException, "" + cause);
                Check.equal(0, Tensor.create(ctx, DType.F32, 0, 3).data().remaining());
                Check.equal(16, x.reshape(4, 1).transpose().data().remaining());
                Check.throwing(IllegalStateException.class, () -> Tensor.create(ctx, DType.F32, 3, 4).transpose().data());
                Check.throwing(MptException.class, () -> ctx.wrap(DType.F32, ByteBuffer.allocateDirect(16).position(1), null, 2));
            }
        });
        Check.that("names in other scripts", () -> {
            String name = "Gewicht \u00fc \u4e2d\ud83d\ude00";
            try (Context ctx = Context.create(); Layer layer = Layer.custom(ctx, (self, in) -> in); Tensor x = ctx.tensor(new float[] {1, 2}, 2); State state = State.create(ctx)) {
                layer.addParameter(name, x);
                Check.equal(List.of(name), List.copyOf(layer.parameters().keySet()));
                Check.isTrue(Check.failing(Status.NOT_FOUND, () -> layer.parameterByName("\u00e9")).getMessage().contains("\u00e9"), "the name in the message");
                state.addLayer("", layer);
                java.nio.file.Path folder = java.nio.file.Files.createTempDirectory("mpt");
                String file = folder + "/" + name + ".safetensors";
                state.save(file);
                try (Scope scope = ctx.noGrad()) {
                    x.fill(0);
                }
                state.load(file);
                Check.equal(new float[] {1, 2}, x.toFloats());
                try (java.util.stream.Stream<java.nio.file.Path> all = java.nio.file.Files.list(folder)) {
                    for (java.nio.file.Path one : all.toList()) java.nio.file.Files.delete(one);
                }
                java.nio.file.Files.delete(folder);
            }
        });
        Check.that("a device that is not there", () -> {
            if (java.nio.file.Files.exists(java.nio.file.Path.of("/dev/nvidiactl"))) return; // there is one: the message below would be wrong
            MptException e = Check.failing(Status.DEVICE, () -> Context.create(Device.CUDA));
            Check.isTrue(e.getMessage().contains("libmpt_cuda") || e.getMessage().contains("driver"), e.getMessage());
            Check.failing(Status.ARGUMENT, () -> Context.create(new ContextOptions().threads(-3)));
            try (Context ctx = Context.create(Device.AUTO); Tensor x = ctx.tensor(new float[] {1, 2}, 2)) {
                Check.equal(Device.CPU, ctx.device());
                Check.near(3, x.sum().item(), 0);
            }
        });
        Check.end();
    }

    /** Gives what it gets, of the same form. */
    private static class Op implements CustomOp {
        private final Check.Case first;

        Op(Check.Case first) {
            this.first = first;
        }

        @Override
        public void shape(Buffer[] in, Buffer[] out) throws Exception {
            out[0].set(in[0].dtype(), in[0].shape());
        }

        @Override
        public void forward(Buffer[] in, Buffer[] out) throws Exception {
            if (first != null) first.run();
            out[0].data().put(in[0].data());
        }
    }
}
