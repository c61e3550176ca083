//! Autocast policies and loss scalers.

use crate::error::{c_text, check, get, make, text};
use crate::handle::handle;
use crate::{sys, Context, DType, Fp8, Result, Role, Scaling};

handle! {
    /// What autocast does: which products run in which element type. See [`Context::autocast`].
    Policy, mpt_policy, mpt_policy_retain, mpt_policy_release
}
handle! {
    /// A loss scaler: it keeps small gradients of f16 alive and skips steps whose gradients overflowed.
    ///
    /// ```
    /// let ctx = mpt::Context::new()?;
    /// let scaler = mpt::Scaling::new().initial_scale(1024.0).build(&ctx)?;
    /// assert_eq!(scaler.scale()?, 1024.0);
    /// assert_eq!(mpt::Scaler::new(&ctx)?.scale()?, 65536.0);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    Scaler, mpt_scaler, mpt_scaler_retain, mpt_scaler_release
}
crate::handle::plain_debug!(Policy, Scaler);

impl Policy {
    /// A policy that runs products in that type (f32, f16 or bf16) and what needs range in f32.
    pub fn new(ctx: &Context, dtype: DType) -> Result<Policy> {
        // SAFETY: the context is alive.
        let raw = make(|out| unsafe { sys::mpt_policy_create(ctx.raw(), dtype.raw(), out) })?;
        // SAFETY: an owned handle of this context.
        Ok(unsafe { Policy::from_raw(raw, ctx.shared()) })
    }

    /// The products of layers whose path matches the pattern ('\*' any text, '?' any character) run in that type; the last match counts.
    pub fn set_layer(&self, pattern: &str, dtype: DType) -> Result<()> {
        let pattern = c_text(pattern)?;
        // SAFETY: the pattern ends with a zero.
        check(unsafe { sys::mpt_policy_set_layer(self.raw(), pattern.as_ptr(), dtype.raw()) })
    }

    /// Linear layers and convolutions run in fp8 by this recipe; `None`: by the defaults.
    pub fn set_fp8<'d>(&self, recipe: impl Into<Option<&'d Fp8>>) -> Result<()> {
        let recipe = recipe.into().map(|r| r.desc());
        // SAFETY: the description outlives the call.
        check(unsafe { sys::mpt_policy_set_fp8(self.raw(), recipe.as_ref().map_or(std::ptr::null(), |r| r)) })
    }

    /// The operation of that name (see [`describe`](Policy::describe)) runs in that type; "custom": all custom ones.
    pub fn set_op(&self, op: &str, dtype: DType) -> Result<()> {
        let op = c_text(op)?;
        // SAFETY: the name ends with a zero.
        check(unsafe { sys::mpt_policy_set_op(self.raw(), op.as_ptr(), dtype.raw()) })
    }

    /// Products in that role run in that type.
    pub fn set_role(&self, role: Role, dtype: DType) -> Result<()> {
        // SAFETY: the policy is alive.
        check(unsafe { sys::mpt_policy_set_role(self.raw(), role.raw(), dtype.raw()) })
    }

    /// The lists of operations and the overrides, as text.
    pub fn describe(&self) -> Result<String> {
        // SAFETY: the buffer has the size that is told.
        text(|buffer, n, needed| unsafe { sys::mpt_policy_describe(self.raw(), buffer, n, needed) })
    }
}

/// Updates of a scaler since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScalerCounts {
    /// Iterations whose gradients were finite.
    pub good: i64,
    /// Iterations with a gradient that was not.
    pub bad: i64,
    /// Backoffs that were held at the least scale.
    pub at_minimum: i64,
}

impl Scaler {
    /// A scaler with the defaults; [`Scaling`] has all the settings.
    pub fn new(ctx: &Context) -> Result<Scaler> {
        Scaling::new().build(ctx)
    }

    /// Moves the scale by what the optimizers found; once per iteration, after all of them.
    pub fn update(&self) -> Result<()> {
        // SAFETY: the scaler is alive.
        check(unsafe { sys::mpt_scaler_update(self.raw()) })
    }

    /// The scale now. Synchronises. Not inside a capture.
    pub fn scale(&self) -> Result<f64> {
        // SAFETY: the scaler is alive.
        get(|out| unsafe { sys::mpt_scaler_scale(self.raw(), out) })
    }

    /// Counts of updates since the start. Synchronises. Not inside a capture.
    pub fn counts(&self) -> Result<ScalerCounts> {
        let mut c = ScalerCounts::default();
        // SAFETY: the scaler is alive.
        check(unsafe { sys::mpt_scaler_counts(self.raw(), &mut c.good, &mut c.bad, &mut c.at_minimum) })?;
        Ok(c)
    }
}
