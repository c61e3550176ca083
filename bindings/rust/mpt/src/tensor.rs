//! Tensors: making, reading and writing them. What is computed with them is in `ops.rs`.

use std::borrow::Borrow;
use std::fmt;
use std::os::raw::c_void;

use crate::error::{check, count, get, make};
use crate::handle::handle;
use crate::{sys, Context, DType, Device, Element, Error, GradMode, Init, Result, Scaler, Status};

handle! {
    /// A strided array; views share its storage.
    ///
    /// Operations give new tensors, and errors where shapes or element types do not fit:
    ///
    /// ```
    /// use mpt::{Context, Tensor};
    /// let ctx = Context::new()?;
    /// let x = Tensor::from_slice(&ctx, &[1f32, 2.0, 3.0, 4.0], [2, 2])?;
    /// let y = x.matmul(&x.transpose(None)?)?.affine(2.0, 1.0)?;
    /// assert_eq!(y.to_vec::<f32>()?, [11.0, 23.0, 23.0, 51.0]);
    /// let z = (&x + &y)?;
    /// assert_eq!(z.shape(), [2, 2]);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    Tensor, mpt_tensor, mpt_tensor_retain, mpt_tensor_release
}

/// Dimensions to reduce over: `..` for all of them, one, or a list; negative ones count from the end.
///
/// ```
/// # let ctx = mpt::Context::new()?;
/// let x = mpt::Tensor::ones(&ctx, mpt::DType::F32, [2, 3, 4])?;
/// assert_eq!(x.sum(.., false)?.item()?, 24.0);
/// assert_eq!(x.sum(-1, false)?.shape(), [2, 3]);
/// assert_eq!(x.sum([0, 1], true)?.shape(), [1, 1, 4]);
/// # Ok::<(), mpt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dims(Option<Vec<i32>>);

impl Dims {
    pub(crate) fn len(&self) -> i32 {
        self.0.as_ref().map_or(0, |dims| count(dims.len()))
    }
    pub(crate) fn as_ptr(&self) -> *const i32 {
        self.0.as_ref().map_or(std::ptr::null(), |dims| dims.as_ptr())
    }
}
impl From<std::ops::RangeFull> for Dims {
    fn from(_: std::ops::RangeFull) -> Dims {
        Dims(None)
    }
}
impl From<i32> for Dims {
    fn from(dim: i32) -> Dims {
        Dims(Some(vec![dim]))
    }
}
impl<const N: usize> From<[i32; N]> for Dims {
    fn from(dims: [i32; N]) -> Dims {
        Dims(Some(dims.to_vec()))
    }
}
impl From<&[i32]> for Dims {
    fn from(dims: &[i32]) -> Dims {
        Dims(Some(dims.to_vec()))
    }
}

/// The tensors of a list. Asked for once: a `Borrow` of the user's own need not give the same one twice.
pub(crate) fn references(tensors: &[impl Borrow<Tensor>]) -> Vec<&Tensor> {
    tensors.iter().map(|t| t.borrow()).collect()
}

/// The handles of a list of tensors.
pub(crate) fn handles(tensors: &[impl Borrow<Tensor>]) -> Vec<*mut sys::mpt_tensor> {
    tensors.iter().map(|t| t.borrow().raw()).collect()
}

/// The elements of a shape; one that the library must refuse has none.
fn numel(shape: &[i64]) -> usize {
    shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(usize::try_from(extent).ok()?)).unwrap_or(0)
}

/// Frees the vector that a wrapped tensor has used.
unsafe extern "C" fn free_vector<T>(_data: *mut c_void, user: *mut c_void) {
    drop(Box::from_raw(user as *mut Vec<T>));
}

