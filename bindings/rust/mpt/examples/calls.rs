//! What a call costs: see bench/calls/calls.c.

use mpt::{Adam, Context, DType, GradMode, Layer, Linear, Policy, Tensor};
use std::io::BufRead;

const BATCH: usize = 128;
const PIXELS: usize = 784;

fn main() -> mpt::Result<()> {
    let ctx = Context::builder().threads(1).build()?;
    let images: Vec<f32> = (0..BATCH * PIXELS).map(|i| (i % 251) as f32 / 251.0).collect();
    let labels: Vec<i64> = (0..BATCH).map(|i| (i % 10) as i64).collect();
    let one = Tensor::ones(&ctx, DType::F32, [1])?;
    let x = Tensor::ones(&ctx, DType::F32, [BATCH as i64, PIXELS as i64])?;
    let y = Tensor::ones(&ctx, DType::I64, [BATCH as i64])?;
    let model = Layer::sequential(&ctx)?
        .with("0", Linear::new(PIXELS as i64, 1024))?
        .with("1", Layer::relu)?
        .with("2", Linear::new(1024, 1024))?
        .with("3", Layer::relu)?
        .with("4", Linear::new(1024, 10))?;
    let optimizer = Adam::new().build(&ctx)?;
    optimizer.add_layer(&model)?;
    let policy = Policy::new(&ctx, DType::Bf16)?;
    let (program, _loss) = ctx.capture(|| {
        let loss = ctx.autocast(&policy, || model.forward(&x)?.cross_entropy(&y, None))?;
        loss.backward(None, GradMode::Write)?;
        optimizer.step(None)?;
        Ok(loss)
    })?;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (what, n) = line.split_once(' ').unwrap();
        let n: usize = n.parse().unwrap();
        match what {
            "ndim" => assert_eq!((0..n).map(|_| one.ndim()).sum::<usize>(), n * one.ndim()),
            "add" => (0..n).try_for_each(|_| one.add(&one).map(drop))?,
            "item" => (0..n).try_for_each(|_| one.item().map(drop))?,
            _ => {
                for _ in 0..n {
                    program.feed(&x, &images)?;
                    program.feed(&y, &labels)?;
                    program.run()?;
                }
            }
        }
        println!("done");
    }
    Ok(())
}
