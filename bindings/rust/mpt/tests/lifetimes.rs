//! Whatever the order of closing, and whatever goes wrong in a closure: an error or a panic, never a crash; and memory stays.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::Arc;

use mpt::*;

fn net(ctx: &Context) -> Result<Layer> {
    Layer::sequential(ctx)?.with("a", Linear::new(4, 8))?.with("relu", Layer::relu)?.with("b", Linear::new(8, 2))
}

#[test]
fn the_context_may_go_first() -> Result<()> {
    let ctx = Context::new()?;
    let (model, x) = (net(&ctx)?, Tensor::ones(&ctx, DType::F32, [3, 4])?);
    let optimizer = Adam::new().build(&ctx)?;
    optimizer.add_layer(&model)?;
    let (program, y) = ctx.capture(|| model.forward(&x))?;
    drop(ctx);
    program.run()?;
    drop((model, x, optimizer));
    program.run()?;
    let context = y.context();
    drop(program);
    assert_eq!(y.shape(), [3, 2]);
    drop(y);
    Tensor::zeros(&context, DType::F32, [1])?;
    Ok(())
}

/// The handles of a whole training, dropped in each of many orders.
#[test]
fn any_order() -> Result<()> {
    let mut seed = 1u64;
    for _ in 0..50 {
        let ctx = Context::builder().threads(1).build()?;
        let (model, x) = (net(&ctx)?, Tensor::ones(&ctx, DType::F32, [3, 4])?);
        let (policy, scaler) = (Policy::new(&ctx, DType::Bf16)?, Scaler::new(&ctx)?);
        let optimizer = Sgd::new().build(&ctx)?;
        optimizer.add_layer(&model)?;
        let average = Average::new(&optimizer, 0.9)?;
        let state = State::new(&ctx)?;
        state.add_layer("model", &model)?;
        state.add_average("average", &average)?;
        let (program, loss) = ctx.capture(|| {
            let loss = ctx.autocast(&policy, || model.forward(&x)?.mean(.., false))?.cast(DType::F32)?;
            loss.backward(&scaler, GradMode::Write)?;
            optimizer.step(&scaler)?;
            scaler.update()?;
            average.update()?;
            Ok(loss)
        })?;
        program.run()?;
        let mut all: Vec<Box<dyn std::any::Any>> = vec![
            Box::new(ctx), Box::new(model), Box::new(x), Box::new(policy), Box::new(scaler), Box::new(optimizer), Box::new(average), Box::new(state), Box::new(program), Box::new(loss),
        ];
        while !all.is_empty() {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            drop(all.swap_remove((seed >> 33) as usize % all.len()));
        }
    }
    Ok(())
}

#[test]
fn errors_and_panics_inside_closures_leave_everything_closed() -> Result<()> {
    let ctx = Context::new()?;
    let (x, wrong) = (Tensor::ones(&ctx, DType::F32, [2, 3])?, Tensor::ones(&ctx, DType::F32, [7])?);
    let policy = Policy::new(&ctx, DType::Bf16)?;
    for _ in 0..3 {
        let error = ctx.capture(|| ctx.autocast(&policy, || ctx.no_grad(|| x.add(&wrong)))).unwrap_err();
        assert_eq!(error.status(), Status::Shape);
        let panic = catch_unwind(AssertUnwindSafe(|| ctx.capture(|| ctx.autocast(&policy, || -> Result<Tensor> { panic!("in the middle") })))).unwrap_err();
        assert_eq!(*panic.downcast::<&str>().unwrap(), "in the middle");
        let error = ctx.autocast(&policy, || ctx.no_grad(|| x.matmul(&wrong))).unwrap_err();
        assert_eq!(error.status(), Status::Shape);
    }
    // Neither autocast nor a capture nor no-grad is open.
    let w = Tensor::ones(&ctx, DType::F32, [3, 2])?;
    w.set_requires_grad(true)?;
    let y = x.matmul(&w)?;
    assert_eq!((y.dtype(), y.to_vec::<f32>()?), (DType::F32, vec![3.0; 4]));
    y.sum(.., false)?.backward(None, GradMode::Write)?;
    assert_eq!(w.grad()?.to_vec::<f32>()?, [2.0; 6]);
    Ok(())
}

