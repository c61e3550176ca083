//! Layers: running them, their parameters and buffers, containers, and layers of the user's own.

use std::borrow::Borrow;
use std::os::raw::c_void;
use std::ptr::NonNull;

use crate::callback::{callback, later};
use crate::error::{c_text, check, count, get, make, text};
use crate::handle::{handle, ContextRef};
use crate::tensor::handles;
use crate::{sys, Context, Error, Result, Status, Tensor};

handle! {
    /// Parameters and a forward rule.
    ///
    /// ```
    /// use mpt::{Context, DType, Layer, LayerSpec, Linear, Tensor};
    /// let ctx = Context::new()?;
    /// let model = Layer::sequential(&ctx)?
    ///     .with("hidden", Linear::new(4, 8))?
    ///     .with("relu", Layer::relu)?
    ///     .with("out", Linear::new(8, 2).bias(false))?;
    /// let y = model.forward(&Tensor::ones(&ctx, DType::F32, [3, 4])?)?;
    /// assert_eq!(y.shape(), [3, 2]);
    /// let names: Vec<_> = model.parameters()?.map(|(name, _)| name).collect();
    /// assert_eq!(names, ["hidden.weight", "hidden.bias", "out.weight"]);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    Layer, mpt_layer, mpt_layer_retain, mpt_layer_release
}
crate::handle::plain_debug!(Layer);

/// What a layer can be made of: a builder such as [`Linear`](crate::Linear), a function such as [`Layer::relu`], or a layer that is there already.
pub trait LayerSpec: Sized {
    /// Makes the layer.
    fn build(self, ctx: &Context) -> Result<Layer>;
}

impl LayerSpec for Layer {
    fn build(self, _: &Context) -> Result<Layer> {
        Ok(self)
    }
}
impl LayerSpec for &Layer {
    fn build(self, _: &Context) -> Result<Layer> {
        Ok(self.clone())
    }
}
impl<F: FnOnce(&Context) -> Result<Layer>> LayerSpec for F {
    fn build(self, ctx: &Context) -> Result<Layer> {
        self(ctx)
    }
}

/// Names and tensors of a layer; see [`Layer::parameters`].
#[derive(Debug)]
pub struct NamedTensors(std::vec::IntoIter<(String, Tensor)>);

impl Iterator for NamedTensors {
    type Item = (String, Tensor);
    fn next(&mut self) -> Option<(String, Tensor)> {
        self.0.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
impl ExactSizeIterator for NamedTensors {}
impl DoubleEndedIterator for NamedTensors {
    fn next_back(&mut self) -> Option<(String, Tensor)> {
        self.0.next_back()
    }
}

type Forward = dyn Fn(&Layer, &[Tensor]) -> Result<Vec<Tensor>>;

struct Custom {
    forward: Box<Forward>,
    ctx: std::rc::Weak<crate::context::Shared>,
}

impl Drop for Custom {
    fn drop(&mut self) {
        if let Some(ctx) = self.ctx.upgrade() {
            ctx.closures.set(ctx.closures.get() - 1);
        }
    }
}

/// Counts a custom layer that runs.
struct Running<'c>(&'c ContextRef);
impl<'c> Running<'c> {
    fn new(ctx: &'c ContextRef) -> Running<'c> {
        ctx.running.set(ctx.running.get() + 1);
        Running(ctx)
    }
}
impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
    }
}

unsafe extern "C" fn run_custom(
    layer: *mut sys::mpt_layer,
    inputs: *const *mut sys::mpt_tensor,
    n_inputs: i32,
    outputs: *mut *mut sys::mpt_tensor,
    n_outputs: i32,
    user: *mut c_void,
) -> sys::mpt_status {
    callback(|| {
        let custom = &*(user as *const Custom);
        // Whoever runs the layer holds its context.
        let ctx = custom.ctx.upgrade().ok_or_else(|| Error::new(Status::Internal, "the layer's context is gone"))?;
        let _running = Running::new(&ctx);
        sys::mpt_layer_retain(layer);
        let layer = Layer::from_raw(NonNull::new_unchecked(layer), &ctx);
        let inputs: Vec<Tensor> = (0..usize::try_from(n_inputs).unwrap_or(0))
            .map(|i| {
                let raw = *inputs.add(i);
                sys::mpt_tensor_retain(raw);
                Tensor::from_raw(NonNull::new_unchecked(raw), &ctx)
            })
            .collect();
        let results = (custom.forward)(&layer, &inputs)?;
        if count(results.len()) != n_outputs {
            return Err(Error::new(Status::Argument, format!("the custom layer gave {} tensors where {} are wanted", results.len(), n_outputs)));
        }
        if results.iter().any(|t| !std::rc::Rc::ptr_eq(t.context().shared(), &ctx)) {
            return Err(Error::new(Status::Context, "the custom layer gave a tensor of another context"));
        }
        for (i, tensor) in results.into_iter().enumerate() {
            sys::mpt_tensor_retain(tensor.raw());
            *outputs.add(i) = tensor.raw();
        }
        Ok(())
    })
}

