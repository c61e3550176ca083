import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.mpt.*;

/**
 * Things of every kind, made and dropped over and over: the memory of the process stays where it was. Run with a heap of one size (-Xms, -Xmx, -XX:+AlwaysPreTouch). MPT_CYCLES says how often (default 4000).
 * With the argument "leak" nothing is dropped: the test must fail then.
 */
final class Cycles {
    private static final int CYCLES = Integer.parseInt(System.getenv().getOrDefault("MPT_CYCLES", "4000")), BETWEEN = 500;
    private static final long MOST = 48 << 20;
    private static final List<Object> KEPT = new java.util.ArrayList<>();

    public static void main(String[] args) throws Exception {
        boolean leak = args.length > 0 && args[0].equals("leak");
        Check.that(CYCLES + " cycles with close()", () -> cycles(leak ? KEPT::add : Cycles::close));
        Check.that(CYCLES + " cycles by the garbage collector alone", () -> cycles(leak ? KEPT::add : handle -> {}));
        Check.end();
    }

    private interface End {
        void of(AutoCloseable handle) throws Exception;
    }

    private static void close(AutoCloseable handle) throws Exception {
        handle.close();
    }

    private static void cycles(End end) throws Exception {
        try (Context ctx = Context.create(new ContextOptions().threads(1))) {
            long before = ctx.memory().inUse(), start = 0, seen = 0;
            for (int i = 0; i < CYCLES; ++i) {
                cycle(ctx, i, end);
                if ((i + 1) % BETWEEN != 0) continue;
                System.gc(); // direct buffers are always its
                for (int k = 0; k < 100 && ctx.memory().inUse() > before; ++k) {
                    System.gc();
                    Thread.sleep(2);
                }
                // The cache of blocks, the allocator and the compiler of Java take what they need in the first half.
                long now = resident();
                if (i < CYCLES / 2) start = Math.max(start, now);
                else seen = Math.max(seen, now);
            }
            System.out.printf("resident: %.1f MiB at most in the first half, %.1f MiB in the second%n", start / 1048576.0, seen / 1048576.0);
            Check.equal(before, ctx.memory().inUse());
            Check.isTrue(start > 0 && seen > 0 && seen - start < MOST, "resident memory has grown by " + (seen - start) + " bytes");
        }
    }

    /** One of everything that has native memory or a reference from there into Java. */
    private static void cycle(Context ctx, int number, End end) throws Exception {
        Tensor x = Tensor.create(ctx, DType.F32, 2, 2048), y = x.relu();
        x.fill(1);
        Layer layer = Layer.linear(ctx, 2, 2), custom = Layer.custom(ctx, (self, in) -> in);
        Tensor wrapped = ctx.wrap(DType.F32, ByteBuffer.allocateDirect(4096), null, 1024);
        wrapped.data();
        Scope scope = ctx.noGrad();
        Optimizer optimizer = Optimizer.adam(ctx);
        optimizer.addLayer(layer);
        Program program = ctx.capture(() -> List.of(y.square().sum()));
        program.run();
        for (Tensor out : custom.forward(1, x)) end.of(out);
        for (Tensor out : program.outputs()) end.of(out);
        for (Tensor parameter : layer.parameters().values()) end.of(parameter);
        for (Tensor out : ctx.customOp("same", new Same(), 1, wrapped)) end.of(out);
        Check.failing(Status.SHAPE, () -> x.reshape(3));
        scope.close();
        for (AutoCloseable handle : List.of(x, y, layer, custom, wrapped, optimizer, program, Policy.create(ctx, DType.BF16), Scaler.create(ctx), State.create(ctx))) end.of(handle);
        if (number % 50 == 0) {
            Context other = Context.create(new ContextOptions().threads(2).listener((level, message) -> {}));
            end.of(Tensor.create(other, DType.F32, 16));
            end.of(other);
        }
    }

    private static final class Same implements CustomOp {
        @Override
        public void shape(Buffer[] in, Buffer[] out) {
            out[0].set(in[0].dtype(), in[0].shape());
        }

        @Override
        public void forward(Buffer[] in, Buffer[] out) {
            out[0].data().put(in[0].data());
        }
    }

    private static long resident() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS")) return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
        }
        throw new IOException("no VmRSS");
    }
}
