//! What safe code could try: none of it may touch memory that is gone, or enter C where it is not ready. `test.sh ... valgrind` looks on.
// Older versions of clippy take thread-local constants for constants.
#![allow(clippy::declare_interior_mutable_const)]

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, panic_any, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use mpt::*;

thread_local! {
    static KEPT: RefCell<Option<Tensor>> = const { RefCell::new(None) };
    static SEEN: Cell<u32> = const { Cell::new(0) };
}

/// Panics again when it is dropped, as the payload of a panic can.
struct Bomb;
impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic_any(()); // of no size: whoever catches it may forget it
        }
    }
}

/// Panics with it where it is dropped.
struct Worse;
impl Drop for Worse {
    fn drop(&mut self) {
        panic_any(Bomb);
    }
}

struct Reaching;
impl CustomOp for Reaching {
    fn forward(&self, inputs: &[Buffer<'_>], outputs: &mut [BufferMut<'_>]) -> Result<()> {
        let x = inputs[0].as_slice::<f32>()?;
        let before = x[0];
        // The same memory, through a handle: it would change under the slice.
        let reached = catch_unwind(AssertUnwindSafe(|| KEPT.with(|kept| kept.borrow().as_ref().unwrap().fill(7.0))));
        assert!(reached.is_err());
        assert!(catch_unwind(|| Context::new().unwrap().threads()).is_err());
        KEPT.with(|kept| drop(kept.borrow_mut().take()));
        SEEN.with(|seen| seen.set(seen.get() + 1));
        assert_eq!(x[0], before);
        outputs[0].as_slice_mut::<f32>()?.fill(before);
        Ok(())
    }
}

#[test]
fn custom_ops_cannot_reach_mpt() -> Result<()> {
    let ctx = Context::new()?;
    let x = Tensor::ones(&ctx, DType::F32, [4])?;
    KEPT.with(|kept| *kept.borrow_mut() = Some(x.clone()));
    let y = ctx.custom_op("reaching", Reaching, &[&x], 1)?.remove(0);
    assert_eq!((y.to_vec::<f32>()?, SEEN.with(|seen| seen.get())), (vec![1.0; 4], 1));
    x.fill(2.0)?; // open again
    assert_eq!(x.to_vec::<f32>()?, [2.0; 4]);
    Ok(())
}

#[test]
fn hooks_cannot_reach_mpt() -> Result<()> {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let ctx = Context::builder()
        .on_error(move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            KEPT.with(|kept| {
                let reached = catch_unwind(AssertUnwindSafe(|| kept.borrow().as_ref().unwrap().neg())).is_ok();
                drop(kept.borrow_mut().take());
                if reached {
                    counted.fetch_add(100, Ordering::SeqCst); // an assertion would not be heard here
                }
            });
            panic_any(Bomb);
        })
        .build()?;
    let x = Tensor::ones(&ctx, DType::F32, [4])?;
    let other = Tensor::ones(&ctx, DType::F32, [5])?;
    KEPT.with(|kept| *kept.borrow_mut() = Some(other));
    assert!(x.matmul(&x.reshape([2, 2])?).is_err());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    Ok(())
}

#[test]
fn payloads_that_panic_stay_in_rust() -> Result<()> {
    struct Exploding(Bomb);
    impl CustomOp for Exploding {
        fn forward(&self, _: &[Buffer<'_>], _: &mut [BufferMut<'_>]) -> Result<()> {
            let _ = &self.0;
            panic_any(Bomb)
        }
    }
    let ctx = Context::new()?;
    let x = Tensor::ones(&ctx, DType::F32, [4])?;
    let payload = catch_unwind(AssertUnwindSafe(|| ctx.custom_op("bomb", Exploding(Bomb), &[&x], 1))).unwrap_err();
    std::mem::forget(payload);
    let bomb = Worse;
    let layer = Layer::custom(&ctx, move |_, inputs| {
        let _ = &bomb;
        Ok(inputs.to_vec())
    })?;
    layer.forward(&x)?;
    drop(layer); // and with it the closure, inside of a release
    assert_eq!(x.to_vec::<f32>()?, [1.0; 4]);
    Ok(())
}