impl Tensor {
    /// A contiguous tensor whose contents are not defined.
    pub fn empty(ctx: &Context, dtype: DType, shape: impl AsRef<[i64]>) -> Result<Tensor> {
        let shape = shape.as_ref();
        // SAFETY: shape has as many extents as told.
        let raw = make(|out| unsafe { sys::mpt_tensor_create(ctx.raw(), dtype.raw(), count(shape.len()), shape.as_ptr(), out) })?;
        // SAFETY: an owned handle of this context.
        Ok(unsafe { Tensor::from_raw(raw, ctx.shared()) })
    }

    /// A tensor with every element the same.
    pub fn full(ctx: &Context, dtype: DType, shape: impl AsRef<[i64]>, value: f64) -> Result<Tensor> {
        let tensor = Tensor::empty(ctx, dtype, shape)?;
        tensor.fill(value)?;
        Ok(tensor)
    }

    /// Zeros.
    pub fn zeros(ctx: &Context, dtype: DType, shape: impl AsRef<[i64]>) -> Result<Tensor> {
        Tensor::full(ctx, dtype, shape, 0.0)
    }

    /// Ones.
    pub fn ones(ctx: &Context, dtype: DType, shape: impl AsRef<[i64]>) -> Result<Tensor> {
        Tensor::full(ctx, dtype, shape, 1.0)
    }

    /// A copy of elements in row-major order.
    pub fn from_slice<T: Element>(ctx: &Context, data: &[T], shape: impl AsRef<[i64]>) -> Result<Tensor> {
        let tensor = Tensor::empty(ctx, T::DTYPE, shape)?;
        tensor.write(data)?;
        Ok(tensor)
    }

    /// A tensor in the memory of a vector, without a copy; the vector is freed when nothing uses it any more. Contexts of the CPU only.
    pub fn from_vec<T: Element>(ctx: &Context, data: Vec<T>, shape: impl AsRef<[i64]>) -> Result<Tensor> {
        let shape = shape.as_ref();
        if numel(shape) != data.len() {
            return Err(Error::new(Status::Argument, format!("a vector of {} elements does not fill a tensor of shape {:?}", data.len(), shape)));
        }
        Tensor::wrap(ctx, data, shape, None)
    }

    /// The same with strides in elements, which may be 0 and leave elements out.
    pub fn from_vec_strided<T: Element>(ctx: &Context, data: Vec<T>, shape: impl AsRef<[i64]>, strides: impl AsRef<[i64]>) -> Result<Tensor> {
        let (shape, strides) = (shape.as_ref(), strides.as_ref());
        if strides.len() != shape.len() {
            return Err(Error::new(Status::Argument, format!("{} strides for a shape of {} extents", strides.len(), shape.len())));
        }
        Tensor::wrap(ctx, data, shape, Some(strides))
    }

    fn wrap<T: Element>(ctx: &Context, data: Vec<T>, shape: &[i64], strides: Option<&[i64]>) -> Result<Tensor> {
        if ctx.device()? != Device::Cpu {
            return Err(Error::new(Status::Unsupported, "a vector is memory of the host and cannot be a tensor of a GPU: use Tensor::from_slice"));
        }
        let owner = Box::into_raw(Box::new(data));
        let result = make(|out| {
            // SAFETY: the vector's memory holds nbytes and lives until free_vector, which is called only where this succeeds.
            unsafe {
                sys::mpt_tensor_wrap(
                    ctx.raw(),
                    T::DTYPE.raw(),
                    count(shape.len()),
                    shape.as_ptr(),
                    strides.map_or(std::ptr::null(), |s| s.as_ptr()),
                    (*owner).as_mut_ptr().cast(),
                    std::mem::size_of_val((*owner).as_slice()),
                    Some(free_vector::<T>),
                    owner.cast(),
                    out,
                )
            }
        });
        match result {
            // SAFETY: an owned handle of this context.
            Ok(raw) => Ok(unsafe { Tensor::from_raw(raw, ctx.shared()) }),
            Err(error) => {
                // SAFETY: on failure the memory stays the caller's.
                drop(unsafe { Box::from_raw(owner) });
                Err(error)
            }
        }
    }