unsafe extern "C" fn free_custom(user: *mut c_void) {
    let custom = Box::from_raw(user as *mut Custom);
    later(Box::new(move || drop(custom)));
}

impl Layer {
    pub(crate) fn make(ctx: &Context, call: impl FnOnce(*mut *mut sys::mpt_layer) -> sys::mpt_status) -> Result<Layer> {
        let raw = make(call)?;
        // SAFETY: an owned handle of this context.
        Ok(unsafe { Layer::from_raw(raw, ctx.shared()) })
    }

    /// A layer whose rule is the closure: operations and other layers, from which the gradient follows. It is given the layer itself,
    /// for its parameters, buffers and training flag, and the inputs. Inside a capture it runs once, while recording.
    /// Meanwhile no layer of the context can be given children, parameters or buffers.
    ///
    /// ```
    /// use mpt::{Context, DType, Init, Layer, Tensor};
    /// let ctx = Context::new()?;
    /// let scale = Tensor::full(&ctx, DType::F32, [3], 2.0)?;
    /// let layer = Layer::custom(&ctx, |layer, inputs| {
    ///     let scale = layer.parameter("scale")?;
    ///     Ok(vec![inputs[0].mul(&scale)?])
    /// })?;
    /// layer.add_parameter("scale", &scale)?;
    /// let y = layer.forward(&Tensor::ones(&ctx, DType::F32, [2, 3])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0; 6]);
    /// # Ok::<(), mpt::Error>(())
    /// ```
    pub fn custom(ctx: &Context, forward: impl Fn(&Layer, &[Tensor]) -> Result<Vec<Tensor>> + 'static) -> Result<Layer> {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_custom_layer_desc = unsafe { std::mem::zeroed() };
        // SAFETY: the size is that of desc.
        check(unsafe { sys::mpt_custom_layer_desc_init(&mut desc, std::mem::size_of_val(&desc)) })?;
        let custom = Box::into_raw(Box::new(Custom { forward: Box::new(forward), ctx: std::rc::Rc::downgrade(ctx.shared()) }));
        ctx.shared().closures.set(ctx.shared().closures.get() + 1);
        desc.forward = Some(run_custom);
        desc.release = Some(free_custom);
        desc.user_data = custom.cast();
        // SAFETY: the callbacks know what user_data is; the layer frees it.
        let made = Layer::make(ctx, |out| unsafe { sys::mpt_layer_custom(ctx.raw(), &desc, out) });
        if made.is_err() {
            // SAFETY: on failure it stays ours.
            drop(unsafe { Box::from_raw(custom) });
        }
        made
    }

    /// Lists that C goes through while a callback runs must stay.
    fn need_rest(&self) -> Result<()> {
        if self.ctx.running.get() == 0 {
            return Ok(());
        }
        Err(Error::new(Status::State, "a custom layer is running: give layers their children, parameters and buffers before"))
    }

    /// Appends a child to a sequential, parallel or custom layer under a name, which is unique there and has no '.' or '/'; "": its index.
    pub fn add(&self, name: &str, child: &Layer) -> Result<()> {
        self.need_rest()?;
        let name = c_text(name)?;
        let name = if name.as_bytes().is_empty() { std::ptr::null() } else { name.as_ptr() };
        // SAFETY: both layers are alive; name is null or ends with a zero.
        check(unsafe { sys::mpt_layer_add(self.raw(), name, child.raw()) })
    }

    /// [`add`](Layer::add) for models that are written as one expression.
    pub fn with(self, name: &str, child: impl LayerSpec) -> Result<Layer> {
        let child = child.build(&self.context())?;
        self.add(name, &child)?;
        Ok(self)
    }

    /// Gives a custom layer a parameter: a dense floating leaf, which asks for gradients from now on.
    pub fn add_parameter(&self, name: &str, tensor: &Tensor) -> Result<()> {
        self.need_rest()?;
        let name = c_text(name)?;
        // SAFETY: both are alive; name ends with a zero.
        check(unsafe { sys::mpt_layer_add_parameter(self.raw(), name.as_ptr(), tensor.raw()) })
    }

