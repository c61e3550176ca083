import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.mpt.*;

/** The golden run in Java: see golden.c. */
public final class Golden {
    private static final int POINTS = 256, STEPS = 100;

    private static int state;

    private static int next() {
        state = state * 1664525 + 1013904223;
        return state >>> 24;
    }

    private static long hash(Layer model) {
        long hash = 0xcbf29ce484222325L;
        for (Tensor parameter : model.parameters().values()) {
            ByteBuffer bytes = ByteBuffer.allocateDirect((int) parameter.numel() * 4).order(ByteOrder.nativeOrder());
            parameter.read(bytes);
            while (bytes.hasRemaining()) hash = (hash ^ (bytes.get() & 0xff)) * 0x100000001b3L;
            parameter.close();
        }
        return hash;
    }

    private static Tensor step(Context ctx, Layer model, Policy policy, Scaler scaler, Optimizer optimizer, Tensor x, Tensor y) {
        Tensor logits, loss;
        try (Scope autocast = ctx.autocast(policy)) {
            logits = model.forward(x);
            loss = logits.crossEntropy(y);
        }
        loss.backward(scaler, GradMode.WRITE);
        optimizer.step(scaler);
        scaler.update();
        logits.close();
        return loss;
    }

    private static void train(String precision, DType dtype, boolean captured) {
        float[] points = new float[2 * POINTS];
        long[] classes = new long[POINTS];
        state = 1;
        for (int i = 0; i < POINTS; ++i) {
            int a = next(), b = next();
            points[2 * i] = (a - 128) / 128f;
            points[2 * i + 1] = (b - 128) / 128f;
            classes[i] = (a >= 128) == (b >= 128) ? 1 : 0;
        }
        double first = 0, last = 0;
        try (Context ctx = Context.create(new ContextOptions().seed(1));
                Tensor x = ctx.tensor(points, POINTS, 2);
                Tensor y = ctx.tensor(classes, POINTS);
                Layer model = Layer.sequential(ctx, Layer.linear(ctx, 2, 64), Layer.relu(ctx), Layer.linear(ctx, 64, 2));
                Optimizer optimizer = Optimizer.adam(ctx, new AdamOptions().lr(0.02));
                Scaler scaler = Scaler.create(ctx);
                Policy policy = Policy.create(ctx, dtype)) {
            if (precision.equals("fp8")) policy.setFp8();
            optimizer.addLayer(model);
            Program program = captured ? ctx.capture(() -> List.of(step(ctx, model, policy, scaler, optimizer, x, y))) : null;
            for (int i = 0; i < STEPS; ++i) {
                if (captured) {
                    program.run();
                    last = program.outputs().get(0).item();
                } else {
                    try (Tensor loss = step(ctx, model, policy, scaler, optimizer, x, y)) {
                        last = loss.item();
                    }
                }
                if (i == 0) first = last;
            }
            System.out.printf("%s %s %016x%n", precision, captured ? "captured" : "eager", hash(model));
        }
        if (!(first > 0.4 && first < 1.5 && last < 0.1 * first)) throw new AssertionError(precision + ": the loss went from " + first + " to " + last);
    }

    public static void main(String[] args) {
        for (boolean captured : new boolean[] {false, true}) {
            train("f32", DType.F32, captured);
            train("f16", DType.F16, captured);
            train("bf16", DType.BF16, captured);
            train("fp8", DType.BF16, captured);
        }
    }
}
