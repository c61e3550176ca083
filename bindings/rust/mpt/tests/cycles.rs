//! Making and dropping everything again and again leaves memory where it is. MPT_CYCLES says how often: 100 000 by hand, fewer every day.
//! The one test of this program, so that no other one's memory is measured.

use mpt::*;

fn resident() -> i64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<i64>().ok()).unwrap_or(0) * 4096
}

struct Double;
impl CustomOp for Double {
    fn forward(&self, inputs: &[Buffer<'_>], outputs: &mut [BufferMut<'_>]) -> Result<()> {
        for (y, x) in outputs[0].as_slice_mut::<f32>()?.iter_mut().zip(inputs[0].as_slice::<f32>()?) {
            *y = 2.0 * x;
        }
        Ok(())
    }
}

/// A context and one of everything, with an error and a failed capture.
fn cycle() -> Result<()> {
    let ctx = Context::builder().threads(1).on_log(LogLevel::Warning, |_, _| {}).build()?;
    let x = Tensor::from_vec(&ctx, vec![1f32; 64], [8, 8])?;
    let custom = Layer::custom(&ctx, |_, inputs| Ok(vec![inputs[0].neg()?]))?;
    let model = Layer::sequential(&ctx)?.with("a", Linear::new(8, 8))?.with("custom", &custom)?;
    let (policy, scaler, optimizer) = (Policy::new(&ctx, DType::Bf16)?, Scaler::new(&ctx)?, Adam::new().build(&ctx)?);
    optimizer.add_layer(&model)?;
    let average = Average::new(&optimizer, 0.9)?;
    let state = State::new(&ctx)?;
    state.add_layer("model", &model)?;
    let (step, loss) = ctx.capture(|| {
        let loss = ctx.autocast(&policy, || model.forward(&x)?.cast(DType::F32)?.mean(.., false))?;
        loss.backward(&scaler, GradMode::Write)?;
        optimizer.step(&scaler)?;
        scaler.update()?;
        average.update()?;
        Ok(loss)
    })?;
    step.run()?;
    let doubled = ctx.custom_op("double", Double, &[&x], 1)?.remove(0);
    assert!(doubled.item().is_err() && loss.item().is_ok());
    assert!(ctx.capture(|| x.add(&Tensor::zeros(&ctx, DType::F32, [3])?)).is_err());
    Ok(())
}

/// How much more memory there is after n cycles, when the first ones have filled every cache.
fn growth(n: i64, cycle: impl Fn() -> Result<()>) -> Result<i64> {
    for _ in 0..n / 10 + 100 {
        cycle()?;
    }
    let before = resident();
    for _ in 0..n {
        cycle()?;
    }
    Ok(resident() - before)
}

#[test]
fn cycles_keep_memory_constant() -> Result<()> {
    let n = std::env::var("MPT_CYCLES").ok().map_or(2_000, |n| n.parse().expect("MPT_CYCLES is a number"));
    // Less than this for each cycle is no leak of any of its allocations; caches and pages of the allocator are below a MiB.
    // Of few cycles, as under valgrind (which has its own eyes for losses), it says nothing.
    let allowed = if n < 1_000 { i64::MAX } else { (1 << 20) + 16 * n };
    let whole = growth(n, cycle)?;
    assert!(whole < allowed, "{} bytes more after {} cycles of a context and everything in it", whole, n);

    let ctx = Context::builder().threads(1).build()?;
    let inside = growth(n, || {
        let x = Tensor::from_vec(&ctx, vec![1f32; 256], [256])?;
        let layer = Layer::custom(&ctx, |_, inputs| Ok(vec![inputs[0].neg()?]))?;
        let y = layer.forward(&x)?;
        let _another = y.clone();
        y.add(&Tensor::zeros(&ctx, DType::F32, [3])?).unwrap_err();
        Ok(())
    })?;
    assert!(inside < allowed, "{} bytes more after {} cycles in one context", inside, n);
    // The measure sees a loss: a kilobyte from each cycle.
    if n >= 2_000 && std::path::Path::new("/proc/self/statm").exists() {
        let kept = std::cell::RefCell::new(Vec::new());
        let lost = growth(n, || {
            kept.borrow_mut().push(vec![1u8; 1024]);
            Ok(())
        })?;
        assert!(kept.take().len() as i64 > n);
        assert!(lost > allowed, "{} bytes: lost memory is not seen", lost);
    }
    println!("{} cycles: {} KiB more with a context each, {} KiB in one context", n, whole / 1024, inside / 1024);
    Ok(())
}
