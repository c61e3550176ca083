//! Mixed-precision training: f16, bf16, fp8 and f32 with master weights, autocast, loss scaling and captured training steps.
//!
//! ```
//! use mpt::{Context, DType, GradMode, LayerSpec, Linear, Policy, Reduction, Scaler, Sgd, Tensor};
//!
//! fn main() -> mpt::Result<()> {
//!     let ctx = Context::new()?;
//!     let model = Linear::new(1, 1).build(&ctx)?;
//!     let policy = Policy::new(&ctx, DType::F16)?;
//!     let scaler = Scaler::new(&ctx)?;
//!     let optimizer = Sgd::new().lr(0.1).build(&ctx)?;
//!     optimizer.add_layer(&model)?;
//!
//!     let x = Tensor::empty(&ctx, DType::F32, [64, 1])?;
//!     x.random_uniform(-1.0, 1.0)?;
//!     let y = x.affine(3.0, 2.0)?;
//!
//!     // Recorded once, planned as a whole, then replayed without an allocation.
//!     let (step, loss) = ctx.capture(|| {
//!         let loss = ctx.autocast(&policy, || model.forward(&x)?.mse(&y, Reduction::Mean))?;
//!         loss.backward(&scaler, GradMode::Write)?; // gradients of scale * loss
//!         optimizer.step(&scaler)?; // skipped where one of them overflowed
//!         scaler.update()?; // then with a lower scale
//!         Ok(loss)
//!     })?;
//!     for _ in 0..200 {
//!         step.run()?;
//!     }
//!     assert!(loss.item()? < 0.01);
//!     Ok(())
//! }
//! ```
//!
//! A [`Context`] is a device with its memory and settings; everything else is made in one and keeps it alive, so handles may be dropped
//! in any order. [`Tensor`] has the operations, [`Layer`] the networks; the builders ([`Linear`], [`Conv2d`], [`Adam`] and so on) have the settings of
//! layers and optimizers. Every call that can fail gives a [`Result`] whose [`Error`] says what was wrong and what to do.
//!
//! # Threads
//!
//! A context, with everything made from it, belongs to the thread that made it: handles are neither `Send` nor `Sync`, and the compiler sees to
//! it. Builders, element types and errors are `Send`. Different contexts are independent: a thread makes its own. A context can go to another thread
//! with everything that was made from it, see [`Sending`].
//!
//! # Panics in closures
//!
//! A panic in a closure that mpt calls on this thread ends a capture or a pair of begin and end properly and goes on from the call that ran the closure. In a custom op
//! on another thread it becomes an error.
//!
//! Custom ops, allocators and hooks run in the middle of a call: if they call mpt (by a handle in a `thread_local!`, or a context of their own), that panics.
#![warn(missing_docs)]
#![allow(clippy::too_many_arguments)]

pub use mpt_sys as sys;

mod callback;
mod context;
mod custom_op;
mod element;
mod error;
mod generated;
mod handle;
mod layer;
mod optimizer;
mod precision;
mod program;
mod sending;
mod state;
mod tensor;

pub use context::{Context, ContextBuilder, ContextMemory, Outputs};
pub use custom_op::{Buffer, BufferMut, CustomOp};
pub use element::{Bf16, Element, F8E4M3, F8E5M2, F16};
pub use error::{Error, Result};
pub use generated::*;
pub use layer::{Layer, LayerSpec, NamedTensors};
pub use optimizer::{Average, Optimizer, StepCounts};
pub use precision::{Policy, Scaler, ScalerCounts};
pub use program::{Program, ProgramMemory};
pub use sending::{Handles, Sending};
pub use state::State;
pub use tensor::{Dims, Tensor};

/// The most dimensions that a tensor can have.
pub const MAX_DIMS: usize = sys::MPT_MAX_DIMS as usize;

/// The version of the library in use: major * 10000 + minor * 100 + patch.
pub fn version() -> u32 {
    // SAFETY: no arguments.
    unsafe { sys::mpt_version() }
}

/// Sizes for height and width: `3`, or `(3, 5)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(i32, i32);

impl From<i32> for Pair {
    fn from(both: i32) -> Pair {
        Pair(both, both)
    }
}
impl From<(i32, i32)> for Pair {
    fn from((height, width): (i32, i32)) -> Pair {
        Pair(height, width)
    }
}
