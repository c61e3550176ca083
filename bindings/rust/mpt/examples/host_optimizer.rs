//! Trains a small network on two spirals with an optimizer of the host's own: mpt gives parameters and gradients, the update is in Rust.
//! Lion [Chen et al. 2023] is not among mpt's optimizers, and its update is three lines.

use mpt::{Context, DType, GradMode, Layer, Linear, Policy, Tensor};

/// x += rate of the sign of a momentum.
struct Lion {
    lr: f32,
    beta1: f32,
    beta2: f32,
    weight_decay: f32,
    parameters: Vec<(Tensor, Vec<f32>)>,
}

impl Lion {
    fn new(model: &Layer, lr: f32) -> mpt::Result<Lion> {
        let parameters = model.parameters()?.map(|(_, tensor)| (tensor.clone(), vec![0.0; tensor.numel()])).collect();
        Ok(Lion { lr, beta1: 0.9, beta2: 0.99, weight_decay: 0.01, parameters })
    }

    fn step(&mut self, ctx: &Context) -> mpt::Result<()> {
        for (tensor, momentum) in &mut self.parameters {
            let mut values = tensor.to_vec::<f32>()?;
            let gradients = tensor.grad()?.to_vec::<f32>()?;
            for ((value, m), g) in values.iter_mut().zip(momentum.iter_mut()).zip(gradients) {
                let direction = (self.beta1 * *m + (1.0 - self.beta1) * g).signum();
                *value -= self.lr * (direction + self.weight_decay * *value);
                *m = self.beta2 * *m + (1.0 - self.beta2) * g;
            }
            // Parameters take part in gradients: nobody shall remember this.
            ctx.no_grad(|| tensor.write(&values))?;
        }
        Ok(())
    }
}

/// Two interleaved spirals of n points each: no straight line separates them.
fn spirals(n: usize) -> (Vec<f32>, Vec<i64>) {
    let (mut points, mut classes) = (Vec::new(), Vec::new());
    for i in 0..2 * n {
        let radius = (i / 2 + 1) as f32 / n as f32;
        let angle = 4.5 * radius + std::f32::consts::PI * (i % 2) as f32;
        points.extend([radius * angle.cos(), radius * angle.sin()]);
        classes.push((i % 2) as i64);
    }
    (points, classes)
}

fn main() -> mpt::Result<()> {
    let ctx = Context::builder().seed(1).build()?;
    let (points, classes) = spirals(128);
    let x = Tensor::from_vec(&ctx, points, [256, 2])?;
    let y = Tensor::from_vec(&ctx, classes, [256])?;
    let model = Layer::sequential(&ctx)?
        .with("linear1", Linear::new(2, 64))?
        .with("relu", Layer::relu)?
        .with("linear2", Linear::new(64, 2))?;
    let policy = Policy::new(&ctx, DType::Bf16)?;
    let mut lion = Lion::new(&model, 3e-3)?;

    // The part that mpt does is a program; what the host does comes behind each of its runs.
    let (program, loss) = ctx.capture(|| {
        let loss = ctx.autocast(&policy, || model.forward(&x)?.cross_entropy(&y, None))?;
        loss.backward(None, GradMode::Write)?;
        Ok(loss)
    })?;
    program.run()?;
    let first = loss.item()?;
    for _ in 0..600 {
        lion.step(&ctx)?;
        program.run()?;
    }
    println!("cross-entropy {:.4} -> {:.4}", first, loss.item()?);
    assert!(loss.item()? < 0.2 * first, "the network did not learn the spirals");
    Ok(())
}