/// Its drop, when C frees the graph that it is in, drops the last handle of another context with a graph of its own.
struct Dropping;
impl Drop for Dropping {
    fn drop(&mut self) {
        KEPT.with(|kept| drop(kept.borrow_mut().take()));
    }
}
impl CustomOp for Dropping {
    fn forward(&self, inputs: &[Buffer<'_>], outputs: &mut [BufferMut<'_>]) -> Result<()> {
        outputs[0].as_slice_mut::<f32>()?.copy_from_slice(inputs[0].as_slice::<f32>()?);
        Ok(())
    }
    fn has_gradient(&self) -> bool {
        true
    }
}

struct Counting(Arc<AtomicUsize>, String);
unsafe impl std::alloc::GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: std::alloc::Layout) -> *mut u8 {
        std::alloc::System.alloc(layout)
    }
    unsafe fn dealloc(&self, data: *mut u8, layout: std::alloc::Layout) {
        assert_eq!(self.1, "the allocator of the second context");
        self.0.fetch_add(1, Ordering::SeqCst);
        std::alloc::System.dealloc(data, layout)
    }
}

#[test]
fn contexts_go_when_c_has_come_back() -> Result<()> {
    let freed = Arc::new(AtomicUsize::new(0));
    let allocator = Counting(freed.clone(), "the allocator of the second context".to_string());
    let (a, b) = (Context::new()?, Context::builder().allocator(allocator).build()?);
    let w = Tensor::ones(&b, DType::F32, [100])?;
    w.set_requires_grad(true)?;
    let mut deep = w.square()?;
    for _ in 0..10 {
        deep = deep.exp()?.neg()?;
    }
    KEPT.with(|kept| *kept.borrow_mut() = Some(deep));
    drop((w, b));
    let x = Tensor::ones(&a, DType::F32, [2])?;
    x.set_requires_grad(true)?;
    let y = a.custom_op("dropping", Dropping, &[&x], 1)?.remove(0).neg()?;
    assert_eq!(freed.load(Ordering::SeqCst), 0);
    drop(y);
    assert!(KEPT.with(|kept| kept.borrow().is_none()));
    assert!(freed.load(Ordering::SeqCst) > 0);
    Ok(())
}

/// Its `borrow` gives two tensors in turn, of two contexts.
struct Fickle(Tensor, Tensor, Cell<bool>);
impl std::borrow::Borrow<Tensor> for Fickle {
    fn borrow(&self) -> &Tensor {
        self.2.set(!self.2.get());
        if self.2.get() { &self.0 } else { &self.1 }
    }
}

#[test]
fn a_list_is_looked_at_once() -> Result<()> {
    let (a, b) = (Context::builder().threads(1).build()?, Context::builder().threads(2).build()?);
    let list = [Fickle(Tensor::ones(&a, DType::F32, [1])?, Tensor::ones(&b, DType::F32, [1])?, Cell::new(false))];
    let joined = Tensor::concat(&list, 0)?;
    // What keeps it alive is the context that it is of: an operation with that context's tensors works.
    let of = joined.context();
    joined.add(&Tensor::ones(&of, DType::F32, [1])?)?;
    Ok(())
}

#[test]
fn sizes_that_overflow_are_errors() -> Result<()> {
    let ctx = Context::new()?;
    let one = Tensor::ones(&ctx, DType::F32, [1])?;
    for shape in [vec![1i64 << 40, 1 << 40], vec![-1], vec![i64::MAX], vec![i64::MAX, 2], vec![1 << 62, 4], vec![-2, -2], vec![i64::MIN, i64::MIN]] {
        assert!(Tensor::empty(&ctx, DType::F32, &shape).is_err(), "{:?}", shape);
        assert!(Tensor::from_vec(&ctx, Vec::<f32>::new(), &shape).is_err(), "{:?}", shape);
        assert!(Tensor::from_vec(&ctx, vec![1f32; 4], &shape).is_err(), "{:?}", shape);
        if let Ok(wide) = one.expand(&shape) {
            assert!(wide.to_vec::<f32>().is_err(), "{:?}", shape);
        }
    }
    assert_eq!(one.expand([1 << 45])?.to_vec::<f32>().unwrap_err().status(), Status::Memory);
    for strides in [[i64::MAX, 1], [-1, 1], [2, i64::MIN]] {
        assert!(Tensor::from_vec_strided(&ctx, vec![1f32; 4], [2, 2], strides).is_err());
    }
    let wide = Tensor::from_vec_strided(&ctx, vec![1f32; 4], [3, 4], [0, 1])?;
    assert_eq!(wide.sum(.., false)?.item()?, 12.0);
    assert!(Layer::relu(&ctx)?.forward_many(&[&one], 1 << 40).is_err());
    Ok(())
}

