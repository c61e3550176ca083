import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.mpt.*;

/** Trains a small convolutional network on Fashion-MNIST, in f32, f16, bf16 or fp8: the C sample's options, output and bits. */
public final class FashionMnist {
    private final Options options;
    private final Context ctx;
    private final Policy policy; // null: everything in f32
    private final Scaler scaler; // null: only f16 needs one
    private final Layer model;
    private final Optimizer optimizer;
    private final Report report = new Report();

    private FashionMnist(Options o) {
        options = o;
        ctx = Context.create(new ContextOptions().device(o.device).threads((int) o.threads).seed(o.seed));
        if (o.precision == DType.F32) {
            policy = null;
        } else if (o.precision == DType.F8E4M3) {
            policy = Policy.create(ctx, DType.BF16); // linear layers and convolutions in fp8, all other products in bf16
            policy.setFp8(new Fp8Options().recipe(o.recipe));
            for (String pattern : o.keep.split(",")) if (!pattern.isEmpty()) policy.setLayer(pattern, DType.BF16);
        } else {
            policy = Policy.create(ctx, o.precision);
        }
        scaler = o.precision == DType.F16 ? Scaler.create(ctx) : null; // in f16 small gradients would vanish without a scale
        model = buildModel(ctx);
        optimizer = Optimizer.adam(ctx);
        optimizer.addLayer(model);
    }

    private static Layer buildModel(Context ctx) {
        return Layer.sequential(ctx)
                .append("conv1", Layer.conv2d(ctx, 1, 32, 3)) // [N, 1, 28, 28] -> [N, 32, 26, 26]
                .append("relu1", Layer.relu(ctx))
                .append("pool1", Layer.maxPool2d(ctx)) // -> [N, 32, 13, 13]
                .append("conv2", Layer.conv2d(ctx, 32, 64, 3)) // -> [N, 64, 11, 11]
                .append("relu2", Layer.relu(ctx))
                .append("pool2", Layer.maxPool2d(ctx)) // -> [N, 64, 5, 5]
                .append("conv3", Layer.conv2d(ctx, 64, 64, 3)) // -> [N, 64, 3, 3]
                .append("relu3", Layer.relu(ctx))
                .append("flatten", Layer.flatten(ctx)) // -> [N, 576]
                .append("linear1", Layer.linear(ctx, 576, 64))
                .append("relu4", Layer.relu(ctx))
                .append("linear2", Layer.linear(ctx, 64, Images.CLASSES));
    }

    // ---- training and evaluation: each gives the loss and the logits ----

    private List<Tensor> forward(Tensor x, Tensor y) {
        try (Scope autocast = ctx.autocast(policy); Tensor logits = model.forward(x)) {
            Tensor loss = logits.crossEntropy(y);
            autocast.close();
            return List.of(loss, logits.cast(DType.F32));
        }
    }

    private List<Tensor> trainStep(Tensor x, Tensor y) {
        List<Tensor> out = forward(x, y);
        out.get(0).backward(scaler, GradMode.WRITE); // of the scaled loss, so that small gradients survive f16
        optimizer.step(scaler); // unscales, and skips the step where a gradient overflowed
        if (scaler != null) scaler.update(); // a lower scale after a skip, a higher one after many good steps
        return out;
    }

    private List<Tensor> testStep(Tensor x, Tensor y) {
        try (Scope quiet = ctx.noGrad()) {
            return forward(x, y);
        }
    }

    /** A rule for batches of any size: the first of a size records it as a program, which later ones only replay; with --eager it runs each time. */
    private final class Phase {
        private record Size(Tensor x, Tensor y, Program program) {}

        private final BiFunction<Tensor, Tensor, List<Tensor>> rule;
        private final Map<Integer, Size> sizes = new HashMap<>();
        private List<Tensor> before = List.of();

        Phase(BiFunction<Tensor, Tensor, List<Tensor>> rule) {
            this.rule = rule;
        }

        private Size open(int n) {
            Tensor x = Tensor.create(ctx, DType.F32, n, 1, Images.SIDE, Images.SIDE), y = Tensor.create(ctx, DType.U8, n);
            return new Size(x, y, options.eager ? null : ctx.capture(() -> rule.apply(x, y)));
        }

        /** The next batch of the set; its size, 0 at the end. */
        int run(Images set, Figures read) {
            int n = set.next();
            if (n == 0) return 0;
            Size s = sizes.computeIfAbsent(n, this::open);
            List<Tensor> out;
            if (s.program != null) {
                s.program.feed(s.x, set.pixels);
                s.program.feed(s.y, set.labels);
                s.program.run();
                out = s.program.outputs();
            } else {
                s.x.write(set.pixels);
                s.y.write(set.labels);
                for (Tensor old : before) old.close();
                out = before = rule.apply(s.x, s.y);
            }
            if (read != null) read.add(out.get(0), out.get(1), set.labels, n);
            return n;
        }
    }

    /** Sums over rows, so that batches of different sizes can be put together. */
    private static final class Figures {
        double loss, right;
        long n;

        void add(Tensor meanLoss, Tensor logits, ByteBuffer labels, int rows) {
            float[] values = logits.toFloats();
            int correct = 0;
            for (int i = 0; i < rows; ++i) {
                int best = 0;
                for (int c = 1; c < Images.CLASSES; ++c) if (values[i * Images.CLASSES + c] > values[i * Images.CLASSES + best]) best = c;
                if (best == labels.get(i)) ++correct;
            }
            loss += meanLoss.item() * rows;
            right += correct;
            n += rows;
        }

        void add(Figures other) {
            loss += other.loss;
            right += other.right;
            n += other.n;
        }

        double meanLoss() {
            return n > 0 ? loss / n : Double.NaN;
        }