    /// Wraps the handle that an operation gives.
    #[inline]
    pub(crate) fn result(&self, call: impl FnOnce(*mut *mut sys::mpt_tensor) -> sys::mpt_status) -> Result<Tensor> {
        let raw = make(call)?;
        // SAFETY: an owned handle of this context.
        Ok(unsafe { Tensor::from_raw(raw, &self.ctx) })
    }

    /// Wraps the two handles that an operation gives.
    pub(crate) fn two_results(
        &self,
        call: impl FnOnce(*mut *mut sys::mpt_tensor, *mut *mut sys::mpt_tensor) -> sys::mpt_status,
    ) -> Result<(Tensor, Tensor)> {
        let mut second = std::ptr::null_mut();
        let first = self.result(|out| call(out, &mut second))?;
        // SAFETY: an owned handle of this context, and there where the first one is.
        Ok((first, unsafe { Tensor::from_raw(std::ptr::NonNull::new_unchecked(second), &self.ctx) }))
    }

    /// Wraps n handles that an operation gives.
    pub(crate) fn results(
        ctx: &crate::handle::ContextRef,
        n: usize,
        call: impl FnOnce(*mut *mut sys::mpt_tensor) -> sys::mpt_status,
    ) -> Result<Vec<Tensor>> {
        if count(n) < 0 {
            return Err(Error::new(Status::Argument, format!("{} outputs are too many", n)));
        }
        let mut out = vec![std::ptr::null_mut(); n];
        check(call(out.as_mut_ptr()))?;
        // SAFETY: owned handles of this context.
        Ok(out.into_iter().filter_map(std::ptr::NonNull::new).map(|raw| unsafe { Tensor::from_raw(raw, ctx) }).collect())
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        let mut out = sys::mpt_dtype::MPT_DTYPE_NONE;
        // SAFETY: the tensor is alive.
        unsafe { sys::mpt_tensor_dtype(self.raw(), &mut out) };
        DType::from_raw(out)
    }

    /// The number of dimensions.
    pub fn ndim(&self) -> usize {
        let mut out = 0;
        // SAFETY: the tensor is alive.
        unsafe { sys::mpt_tensor_ndim(self.raw(), &mut out) };
        usize::try_from(out).unwrap_or(0)
    }

    /// The extents.
    pub fn shape(&self) -> Vec<i64> {
        let mut out = vec![0; self.ndim()];
        // SAFETY: out has the room that is told.
        unsafe { sys::mpt_tensor_shape(self.raw(), out.as_mut_ptr(), count(out.len())) };
        out
    }

    /// The strides in elements.
    pub fn strides(&self) -> Vec<i64> {
        let mut out = vec![0; self.ndim()];
        // SAFETY: out has the room that is told.
        unsafe { sys::mpt_tensor_strides(self.raw(), out.as_mut_ptr(), count(out.len())) };
        out
    }

    /// The number of elements.
    pub fn numel(&self) -> usize {
        let mut out = 0;
        // SAFETY: the tensor is alive.
        unsafe { sys::mpt_tensor_numel(self.raw(), &mut out) };
        usize::try_from(out).unwrap_or(0)
    }

    /// The first element's address on the device, for other libraries; with [`strides`](Tensor::strides). Where such a library writes
    /// there, call [`mark_modified`](Tensor::mark_modified) afterwards.
    pub fn data(&self) -> Result<*mut c_void> {
        let mut out = std::ptr::null_mut();
        // SAFETY: the tensor is alive.
        check(unsafe { sys::mpt_tensor_data(self.raw(), &mut out) })?;
        Ok(out)
    }

    fn need_dtype<T: Element>(&self) -> Result<()> {
        if self.dtype() == T::DTYPE {
            return Ok(());
        }
        Err(Error::new(Status::DType, format!("the tensor's elements are {}, the host's {}: cast one of them", self.dtype(), T::DTYPE)))
    }

