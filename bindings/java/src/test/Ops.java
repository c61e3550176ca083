import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.mpt.*;

/** Each kind of call once: that arguments arrive where they belong, and that callbacks and their exceptions do. */
final class Ops {
    public static void main(String[] args) {
        Check.that("ops", () -> {
            try (Context ctx = Context.create()) {
                Tensor x = ctx.tensor(new float[] {3, 1, 2, 6, 5, 4}, 2, 3);
                Check.equal(new long[] {2, 3}, x.shape());
                Check.equal(new long[] {3, 1}, x.strides());
                Check.equal(DType.F32, x.dtype());
                Check.equal("Tensor(f32 [2, 3])", x.toString());
                Check.near(21, x.sum().item(), 0);
                Check.equal(new float[] {6, 15}, x.sum(1).toFloats());
                Check.equal(new long[] {2, 1}, x.sum(true, 1).shape());
                Check.equal(new long[] {3, 2}, x.transpose().shape());
                Check.equal(new float[] {1, 2, 3, 4, 5, 6}, x.sort(1, false).values().toFloats());
                try (Tensor.Ordered best = x.topk(1, 1, true)) {
                    long[] where = new long[2];
                    best.indices().read(where);
                    Check.equal(new long[] {0, 0}, where);
                }
                List<Tensor> parts = x.split(1, 1, 2);
                Check.equal(new float[] {1, 2, 5, 4}, parts.get(1).toFloats());
                Check.equal(x.toFloats(), Tensor.concat(1, parts.toArray(new Tensor[0])).toFloats());
                Check.equal(new long[] {2, 2, 3}, Tensor.stack(0, x, x).shape());
                Check.equal(new float[] {0, 3, 1, 2, 0, 6, 5, 4}, x.pad(new long[] {0, 1}, new long[] {0, 0}, 0).toFloats());
                Check.equal(new float[] {9, 1, 4, 36, 25, 16}, x.pow(2).toFloats());
                Check.equal(DType.BOOL, x.less(x).dtype());
                Check.equal(new float[] {3, 2, 2, 6, 5, 4}, x.clamp(2, Double.POSITIVE_INFINITY).toFloats());
                Check.equal(new long[] {}, x.max().shape());
                Tensor image = Tensor.create(ctx, DType.F32, 1, 1, 4, 4);
                image.fillRange(0, 1);
                Check.equal(new float[] {5, 7, 13, 15}, image.maxPool2d().toFloats());
                Check.equal(new long[] {1, 1, 3, 3}, image.maxPool2d(new Pool2dParams().kernel(2).stride(1)).shape());
                Tensor one = Tensor.create(ctx, DType.F32, 1, 1, 1, 1);
                one.fill(2);
                Check.equal(new long[] {1, 1, 2, 4}, image.conv2d(one, null, new Conv2dParams().strideH(2)).shape());
                Tensor[] many = new Tensor[12];
                java.util.Arrays.fill(many, x);
                Check.equal(new long[] {24, 3}, Tensor.concat(0, many).shape());
                Check.isTrue(Context.version() >= 100, "version");
                Check.equal(2, DType.BF16.size());
                Check.equal("MPT_ERROR_SHAPE", Status.SHAPE.label());
                Check.equal(Device.CPU, ctx.device());
                Check.isTrue(!ctx.describe().isEmpty(), "description");
                Check.isTrue(Policy.create(ctx, DType.BF16).describe().contains("bf16"), "policy");
                try (Tensor.LstmState next = Tensor.create(ctx, DType.F32, 1, 8).lstmCell(Tensor.create(ctx, DType.F32, 1, 2))) {
                    Check.equal(new long[] {1, 2}, next.cell().shape());
                }
            }
        });
        Check.that("gradients", () -> {
            try (Context ctx = Context.create(); Tensor x = ctx.tensor(new float[] {1, 2, 3}, 3)) {
                x.setRequiresGrad(true);
                Check.isTrue(x.requiresGrad(), "asks");
                x.square().sum().backward();
                Check.equal(new float[] {2, 4, 6}, x.grad().toFloats());
                x.square().sum().backward(null, GradMode.ADD);
                Check.equal(new float[] {4, 8, 12}, x.grad().toFloats());
                ctx.backward(List.of(x.affine(2, 0)), List.of(ctx.tensor(new float[] {1, 0, 1}, 3)), GradMode.WRITE);
                Check.equal(new float[] {2, 0, 2}, x.grad().toFloats());
                try (Scope scope = ctx.noGrad()) {
                    Check.throwing(MptException.class, () -> { x.sum().backward(); return 0; });
                }
            }
        });
        Check.that("layers", () -> {
            try (Context ctx = Context.create(new ContextOptions().seed(1).threads(1))) {
                Layer net = Layer.sequential(ctx);
                net.append("conv", Layer.conv2d(ctx, 1, 2, 3)).append("norm", Layer.batchNorm(ctx, new NormOptions().features(2)))
                        .append("flatten", Layer.flatten(ctx)).append("out", Layer.linear(ctx, new LinearOptions().inFeatures(8).outFeatures(3).bias(false)));
                Map<String, Tensor> parameters = net.parameters();
                Check.equal(List.of("conv.weight", "conv.bias", "norm.weight", "norm.bias", "out.weight"), List.copyOf(parameters.keySet()));
                Check.equal(List.of("norm.running_mean", "norm.running_var"), List.copyOf(net.buffers().keySet()));
                Tensor x = Tensor.create(ctx, DType.F32, 5, 1, 4, 4);
                x.randomNormal(0, 1);
                Check.equal(new long[] {5, 3}, net.forward(x).shape());
                Check.isTrue(net.training(), "training");
                net.setTraining(false);
                Check.isTrue(!net.training(), "evaluation");
                Layer lstm = Layer.recurrent(ctx, new RecurrentOptions().inputSize(3).hiddenSize(4).batchFirst(true));
                List<Tensor> out = lstm.forward(3, Tensor.create(ctx, DType.F32, 2, 5, 3));
                Check.equal(new long[] {2, 5, 4}, out.get(0).shape());
                Check.equal(new long[] {1, 2, 4}, out.get(2).shape());
                Optimizer optimizer = Optimizer.adamw(ctx, new AdamOptions().lr(0.5));
                optimizer.addGroup("all", new ArrayList<>(parameters.values()), new GroupOptions().weightDecayScale(0));
                Check.near(0.5, optimizer.learningRate(), 0);
                Check.equal(0L, optimizer.counts().stepped());
            }
        });
        Check.that("a custom layer", () -> {
            try (Context ctx = Context.create(); Tensor x = ctx.tensor(new float[] {1, 2}, 1, 2); Layer child = Layer.linear(ctx, 2, 2)) {
                Layer doubled = Layer.custom(ctx, (self, in) -> {
                    Check.isTrue(self.training(), "training");
                    try (Tensor y = child.forward(in.get(0))) {
                        return List.of(y.affine(2, 0));
                    }
                });
                doubled.add("child", child);
                Check.equal(child.forward(x).affine(2, 0).toFloats(), doubled.forward(x).toFloats());
                IOException mine = new IOException("mine");
                Layer broken = Layer.custom(ctx, (self, in) -> { throw mine; });
                Check.isTrue(Check.throwing(MptException.class, () -> broken.forward(x)).getCause() == mine, "the cause");
                Check.isTrue(Check.failing(Status.SHAPE, () -> x.reshape(9)).getCause() == null, "no cause");
                Layer few = Layer.custom(ctx, (self, in) -> List.of());
                Check.isTrue(Check.throwing(MptException.class, () -> few.forward(x)).getCause() instanceof IllegalStateException, "too few");
                Layer same = Layer.custom(ctx, (self, in) -> in);
                Check.equal(x.toFloats(), same.forward(x).toFloats());
                Layer[] itself = new Layer[1];
                itself[0] = Layer.custom(ctx, (self, in) -> {
                    itself[0].close();
                    in.get(0).close();
                    x.close();
                    return List.of(ctx.tensor(new float[] {5}, 1));
                });
                Check.near(5, itself[0].forward(x).item(), 0);
            }
        });
        Check.that("a custom op", () -> {
            try (Context ctx = Context.create(); Tensor x = ctx.tensor(new float[] {1, 2, 3}, 3)) {
                x.setRequiresGrad(true);
                Tensor y = ctx.customOp("cube", new Cube(null), 1, x).get(0);
                Check.equal(new float[] {1, 8, 27}, y.toFloats());
                y.sum().backward();
                Check.equal(new float[] {3, 12, 27}, x.grad().toFloats());
                try (Program program = ctx.capture(() -> ctx.customOp("cube", new Cube(null), 1, x))) {
                    System.gc();
                    program.run();
                    Check.equal(new float[] {1, 8, 27}, program.outputs().get(0).toFloats());
                }
                Check.isTrue(Check.throwing(MptException.class, () -> ctx.customOp("cube", new Cube(() -> { throw new IOException("mine"); }), 1, x)).getCause()
                        instanceof IOException, "the cause");
                Throwable cause = Check.throwing(MptException.class, () -> ctx.customOp("cube", new Cube(() -> x.square()), 1, x)).getCause();
                Check.isTrue(cause instanceof IllegalStateException && cause.getMessage().contains("must not call"), "" + cause);
                Check.failing(Status.ARGUMENT, () -> ctx.customOp("cube", new Cube(null), 0, x));
            }
        });
        Check.that("streams", () -> {
            try (Context ctx = Context.create(); Layer a = Layer.linear(ctx, 300, 300); Layer b = Layer.linear(ctx, 300, 300); State from = State.create(ctx);
                    State to = State.create(ctx)) {
                from.addLayer("model", a);
                to.addLayer("model", b);
                from.setNumber("epoch", 7);
                to.setNumber("epoch", 0);
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                from.save(bytes);
                to.load(new ByteArrayInputStream(bytes.toByteArray()));
                Check.equal(7L, to.number("epoch"));
                Check.equal(a.parameterByName("weight").toFloats(), b.parameterByName("weight").toFloats());
                Check.isTrue(Check.failing(Status.IO, () -> { to.load(new ByteArrayInputStream(bytes.toByteArray(), 0, 1000)); return 0; }).getCause()
                        instanceof java.io.EOFException, "the cause");
                Check.isTrue(Check.failing(Status.IO, () -> {
                    from.save(new OutputStream() {
                        @Override
                        public void write(int b) throws IOException {
                            throw new IOException("full");
                        }
                    });
                    return 0;
                }).getCause().getMessage().equals("full"), "the cause");
            }
        });
        Check.that("log and errors", () -> {
            List<String> lines = new ArrayList<>();
            try (Context ctx = Context.create(new ContextOptions().logLevel(LogLevel.DEBUG).listener(new LogListener() {
                @Override
                public void log(LogLevel level, String message) {
                    lines.add(level + message);
                }

                @Override
                public void error(Status status, String message) {
                    lines.add(status + " " + message);
                    throw new IllegalStateException("the listener itself");
                }
            }))) {
                Thread.currentThread().setUncaughtExceptionHandler((t, e) -> lines.add("uncaught " + e.getMessage()));
                MptException e = Check.failing(Status.ARGUMENT, () -> Layer.linear(ctx, 0, 0));
                Check.isTrue(lines.contains("ARGUMENT " + e.getMessage()), lines.toString());
                Check.isTrue(lines.contains("uncaught the listener itself"), lines.toString());
            }
        });
        Check.that("training, eager and captured: the same bits", () -> {
            Check.equal(train(false), train(true));
        });
        Check.end();
    }