        double accuracy() {
            return n > 0 ? right / n : Double.NaN;
        }
    }

    // ---- the loop ----

    private double scale() {
        return scaler == null ? 0 : scaler.scale();
    }

    private Figures trainEpoch(Phase phase, Images set) {
        Figures epoch = new Figures();
        double loss = Double.NaN, scale = 0;
        long skipped = 0, steps = set.steps();
        for (long step = 1; step <= steps; ++step) {
            if (step % 10 == 1 || step == steps) { // reading results waits for the device
                Figures now = new Figures();
                phase.run(set, now);
                epoch.add(now);
                loss = now.meanLoss();
                scale = scale();
                skipped = optimizer.counts().skipped();
            } else {
                phase.run(set, null);
            }
            report.update(step, loss, epoch.accuracy(), scale, skipped);
        }
        return epoch;
    }

    private static Figures test(Phase phase, Images set) {
        Figures figures = new Figures();
        while (phase.run(set, figures) > 0) continue;
        return figures;
    }

    /** All that a run needs to go on as if it had never stopped. */
    private State makeState() {
        State state = State.create(ctx);
        state.addLayer("model", model);
        state.addOptimizer("optimizer", optimizer);
        if (options.precision == DType.F8E4M3) state.addFp8("fp8", policy, model);
        if (scaler != null) state.addScaler("scaler", scaler);
        state.addRandom("random");
        state.setNumber("epoch", 0);
        state.setNumber("seed", options.seed);
        return state;
    }

    private void resume(State state) {
        DType precision = options.precision;
        try (State first = State.create(ctx)) {
            first.setNumber("precision", precision.number());
            first.load(options.resume);
            long number = first.number("precision");
            for (DType d : DType.values()) if (d.number() == number) precision = d;
        } catch (MptException e) {
            // the next load says what is wrong
        }
        String was = Options.name(precision), now = Options.name(options.precision);
        try {
            state.load(options.resume);
        } catch (MptException e) {
            if (precision == options.precision) throw e;
            throw Options.end(2, "--resume " + options.resume + ": it was saved with --precision " + was + " and cannot go on with --precision " + now + ":\n  " + e.getMessage());
        }
        if (precision != options.precision) System.out.println(options.resume + " was saved with --precision " + was + " and goes on with --precision " + now);
    }

    /** A pattern of --keep that matches no layer with weights is refused. */
    private void checkKeep() {
        Set<String> layers = new LinkedHashSet<>();
        model.parameters().forEach((name, parameter) -> {
            if (parameter.rank() >= 2) layers.add(name.substring(0, name.lastIndexOf('.')));
        });
        for (String pattern : options.keep.split(",")) {
            String regex = ("\\Q" + pattern + "\\E").replace("*", "\\E.*\\Q").replace("?", "\\E.\\Q");
            if (!pattern.isEmpty() && layers.stream().noneMatch(name -> name.matches(regex)))
                throw Options.end(2, "--keep " + pattern + ": no layer has such a name. The layers with weights are\n  " + String.join("\n  ", layers));
        }
    }

    private void run() throws IOException {
        Images trainSet = new Images(options.data, "train", options.limit, options.batch), testSet = new Images(options.data, "t10k", options.limit, 500);
        Phase train = new Phase(this::trainStep), test = new Phase(this::testStep);
        Path folder = Path.of(options.out), checkpoint = folder.resolve("checkpoint.safetensors"), log = folder.resolve("log.csv"), plot = folder.resolve("plot.svg");
        long end = options.stop > 0 ? Math.min(options.stop, options.epochs) : options.epochs, epoch = 0, seed = options.seed;
        checkKeep();
        State state = makeState();
        if (options.resume != null) {
            resume(state);
            epoch = state.number("epoch");
            seed = state.number("seed"); // its order of the data goes on too
            report.readCsv(log, epoch);
        }
        state.setNumber("precision", options.precision.number());
        String title = "Fashion-MNIST in " + Options.name(options.precision) + ", seed " + seed;
        Report.print("%s, %s\non %s\n", title, options.eager ? "eager" : "captured", ctx.describe());
        report.printHeader();

        Figures tested = epoch >= end ? test(test, testSet) : new Figures(); // a checkpoint of a finished run is tested once more
        while (epoch < end) {
            report.begin("epoch " + (epoch + 1) + "/" + options.epochs, trainSet.steps(), trainSet.steps() * (end - epoch - 1));
            // The rate falls without looking at the number of epochs, so that a resumed run follows it too; a captured program sees it.
            optimizer.setLearningRate(1e-3 * Math.pow(0.8, epoch));
            trainSet.shuffle(seed, epoch);
            Figures trained = trainEpoch(train, trainSet);
            double seconds = report.seconds();
            tested = test(test, testSet);
            report.end();
            report.add(new Report.Row(++epoch, seconds, optimizer.learningRate(), trained.meanLoss(), trained.accuracy(), tested.meanLoss(), tested.accuracy(), scale(),
                    optimizer.counts().skipped()));
            state.setNumber("epoch", epoch);
            state.save(checkpoint);
            report.writeCsv(log);
            report.writePlot(plot, title);
        }
        System.out.printf("written: %s, %s, %s%n", checkpoint, log, plot);
        Report.print("test accuracy: %.2f %%\n", 100 * tested.accuracy());
    }

    /** Runs the sample. */
    public static void main(String[] args) {
        Options options = Options.parse(args);
        try {
            Files.createDirectories(Path.of(options.out));
        } catch (IOException e) {
            throw Options.end(1, "--out " + options.out + ": the folder cannot be made or written: " + e.getMessage());
        }
        try {
            new FashionMnist(options).run();
        } catch (MptException | IOException e) {
            throw Options.end(1, e.toString());
        }
    }
}
