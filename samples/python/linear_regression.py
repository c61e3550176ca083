"""Fits y = 3 x + 2 from noisy points, with products in f16 and loss scaling."""
import mpt

model = mpt.Linear(1, 1)
policy = mpt.Policy("f16")
scaler = mpt.Scaler()
optimizer = mpt.SGD(model, lr=0.1)

x = mpt.uniform((256, 1), -1, 1)
y = 3 * x + 2 + mpt.normal((256, 1), 0, 0.1)

for _ in range(200):
    with mpt.autocast(policy):
        loss = mpt.mse(model(x), y)
    loss.backward(scaler)  # gradients of scale * loss
    optimizer.step(scaler)  # skipped where one of them overflowed
    scaler.update()  # then with a lower scale

w, b = model.parameter("weight").item(), model.parameter("bias").item()
print(f"y = {w:.3f} x + {b:.3f}  (loss scale {scaler.scale:.6g}, {optimizer.counts.skipped} steps skipped)")
