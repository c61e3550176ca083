//! Contexts, and what is between a begin and an end of one.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::fmt;
use std::os::raw::{c_char, c_void};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use crate::callback::{contained, need_open, returned, Closed};
use crate::error::{c_text, check, count, get, make, text, text_of};
use crate::handle::ContextRef;
use crate::{sys, Device, Error, LogLevel, Policy, Program, Result, Status, Tensor};

type LogFn = Box<dyn Fn(LogLevel, &str) + Send + Sync>;
type ErrorFn = Box<dyn Fn(Status, &str) + Send + Sync>;
type Allocator = Box<dyn GlobalAlloc + Send + Sync>;

/// Closures that C calls; in an Arc, so that C has one thin address for each that stays.
#[derive(Default)]
struct Hooks {
    log: Option<Arc<LogFn>>,
    error: Option<Arc<ErrorFn>>,
    allocator: Option<Arc<Allocator>>,
}

pub(crate) struct Shared {
    raw: NonNull<sys::mpt_context>,
    /// How many custom layers are running now: meanwhile lists of children stay as they are.
    pub(crate) running: Cell<u32>,
    /// How many closures of custom layers there are: they need not be `Send`.
    pub(crate) closures: Cell<u32>,
    _hooks: Hooks,
}

impl Shared {
    pub(crate) fn raw(&self) -> *mut sys::mpt_context {
        need_open();
        self.raw.as_ptr()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the reference that mpt_context_create gave. The hooks are dropped after it.
        unsafe { sys::mpt_context_release(self.raw.as_ptr()) };
        returned();
    }
}

const ALIGNMENT: usize = 64;

unsafe extern "C" fn log_hook(level: sys::mpt_log_level, message: *const c_char, user: *mut c_void) {
    let hook = &*(user as *const LogFn);
    let _closed = Closed::new();
    contained(|| hook(LogLevel::from_raw(level), &text_of(message)));
}

unsafe extern "C" fn error_hook(status: sys::mpt_status, message: *const c_char, user: *mut c_void) {
    let hook = &*(user as *const ErrorFn);
    let _closed = Closed::new();
    contained(|| hook(Status::from_raw(status), &text_of(message)));
}