    private static float[] train(boolean captured) {
        try (Context ctx = Context.create(new ContextOptions().seed(1)); Layer model = Layer.sequential(ctx, Layer.linear(ctx, 2, 16), Layer.relu(ctx), Layer.linear(ctx, 16, 2));
                Policy policy = Policy.create(ctx, DType.BF16); Scaler scaler = Scaler.create(ctx); Optimizer optimizer = Optimizer.adam(ctx, new AdamOptions().lr(0.05));
                Tensor x = ctx.tensor(new float[] {0, 0, 0, 1, 1, 0, 1, 1}, 4, 2); Tensor y = ctx.tensor(new long[] {0, 1, 1, 0}, 4)) {
            optimizer.addLayer(model);
            java.util.function.Supplier<List<Tensor>> step = () -> {
                Tensor loss;
                try (Scope autocast = ctx.autocast(policy)) {
                    loss = model.forward(x).crossEntropy(y);
                }
                loss.backward(scaler, GradMode.WRITE);
                optimizer.step(scaler);
                scaler.update();
                return List.of(loss);
            };
            Program program = captured ? ctx.capture(step) : null;
            double loss = 0;
            for (int i = 0; i < 100; ++i) {
                if (captured) program.run();
                loss = (captured ? program.outputs() : step.get()).get(0).item();
            }
            Check.isTrue(loss < 0.1, "loss " + loss);
            return model.parameterByName("0.weight").toFloats();
        }
    }

    /** x * x * x. */
    private record Cube(Check.Case first) implements CustomOp {
        @Override
        public void shape(Buffer[] in, Buffer[] out) {
            out[0].set(in[0].dtype(), in[0].shape());
        }

        @Override
        public void forward(Buffer[] in, Buffer[] out) throws Exception {
            if (first != null) first.run();
            FloatBuffer x = in[0].data().asFloatBuffer(), y = out[0].data().asFloatBuffer();
            while (x.hasRemaining()) {
                float v = x.get();
                y.put(v * v * v);
            }
        }

        @Override
        public boolean differentiable() {
            return true;
        }

        @Override
        public void backward(Buffer[] in, Buffer[] out) {
            FloatBuffer x = in[0].data().asFloatBuffer(), dy = in[2].data().asFloatBuffer(), dx = out[0].data().asFloatBuffer();
            long stride = in[2].strides()[0]; // a broadcast gradient
            for (int i = 0; i < x.remaining(); ++i) dx.put(i, 3 * x.get(i) * x.get(i) * dy.get((int) (i * stride)));
        }
    }
}
