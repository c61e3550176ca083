//! Optimizers, and averages of what they train.

use std::borrow::Borrow;

use crate::error::{c_text, check, count, get, make};
use crate::handle::handle;
use crate::tensor::handles;
use crate::{sys, Group, Layer, Result, Scaler, Schedule, Tensor};

handle! {
    /// An update rule with its state; made by [`Sgd`](crate::Sgd), [`Adam`](crate::Adam) and so on.
    ///
    /// ```
    /// use mpt::{Adam, Context, DType, GradMode, LayerSpec, Linear, Reduction, Tensor};
    /// let ctx = Context::new()?;
    /// let layer = Linear::new(2, 1).build(&ctx)?;
    /// let optimizer = Adam::new().lr(0.05).build(&ctx)?;
    /// optimizer.add_layer(&layer)?;
    /// let x = Tensor::from_slice(&ctx, &[0f32, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [4, 2])?;
    /// let y = Tensor::from_slice(&ctx, &[0f32, 1.0, 1.0, 2.0], [4, 1])?;
    /// for _ in 0..300 {
    ///     layer.forward(&x)?.mse(&y, Reduction::Mean)?.backward(None, GradMode::Write)?;
    ///     optimizer.step(None)?;
    /// }
    /// assert!(layer.forward(&x)?.mse(&y, Reduction::Mean)?.item()? < 0.01);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    Optimizer, mpt_optimizer, mpt_optimizer_retain, mpt_optimizer_release
}
handle! {
    /// An exponential moving average of an optimizer's parameters.
    Average, mpt_average, mpt_average_retain, mpt_average_release
}
crate::handle::plain_debug!(Optimizer, Average);

/// Steps of an optimizer since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepCounts {
    /// Steps done.
    pub stepped: i64,
    /// Steps left out because a gradient was not finite.
    pub skipped: i64,
}

impl Optimizer {
    /// A group of leaf parameters of one element type under a name that checkpoints use. Not inside a capture.
    pub fn add_group<'d>(&self, name: &str, parameters: &[impl Borrow<Tensor>], group: impl Into<Option<&'d Group>>) -> Result<()> {
        let (name, parameters, group) = (c_text(name)?, handles(parameters), group.into().map(|g| g.desc()));
        // SAFETY: all are alive, and as many as told.
        check(unsafe {
            sys::mpt_optimizer_add_group(
                self.raw(),
                name.as_ptr(),
                parameters.as_ptr(),
                count(parameters.len()),
                group.as_ref().map_or(std::ptr::null(), |g| g),
            )
        })
    }

    /// A group "layer" of all parameters of a layer. Not inside a capture.
    pub fn add_layer(&self, layer: &Layer) -> Result<()> {
        // SAFETY: both are alive.
        check(unsafe { sys::mpt_optimizer_add_layer(self.raw(), layer.raw()) })
    }

    /// The rate from the next step on, in captured programs too. Not inside a capture.
    pub fn set_lr(&self, lr: f64) -> Result<()> {
        // SAFETY: the optimizer is alive.
        check(unsafe { sys::mpt_optimizer_set_lr(self.raw(), lr) })
    }

    /// The rate that the last step used, schedule included. Synchronises. Not inside a capture.
    pub fn lr(&self) -> Result<f64> {
        // SAFETY: the optimizer is alive.
        get(|out| unsafe { sys::mpt_optimizer_lr(self.raw(), out) })
    }

    /// Clips by the norm of all gradients together; 0: no clipping. Not inside a capture.
    pub fn set_clip_norm(&self, max_norm: f64) -> Result<()> {
        // SAFETY: the optimizer is alive.
        check(unsafe { sys::mpt_optimizer_set_clip_norm(self.raw(), max_norm) })
    }

    /// Clips each element of the unscaled gradients; 0: no clipping. Not inside a capture.
    pub fn set_clip_value(&self, max_value: f64) -> Result<()> {
        // SAFETY: the optimizer is alive.
        check(unsafe { sys::mpt_optimizer_set_clip_value(self.raw(), max_value) })
    }

    /// The rate is multiplied by a factor of the step count, found on the device; `None`: it is not. Not inside a capture.
    pub fn set_schedule<'d>(&self, schedule: impl Into<Option<&'d Schedule>>) -> Result<()> {
        let schedule = schedule.into().map(|s| s.desc());
        // SAFETY: the description outlives the call.
        check(unsafe { sys::mpt_optimizer_set_schedule(self.raw(), schedule.as_ref().map_or(std::ptr::null(), |s| s)) })
    }

    /// Sets all gradients to zero. Not needed with [`GradMode::Write`](crate::GradMode::Write).
    pub fn zero_grad(&self) -> Result<()> {
        // SAFETY: the optimizer is alive.
        check(unsafe { sys::mpt_optimizer_zero_grad(self.raw()) })
    }

    /// Divides the gradients by the scale and looks for non-finite ones, so that the host can look at true gradients before the step.
    pub fn unscale(&self, scaler: &Scaler) -> Result<()> {
        // SAFETY: both are alive.
        check(unsafe { sys::mpt_optimizer_unscale(self.raw(), scaler.raw()) })
    }

    /// Unscales unless done, checks, clips, then steps or skips, all on the device. Without a scaler: no scale and no check.
    pub fn step<'s>(&self, scaler: impl Into<Option<&'s Scaler>>) -> Result<()> {
        let scaler = scaler.into().map_or(std::ptr::null_mut(), |s| s.raw());
        // SAFETY: scaler is null or alive.
        check(unsafe { sys::mpt_optimizer_step(self.raw(), scaler) })
    }

    /// Steps done and skipped since the start. Synchronises. Not inside a capture.
    pub fn counts(&self) -> Result<StepCounts> {
        let mut c = StepCounts::default();
        // SAFETY: the optimizer is alive.
        check(unsafe { sys::mpt_optimizer_counts(self.raw(), &mut c.stepped, &mut c.skipped) })?;
        Ok(c)
    }

    /// The norm of all gradients at the last step with clipping or a scaler, before clipping; NaN before. Synchronises. Not inside a capture.
    pub fn grad_norm(&self) -> Result<f64> {
        // SAFETY: the optimizer is alive.
        get(|out| unsafe { sys::mpt_optimizer_grad_norm(self.raw(), out) })
    }
}

impl Average {
    /// An average that starts as the parameters are now; decay is from `0.0..1.0`. Not inside a capture.
    pub fn new(optimizer: &Optimizer, decay: f64) -> Result<Average> {
        // SAFETY: the optimizer is alive.
        let raw = make(|out| unsafe { sys::mpt_average_create(optimizer.raw(), decay, out) })?;
        // SAFETY: an owned handle of this context.
        Ok(unsafe { Average::from_raw(raw, optimizer.context().shared()) })
    }

    /// Moves the average, where the optimizer has stepped since the last update.
    pub fn update(&self) -> Result<()> {
        // SAFETY: the average is alive.
        check(unsafe { sys::mpt_average_update(self.raw()) })
    }

    /// Exchanges averages and parameters: before an evaluation, and again behind it. Not inside a capture.
    pub fn swap(&self) -> Result<()> {
        // SAFETY: the average is alive.
        check(unsafe { sys::mpt_average_swap(self.raw()) })
    }
}