unsafe extern "C" fn alloc_hook(nbytes: usize, _stream: *mut c_void, user: *mut c_void) -> *mut c_void {
    let allocator = &*(user as *const Allocator);
    let _closed = Closed::new();
    match Layout::from_size_align(nbytes.max(1), ALIGNMENT) {
        Ok(layout) => contained(|| allocator.alloc(layout)).unwrap_or(std::ptr::null_mut()).cast(),
        Err(_) => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn free_hook(data: *mut c_void, nbytes: usize, _stream: *mut c_void, user: *mut c_void) {
    let allocator = &*(user as *const Allocator);
    let _closed = Closed::new();
    if let (false, Ok(layout)) = (data.is_null(), Layout::from_size_align(nbytes.max(1), ALIGNMENT)) {
        contained(|| allocator.dealloc(data.cast(), layout));
    }
}

/// Says how a context shall be; see [`Context::builder`]. It can be sent to the thread that makes the context.
#[derive(Default)]
#[must_use]
pub struct ContextBuilder {
    device: Option<Device>,
    device_index: Option<i32>,
    threads: Option<i32>,
    seed: Option<u64>,
    log_level: Option<LogLevel>,
    hooks: Hooks,
}

impl fmt::Debug for ContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextBuilder").field("device", &self.device).field("threads", &self.threads).field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl ContextBuilder {
    /// Where to compute; the CPU by default.
    pub fn device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// Which GPU.
    pub fn device_index(mut self, index: i32) -> Self {
        self.device_index = Some(index);
        self
    }

    /// Threads of a CPU context, the caller's included; 0, the default: one per core that this process may use.
    pub fn threads(mut self, threads: i32) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The seed of the context's random numbers; 0 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Receives log lines of a level and the more important ones. The hook does not call mpt; handles that it drops are released later.
    pub fn on_log(mut self, level: LogLevel, hook: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Self {
        self.log_level = Some(level);
        self.hooks.log = Some(Arc::new(Box::new(hook)));
        self
    }

    /// Is called on the failing thread when a call fails, with the message that the error will have. The hook does not call mpt; handles that it drops
    /// are released later.
    pub fn on_error(mut self, hook: impl Fn(Status, &str) + Send + Sync + 'static) -> Self {
        self.hooks.error = Some(Arc::new(Box::new(hook)));
        self
    }

    /// Where the memory of a CPU context comes from, for example [`std::alloc::System`]. It does not call mpt.
    pub fn allocator(mut self, allocator: impl GlobalAlloc + Send + Sync + 'static) -> Self {
        self.hooks.allocator = Some(Arc::new(Box::new(allocator)));
        self
    }

    /// Makes the context.
    pub fn build(self) -> Result<Context> {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_context_desc = unsafe { std::mem::zeroed() };
        // SAFETY: the size is that of desc.
        check(unsafe { sys::mpt_context_desc_init(&mut desc, std::mem::size_of_val(&desc)) })?;
        if let Some(device) = self.device {
            desc.device = device.raw();
        }
        desc.device_index = self.device_index.unwrap_or(desc.device_index);
        desc.threads = self.threads.unwrap_or(desc.threads);
        desc.seed = self.seed.unwrap_or(desc.seed);
        if let Some(level) = self.log_level {
            desc.log_level = level.raw();
        }
        if let Some(hook) = &self.hooks.log {
            desc.log = Some(log_hook);
            desc.log_user_data = Arc::as_ptr(hook) as *mut c_void;
        }
        if let Some(hook) = &self.hooks.error {
            desc.error = Some(error_hook);
            desc.error_user_data = Arc::as_ptr(hook) as *mut c_void;
        }
        if let Some(allocator) = &self.hooks.allocator {
            if desc.device != sys::mpt_device::MPT_DEVICE_CPU {
                return Err(Error::new(Status::Argument, "an allocator of Rust gives memory of the host: use it with Device::Cpu"));
            }
            desc.alloc = Some(alloc_hook);
            desc.free = Some(free_hook);
            desc.alloc_user_data = Arc::as_ptr(allocator) as *mut c_void;
        }
        // SAFETY: desc is complete, and the hooks stay where they are until the context is gone.
        let raw = make(|out| unsafe { sys::mpt_context_create(&desc, out) })?;
        Ok(Context { shared: Rc::new(Shared { raw, running: Cell::new(0), closures: Cell::new(0), _hooks: self.hooks }) })
    }
}

/// Memory of a context's device in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContextMemory {
    /// In tensors, programs and workspaces.
    pub in_use: usize,
    /// The most of that since the start.
    pub peak: usize,
    /// Taken from the allocator, the cache of free blocks included.
    pub reserved: usize,
}

/// A device, its memory, its random numbers and its settings. Everything else is made in one.
///
/// A context and all that is made from it belong to one thread: they are neither `Send` nor `Sync`. Different contexts are
/// independent, so a thread makes its own; a [`ContextBuilder`] can be sent to it. [`Sending`](crate::Sending) moves a context with all its handles.
///
/// ```
/// let builder = mpt::Context::builder().threads(1).seed(7);
/// let sum = std::thread::spawn(move || {
///     let ctx = builder.build()?;
///     mpt::Tensor::from_slice(&ctx, &[1f32, 2.0, 3.0], [3])?.sum(.., false)?.item()
/// });
/// assert_eq!(sum.join().unwrap()?, 6.0);
/// # Ok::<(), mpt::Error>(())
/// ```
///
/// ```compile_fail
/// fn needs_send<T: Send>() {}
/// needs_send::<mpt::Context>();
/// ```
/// ```compile_fail
/// fn needs_sync<T: Sync>() {}
/// needs_sync::<mpt::Tensor>();
/// ```
#[derive(Clone)]
pub struct Context {
    shared: ContextRef,
}

impl crate::sending::Handles for Context {
    fn visit(&self, to: &mut crate::sending::Contexts) {
        to.add(&self.shared);
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Context").field(&self.describe().unwrap_or_default()).finish()
    }
}

impl Context {
    pub(crate) fn from_ref(shared: &ContextRef) -> Context {
        Context { shared: shared.clone() }
    }
    pub(crate) fn shared(&self) -> &ContextRef {
        &self.shared
    }
    pub(crate) fn raw(&self) -> *mut sys::mpt_context {
        self.shared.raw()
    }

    /// A context of the CPU with all defaults.
    pub fn new() -> Result<Context> {
        Context::builder().build()
    }

    /// A context by your wishes.
    ///
    /// ```
    /// let ctx = mpt::Context::builder().device(mpt::Device::Auto).threads(2).seed(1).build()?;
    /// println!("{}", ctx.describe()?);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    pub fn builder() -> ContextBuilder {
        ContextBuilder::default()
    }

    /// The message of the context's last failed call; empty when there is none.
    pub fn last_error(&self) -> String {
        // SAFETY: the context is alive, and the text is copied at once.
        text_of(unsafe { sys::mpt_context_last_error(self.raw()) })
    }

    /// The device in use, which for [`Device::Auto`] is the one that was found.
    pub fn device(&self) -> Result<Device> {
        let mut out = sys::mpt_device::MPT_DEVICE_CPU;
        // SAFETY: the context is alive.
        check(unsafe { sys::mpt_context_device(self.raw(), &mut out) })?;
        Ok(Device::from_raw(out))
    }

    /// The number of threads in use.
    pub fn threads(&self) -> Result<i32> {
        // SAFETY: the context is alive.
        get(|out| unsafe { sys::mpt_context_threads(self.raw(), out) })
    }

    /// A line about the device and its libraries.
    pub fn describe(&self) -> Result<String> {
        // SAFETY: the buffer has the size that is told.
        text(|buffer, n, needed| unsafe { sys::mpt_context_describe(self.raw(), buffer, n, needed) })
    }

    /// Waits for all work; gives a device fault that has happened since.
    pub fn synchronize(&self) -> Result<()> {
        // SAFETY: the context is alive.
        check(unsafe { sys::mpt_context_synchronize(self.raw()) })
    }

    /// Enqueues all work from here on on a stream of the host's; null: the context's own again.
    ///
    /// # Safety
    /// On a GPU the stream is a `cudaStream_t` of the context's device and stays alive until another one has been set.
    pub unsafe fn set_stream(&self, stream: *mut c_void) -> Result<()> {
        check(sys::mpt_context_set_stream(self.raw(), stream))
    }

    /// The stream that work is enqueued on; null on the CPU.
    pub fn stream(&self) -> Result<*mut c_void> {
        let mut out = std::ptr::null_mut();
        // SAFETY: the context is alive.
        check(unsafe { sys::mpt_context_stream(self.raw(), &mut out) })?;
        Ok(out)
    }

    /// Restarts the random numbers. Not inside a capture.
    pub fn seed(&self, seed: u64) -> Result<()> {
        // SAFETY: the context is alive.
        check(unsafe { sys::mpt_context_seed(self.raw(), seed) })
    }

    /// Device memory in bytes.
    pub fn memory(&self) -> Result<ContextMemory> {
        let mut m = ContextMemory::default();
        // SAFETY: the context is alive.
        check(unsafe { sys::mpt_context_memory(self.raw(), &mut m.in_use, &mut m.peak, &mut m.reserved) })?;
        Ok(m)
    }

    /// Gives cached free blocks and idle workspaces back to the allocator.
    pub fn trim(&self) -> Result<()> {
        // SAFETY: the context is alive.
        check(unsafe { sys::mpt_context_trim(self.raw()) })
    }

    /// Experimental knobs: "fusion", "onednn", "tf32" and "cudnn", each "on" or "off".
    pub fn set_option(&self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (c_text(key)?, c_text(value)?);
        // SAFETY: the texts end with a zero.
        check(unsafe { sys::mpt_context_set_option(self.raw(), key.as_ptr(), value.as_ptr()) })
    }

    /// Runs the closure with products in the policy's type; `None` switches autocast off inside. Backward follows the forward's policy.
    ///
    /// ```
    /// use mpt::{Context, DType, Linear, LayerSpec, Policy, Tensor};
    /// let ctx = Context::new()?;
    /// let policy = Policy::new(&ctx, DType::Bf16)?;
    /// let layer = Linear::new(4, 2).build(&ctx)?;
    /// let x = Tensor::ones(&ctx, DType::F32, [3, 4])?;
    /// let y = ctx.autocast(&policy, || layer.forward(&x))?;
    /// assert_eq!(y.dtype(), DType::Bf16);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    pub fn autocast<'p, T>(&self, policy: impl Into<Option<&'p Policy>>, f: impl FnOnce() -> Result<T>) -> Result<T> {
        let policy = policy.into().map_or(std::ptr::null_mut(), |p| p.raw());
        // SAFETY: policy is null or alive.
        check(unsafe { sys::mpt_autocast_begin(self.raw(), policy) })?;
        // SAFETY: the context is alive.
        let end = End(|| unsafe { sys::mpt_autocast_end(self.raw()) });
        let result = f()?;
        end.close()?;
        Ok(result)
    }

    /// Runs the closure without remembering anything for gradients.
    pub fn no_grad<T>(&self, f: impl FnOnce() -> Result<T>) -> Result<T> {
        // SAFETY: the context is alive.
        check(unsafe { sys::mpt_no_grad_begin(self.raw()) })?;
        // SAFETY: the context is alive.
        let end = End(|| unsafe { sys::mpt_no_grad_end(self.raw()) });
        let result = f()?;
        end.close()?;
        Ok(result)
    }

    /// Records the operations of the closure as a [`Program`] instead of running them. What the closure returns become the
    /// program's outputs, valid from its first run until the next one; all other tensors born inside are invalid afterwards.
    /// Where the closure fails or panics the recording is thrown away.
    ///
    /// ```
    /// use mpt::{Context, DType, Tensor};
    /// let ctx = Context::new()?;
    /// let x = Tensor::zeros(&ctx, DType::F32, [2])?;
    /// let (program, y) = ctx.capture(|| x.affine(3.0, 2.0))?;
    /// program.feed(&x, &[1f32, 2.0])?;
    /// program.run()?;
    /// assert_eq!(y.to_vec::<f32>()?, [5.0, 8.0]);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    pub fn capture<O: Outputs>(&self, f: impl FnOnce() -> Result<O>) -> Result<(Program, O)> {
        // SAFETY: the context is alive.
        check(unsafe { sys::mpt_capture_begin(self.raw()) })?;
        // Where the end is not reached, or fails, the capture is still open.
        // SAFETY: the context is alive.
        let abort = End(|| unsafe { sys::mpt_capture_abort(self.raw()) });
        let outputs = f()?;
        let handles: Vec<_> = outputs.tensors().iter().map(|t| t.raw()).collect();
        // SAFETY: the handles are alive and as many as told.
        let raw = make(|out| unsafe { sys::mpt_capture_end(self.raw(), handles.as_ptr(), count(handles.len()), out) })?;
        std::mem::forget(abort);
        // SAFETY: an owned handle of this context.
        Ok((unsafe { Program::from_raw(raw, &self.shared) }, outputs))
    }
}