    /// Gives a custom layer a buffer: a tensor that asks for no gradients, such as a running mean. It is saved with the layer and not trained.
    pub fn add_buffer(&self, name: &str, tensor: &Tensor) -> Result<()> {
        self.need_rest()?;
        let name = c_text(name)?;
        // SAFETY: both are alive; name ends with a zero.
        check(unsafe { sys::mpt_layer_add_buffer(self.raw(), name.as_ptr(), tensor.raw()) })
    }

    /// Runs a layer that takes one tensor and gives one.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let input = input.raw();
        // SAFETY: one input, one output.
        let raw = make(|out| unsafe { sys::mpt_layer_forward(self.raw(), &input, 1, out, 1) })?;
        // SAFETY: an owned handle of this context.
        Ok(unsafe { Tensor::from_raw(raw, &self.ctx) })
    }

    /// Runs the layer on several inputs, for several outputs.
    pub fn forward_many(&self, inputs: &[impl Borrow<Tensor>], n_outputs: usize) -> Result<Vec<Tensor>> {
        let inputs = handles(inputs);
        // SAFETY: the inputs are alive, and out has room for n_outputs.
        Tensor::results(&self.ctx, n_outputs, |out| unsafe {
            sys::mpt_layer_forward(self.raw(), inputs.as_ptr(), count(inputs.len()), out, count(n_outputs))
        })
    }

    /// Training, the start, or evaluation, for the layer and all below it.
    pub fn set_training(&self, training: bool) -> Result<()> {
        // SAFETY: the layer is alive.
        check(unsafe { sys::mpt_layer_set_training(self.raw(), training.into()) })
    }

    /// Is the layer in training?
    pub fn training(&self) -> Result<bool> {
        // SAFETY: the layer is alive.
        Ok(get(|out| unsafe { sys::mpt_layer_training(self.raw(), out) })? != 0)
    }

    /// Frozen: no parameter below asks for gradients; else all do. Not inside a capture.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        // SAFETY: the layer is alive.
        check(unsafe { sys::mpt_layer_freeze(self.raw(), frozen.into()) })
    }

    /// The parameters with their names, children's included; one that is there more than once counts once.
    pub fn parameters(&self) -> Result<NamedTensors> {
        // SAFETY: the layer is alive, and indices are below the count.
        let n = get(|out| unsafe { sys::mpt_layer_parameter_count(self.raw(), out) })?;
        self.named(n, |i, out| unsafe { sys::mpt_layer_parameter(self.raw(), i, out) }, |i, buffer, nbytes, needed| unsafe {
            sys::mpt_layer_parameter_name(self.raw(), i, buffer, nbytes, needed)
        })
    }

    /// The tensors that belong to the layer and are no parameters, such as running statistics, with their names.
    pub fn buffers(&self) -> Result<NamedTensors> {
        // SAFETY: the layer is alive, and indices are below the count.
        let n = get(|out| unsafe { sys::mpt_layer_buffer_count(self.raw(), out) })?;
        self.named(n, |i, out| unsafe { sys::mpt_layer_buffer(self.raw(), i, out) }, |i, buffer, nbytes, needed| unsafe {
            sys::mpt_layer_buffer_name(self.raw(), i, buffer, nbytes, needed)
        })
    }

    fn named(
        &self,
        n: i32,
        tensor: impl Fn(i32, *mut *mut sys::mpt_tensor) -> sys::mpt_status,
        name: impl Fn(i32, *mut std::os::raw::c_char, usize, *mut usize) -> sys::mpt_status,
    ) -> Result<NamedTensors> {
        let mut list = Vec::new();
        for i in 0..n {
            let raw = make(|out| tensor(i, out))?;
            // SAFETY: an owned handle of this context.
            let tensor = unsafe { Tensor::from_raw(raw, &self.ctx) };
            list.push((text(|buffer, nbytes, needed| name(i, buffer, nbytes, needed))?, tensor));
        }
        Ok(NamedTensors(list.into_iter()))
    }

    /// A parameter by its name, for example "hidden.weight".
    pub fn parameter(&self, name: &str) -> Result<Tensor> {
        let name = c_text(name)?;
        // SAFETY: name ends with a zero.
        let raw = make(|out| unsafe { sys::mpt_layer_parameter_by_name(self.raw(), name.as_ptr(), out) })?;
        // SAFETY: an owned handle of this context.
        Ok(unsafe { Tensor::from_raw(raw, &self.ctx) })
    }
}
