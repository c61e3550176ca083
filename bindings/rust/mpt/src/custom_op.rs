//! Operations of the user's own.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::os::raw::c_void;

use crate::callback::{callback, later, Closed};
use crate::error::{c_text, check, count};
use crate::tensor::handles;
use crate::{sys, Context, DType, Device, Element, Error, Result, Status, Tensor};

/// Arithmetic of your own for CPU contexts; see [`Context::custom_op`]. It may run on another thread and does not call mpt: a call panics, and
/// handles that it drops are released later.
///
/// ```
/// use mpt::{Buffer, BufferMut, Context, CustomOp, GradMode, Result, Tensor};
///
/// struct Cube;
/// impl CustomOp for Cube {
///     fn forward(&self, inputs: &[Buffer<'_>], outputs: &mut [BufferMut<'_>]) -> Result<()> {
///         for (y, x) in outputs[0].as_slice_mut::<f32>()?.iter_mut().zip(inputs[0].to_vec::<f32>()?) {
///             *y = x * x * x;
///         }
///         Ok(())
///     }
///     fn has_gradient(&self) -> bool {
///         true
///     }
///     // in: the input, the output, the output's gradient
///     fn backward(&self, inputs: &[Buffer<'_>], gradients: &mut [BufferMut<'_>]) -> Result<()> {
///         let (x, g) = (inputs[0].to_vec::<f32>()?, inputs[2].to_vec::<f32>()?);
///         for (i, d) in gradients[0].as_slice_mut::<f32>()?.iter_mut().enumerate() {
///             *d = 3.0 * x[i] * x[i] * g[i];
///         }
///         Ok(())
///     }
/// }
///
/// let ctx = Context::new()?;
/// let x = Tensor::from_slice(&ctx, &[2f32, 3.0], [2])?;
/// x.set_requires_grad(true)?;
/// let y = ctx.custom_op("cube", Cube, &[&x], 1)?.remove(0);
/// assert_eq!(y.to_vec::<f32>()?, [8.0, 27.0]);
/// y.sum(.., false)?.backward(None, GradMode::Write)?;
/// assert_eq!(x.grad()?.to_vec::<f32>()?, [12.0, 27.0]);
/// # Ok::<(), mpt::Error>(())
/// ```
pub trait CustomOp: Send + Sync + 'static {
    /// Element type and shape of each output, from those of the inputs; by default one output like the first input.
    fn outputs(&self, inputs: &[(DType, Vec<i64>)]) -> Result<Vec<(DType, Vec<i64>)>> {
        Ok(inputs[..1].to_vec())
    }

    /// Computes outputs from inputs.
    fn forward(&self, inputs: &[Buffer<'_>], outputs: &mut [BufferMut<'_>]) -> Result<()>;

    /// Is there a gradient?
    fn has_gradient(&self) -> bool {
        false
    }

    /// Computes gradients of the inputs (those of integers have the type [`DType::None`]) from inputs, outputs and gradients of the outputs, in that order.
    fn backward(&self, inputs: &[Buffer<'_>], gradients: &mut [BufferMut<'_>]) -> Result<()> {
        let _ = (inputs, gradients);
        Err(Error::new(Status::Unsupported, "this custom op has no gradient"))
    }
}

/// A tensor that a custom op reads.
pub struct Buffer<'a> {
    raw: sys::mpt_buffer,
    shape: Vec<i64>,
    memory: PhantomData<&'a [u8]>,
}

/// A contiguous tensor that a custom op writes.
pub struct BufferMut<'a> {
    raw: sys::mpt_buffer,
    shape: Vec<i64>,
    memory: PhantomData<&'a mut [u8]>,
}

