import java.nio.FloatBuffer;
import java.util.Map;
import org.mpt.*;

/** Trains with an optimizer of its own: RProp, which looks at the signs of gradients alone, over parameters and gradients that mpt exposes. */
public final class HostOptimizer {
    /** A parameter, seen as the host's memory, and what RProp remembers of it. */
    private static final class Slot {
        final Tensor parameter;
        final FloatBuffer value, gradient;
        final float[] step, before;

        Slot(Tensor parameter) {
            this.parameter = parameter;
            value = parameter.data().asFloatBuffer(); // no copies: these are mpt's own numbers
            gradient = parameter.grad().data().asFloatBuffer(); // a gradient never moves
            step = new float[value.remaining()];
            before = new float[step.length];
            java.util.Arrays.fill(step, 0.01f);
        }

        /** [Riedmiller and Braun 1993], without going back. */
        void update() {
            for (int i = 0; i < step.length; ++i) {
                float now = gradient.get(i), agreed = now * before[i];
                step[i] = agreed > 0 ? Math.min(1.2f * step[i], 1) : agreed < 0 ? 0.5f * step[i] : step[i];
                before[i] = agreed < 0 ? 0 : now;
                value.put(i, value.get(i) - Math.signum(before[i]) * step[i]);
            }
            parameter.markModified(); // mpt has bf16 copies of it
        }
    }

    public static void main(String[] args) {
        int n = 256;
        float[] points = new float[2 * n];
        long[] classes = new long[n];
        for (int i = 0; i < n; ++i) { // two interleaved spirals
            double radius = (i / 2 + 1) / (n / 2.0), angle = 4.5 * radius + Math.PI * (i % 2);
            points[2 * i] = (float) (radius * Math.cos(angle));
            points[2 * i + 1] = (float) (radius * Math.sin(angle));
            classes[i] = i % 2;
        }
        try (Context ctx = Context.create(new ContextOptions().seed(1));
                Layer model = Layer.sequential(ctx, Layer.linear(ctx, 2, 64), Layer.relu(ctx), Layer.linear(ctx, 64, 2));
                Policy policy = Policy.create(ctx, DType.BF16);
                Tensor x = ctx.tensor(points, n, 2);
                Tensor y = ctx.tensor(classes, n);
                Program program = ctx.capture(() -> {
                    Tensor loss;
                    try (Scope autocast = ctx.autocast(policy)) {
                        loss = model.forward(x).crossEntropy(y);
                    }
                    loss.backward();
                    return java.util.List.of(loss);
                })) {
            Map<String, Tensor> parameters = model.parameters();
            Slot[] slots = parameters.values().stream().map(Slot::new).toArray(Slot[]::new);
            for (int step = 0; step <= 200; ++step) {
                program.run();
                if (step % 50 == 0) System.out.printf("step %3d  loss %.4f%n", step, program.outputs().get(0).item());
                for (Slot slot : slots) slot.update();
            }
        }
    }
}
