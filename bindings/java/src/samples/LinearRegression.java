import org.mpt.*;

/** Fits y = 3 x + 2 from noisy points, with products in f16 and loss scaling. */
public final class LinearRegression {
    public static void main(String[] args) {
        try (Context ctx = Context.create();
                Layer model = Layer.linear(ctx, 1, 1);
                Policy policy = Policy.create(ctx, DType.F16);
                Scaler scaler = Scaler.create(ctx);
                Optimizer optimizer = Optimizer.sgd(ctx, new SgdOptions().lr(0.1));
                Tensor x = Tensor.create(ctx, DType.F32, 256, 1);
                Tensor noise = Tensor.create(ctx, DType.F32, 256, 1)) {
            optimizer.addLayer(model);
            x.randomUniform(-1, 1);
            noise.randomNormal(0, 0.1);
            Tensor y = x.affine(3, 2).add(noise);

            for (int step = 0; step < 200; ++step) {
                Tensor prediction, loss;
                try (Scope autocast = ctx.autocast(policy)) { // products in f16, the rest in f32
                    prediction = model.forward(x);
                    loss = prediction.mse(y, Reduction.MEAN);
                }
                loss.backward(scaler, GradMode.WRITE); // gradients of scale * loss
                optimizer.step(scaler); // skipped where one of them overflowed
                scaler.update(); // then with a lower scale
                prediction.close();
                loss.close();
            }

            double w = model.parameterByName("weight").item(), b = model.parameterByName("bias").item();
            System.out.printf("y = %.3f x + %.3f  (loss scale %.0f, %d steps skipped)%n", w, b, scaler.scale(), optimizer.counts().skipped());
        }
    }
}
