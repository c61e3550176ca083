//! Fits y = 3 x + 2 from noisy points, with products in f16 and loss scaling.

use mpt::{Context, DType, GradMode, Linear, Policy, Reduction, Scaler, Sgd, Tensor};

fn main() -> mpt::Result<()> {
    let ctx = Context::new()?;
    let model = Linear::new(1, 1).build(&ctx)?;
    let policy = Policy::new(&ctx, DType::F16)?;
    let scaler = Scaler::new(&ctx)?;
    let optimizer = Sgd::new().build(&ctx)?;
    optimizer.add_layer(&model)?;
    optimizer.set_lr(0.1)?;

    let x = Tensor::empty(&ctx, DType::F32, [256, 1])?;
    let noise = Tensor::empty(&ctx, DType::F32, [256, 1])?;
    x.random_uniform(-1.0, 1.0)?;
    noise.random_normal(0.0, 0.1)?;
    let y = x.affine(3.0, 2.0)?.add(&noise)?;

    for _ in 0..200 {
        let loss = ctx.autocast(&policy, || model.forward(&x)?.mse(&y, Reduction::Mean))?;
        loss.backward(&scaler, GradMode::Write)?; // gradients of scale * loss
        optimizer.step(&scaler)?; // skipped where one of them overflowed
        scaler.update()?; // then with a lower scale
    }

    let (w, b) = (model.parameter("weight")?.item()?, model.parameter("bias")?.item()?);
    println!("y = {:.3} x + {:.3}  (loss scale {}, {} steps skipped)", w, b, scaler.scale()?, optimizer.counts()?.skipped);
    Ok(())
}