#[test]
fn captures_do_not_nest() -> Result<()> {
    let ctx = Context::new()?;
    let x = Tensor::ones(&ctx, DType::F32, [2])?;
    assert_eq!(ctx.capture(|| ctx.capture(|| x.neg()).map(|(_, y)| y)).unwrap_err().status(), Status::State);
    let (program, y) = ctx.capture(|| x.neg())?;
    program.run()?;
    assert_eq!(y.to_vec::<f32>()?, [-1.0; 2]);
    Ok(())
}

#[test]
fn tensors_born_in_a_capture_are_refused_afterwards() -> Result<()> {
    let ctx = Context::new()?;
    let x = Tensor::ones(&ctx, DType::F32, [2])?;
    let mut inside = None;
    let (program, _y) = ctx.capture(|| {
        let t = x.neg()?;
        inside = Some(t.clone());
        t.exp()
    })?;
    program.run()?;
    let inside = inside.unwrap();
    assert!(inside.to_vec::<f32>().is_err());
    assert!(inside.exp().is_err());
    assert!(inside.data().is_err() || inside.data()?.is_null());
    let mut lost = None;
    let _ = ctx.capture(|| -> Result<()> {
        lost = Some(x.neg()?);
        Err(Error::new(Status::Io, "mine"))
    });
    assert!(lost.unwrap().to_vec::<f32>().is_err());
    Ok(())
}

#[test]
fn handles_of_two_contexts_do_not_mix() -> Result<()> {
    let (a, b) = (Context::new()?, Context::new()?);
    let (x, y) = (Tensor::ones(&a, DType::F32, [2])?, Tensor::ones(&b, DType::F32, [2])?);
    assert_eq!(x.add(&y).unwrap_err().status(), Status::Context);
    assert_eq!(Linear::new(2, 2).build(&a)?.forward(&y).unwrap_err().status(), Status::Context);
    let other = Layer::custom(&a, move |_, _| Ok(vec![y.clone()]))?;
    assert_eq!(other.forward(&x).unwrap_err().status(), Status::Context);
    Ok(())
}

#[test]
fn messages_come_from_the_library() -> Result<()> {
    let ctx = Context::new()?;
    let error = Linear::new(0, 2).build(&ctx).unwrap_err();
    assert!(error.message().contains("in_features"), "{}", error);
    assert_eq!(ctx.last_error(), error.message());
    assert_eq!(error.to_string(), format!("MPT_ERROR_ARGUMENT: {}", error.message()));
    assert!(net(&ctx)?.parameter("no").unwrap_err().message().contains("a.weight"));
    assert_eq!(Tensor::ones(&ctx, DType::F32, [2])?.to_vec::<f64>().unwrap_err().status(), Status::DType);
    assert_eq!(Tensor::concat(&[] as &[Tensor], 0).unwrap_err().status(), Status::Argument);
    assert_eq!(State::new(&ctx)?.load("/nowhere/file").unwrap_err().status(), Status::Io);
    assert_eq!(Policy::new(&ctx, DType::F16)?.set_layer("a\0b", DType::F32).unwrap_err().status(), Status::Argument);
    assert!(Tensor::empty(&ctx, DType::F32, [1 << 40, 1 << 40]).is_err());
    assert!(Tensor::empty(&ctx, DType::F32, [1; 9]).is_err());
    assert!(Tensor::from_vec(&ctx, vec![1f32; 3], [2]).is_err());
    assert!(Tensor::from_vec_strided(&ctx, vec![1f32; 3], [2, 2], [2, 1]).is_err());
    Ok(())
}