struct Shapes(Vec<(DType, Vec<i64>)>);
impl CustomOp for Shapes {
    fn outputs(&self, _: &[(DType, Vec<i64>)]) -> Result<Vec<(DType, Vec<i64>)>> {
        Ok(self.0.clone())
    }
    fn forward(&self, _: &[Buffer<'_>], _: &mut [BufferMut<'_>]) -> Result<()> {
        Ok(())
    }
}

#[test]
fn custom_ops_cannot_lie_about_shapes() -> Result<()> {
    let ctx = Context::new()?;
    let x = Tensor::ones(&ctx, DType::F32, [4])?;
    for shape in [vec![-1], vec![i64::MAX], vec![1 << 40, 1 << 40], vec![1; 9]] {
        assert!(ctx.custom_op("lie", Shapes(vec![(DType::F32, shape)]), &[&x], 1).is_err());
    }
    assert!(ctx.custom_op("lie", Shapes(vec![(DType::None, vec![1])]), &[&x], 1).is_err());
    assert!(ctx.custom_op("none", Shapes(vec![]), &[] as &[Tensor], 0).is_err());
    assert!(ctx.custom_op("zero\0", Shapes(vec![(DType::F32, vec![1])]), &[&x], 1).is_err());
    assert!(ctx.custom_op("many", Shapes(vec![(DType::F32, vec![1])]), &[&x], 1 << 40).is_err());
    // Failures in a capture that has failed already free the op once.
    let result = ctx.capture(|| {
        assert!(x.reshape([3]).is_err());
        assert!(ctx.custom_op("late", Shapes(vec![(DType::F32, vec![1])]), &[&x], 1).is_err());
        Ok(())
    });
    assert!(result.is_err());
    Ok(())
}

/// Everything that a custom layer's closure can call in the middle of a model's forward.
#[test]
fn custom_layers_may_call_everything() -> Result<()> {
    let ctx = Context::new()?;
    let x = Tensor::ones(&ctx, DType::F32, [2, 4])?;
    for kind in 0..12 {
        let inner = Linear::new(4, 4).build(&ctx)?;
        let (program, _) = ctx.capture(|| inner.forward(&x))?;
        let optimizer = Sgd::new().build(&ctx)?;
        optimizer.add_layer(&inner)?;
        let (context, outside) = (ctx.clone(), x.clone());
        let layer = Layer::custom(&ctx, move |me, inputs| {
            let y = inner.forward(&inputs[0])?;
            match kind {
                0 => drop(context.capture(|| inner.forward(&outside))?),
                1 => context.trim()?,
                2 => program.run()?,
                3 => y.sum(.., false)?.backward(None, GradMode::Write)?,
                4 => {
                    y.sum(.., false)?.backward(None, GradMode::Write)?;
                    optimizer.step(None)?;
                }
                5 => me.set_training(false)?,
                6 => inner.freeze(true)?,
                7 => context.no_grad(|| outside.fill(3.0))?,
                8 => drop(context.autocast(None, || inner.forward(&inputs[0]))?),
                9 => State::new(&context)?.add_layer("me", me)?,
                10 => assert!(me.add("me", me).is_err()),
                _ => context.seed(3)?,
            }
            Ok(vec![y])
        })?;
        let model = Layer::sequential(&ctx)?.with("one", Linear::new(4, 4))?.with("custom", &layer)?.with("two", Linear::new(4, 2))?;
        assert_eq!(model.forward(&x)?.shape(), [2, 2], "{}", kind);
        // And recorded: what cannot be recorded fails, and the capture is closed.
        let recorded = ctx.capture(|| model.forward(&x));
        assert_eq!(x.neg()?.to_vec::<f32>()?.len(), 8, "{}", kind);
        drop(recorded);
    }
    Ok(())
}

