//! Checkpoints.

use std::ffi::CString;
use std::io::{Read, Write};
use std::os::raw::{c_int, c_void};
use std::path::Path;

use crate::error::{c_text, check, get, make};
use crate::handle::handle;
use crate::{sys, Average, Context, Error, Layer, Optimizer, Policy, Result, Scaler, Status, Tensor};

handle! {
    /// Named tensors on their way to or from a checkpoint, a safetensors file. Where a function takes a prefix, "" means none.
    ///
    /// ```
    /// use mpt::{Context, LayerSpec, Linear, State};
    /// let ctx = Context::new()?;
    /// let (a, b) = (Linear::new(3, 2).build(&ctx)?, Linear::new(3, 2).build(&ctx)?);
    /// let (from, to) = (State::new(&ctx)?, State::new(&ctx)?);
    /// from.add_layer("model", &a)?;
    /// to.add_layer("model", &b)?;
    /// let mut file = Vec::new();
    /// from.save_to(&mut file)?;
    /// to.load_from(&file[..])?;
    /// assert_eq!(a.parameter("weight")?.to_vec::<f32>()?, b.parameter("weight")?.to_vec::<f32>()?);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    State, mpt_state, mpt_state_retain, mpt_state_release
}
crate::handle::plain_debug!(State);

unsafe extern "C" fn collect(data: *const c_void, nbytes: usize, user: *mut c_void) -> c_int {
    let bytes = &mut *(user as *mut Vec<u8>);
    if bytes.try_reserve(nbytes).is_err() {
        return 1;
    }
    if nbytes > 0 {
        bytes.extend_from_slice(std::slice::from_raw_parts(data.cast(), nbytes));
    }
    0
}

unsafe extern "C" fn supply(data: *mut c_void, nbytes: usize, user: *mut c_void) -> c_int {
    let rest = &mut *(user as *mut &[u8]);
    if nbytes > rest.len() {
        return 1;
    }
    if nbytes > 0 {
        let (now, later) = rest.split_at(nbytes);
        std::ptr::copy_nonoverlapping(now.as_ptr(), data.cast(), nbytes);
        *rest = later;
    }
    0
}

fn c_path(path: &Path) -> Result<CString> {
    c_text(path.to_str().ok_or_else(|| Error::new(Status::Argument, format!("the path {} is not UTF-8", path.display())))?)
}

impl State {
    /// An empty list of things to save or load. It keeps what is added alive.
    pub fn new(ctx: &Context) -> Result<State> {
        // SAFETY: the context is alive.
        let raw = make(|out| unsafe { sys::mpt_state_create(ctx.raw(), out) })?;
        // SAFETY: an owned handle of this context.
        Ok(unsafe { State::from_raw(raw, ctx.shared()) })
    }

    /// Adds a tensor under its name, which is unique in the state.
    pub fn add_tensor(&self, name: &str, tensor: &Tensor) -> Result<()> {
        let name = c_text(name)?;
        // SAFETY: both are alive; the text ends with a zero, here and below.
        check(unsafe { sys::mpt_state_add_tensor(self.raw(), name.as_ptr(), tensor.raw()) })
    }

    /// Adds the parameters and buffers of a layer as "prefix.name".
    pub fn add_layer(&self, prefix: &str, layer: &Layer) -> Result<()> {
        let prefix = c_text(prefix)?;
        // SAFETY: as above.
        check(unsafe { sys::mpt_state_add_layer(self.raw(), prefix.as_ptr(), layer.raw()) })
    }

    /// Adds masters, moments, step counts and rates as "prefix.group.index.slot". Not inside a capture.
    pub fn add_optimizer(&self, prefix: &str, optimizer: &Optimizer) -> Result<()> {
        let prefix = c_text(prefix)?;
        // SAFETY: as above.
        check(unsafe { sys::mpt_state_add_optimizer(self.raw(), prefix.as_ptr(), optimizer.raw()) })
    }

    /// Adds scale and counters as "prefix.slot".
    pub fn add_scaler(&self, prefix: &str, scaler: &Scaler) -> Result<()> {
        let prefix = c_text(prefix)?;
        // SAFETY: as above.
        check(unsafe { sys::mpt_state_add_scaler(self.raw(), prefix.as_ptr(), scaler.raw()) })
    }

    /// Adds the averages as "prefix.group.index".
    pub fn add_average(&self, prefix: &str, average: &Average) -> Result<()> {
        let prefix = c_text(prefix)?;
        // SAFETY: as above.
        check(unsafe { sys::mpt_state_add_average(self.raw(), prefix.as_ptr(), average.raw()) })
    }

    /// Adds the scales and histories of fp8 products of a layer's weights under the policy.
    pub fn add_fp8(&self, prefix: &str, policy: &Policy, layer: &Layer) -> Result<()> {
        let prefix = c_text(prefix)?;
        // SAFETY: as above.
        check(unsafe { sys::mpt_state_add_fp8(self.raw(), prefix.as_ptr(), policy.raw(), layer.raw()) })
    }

    /// Adds the context's random counter as "prefix.state".
    pub fn add_random(&self, prefix: &str) -> Result<()> {
        let prefix = c_text(prefix)?;
        // SAFETY: as above.
        check(unsafe { sys::mpt_state_add_random(self.raw(), prefix.as_ptr()) })
    }

    /// A number of the host's own, such as the epoch: set before saving.
    pub fn set_number(&self, name: &str, value: i64) -> Result<()> {
        let name = c_text(name)?;
        // SAFETY: as above.
        check(unsafe { sys::mpt_state_set_number(self.raw(), name.as_ptr(), value) })
    }

    /// A number of the host's own, after loading.
    pub fn number(&self, name: &str) -> Result<i64> {
        let name = c_text(name)?;
        // SAFETY: as above.
        get(|out| unsafe { sys::mpt_state_number(self.raw(), name.as_ptr(), out) })
    }

    /// Writes a file: to a new one beside it first, then renamed, so that a crash leaves the old or the new. Not inside a capture.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path.as_ref())?;
        // SAFETY: as above.
        check(unsafe { sys::mpt_state_save(self.raw(), path.as_ptr()) })
    }

    /// Reads a file back into everything that was added. Every name must be there with its shape and element type, else nothing is changed.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path.as_ref())?;
        // SAFETY: as above.
        check(unsafe { sys::mpt_state_load(self.raw(), path.as_ptr()) })
    }

    /// Writes a checkpoint to a stream. It is put together in memory first.
    pub fn save_to(&self, mut to: impl Write) -> Result<()> {
        let mut bytes: Vec<u8> = Vec::new();
        // SAFETY: user_data is what collect takes it for, and outlives the call.
        check(unsafe { sys::mpt_state_save_to(self.raw(), Some(collect), (&mut bytes as *mut Vec<u8>).cast()) })?;
        to.write_all(&bytes)?;
        Ok(())
    }

    /// Reads a checkpoint from a stream, to the stream's end.
    pub fn load_from(&self, mut from: impl Read) -> Result<()> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        let mut rest = &bytes[..];
        // SAFETY: user_data is what supply takes it for, and outlives the call.
        check(unsafe { sys::mpt_state_load_from(self.raw(), Some(supply), (&mut rest as *mut &[u8]).cast()) })
    }
}
