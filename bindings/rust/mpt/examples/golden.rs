//! The golden run: weights with the same bits in every language; see tests/golden/golden.c.

use mpt::{Adam, Context, DType, GradMode, Layer, Linear, Policy, Scaler, Tensor};

const POINTS: usize = 256;
const STEPS: usize = 100;

fn points() -> (Vec<f32>, Vec<i64>) {
    let mut s = 1u32;
    let mut next = || {
        s = s.wrapping_mul(1664525).wrapping_add(1013904223);
        s >> 24
    };
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..POINTS {
        let (a, b) = (next(), next());
        x.extend([(a as f32 - 128.0) / 128.0, (b as f32 - 128.0) / 128.0]);
        y.push(i64::from((a >= 128) == (b >= 128)));
    }
    (x, y)
}

fn hash(model: &Layer) -> mpt::Result<u64> {
    let mut hash = 0xcbf29ce484222325u64;
    for (_, parameter) in model.parameters()? {
        for value in parameter.to_vec::<f32>()? {
            for byte in value.to_ne_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x100000001b3);
            }
        }
    }
    Ok(hash)
}

fn train(precision: &str, dtype: DType, captured: bool) -> mpt::Result<()> {
    let ctx = Context::builder().seed(1).build()?;
    let (points, classes) = points();
    let (x, y) = (Tensor::from_vec(&ctx, points, [POINTS as i64, 2])?, Tensor::from_vec(&ctx, classes, [POINTS as i64])?);
    let model = Layer::sequential(&ctx)?.with("0", Linear::new(2, 64))?.with("1", Layer::relu)?.with("2", Linear::new(64, 2))?;
    let optimizer = Adam::new().lr(0.02).build(&ctx)?;
    optimizer.add_layer(&model)?;
    let scaler = Scaler::new(&ctx)?;
    let policy = Policy::new(&ctx, dtype)?;
    if precision == "fp8" {
        policy.set_fp8(None)?;
    }
    let step = || {
        let loss = ctx.autocast(&policy, || model.forward(&x)?.cross_entropy(&y, None))?;
        loss.backward(&scaler, GradMode::Write)?;
        optimizer.step(&scaler)?;
        scaler.update()?;
        Ok(loss)
    };
    let mut losses = Vec::new();
    if captured {
        let (program, loss) = ctx.capture(step)?;
        for _ in 0..STEPS {
            program.run()?;
            losses.push(loss.item()?);
        }
    } else {
        for _ in 0..STEPS {
            losses.push(step()?.item()?);
        }
    }
    println!("{} {} {:016x}", precision, if captured { "captured" } else { "eager" }, hash(&model)?);
    let (first, last) = (losses[0], losses[STEPS - 1]);
    assert!(first > 0.4 && first < 1.5 && last < 0.1 * first, "{}: the loss went from {} to {}", precision, first, last);
    Ok(())
}

fn main() -> mpt::Result<()> {
    for captured in [false, true] {
        train("f32", DType::F32, captured)?;
        train("f16", DType::F16, captured)?;
        train("bf16", DType::Bf16, captured)?;
        train("fp8", DType::Bf16, captured)?;
    }
    Ok(())
}