#[test]
fn layers_do_not_contain_themselves() -> Result<()> {
    let ctx = Context::new()?;
    let (a, b) = (Layer::sequential(&ctx)?, Layer::sequential(&ctx)?);
    assert!(a.add("a", &a).is_err());
    a.add("b", &b)?;
    assert!(b.add("a", &a).is_err());
    Ok(())
}

/// Handles in a `thread_local!` go when C's own messages of the thread are gone already.
#[test]
fn a_thread_may_end_with_handles() {
    struct Last(Tensor, Tensor);
    impl Drop for Last {
        fn drop(&mut self) {
            for _ in 0..3 {
                assert!(self.0.add(&self.1).is_err());
            }
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let thread = std::thread::spawn(|| -> Result<()> {
        LAST.with(|last| assert!(last.borrow().is_none())); // registered before the first message
        let ctx = Context::new()?;
        let (a, b) = (Tensor::ones(&ctx, DType::F32, [2])?, Tensor::ones(&ctx, DType::F32, [3])?);
        assert!(a.add(&b).is_err());
        LAST.with(|last| *last.borrow_mut() = Some(Last(a, b)));
        Ok(())
    });
    thread.join().unwrap().unwrap();
}

#[test]
fn handles_of_a_capture_may_stay_anywhere() -> Result<()> {
    let ctx = Context::new()?;
    let x = Tensor::ones(&ctx, DType::F32, [3])?;
    let mut list = Vec::new();
    for i in 0..20 {
        let made = ctx.capture(|| {
            let y = x.exp()?.neg()?;
            list.push(y.clone());
            if i % 3 == 0 { Err(Error::new(Status::Io, "mine")) } else { Ok((y, (x.neg()?, vec![x.clone()]))) }
        });
        if let Ok((program, outputs)) = made {
            program.run()?;
            drop(program);
            outputs.1 .0.to_vec::<f32>()?;
        }
    }
    for t in &list {
        let _ = (t.to_vec::<f32>(), t.neg(), t.data(), t.shape(), t.grad(), t.copy_from(&x), x.copy_from(t));
    }
    Ok(())
}

#[test]
fn a_context_goes_to_another_thread_as_a_whole() -> Result<()> {
    let ctx = Context::new()?;
    let model = Layer::sequential(&ctx)?.with("a", Linear::new(4, 8))?.with("b", Linear::new(8, 1))?;
    let optimizer = Adam::new().build(&ctx)?;
    optimizer.add_layer(&model)?;
    let x = Tensor::from_vec(&ctx, vec![1f32; 8], [2, 4])?;
    let (step, loss) = ctx.capture(|| {
        let loss = model.forward(&x)?.mean(.., false)?;
        loss.backward(None, GradMode::Write)?;
        optimizer.step(None)?;
        Ok(loss)
    })?;
    step.run()?;
    let first = loss.item()?;
    let left = x.clone();
    let error = Sending::new((ctx.clone(), vec![x.clone()])).unwrap_err();
    assert_eq!(error.status(), Status::State);
    assert!(error.message().contains("handles"), "{}", error);
    drop(left);
    let parameters: Vec<(String, Tensor)> = model.parameters()?.collect();
    let packed = Sending::new((ctx, model, optimizer, Some(x), [loss], step, parameters))?;
    let (packed, last) = std::thread::spawn(move || -> Result<_> {
        let (ctx, model, optimizer, x, [loss], step, parameters) = packed.unpack();
        for _ in 0..50 {
            step.run()?;
        }
        assert_eq!(parameters[0].0, "a.weight");
        let last = loss.item()?;
        // Back again, with what was made here.
        let y = model.forward(x.as_ref().unwrap())?;
        Ok((Sending::new((ctx, model, optimizer, x, loss, step, parameters, y))?, last))
    })
    .join()
    .unwrap()?;
    assert!(last < first);
    let unpacked = packed.unpack();
    assert_eq!(unpacked.7.shape(), [2, 1]);
    // A closure that is not Send stays where it is.
    let layer = Layer::custom(&unpacked.0, |_, inputs| Ok(inputs.to_vec()))?;
    drop(layer);
    let ctx = unpacked.0.clone();
    drop(unpacked);
    let layer = Layer::custom(&ctx, |_, inputs| Ok(inputs.to_vec()))?;
    let error = Sending::new((ctx, layer)).unwrap_err();
    assert!(error.message().contains("custom layers"), "{}", error);
    Ok(())
}