    /// Copies elements in row-major order from the host. What takes part in gradients is written inside [`Context::no_grad`]. Not inside a capture.
    pub fn write<T: Element>(&self, data: &[T]) -> Result<()> {
        self.need_dtype::<T>()?;
        // SAFETY: data has the bytes that are told.
        check(unsafe { sys::mpt_tensor_write(self.raw(), data.as_ptr().cast(), std::mem::size_of_val(data)) })
    }

    /// Copies elements in row-major order to the host. Synchronises. Not inside a capture.
    pub fn read<T: Element>(&self, data: &mut [T]) -> Result<()> {
        self.need_dtype::<T>()?;
        let address = data.as_mut_ptr();
        // SAFETY: data has the bytes that are told, and holds valid values whatever was read.
        unsafe {
            let status = sys::mpt_tensor_read(self.raw(), address.cast(), std::mem::size_of_val(data));
            T::normalize(address, data.len());
            check(status)
        }
    }

    /// The elements in row-major order. Synchronises. Not inside a capture.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.need_dtype::<T>()?;
        let n = self.numel();
        let mut data = Vec::<T>::new();
        data.try_reserve_exact(n).map_err(|e| Error::new(Status::Memory, format!("no host memory for {} elements: {}", n, e)))?;
        // SAFETY: there is room for n elements, which are there and valid where the call succeeds.
        unsafe {
            check(sys::mpt_tensor_read(self.raw(), data.as_mut_ptr().cast(), n * std::mem::size_of::<T>()))?;
            T::normalize(data.as_mut_ptr(), n);
            data.set_len(n);
        }
        Ok(data)
    }

    /// The one element of a tensor. Synchronises. Not inside a capture.
    pub fn item(&self) -> Result<f64> {
        // SAFETY: the tensor is alive.
        get(|out| unsafe { sys::mpt_tensor_item(self.raw(), out) })
    }

    /// Sets every element to value, rounded to the element type.
    pub fn fill(&self, value: f64) -> Result<()> {
        // SAFETY: the tensor is alive.
        check(unsafe { sys::mpt_tensor_fill(self.raw(), value) })
    }

    /// Fills with uniform numbers from `low..high`: the same ones on every device, for any number of threads.
    pub fn random_uniform(&self, low: f64, high: f64) -> Result<()> {
        // SAFETY: the tensor is alive.
        check(unsafe { sys::mpt_tensor_random_uniform(self.raw(), low, high) })
    }

    /// Fills with normal numbers.
    pub fn random_normal(&self, mean: f64, std: f64) -> Result<()> {
        // SAFETY: the tensor is alive.
        check(unsafe { sys::mpt_tensor_random_normal(self.raw(), mean, std) })
    }

    /// Fills a weight as a layer would; its fans are read from the shape `[out, in, ...]`.
    pub fn init(&self, init: Init) -> Result<()> {
        // SAFETY: the tensor is alive.
        check(unsafe { sys::mpt_tensor_init(self.raw(), init.raw()) })
    }

    /// Sets element i to `start + i * step`.
    pub fn fill_range(&self, start: f64, step: f64) -> Result<()> {
        // SAFETY: the tensor is alive.
        check(unsafe { sys::mpt_tensor_fill_range(self.raw(), start, step) })
    }

    /// Copies another tensor into this one, converting the element type; it is broadcast to this one's shape.
    pub fn copy_from(&self, source: &Tensor) -> Result<()> {
        // SAFETY: both are alive.
        check(unsafe { sys::mpt_tensor_copy(self.raw(), source.raw()) })
    }

    /// Says that somebody has written to [`data`](Tensor::data): low-precision copies are refreshed before their next use.
    pub fn mark_modified(&self) -> Result<()> {
        // SAFETY: the tensor is alive.
        check(unsafe { sys::mpt_tensor_mark_modified(self.raw()) })
    }

    /// A view of the same elements, cut from the gradient's graph.
    pub fn detach(&self) -> Result<Tensor> {
        // SAFETY: the tensor is alive.
        self.result(|out| unsafe { sys::mpt_tensor_detach(self.raw(), out) })
    }

    /// Asks for gradients or refuses them. Floating leaf tensors only.
    pub fn set_requires_grad(&self, requires_grad: bool) -> Result<()> {
        // SAFETY: the tensor is alive.
        check(unsafe { sys::mpt_tensor_set_requires_grad(self.raw(), requires_grad.into()) })
    }

    /// Does the tensor ask for gradients?
    pub fn requires_grad(&self) -> Result<bool> {
        // SAFETY: the tensor is alive.
        Ok(get(|out| unsafe { sys::mpt_tensor_requires_grad(self.raw(), out) })? != 0)
    }

    /// The gradient of a leaf, made (zero) when first asked for. After a backward with a scaler it is scaled until
    /// [`Optimizer::unscale`](crate::Optimizer::unscale).
    pub fn grad(&self) -> Result<Tensor> {
        // SAFETY: the tensor is alive.
        self.result(|out| unsafe { sys::mpt_tensor_grad(self.raw(), out) })
    }

    /// Gradients of this scalar in every leaf that asks for them and that it reaches; with a scaler those of scale times this.
    /// The graph is used up.
    ///
    /// ```
    /// # let ctx = mpt::Context::new()?;
    /// let x = mpt::Tensor::from_slice(&ctx, &[3f32], [1])?;
    /// x.set_requires_grad(true)?;
    /// x.square()?.sum(.., false)?.backward(None, mpt::GradMode::Write)?;
    /// assert_eq!(x.grad()?.item()?, 6.0);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    pub fn backward<'s>(&self, scaler: impl Into<Option<&'s Scaler>>, mode: GradMode) -> Result<()> {
        let scaler = scaler.into().map_or(std::ptr::null_mut(), |s| s.raw());
        // SAFETY: scaler is null or alive.
        check(unsafe { sys::mpt_backward(self.raw(), scaler, mode.raw()) })
    }

    /// The same from several roots with their cotangents, which have the same shapes.
    pub fn backward_from(roots: &[impl Borrow<Tensor>], cotangents: &[impl Borrow<Tensor>], mode: GradMode) -> Result<()> {
        if roots.len() != cotangents.len() {
            return Err(Error::new(Status::Argument, format!("{} roots and {} cotangents", roots.len(), cotangents.len())));
        }
        let (roots, cotangents) = (handles(roots), handles(cotangents));
        // SAFETY: both lists hold living tensors, as many as told.
        check(unsafe { sys::mpt_backward_from(roots.as_ptr(), cotangents.as_ptr(), count(roots.len()), mode.raw()) })
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({} {:?})", self.dtype(), self.shape())
    }
}

macro_rules! operators {
    ($($operator:ident, $method:ident, $number:expr);* $(;)?) => { $(
        impl std::ops::$operator for &Tensor {
            type Output = Result<Tensor>;
            fn $method(self, other: &Tensor) -> Result<Tensor> {
                Tensor::$method(self, other)
            }
        }
        impl std::ops::$operator<f64> for &Tensor {
            type Output = Result<Tensor>;
            fn $method(self, number: f64) -> Result<Tensor> {
                let (scale, shift): (f64, f64) = $number(number);
                self.affine(scale, shift)
            }
        }
    )* };
}
operators! {
    Add, add, |n| (1.0, n);
    Sub, sub, |n: f64| (1.0, -n);
    Mul, mul, |n| (n, 0.0);
    Div, div, |n: f64| (1.0 / n, 0.0);
}

impl std::ops::Neg for &Tensor {
    type Output = Result<Tensor>;
    fn neg(self) -> Result<Tensor> {
        Tensor::neg(self)
    }
}