macro_rules! form {
    ($($name:ident),*) => { $(
        impl $name<'_> {
            fn new(raw: sys::mpt_buffer) -> Self {
                let n = usize::try_from(raw.ndim).unwrap_or(0).min(raw.shape.len());
                $name { shape: raw.shape[..n].to_vec(), raw, memory: PhantomData }
            }
            /// The element type.
            pub fn dtype(&self) -> DType {
                DType::from_raw(self.raw.dtype)
            }
            /// The extents.
            pub fn shape(&self) -> &[i64] {
                &self.shape
            }
            /// The number of elements.
            pub fn numel(&self) -> usize {
                self.shape.iter().map(|&extent| usize::try_from(extent).unwrap_or(0)).product()
            }
            fn need_dtype<T: Element>(&self) -> Result<()> {
                if self.dtype() == T::DTYPE {
                    return Ok(());
                }
                Err(Error::new(Status::DType, format!("the custom op reads or writes {} where there is {}", T::DTYPE, self.dtype())))
            }
        }
        impl std::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({} {:?})", stringify!($name), self.dtype(), self.shape)
            }
        }
    )* };
}
form!(Buffer, BufferMut);

impl Buffer<'_> {
    /// The strides in elements.
    pub fn strides(&self) -> &[i64] {
        &self.raw.strides[..self.shape.len()]
    }

    /// The elements in row-major order, whatever the strides.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.need_dtype::<T>()?;
        let n = self.numel();
        let mut data = Vec::<T>::with_capacity(n);
        let mut index = vec![0i64; self.shape.len()];
        for i in 0..n {
            let offset: i64 = index.iter().zip(self.strides()).map(|(i, stride)| i * stride).sum();
            // SAFETY: the index is inside the shape, for which there is memory; what was read becomes valid before it is looked at.
            unsafe {
                let to = data.as_mut_ptr().add(i);
                std::ptr::copy_nonoverlapping(self.raw.data.cast::<T>().offset(offset as isize).cast::<u8>(), to.cast::<u8>(), std::mem::size_of::<T>());
                T::normalize(to, 1);
            }
            for d in (0..index.len()).rev() {
                index[d] += 1;
                if index[d] < self.shape[d] {
                    break;
                }
                index[d] = 0;
            }
        }
        // SAFETY: all n were written.
        unsafe { data.set_len(n) };
        Ok(data)
    }

    /// The elements where they lie; an error where they are not contiguous. BOOL is read by [`to_vec`](Buffer::to_vec).
    pub fn as_slice<T: Element>(&self) -> Result<&[T]> {
        self.need_dtype::<T>()?;
        if T::DTYPE == DType::Bool {
            return Err(Error::new(Status::DType, "elements of BOOL are read by to_vec"));
        }
        let mut step = 1;
        for (&extent, &stride) in self.shape.iter().zip(self.strides()).rev() {
            if extent > 1 && stride != step {
                return Err(Error::new(Status::Argument, "the input is not contiguous: read it by to_vec"));
            }
            step *= extent;
        }
        if self.numel() == 0 {
            return Ok(&[]);
        }
        // SAFETY: the memory holds this many aligned elements, and nobody writes to it while the op runs.
        Ok(unsafe { std::slice::from_raw_parts(self.raw.data.cast(), self.numel()) })
    }
}

impl BufferMut<'_> {
    /// The elements, in row-major order.
    pub fn as_slice_mut<T: Element>(&mut self) -> Result<&mut [T]> {
        self.need_dtype::<T>()?;
        if self.numel() == 0 {
            return Ok(&mut []);
        }
        let data: *mut T = self.raw.data.cast();
        // SAFETY: the memory holds this many aligned elements, valid ones from here on, and is this op's alone while it runs.
        unsafe {
            T::normalize(data, self.numel());
            Ok(std::slice::from_raw_parts_mut(data, self.numel()))
        }
    }
}

unsafe fn list<'a>(data: *const sys::mpt_buffer, n: i32) -> &'a [sys::mpt_buffer] {
    match usize::try_from(n) {
        Ok(n) if n > 0 && !data.is_null() => std::slice::from_raw_parts(data, n),
        _ => &[],
    }
}