struct Counted(Arc<AtomicUsize>);
impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn custom_layers_fail_panic_and_are_freed() -> Result<()> {
    let freed = Arc::new(AtomicUsize::new(0));
    let ctx = Context::new()?;
    let x = Tensor::ones(&ctx, DType::F32, [2])?;
    for kind in 0..5 {
        let (held, child) = (Counted(freed.clone()), Linear::new(2, 2).build(&ctx)?);
        let layer = Layer::custom(&ctx, move |me, inputs| {
            let _ = &held;
            match kind {
                0 => Ok(vec![child.forward(&inputs[0])?]),
                1 => Err(Error::new(Status::NotFound, "mine")),
                2 => panic!("mine"),
                3 => Ok(vec![]),
                _ => {
                    me.add("late", &child)?;
                    Ok(vec![])
                }
            }
        })?;
        let model = Layer::sequential(&ctx)?.with("custom", &layer)?;
        let result = catch_unwind(AssertUnwindSafe(|| model.forward(&x)));
        match kind {
            0 => assert_eq!(result.unwrap()?.shape(), [2]),
            1 => assert_eq!(result.unwrap().unwrap_err(), Error::new(Status::NotFound, "mine")),
            2 => assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "mine"),
            3 => assert_eq!(result.unwrap().unwrap_err().status(), Status::Argument),
            _ => assert_eq!(result.unwrap().unwrap_err().status(), Status::State),
        }
    }
    assert_eq!(freed.load(Ordering::SeqCst), 5);
    Ok(())
}

struct Op(Counted, u32);
impl CustomOp for Op {
    fn outputs(&self, inputs: &[(DType, Vec<i64>)]) -> Result<Vec<(DType, Vec<i64>)>> {
        assert!(self.1 != 1, "in outputs");
        Ok(if self.1 == 2 { vec![] } else { inputs[..1].to_vec() })
    }
    fn forward(&self, inputs: &[Buffer<'_>], outputs: &mut [BufferMut<'_>]) -> Result<()> {
        let _ = &self.0;
        match self.1 {
            3 => Err(Error::new(Status::Io, "mine")),
            4 => panic!("in forward"),
            5 => outputs[0].as_slice_mut::<f64>().map(|_| ()),
            _ => {
                outputs[0].as_slice_mut::<f32>()?.copy_from_slice(&inputs[0].to_vec::<f32>()?);
                Ok(())
            }
        }
    }
}

