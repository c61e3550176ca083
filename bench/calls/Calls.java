import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Scanner;
import org.mpt.*;

/** What a call costs in Java: see calls.c. */
public final class Calls {
    private static final int BATCH = 128, PIXELS = 784;

    private static Tensor ones(Context ctx, DType dtype, long... shape) {
        Tensor made = Tensor.create(ctx, dtype, shape);
        made.fill(1);
        return made;
    }

    private static ByteBuffer direct(int nbytes) {
        return ByteBuffer.allocateDirect(nbytes).order(ByteOrder.nativeOrder());
    }

    public static void main(String[] args) {
        ByteBuffer images = direct(4 * BATCH * PIXELS), labels = direct(8 * BATCH);
        for (int i = 0; i < BATCH * PIXELS; ++i) images.putFloat(4 * i, i % 251 / 251f);
        for (int i = 0; i < BATCH; ++i) labels.putLong(8 * i, i % 10);
        try (Context ctx = Context.create(new ContextOptions().threads(1));
                Tensor one = ones(ctx, DType.F32, 1);
                Tensor x = ones(ctx, DType.F32, BATCH, PIXELS);
                Tensor y = ones(ctx, DType.I64, BATCH);
                Layer model = Layer.sequential(ctx, Layer.linear(ctx, PIXELS, 1024), Layer.relu(ctx), Layer.linear(ctx, 1024, 1024), Layer.relu(ctx), Layer.linear(ctx, 1024, 10));
                Policy policy = Policy.create(ctx, DType.BF16);
                Optimizer optimizer = Optimizer.adam(ctx, new AdamOptions())) {
            optimizer.addLayer(model);
            Program program = ctx.capture(() -> {
                Tensor loss;
                try (Scope autocast = ctx.autocast(policy)) {
                    loss = model.forward(x).crossEntropy(y);
                }
                loss.backward();
                optimizer.step(null);
                return List.of(loss);
            });
            for (Scanner commands = new Scanner(System.in); commands.hasNext();) {
                String what = commands.next();
                int n = commands.nextInt();
                switch (what) {
                    case "ndim" -> ndim(one, n);
                    case "add" -> add(one, n);
                    case "item" -> item(one, n);
                    default -> step(program, x, images, y, labels, n);
                }
                System.out.println("done");
            }
        }
    }

    private static void ndim(Tensor one, int n) {
        for (int i = 0; i < n; ++i) one.rank();
    }

    private static void add(Tensor one, int n) {
        for (int i = 0; i < n; ++i) one.add(one).close();
    }

    private static void item(Tensor one, int n) {
        for (int i = 0; i < n; ++i) one.item();
    }

    private static void step(Program program, Tensor x, ByteBuffer images, Tensor y, ByteBuffer labels, int n) {
        for (int i = 0; i < n; ++i) {
            program.feed(x, images);
            program.feed(y, labels);
            program.run();
        }
    }
}