unsafe extern "C" fn shape_hook<O: CustomOp>(
    inputs: *const sys::mpt_buffer,
    n_in: i32,
    outputs: *mut sys::mpt_buffer,
    n_out: i32,
    user: *mut c_void,
) -> sys::mpt_status {
    callback(|| {
        let _closed = Closed::new();
        let op = &*(user as *const O);
        let forms: Vec<_> = list(inputs, n_in).iter().map(|b| Buffer::new(*b)).map(|b| (b.dtype(), b.shape().to_vec())).collect();
        let made = op.outputs(&forms)?;
        if count(made.len()) != n_out {
            return Err(Error::new(Status::Argument, format!("the custom op describes {} outputs where {} are wanted", made.len(), n_out)));
        }
        for (i, (dtype, shape)) in made.iter().enumerate() {
            let out = &mut *outputs.add(i);
            if shape.len() > out.shape.len() {
                return Err(Error::new(Status::Shape, format!("an output of {} dimensions; {} are the most", shape.len(), out.shape.len())));
            }
            out.dtype = dtype.raw();
            out.ndim = count(shape.len());
            out.shape[..shape.len()].copy_from_slice(shape);
        }
        Ok(())
    })
}

type Rule<O> = fn(&O, &[Buffer<'_>], &mut [BufferMut<'_>]) -> Result<()>;

unsafe fn run<O: CustomOp>(inputs: *const sys::mpt_buffer, n_in: i32, outputs: *mut sys::mpt_buffer, n_out: i32, user: *mut c_void, rule: Rule<O>) -> sys::mpt_status {
    callback(|| {
        let _closed = Closed::new();
        let op = &*(user as *const O);
        let inputs: Vec<_> = list(inputs, n_in).iter().map(|b| Buffer::new(*b)).collect();
        let mut outputs: Vec<_> = list(outputs, n_out).iter().map(|b| BufferMut::new(*b)).collect();
        rule(op, &inputs, &mut outputs)
    })
}

unsafe extern "C" fn forward_hook<O: CustomOp>(i: *const sys::mpt_buffer, n: i32, o: *mut sys::mpt_buffer, m: i32, user: *mut c_void) -> sys::mpt_status {
    run::<O>(i, n, o, m, user, O::forward)
}

unsafe extern "C" fn backward_hook<O: CustomOp>(i: *const sys::mpt_buffer, n: i32, o: *mut sys::mpt_buffer, m: i32, user: *mut c_void) -> sys::mpt_status {
    run::<O>(i, n, o, m, user, O::backward)
}

unsafe extern "C" fn free_op<O: CustomOp>(user: *mut c_void) {
    let op = Box::from_raw(user as *mut O);
    later(Box::new(move || drop(op)));
}

impl Context {
    /// Runs an operation of your own on tensors, with gradient when it has one. Inside a capture it becomes a step of the program, which keeps it.
    /// Under autocast it gets the tensors as they come; [`Policy::set_op`](crate::Policy::set_op) for "custom" converts them.
    pub fn custom_op<O: CustomOp>(&self, name: &str, op: O, inputs: &[impl Borrow<Tensor>], n_outputs: usize) -> Result<Vec<Tensor>> {
        if self.device()? != Device::Cpu {
            return Err(Error::new(Status::Unsupported, "custom ops of Rust compute on the host: their context's device is the CPU"));
        }
        let (name, inputs) = (c_text(name)?, handles(inputs));
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_custom_op_desc = unsafe { std::mem::zeroed() };
        // SAFETY: the size is that of desc.
        check(unsafe { sys::mpt_custom_op_desc_init(&mut desc, std::mem::size_of_val(&desc)) })?;
        desc.shape = Some(shape_hook::<O>);
        desc.forward = Some(forward_hook::<O>);
        desc.backward = if op.has_gradient() { Some(backward_hook::<O>) } else { None };
        desc.release = Some(free_op::<O>);
        // Ours until C has taken it: on failure, and where a panic of a callback goes on from here, it is freed as any box.
        let op = Owned(Box::into_raw(Box::new(op)));
        desc.user_data = op.0.cast();
        // SAFETY: inputs are alive, there is room for the outputs, and the callbacks know what user_data is.
        let made = Tensor::results(self.shared(), n_outputs, |out| unsafe {
            sys::mpt_custom_op(self.raw(), name.as_ptr(), &desc, inputs.as_ptr(), count(inputs.len()), out, count(n_outputs))
        });
        if made.is_ok() {
            std::mem::forget(op);
        }
        made
    }
}

/// A box whose address C may know.
struct Owned<O>(*mut O);

impl<O> Drop for Owned<O> {
    fn drop(&mut self) {
        // SAFETY: it comes from Box::into_raw, and nobody else frees it.
        drop(unsafe { Box::from_raw(self.0) });
    }
}