#[test]
fn custom_ops_fail_panic_and_are_freed() -> Result<()> {
    let freed = Arc::new(AtomicUsize::new(0));
    {
        let ctx = Context::new()?;
        // Strides that are not a row's: the op sees elements in logical order.
        let x = Tensor::from_slice(&ctx, &[1f32, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?.transpose(None)?;
        for kind in 0..6 {
            let result = catch_unwind(AssertUnwindSafe(|| ctx.custom_op("op", Op(Counted(freed.clone()), kind), &[&x], 1)));
            match kind {
                0 => assert_eq!(result.unwrap()?[0].to_vec::<f32>()?, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
                1 | 4 => assert!(result.is_err()),
                _ => assert!(result.unwrap().is_err()),
            }
        }
        let (program, y) = ctx.capture(|| Ok(ctx.custom_op("op", Op(Counted(freed.clone()), 0), &[&x], 1)?.remove(0)))?;
        drop(x);
        program.run()?;
        assert_eq!(y.numel(), 6);
        assert_eq!(freed.load(Ordering::SeqCst), 6);
    }
    assert_eq!(freed.load(Ordering::SeqCst), 7);
    Ok(())
}

#[derive(Clone)]
struct Tracking(Arc<AtomicI64>);
unsafe impl std::alloc::GlobalAlloc for Tracking {
    unsafe fn alloc(&self, layout: std::alloc::Layout) -> *mut u8 {
        self.0.fetch_add(layout.size() as i64, Ordering::SeqCst);
        std::alloc::System.alloc(layout)
    }
    unsafe fn dealloc(&self, data: *mut u8, layout: std::alloc::Layout) {
        self.0.fetch_sub(layout.size() as i64, Ordering::SeqCst);
        std::alloc::System.dealloc(data, layout)
    }
}

#[test]
fn hooks_are_called_and_memory_comes_back() -> Result<()> {
    let (held, errors) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = errors.clone();
    let ctx = Context::builder()
        .allocator(Tracking(held.clone()))
        .on_error(move |status, message| {
            assert_eq!(status, Status::Shape);
            assert!(!message.is_empty());
            counted.fetch_add(1, Ordering::SeqCst);
            panic!("a hook's panic goes nowhere");
        })
        .on_log(LogLevel::Debug, |_, _| {})
        .build()?;
    let x = Tensor::zeros(&ctx, DType::F32, [1000])?;
    assert!(held.load(Ordering::SeqCst) >= 4000);
    assert!(x.add(&Tensor::zeros(&ctx, DType::F32, [7])?).is_err());
    assert_eq!(errors.load(Ordering::SeqCst), 1);
    drop((x, ctx));
    assert_eq!(held.load(Ordering::SeqCst), 0);
    assert!(Context::builder().device(Device::Auto).allocator(std::alloc::System).build().is_err());
    Ok(())
}

#[test]
fn numbers_of_every_type_go_in_and_out() -> Result<()> {
    let ctx = Context::new()?;
    let values: Vec<f32> = (0..4000).map(|i| (i as f32 - 2000.0) * 1.37e-3 * 1.01f32.powi(i % 1500 - 700)).chain([0.0, -0.0, 65519.0, 65520.0, 1e-8, 6e-8, 5.96e-8, f32::INFINITY, 3.4e38]).collect();
    let x = Tensor::from_slice(&ctx, &values, [values.len() as i64])?;
    let (half, brain): (Vec<F16>, Vec<Bf16>) = (values.iter().map(|&v| F16::from_f32(v)).collect(), values.iter().map(|&v| Bf16::from_f32(v)).collect());
    assert_eq!(x.cast(DType::F16)?.to_vec::<F16>()?, half);
    assert_eq!(x.cast(DType::Bf16)?.to_vec::<Bf16>()?, brain);
    assert_eq!(x.cast(DType::F16)?.cast(DType::F32)?.to_vec::<f32>()?, half.iter().map(|h| h.to_f32()).collect::<Vec<_>>());
    let bytes: Vec<u8> = (0..=255).collect();
    let e4: Vec<F8E4M3> = bytes.iter().map(|&b| F8E4M3::from_bits(b)).collect();
    let e5: Vec<F8E5M2> = bytes.iter().map(|&b| F8E5M2::from_bits(b)).collect();
    let same = |t: Tensor, mine: Vec<f32>| -> Result<()> {
        for (a, b) in t.cast(DType::F32)?.to_vec::<f32>()?.iter().zip(mine) {
            assert!(a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()), "{} {}", a, b);
        }
        Ok(())
    };
    same(Tensor::from_slice(&ctx, &e4, [256])?, e4.iter().map(|v| v.to_f32()).collect())?;
    same(Tensor::from_slice(&ctx, &e5, [256])?, e5.iter().map(|v| v.to_f32()).collect())?;
    assert_eq!(Tensor::from_slice(&ctx, &[true, false], [2])?.logical_not()?.to_vec::<bool>()?, [false, true]);
    assert_eq!(Tensor::from_slice(&ctx, &[3f32, 1.0, 2.0], [3])?.sort(0, true)?.1.to_vec::<i64>()?, [0, 2, 1]);
    assert_eq!(Tensor::empty(&ctx, DType::F32, [0])?.to_vec::<f32>()?, []);
    Ok(())
}

#[test]
fn what_can_be_sent_is_send() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<Error>();
    sync::<Error>();
    send::<ContextBuilder>();
    send::<Linear>();
    send::<Adam>();
    send::<DType>();
    send::<Vec<Bf16>>();
}