/// Ends what was begun, on errors and panics too.
struct End<F: FnMut() -> sys::mpt_status>(F);

impl<F: FnMut() -> sys::mpt_status> End<F> {
    fn close(mut self) -> Result<()> {
        let status = (self.0)();
        std::mem::forget(self);
        check(status)
    }
}

impl<F: FnMut() -> sys::mpt_status> Drop for End<F> {
    fn drop(&mut self) {
        // Inside a poisoned capture this fails, and its abort closes the pair.
        let _ = (self.0)();
    }
}

/// What the closure of [`Context::capture`] can return: no tensor, one, a tuple or list of them.
pub trait Outputs {
    /// The tensors, in order.
    fn tensors(&self) -> Vec<&Tensor>;
}

impl Outputs for () {
    fn tensors(&self) -> Vec<&Tensor> {
        Vec::new()
    }
}
impl Outputs for Tensor {
    fn tensors(&self) -> Vec<&Tensor> {
        vec![self]
    }
}
impl Outputs for Vec<Tensor> {
    fn tensors(&self) -> Vec<&Tensor> {
        self.iter().collect()
    }
}
impl<const N: usize> Outputs for [Tensor; N] {
    fn tensors(&self) -> Vec<&Tensor> {
        self.iter().collect()
    }
}
impl<A: Outputs, B: Outputs> Outputs for (A, B) {
    fn tensors(&self) -> Vec<&Tensor> {
        let mut all = self.0.tensors();
        all.extend(self.1.tensors());
        all
    }
}
impl<A: Outputs, B: Outputs, C: Outputs> Outputs for (A, B, C) {
    fn tensors(&self) -> Vec<&Tensor> {
        let mut all = self.0.tensors();
        all.extend(self.1.tensors());
        all.extend(self.2.tensors());
        all
    }
}
