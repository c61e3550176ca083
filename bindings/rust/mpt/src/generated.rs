//! Written by generate.py from the header: enums, builders, operations of tensors, layers without a descriptor.

use std::borrow::Borrow;

use crate::error::{count, make, text_of};
use crate::tensor::{handles, references};
use crate::{sys, Context, Dims, Error, Layer, LayerSpec, Optimizer, Pair, Result, Scaler, Tensor};

fn same_length(a: &[i64], b: &[i64]) -> Result<()> {
    if a.len() == b.len() {
        return Ok(());
    }
    Err(Error::new(Status::Argument, format!("lists of {} and {} numbers where equally many are needed", a.len(), b.len())))
}

fn first_of<'t>(tensors: &[&'t Tensor]) -> Result<&'t Tensor> {
    tensors.first().copied().ok_or_else(|| Error::new(Status::Argument, "an empty list of tensors: give at least one"))
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// It worked.
    Ok,
    /// an argument is `None` or out of its range.
    Argument,
    /// a tensor's shape does not fit.
    Shape,
    /// a tensor's element type does not fit.
    DType,
    /// a handle belongs to another context.
    Context,
    /// the call comes in the wrong order.
    State,
    /// a tensor saved for backward was changed, or its graph is used up.
    Stale,
    /// known, but not to be had here.
    Unsupported,
    /// no memory.
    Memory,
    /// the device or its module cannot be used.
    Device,
    /// the device has failed and is lost to this process.
    DeviceLost,
    /// a file or callback failed, or the data are damaged.
    Io,
    /// no such name.
    NotFound,
    /// optimizer unscaled twice since the last scaler update.
    UnscaledTwice,
    /// optimizer unscaled after its step.
    UnscaleAfterStep,
    /// optimizer stepped twice since the last scaler update.
    StepTwice,
    /// scaler updated though no optimizer looked at its gradients.
    UpdateWithoutStep,
    /// the context was made before fork() and this is the child.
    Forked,
    /// a defect of mpt; please report it.
    Internal,
}

impl Status {
    pub(crate) fn raw(self) -> sys::mpt_status {
        match self {
            Status::Ok => sys::mpt_status::MPT_OK,
            Status::Argument => sys::mpt_status::MPT_ERROR_ARGUMENT,
            Status::Shape => sys::mpt_status::MPT_ERROR_SHAPE,
            Status::DType => sys::mpt_status::MPT_ERROR_DTYPE,
            Status::Context => sys::mpt_status::MPT_ERROR_CONTEXT,
            Status::State => sys::mpt_status::MPT_ERROR_STATE,
            Status::Stale => sys::mpt_status::MPT_ERROR_STALE,
            Status::Unsupported => sys::mpt_status::MPT_ERROR_UNSUPPORTED,
            Status::Memory => sys::mpt_status::MPT_ERROR_MEMORY,
            Status::Device => sys::mpt_status::MPT_ERROR_DEVICE,
            Status::DeviceLost => sys::mpt_status::MPT_ERROR_DEVICE_LOST,
            Status::Io => sys::mpt_status::MPT_ERROR_IO,
            Status::NotFound => sys::mpt_status::MPT_ERROR_NOT_FOUND,
            Status::UnscaledTwice => sys::mpt_status::MPT_ERROR_UNSCALED_TWICE,
            Status::UnscaleAfterStep => sys::mpt_status::MPT_ERROR_UNSCALE_AFTER_STEP,
            Status::StepTwice => sys::mpt_status::MPT_ERROR_STEP_TWICE,
            Status::UpdateWithoutStep => sys::mpt_status::MPT_ERROR_UPDATE_WITHOUT_STEP,
            Status::Forked => sys::mpt_status::MPT_ERROR_FORKED,
            Status::Internal => sys::mpt_status::MPT_ERROR_INTERNAL,
        }
    }

    pub(crate) fn from_raw(raw: sys::mpt_status) -> Status {
        match raw {
            sys::mpt_status::MPT_OK => Status::Ok,
            sys::mpt_status::MPT_ERROR_ARGUMENT => Status::Argument,
            sys::mpt_status::MPT_ERROR_SHAPE => Status::Shape,
            sys::mpt_status::MPT_ERROR_DTYPE => Status::DType,
            sys::mpt_status::MPT_ERROR_CONTEXT => Status::Context,
            sys::mpt_status::MPT_ERROR_STATE => Status::State,
            sys::mpt_status::MPT_ERROR_STALE => Status::Stale,
            sys::mpt_status::MPT_ERROR_UNSUPPORTED => Status::Unsupported,
            sys::mpt_status::MPT_ERROR_MEMORY => Status::Memory,
            sys::mpt_status::MPT_ERROR_DEVICE => Status::Device,
            sys::mpt_status::MPT_ERROR_DEVICE_LOST => Status::DeviceLost,
            sys::mpt_status::MPT_ERROR_IO => Status::Io,
            sys::mpt_status::MPT_ERROR_NOT_FOUND => Status::NotFound,
            sys::mpt_status::MPT_ERROR_UNSCALED_TWICE => Status::UnscaledTwice,
            sys::mpt_status::MPT_ERROR_UNSCALE_AFTER_STEP => Status::UnscaleAfterStep,
            sys::mpt_status::MPT_ERROR_STEP_TWICE => Status::StepTwice,
            sys::mpt_status::MPT_ERROR_UPDATE_WITHOUT_STEP => Status::UpdateWithoutStep,
            sys::mpt_status::MPT_ERROR_FORKED => Status::Forked,
            sys::mpt_status::MPT_ERROR_INTERNAL => Status::Internal,
            _ => Status::Internal,
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SAFETY: any value is fine, and the name is static.
        f.pad(&text_of(unsafe { sys::mpt_status_name(self.raw()) }))
    }
}

/// Element types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// "not given" where a dtype is optional.
    None,
    /// F64.
    F64,
    /// F32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// the upper half of an f32.
    Bf16,
    /// 8 bits, largest value 448, no infinity: storage and operands of products.
    F8E4M3,
    /// 8 bits, largest value 57344: storage and operands of products.
    F8E5M2,
    /// I8.
    I8,
    /// I16.
    I16,
    /// I32.
    I32,
    /// I64.
    I64,
    /// U8.
    U8,
    /// one byte, 0 or 1.
    Bool,
}

impl DType {
    pub(crate) fn raw(self) -> sys::mpt_dtype {
        match self {
            DType::None => sys::mpt_dtype::MPT_DTYPE_NONE,
            DType::F64 => sys::mpt_dtype::MPT_F64,
            DType::F32 => sys::mpt_dtype::MPT_F32,
            DType::F16 => sys::mpt_dtype::MPT_F16,
            DType::Bf16 => sys::mpt_dtype::MPT_BF16,
            DType::F8E4M3 => sys::mpt_dtype::MPT_F8E4M3,
            DType::F8E5M2 => sys::mpt_dtype::MPT_F8E5M2,
            DType::I8 => sys::mpt_dtype::MPT_I8,
            DType::I16 => sys::mpt_dtype::MPT_I16,
            DType::I32 => sys::mpt_dtype::MPT_I32,
            DType::I64 => sys::mpt_dtype::MPT_I64,
            DType::U8 => sys::mpt_dtype::MPT_U8,
            DType::Bool => sys::mpt_dtype::MPT_BOOL,
        }
    }

    pub(crate) fn from_raw(raw: sys::mpt_dtype) -> DType {
        match raw {
            sys::mpt_dtype::MPT_DTYPE_NONE => DType::None,
            sys::mpt_dtype::MPT_F64 => DType::F64,
            sys::mpt_dtype::MPT_F32 => DType::F32,
            sys::mpt_dtype::MPT_F16 => DType::F16,
            sys::mpt_dtype::MPT_BF16 => DType::Bf16,
            sys::mpt_dtype::MPT_F8E4M3 => DType::F8E4M3,
            sys::mpt_dtype::MPT_F8E5M2 => DType::F8E5M2,
            sys::mpt_dtype::MPT_I8 => DType::I8,
            sys::mpt_dtype::MPT_I16 => DType::I16,
            sys::mpt_dtype::MPT_I32 => DType::I32,
            sys::mpt_dtype::MPT_I64 => DType::I64,
            sys::mpt_dtype::MPT_U8 => DType::U8,
            sys::mpt_dtype::MPT_BOOL => DType::Bool,
            _ => DType::None,
        }
    }

    /// The bytes of one element.
    pub fn size(self) -> usize {
        // SAFETY: any value is fine.
        unsafe { sys::mpt_dtype_size(self.raw()) }
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SAFETY: any value is fine, and the name is static.
        f.pad(&text_of(unsafe { sys::mpt_dtype_name(self.raw()) }))
    }
}

/// Where a context computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Device {
    /// Cpu.
    Cpu,
    /// an NVIDIA GPU; [`Status::Device`] where libmpt\_cuda cannot be used.
    Cuda,
    /// CUDA when it works, else the CPU.
    Auto,
}

impl Device {
    pub(crate) fn raw(self) -> sys::mpt_device {
        match self {
            Device::Cpu => sys::mpt_device::MPT_DEVICE_CPU,
            Device::Cuda => sys::mpt_device::MPT_DEVICE_CUDA,
            Device::Auto => sys::mpt_device::MPT_DEVICE_AUTO,
        }
    }

    pub(crate) fn from_raw(raw: sys::mpt_device) -> Device {
        match raw {
            sys::mpt_device::MPT_DEVICE_CPU => Device::Cpu,
            sys::mpt_device::MPT_DEVICE_CUDA => Device::Cuda,
            sys::mpt_device::MPT_DEVICE_AUTO => Device::Auto,
            _ => Device::Cpu,
        }
    }
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    /// Error.
    Error,
    /// Warning.
    Warning,
    /// Info.
    Info,
    /// Debug.
    Debug,
}

impl LogLevel {
    pub(crate) fn raw(self) -> sys::mpt_log_level {
        match self {
            LogLevel::Error => sys::mpt_log_level::MPT_LOG_ERROR,
            LogLevel::Warning => sys::mpt_log_level::MPT_LOG_WARNING,
            LogLevel::Info => sys::mpt_log_level::MPT_LOG_INFO,
            LogLevel::Debug => sys::mpt_log_level::MPT_LOG_DEBUG,
        }
    }

    pub(crate) fn from_raw(raw: sys::mpt_log_level) -> LogLevel {
        match raw {
            sys::mpt_log_level::MPT_LOG_ERROR => LogLevel::Error,
            sys::mpt_log_level::MPT_LOG_WARNING => LogLevel::Warning,
            sys::mpt_log_level::MPT_LOG_INFO => LogLevel::Info,
            sys::mpt_log_level::MPT_LOG_DEBUG => LogLevel::Debug,
            _ => LogLevel::Debug,
        }
    }
}

/// How a loss comes from its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reduction {
    /// Mean.
    Mean,
    /// Sum.
    Sum,
    /// None.
    None,
    /// the sum divided by the first extent.
    BatchMean,
}

impl Reduction {
    pub(crate) fn raw(self) -> sys::mpt_reduction {
        match self {
            Reduction::Mean => sys::mpt_reduction::MPT_REDUCTION_MEAN,
            Reduction::Sum => sys::mpt_reduction::MPT_REDUCTION_SUM,
            Reduction::None => sys::mpt_reduction::MPT_REDUCTION_NONE,
            Reduction::BatchMean => sys::mpt_reduction::MPT_REDUCTION_BATCH_MEAN,
        }
    }
}

/// What [`Tensor::backward`] does to gradients that exist already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GradMode {
    /// replace: the first micro-batch.
    Write,
    /// add to them: accumulation.
    Add,
}

impl GradMode {
    pub(crate) fn raw(self) -> sys::mpt_grad_mode {
        match self {
            GradMode::Write => sys::mpt_grad_mode::MPT_GRAD_WRITE,
            GradMode::Add => sys::mpt_grad_mode::MPT_GRAD_ADD,
        }
    }
}

/// Initial values of a layer's weights. Biases: uniform in +-1/sqrt(fan\_in) for DEFAULT, else 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Init {
    /// uniform in +-1/sqrt(fan\_in) \[PyTorch nn.Linear, nn.Conv2d\].
    Default,
    /// Zeros.
    Zeros,
    /// +-sqrt(6/(fan\_in+fan\_out)) \[Glorot and Bengio 2010\].
    XavierUniform,
    /// std sqrt(2/(fan\_in+fan\_out)) \[Glorot and Bengio 2010\].
    XavierNormal,
    /// +-sqrt(6/fan\_in) \[He et al. 2015\].
    KaimingUniform,
    /// std sqrt(2/fan\_in) \[He et al. 2015\].
    KaimingNormal,
    /// std sqrt(1/fan\_in) \[LeCun et al. 1998\].
    LecunNormal,
    /// orthonormal rows or columns \[Saxe et al. 2014\].
    Orthogonal,
    /// Ones.
    Ones,
}

impl Init {
    pub(crate) fn raw(self) -> sys::mpt_init {
        match self {
            Init::Default => sys::mpt_init::MPT_INIT_DEFAULT,
            Init::Zeros => sys::mpt_init::MPT_INIT_ZEROS,
            Init::XavierUniform => sys::mpt_init::MPT_INIT_XAVIER_UNIFORM,
            Init::XavierNormal => sys::mpt_init::MPT_INIT_XAVIER_NORMAL,
            Init::KaimingUniform => sys::mpt_init::MPT_INIT_KAIMING_UNIFORM,
            Init::KaimingNormal => sys::mpt_init::MPT_INIT_KAIMING_NORMAL,
            Init::LecunNormal => sys::mpt_init::MPT_INIT_LECUN_NORMAL,
            Init::Orthogonal => sys::mpt_init::MPT_INIT_ORTHOGONAL,
            Init::Ones => sys::mpt_init::MPT_INIT_ONES,
        }
    }
}

/// Where in training an op stands; a policy can give each role its own precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Forward.
    Forward,
    /// Input gradient.
    InputGradient,
    /// Weight gradient.
    WeightGradient,
}

impl Role {
    pub(crate) fn raw(self) -> sys::mpt_role {
        match self {
            Role::Forward => sys::mpt_role::MPT_ROLE_FORWARD,
            Role::InputGradient => sys::mpt_role::MPT_ROLE_INPUT_GRADIENT,
            Role::WeightGradient => sys::mpt_role::MPT_ROLE_WEIGHT_GRADIENT,
        }
    }
}

/// How a loss scaler moves its scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScalerKind {
    /// never moves; non-finite gradients still skip the step.
    Static,
    /// \[torch.amp.GradScaler\].
    Torch,
    /// backs off only from the hysteresis-th bad iteration in a row on \[apex\].
    Hysteresis,
    /// every bad iteration beyond the hysteresis backs off until the next growth \[Megatron-LM\].
    Megatron,
}

impl ScalerKind {
    pub(crate) fn raw(self) -> sys::mpt_scaler_kind {
        match self {
            ScalerKind::Static => sys::mpt_scaler_kind::MPT_SCALER_STATIC,
            ScalerKind::Torch => sys::mpt_scaler_kind::MPT_SCALER_TORCH,
            ScalerKind::Hysteresis => sys::mpt_scaler_kind::MPT_SCALER_HYSTERESIS,
            ScalerKind::Megatron => sys::mpt_scaler_kind::MPT_SCALER_MEGATRON,
        }
    }
}

/// How the scales of fp8 products are found. A scale is a power of two or not; the product is divided by it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fp8Recipe {
    /// no scales: for comparison.
    Unscaled,
    /// from this tensor's largest magnitude.
    Current,
    /// from the largest magnitude of earlier steps \[NVIDIA Transformer Engine\].
    Delayed,
}

impl Fp8Recipe {
    pub(crate) fn raw(self) -> sys::mpt_fp8_recipe {
        match self {
            Fp8Recipe::Unscaled => sys::mpt_fp8_recipe::MPT_FP8_UNSCALED,
            Fp8Recipe::Current => sys::mpt_fp8_recipe::MPT_FP8_CURRENT,
            Fp8Recipe::Delayed => sys::mpt_fp8_recipe::MPT_FP8_DELAYED,
        }
    }
}

/// How f16 and bf16 parameters take updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rounding {
    /// an f32 master is updated; the parameter is its rounded copy.
    Master,
    /// no master; to nearest even: small updates are lost.
    Nearest,
    /// no master; up or down with the probability of the distance \[Gupta et al. 2015\]; bf16.
    Stochastic,
    /// no master; what rounding loses is kept in a second tensor of the parameter's type \[Kahan 1965\].
    Kahan,
}

impl Rounding {
    pub(crate) fn raw(self) -> sys::mpt_rounding {
        match self {
            Rounding::Master => sys::mpt_rounding::MPT_ROUNDING_MASTER,
            Rounding::Nearest => sys::mpt_rounding::MPT_ROUNDING_NEAREST,
            Rounding::Stochastic => sys::mpt_rounding::MPT_ROUNDING_STOCHASTIC,
            Rounding::Kahan => sys::mpt_rounding::MPT_ROUNDING_KAHAN,
        }
    }
}

/// How a rate moves with the step count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScheduleKind {
    /// Constant.
    Constant,
    /// times gamma every interval steps \[torch StepLR\].
    Step,
    /// half a cosine from 1 to final\_factor over total\_steps \[Loshchilov and Hutter 2017\].
    Cosine,
    /// a line from 1 to final\_factor over total\_steps.
    Linear,
    /// up by a cosine during warmup\_steps from 1/25, then down to final\_factor \[Smith 2018; torch OneCycleLR\].
    OneCycle,
}

impl ScheduleKind {
    pub(crate) fn raw(self) -> sys::mpt_schedule_kind {
        match self {
            ScheduleKind::Constant => sys::mpt_schedule_kind::MPT_SCHEDULE_CONSTANT,
            ScheduleKind::Step => sys::mpt_schedule_kind::MPT_SCHEDULE_STEP,
            ScheduleKind::Cosine => sys::mpt_schedule_kind::MPT_SCHEDULE_COSINE,
            ScheduleKind::Linear => sys::mpt_schedule_kind::MPT_SCHEDULE_LINEAR,
            ScheduleKind::OneCycle => sys::mpt_schedule_kind::MPT_SCHEDULE_ONE_CYCLE,
        }
    }
}

/// Activation functions that layers can be made of; the ops of these names say what they compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// Relu.
    Relu,
    /// parameter: the slope.
    LeakyRelu,
    /// Gelu.
    Gelu,
    /// Gelu tanh.
    GeluTanh,
    /// Silu.
    Silu,
    /// parameter: alpha.
    Elu,
    /// Sigmoid.
    Sigmoid,
    /// Tanh.
    Tanh,
    /// Softplus.
    Softplus,
}

impl Activation {
    pub(crate) fn raw(self) -> sys::mpt_activation {
        match self {
            Activation::Relu => sys::mpt_activation::MPT_ACTIVATION_RELU,
            Activation::LeakyRelu => sys::mpt_activation::MPT_ACTIVATION_LEAKY_RELU,
            Activation::Gelu => sys::mpt_activation::MPT_ACTIVATION_GELU,
            Activation::GeluTanh => sys::mpt_activation::MPT_ACTIVATION_GELU_TANH,
            Activation::Silu => sys::mpt_activation::MPT_ACTIVATION_SILU,
            Activation::Elu => sys::mpt_activation::MPT_ACTIVATION_ELU,
            Activation::Sigmoid => sys::mpt_activation::MPT_ACTIVATION_SIGMOID,
            Activation::Tanh => sys::mpt_activation::MPT_ACTIVATION_TANH,
            Activation::Softplus => sys::mpt_activation::MPT_ACTIVATION_SOFTPLUS,
        }
    }
}

/// Which GELU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GeluKind {
    /// x/2 (1 + erf(x / sqrt 2)) \[Hendrycks and Gimpel 2016\].
    Exact,
    /// their approximation with tanh.
    Tanh,
}

impl GeluKind {
    pub(crate) fn raw(self) -> sys::mpt_gelu_kind {
        match self {
            GeluKind::Exact => sys::mpt_gelu_kind::MPT_GELU_EXACT,
            GeluKind::Tanh => sys::mpt_gelu_kind::MPT_GELU_TANH,
        }
    }
}

/// How pixels are found between pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UpsampleMode {
    /// Nearest.
    Nearest,
    /// pixel centres at halves \[torch, align\_corners=False\].
    Bilinear,
}

impl UpsampleMode {
    pub(crate) fn raw(self) -> sys::mpt_upsample_mode {
        match self {
            UpsampleMode::Nearest => sys::mpt_upsample_mode::MPT_UPSAMPLE_NEAREST,
            UpsampleMode::Bilinear => sys::mpt_upsample_mode::MPT_UPSAMPLE_BILINEAR,
        }
    }
}

/// What a recurrent layer does with its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecurrentKind {
    /// h' = tanh(W x + b + V h + c) \[Elman 1990\].
    Tanh,
    /// Relu.
    Relu,
    /// \[Hochreiter and Schmidhuber 1997; gates as torch.nn.LSTM\].
    Lstm,
    /// \[Cho et al. 2014; gates as torch.nn.GRU\].
    Gru,
}

impl RecurrentKind {
    pub(crate) fn raw(self) -> sys::mpt_recurrent_kind {
        match self {
            RecurrentKind::Tanh => sys::mpt_recurrent_kind::MPT_RECURRENT_TANH,
            RecurrentKind::Relu => sys::mpt_recurrent_kind::MPT_RECURRENT_RELU,
            RecurrentKind::Lstm => sys::mpt_recurrent_kind::MPT_RECURRENT_LSTM,
            RecurrentKind::Gru => sys::mpt_recurrent_kind::MPT_RECURRENT_GRU,
        }
    }
}

/// What a parallel container does with its children's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Join {
    /// of equal shapes.
    Sum,
    /// along the container's dimension.
    Concat,
    /// gives them all, in order: n\_outputs is their number.
    List,
}

impl Join {
    pub(crate) fn raw(self) -> sys::mpt_join {
        match self {
            Join::Sum => sys::mpt_join::MPT_JOIN_SUM,
            Join::Concat => sys::mpt_join::MPT_JOIN_CONCAT,
            Join::List => sys::mpt_join::MPT_JOIN_LIST,
        }
    }
}

/// Parameters "weight" \[out, in\] and "bias" \[out\], initialised from the context's random numbers.
///
/// Gives a [`Layer`] by [`build`](Linear::build).
#[derive(Clone)]
#[must_use]
pub struct Linear {
    desc: sys::mpt_linear_desc,
}

impl Linear {
    /// In features, out features; all else has its default.
    pub fn new(in_features: i64, out_features: i64) -> Linear {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_linear_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_linear_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.in_features = in_features;
        desc.out_features = out_features;
        Linear { desc }
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Init.
    pub fn init(mut self, init: Init) -> Self {
        self.desc.init = init.raw();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_linear(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Linear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Linear")
            .field("no_bias", &self.desc.no_bias)
            .field("in_features", &self.desc.in_features)
            .field("out_features", &self.desc.out_features)
            .field("init", &self.desc.init.0)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for Linear {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Linear::build(&self, ctx)
    }
}

impl LayerSpec for &Linear {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Linear::build(self, ctx)
    }
}

/// Parameters "weight" \[out, in/groups, kh, kw\] and "bias" \[out\]. On a GPU the weight's channels lie beside each other in
/// memory: see [`Tensor::strides`]. Files and initial values are in logical order. Likewise in the other convolutions.
///
/// Gives a [`Layer`] by [`build`](Conv2d::build).
#[derive(Clone)]
#[must_use]
pub struct Conv2d {
    desc: sys::mpt_conv2d_desc,
}

impl Conv2d {
    /// In channels, out channels; all else has its default.
    pub fn new(in_channels: i64, out_channels: i64) -> Conv2d {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_conv2d_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_conv2d_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.in_channels = in_channels;
        desc.out_channels = out_channels;
        Conv2d { desc }
    }

    /// Groups: default 1.
    pub fn groups(mut self, groups: i32) -> Self {
        self.desc.groups = groups;
        self
    }

    /// Kernel in height and width: default 3.
    pub fn kernel(mut self, kernel: impl Into<Pair>) -> Self {
        let Pair(height, width) = kernel.into();
        self.desc.kernel_h = height;
        self.desc.kernel_w = width;
        self
    }

    /// Stride in height and width: default 1.
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        let Pair(height, width) = stride.into();
        self.desc.stride_h = height;
        self.desc.stride_w = width;
        self
    }

    /// Padding in height and width: default 0.
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        let Pair(height, width) = padding.into();
        self.desc.padding_h = height;
        self.desc.padding_w = width;
        self
    }

    /// Dilation in height and width: default 1.
    pub fn dilation(mut self, dilation: impl Into<Pair>) -> Self {
        let Pair(height, width) = dilation.into();
        self.desc.dilation_h = height;
        self.desc.dilation_w = width;
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Init.
    pub fn init(mut self, init: Init) -> Self {
        self.desc.init = init.raw();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_conv2d(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Conv2d {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conv2d")
            .field("groups", &self.desc.groups)
            .field("in_channels", &self.desc.in_channels)
            .field("out_channels", &self.desc.out_channels)
            .field("kernel_h", &self.desc.kernel_h)
            .field("kernel_w", &self.desc.kernel_w)
            .field("stride_h", &self.desc.stride_h)
            .field("stride_w", &self.desc.stride_w)
            .field("padding_h", &self.desc.padding_h)
            .field("padding_w", &self.desc.padding_w)
            .field("dilation_h", &self.desc.dilation_h)
            .field("dilation_w", &self.desc.dilation_w)
            .field("no_bias", &self.desc.no_bias)
            .field("init", &self.desc.init.0)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for Conv2d {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Conv2d::build(&self, ctx)
    }
}

impl LayerSpec for &Conv2d {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Conv2d::build(self, ctx)
    }
}

/// [`Tensor::conv_transpose2d`]. Parameters "weight" \[in, out/groups, kh, kw\] and "bias" \[out\].
///
/// Gives a [`Layer`] by [`build`](ConvTranspose2d::build).
#[derive(Clone)]
#[must_use]
pub struct ConvTranspose2d {
    desc: sys::mpt_conv2d_desc,
}

impl ConvTranspose2d {
    /// In channels, out channels; all else has its default.
    pub fn new(in_channels: i64, out_channels: i64) -> ConvTranspose2d {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_conv2d_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_conv2d_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.in_channels = in_channels;
        desc.out_channels = out_channels;
        ConvTranspose2d { desc }
    }

    /// Groups: default 1.
    pub fn groups(mut self, groups: i32) -> Self {
        self.desc.groups = groups;
        self
    }

    /// Kernel in height and width: default 3.
    pub fn kernel(mut self, kernel: impl Into<Pair>) -> Self {
        let Pair(height, width) = kernel.into();
        self.desc.kernel_h = height;
        self.desc.kernel_w = width;
        self
    }

    /// Stride in height and width: default 1.
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        let Pair(height, width) = stride.into();
        self.desc.stride_h = height;
        self.desc.stride_w = width;
        self
    }

    /// Padding in height and width: default 0.
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        let Pair(height, width) = padding.into();
        self.desc.padding_h = height;
        self.desc.padding_w = width;
        self
    }

    /// Dilation in height and width: default 1.
    pub fn dilation(mut self, dilation: impl Into<Pair>) -> Self {
        let Pair(height, width) = dilation.into();
        self.desc.dilation_h = height;
        self.desc.dilation_w = width;
        self
    }

    /// Output padding in height and width: transposed only; default 0.
    pub fn output_padding(mut self, output_padding: impl Into<Pair>) -> Self {
        let Pair(height, width) = output_padding.into();
        self.desc.output_padding_h = height;
        self.desc.output_padding_w = width;
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Init.
    pub fn init(mut self, init: Init) -> Self {
        self.desc.init = init.raw();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_conv_transpose2d(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for ConvTranspose2d {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConvTranspose2d")
            .field("groups", &self.desc.groups)
            .field("in_channels", &self.desc.in_channels)
            .field("out_channels", &self.desc.out_channels)
            .field("kernel_h", &self.desc.kernel_h)
            .field("kernel_w", &self.desc.kernel_w)
            .field("stride_h", &self.desc.stride_h)
            .field("stride_w", &self.desc.stride_w)
            .field("padding_h", &self.desc.padding_h)
            .field("padding_w", &self.desc.padding_w)
            .field("dilation_h", &self.desc.dilation_h)
            .field("dilation_w", &self.desc.dilation_w)
            .field("output_padding_h", &self.desc.output_padding_h)
            .field("output_padding_w", &self.desc.output_padding_w)
            .field("no_bias", &self.desc.no_bias)
            .field("init", &self.desc.init.0)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for ConvTranspose2d {
    fn build(self, ctx: &Context) -> Result<Layer> {
        ConvTranspose2d::build(&self, ctx)
    }
}

impl LayerSpec for &ConvTranspose2d {
    fn build(self, ctx: &Context) -> Result<Layer> {
        ConvTranspose2d::build(self, ctx)
    }
}

/// Parameters "weight" \[out, in/groups, k\] and "bias" \[out\].
///
/// Gives a [`Layer`] by [`build`](Conv1d::build).
#[derive(Clone)]
#[must_use]
pub struct Conv1d {
    desc: sys::mpt_conv1d_desc,
}

impl Conv1d {
    /// In channels, out channels; all else has its default.
    pub fn new(in_channels: i64, out_channels: i64) -> Conv1d {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_conv1d_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_conv1d_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.in_channels = in_channels;
        desc.out_channels = out_channels;
        Conv1d { desc }
    }

    /// Groups: default 1.
    pub fn groups(mut self, groups: i32) -> Self {
        self.desc.groups = groups;
        self
    }

    /// Kernel: default 3.
    pub fn kernel(mut self, kernel: i32) -> Self {
        self.desc.kernel = kernel;
        self
    }

    /// Stride: default 1.
    pub fn stride(mut self, stride: i32) -> Self {
        self.desc.stride = stride;
        self
    }

    /// Padding: default 0.
    pub fn padding(mut self, padding: i32) -> Self {
        self.desc.padding = padding;
        self
    }

    /// Dilation: default 1.
    pub fn dilation(mut self, dilation: i32) -> Self {
        self.desc.dilation = dilation;
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Init.
    pub fn init(mut self, init: Init) -> Self {
        self.desc.init = init.raw();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_conv1d(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Conv1d {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conv1d")
            .field("groups", &self.desc.groups)
            .field("in_channels", &self.desc.in_channels)
            .field("out_channels", &self.desc.out_channels)
            .field("kernel", &self.desc.kernel)
            .field("stride", &self.desc.stride)
            .field("padding", &self.desc.padding)
            .field("dilation", &self.desc.dilation)
            .field("no_bias", &self.desc.no_bias)
            .field("init", &self.desc.init.0)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for Conv1d {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Conv1d::build(&self, ctx)
    }
}

impl LayerSpec for &Conv1d {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Conv1d::build(self, ctx)
    }
}

/// [`Tensor::conv_transpose1d`]. Parameters "weight" \[in, out/groups, k\] and "bias" \[out\].
///
/// Gives a [`Layer`] by [`build`](ConvTranspose1d::build).
#[derive(Clone)]
#[must_use]
pub struct ConvTranspose1d {
    desc: sys::mpt_conv1d_desc,
}

impl ConvTranspose1d {
    /// In channels, out channels; all else has its default.
    pub fn new(in_channels: i64, out_channels: i64) -> ConvTranspose1d {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_conv1d_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_conv1d_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.in_channels = in_channels;
        desc.out_channels = out_channels;
        ConvTranspose1d { desc }
    }

    /// Groups: default 1.
    pub fn groups(mut self, groups: i32) -> Self {
        self.desc.groups = groups;
        self
    }

    /// Kernel: default 3.
    pub fn kernel(mut self, kernel: i32) -> Self {
        self.desc.kernel = kernel;
        self
    }

    /// Stride: default 1.
    pub fn stride(mut self, stride: i32) -> Self {
        self.desc.stride = stride;
        self
    }

    /// Padding: default 0.
    pub fn padding(mut self, padding: i32) -> Self {
        self.desc.padding = padding;
        self
    }

    /// Dilation: default 1.
    pub fn dilation(mut self, dilation: i32) -> Self {
        self.desc.dilation = dilation;
        self
    }

    /// Output padding: transposed only; default 0.
    pub fn output_padding(mut self, output_padding: i32) -> Self {
        self.desc.output_padding = output_padding;
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Init.
    pub fn init(mut self, init: Init) -> Self {
        self.desc.init = init.raw();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_conv_transpose1d(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for ConvTranspose1d {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConvTranspose1d")
            .field("groups", &self.desc.groups)
            .field("in_channels", &self.desc.in_channels)
            .field("out_channels", &self.desc.out_channels)
            .field("kernel", &self.desc.kernel)
            .field("stride", &self.desc.stride)
            .field("padding", &self.desc.padding)
            .field("dilation", &self.desc.dilation)
            .field("output_padding", &self.desc.output_padding)
            .field("no_bias", &self.desc.no_bias)
            .field("init", &self.desc.init.0)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for ConvTranspose1d {
    fn build(self, ctx: &Context) -> Result<Layer> {
        ConvTranspose1d::build(&self, ctx)
    }
}

impl LayerSpec for &ConvTranspose1d {
    fn build(self, ctx: &Context) -> Result<Layer> {
        ConvTranspose1d::build(self, ctx)
    }
}

/// [`Tensor::batch_norm`]. Parameters "weight" and "bias" \[features\], buffers "running\_mean" and "running\_var". In a program
/// each run moves the statistics.
///
/// Gives a [`Layer`] by [`build`](BatchNorm::build).
#[derive(Clone)]
#[must_use]
pub struct BatchNorm {
    desc: sys::mpt_norm_desc,
}

impl BatchNorm {
    /// Features; all else has its default.
    pub fn new(features: i64) -> BatchNorm {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_norm_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_norm_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.features = features;
        BatchNorm { desc }
    }

    /// Eps: default 1e-5.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// Momentum: of batch norm's running statistics; default 0.1.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.desc.momentum = momentum;
        self
    }

    /// With weight and bias? By default it is.
    pub fn affine(mut self, affine: bool) -> Self {
        self.desc.no_affine = (!affine).into();
        self
    }

    /// With running statistics? By default it is.
    pub fn running(mut self, running: bool) -> Self {
        self.desc.no_running = (!running).into();
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_batch_norm(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for BatchNorm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchNorm")
            .field("features", &self.desc.features)
            .field("eps", &self.desc.eps)
            .field("momentum", &self.desc.momentum)
            .field("no_affine", &self.desc.no_affine)
            .field("no_running", &self.desc.no_running)
            .field("no_bias", &self.desc.no_bias)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for BatchNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        BatchNorm::build(&self, ctx)
    }
}

impl LayerSpec for &BatchNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        BatchNorm::build(self, ctx)
    }
}

/// [`Tensor::layer_norm`] over the last dimension. Parameters "weight" and "bias". (The op has the name [`Tensor::layer_norm`].).
///
/// Gives a [`Layer`] by [`build`](LayerNorm::build).
#[derive(Clone)]
#[must_use]
pub struct LayerNorm {
    desc: sys::mpt_norm_desc,
}

impl LayerNorm {
    /// Features; all else has its default.
    pub fn new(features: i64) -> LayerNorm {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_norm_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_norm_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.features = features;
        LayerNorm { desc }
    }

    /// Eps: default 1e-5.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// With weight and bias? By default it is.
    pub fn affine(mut self, affine: bool) -> Self {
        self.desc.no_affine = (!affine).into();
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_layer_norm(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for LayerNorm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LayerNorm")
            .field("features", &self.desc.features)
            .field("eps", &self.desc.eps)
            .field("no_affine", &self.desc.no_affine)
            .field("no_bias", &self.desc.no_bias)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for LayerNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        LayerNorm::build(&self, ctx)
    }
}

impl LayerSpec for &LayerNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        LayerNorm::build(self, ctx)
    }
}

/// [`Tensor::rms_norm`]. Parameter "weight".
///
/// Gives a [`Layer`] by [`build`](RmsNorm::build).
#[derive(Clone)]
#[must_use]
pub struct RmsNorm {
    desc: sys::mpt_norm_desc,
}

impl RmsNorm {
    /// Features; all else has its default.
    pub fn new(features: i64) -> RmsNorm {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_norm_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_norm_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.features = features;
        RmsNorm { desc }
    }

    /// Eps: default 1e-5.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// With weight and bias? By default it is.
    pub fn affine(mut self, affine: bool) -> Self {
        self.desc.no_affine = (!affine).into();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_rms_norm(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for RmsNorm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RmsNorm")
            .field("features", &self.desc.features)
            .field("eps", &self.desc.eps)
            .field("no_affine", &self.desc.no_affine)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for RmsNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        RmsNorm::build(&self, ctx)
    }
}

impl LayerSpec for &RmsNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        RmsNorm::build(self, ctx)
    }
}

/// [`Tensor::group_norm`]. Parameters "weight" and "bias".
///
/// Gives a [`Layer`] by [`build`](GroupNorm::build).
#[derive(Clone)]
#[must_use]
pub struct GroupNorm {
    desc: sys::mpt_norm_desc,
}

impl GroupNorm {
    /// Groups, features; all else has its default.
    pub fn new(groups: i32, features: i64) -> GroupNorm {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_norm_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_norm_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.groups = groups;
        desc.features = features;
        GroupNorm { desc }
    }

    /// Eps: default 1e-5.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// With weight and bias? By default it is.
    pub fn affine(mut self, affine: bool) -> Self {
        self.desc.no_affine = (!affine).into();
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_group_norm(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for GroupNorm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupNorm")
            .field("groups", &self.desc.groups)
            .field("features", &self.desc.features)
            .field("eps", &self.desc.eps)
            .field("no_affine", &self.desc.no_affine)
            .field("no_bias", &self.desc.no_bias)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for GroupNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        GroupNorm::build(&self, ctx)
    }
}

impl LayerSpec for &GroupNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        GroupNorm::build(self, ctx)
    }
}

/// [`Tensor::instance_norm`]. Parameters "weight" and "bias".
///
/// Gives a [`Layer`] by [`build`](InstanceNorm::build).
#[derive(Clone)]
#[must_use]
pub struct InstanceNorm {
    desc: sys::mpt_norm_desc,
}

impl InstanceNorm {
    /// Features; all else has its default.
    pub fn new(features: i64) -> InstanceNorm {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_norm_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_norm_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.features = features;
        InstanceNorm { desc }
    }

    /// Eps: default 1e-5.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// With weight and bias? By default it is.
    pub fn affine(mut self, affine: bool) -> Self {
        self.desc.no_affine = (!affine).into();
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_instance_norm(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for InstanceNorm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstanceNorm")
            .field("features", &self.desc.features)
            .field("eps", &self.desc.eps)
            .field("no_affine", &self.desc.no_affine)
            .field("no_bias", &self.desc.no_bias)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for InstanceNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        InstanceNorm::build(&self, ctx)
    }
}

impl LayerSpec for &InstanceNorm {
    fn build(self, ctx: &Context) -> Result<Layer> {
        InstanceNorm::build(self, ctx)
    }
}

/// [`Tensor::embedding`] of integers. Parameter "weight" \[count, dim\].
///
/// Gives a [`Layer`] by [`build`](Embedding::build).
#[derive(Clone)]
#[must_use]
pub struct Embedding {
    desc: sys::mpt_embedding_desc,
}

impl Embedding {
    /// Count, dim; all else has its default.
    pub fn new(count: i64, dim: i64) -> Embedding {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_embedding_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_embedding_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.count = count;
        desc.dim = dim;
        Embedding { desc }
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Padding index: the row of zeros without gradient; -1 (default): none.
    pub fn padding_index(mut self, padding_index: i64) -> Self {
        self.desc.padding_index = padding_index;
        self
    }

    /// Std: of the initial normal values; default 1.
    pub fn std(mut self, std: f64) -> Self {
        self.desc.std = std;
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_embedding(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Embedding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedding")
            .field("dtype", &self.desc.dtype.0)
            .field("count", &self.desc.count)
            .field("dim", &self.desc.dim)
            .field("padding_index", &self.desc.padding_index)
            .field("std", &self.desc.std)
            .finish()
    }
}

impl LayerSpec for Embedding {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Embedding::build(&self, ctx)
    }
}

impl LayerSpec for &Embedding {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Embedding::build(self, ctx)
    }
}

/// Inputs x, or x and the first state (h \[layers \* directions, N, hidden\]; LSTM: and c). Outputs y, or y and the last state
/// (1, 2 or 3 tensors). Parameters as torch.nn.LSTM names them: "weight\_ih\_l0", "weight\_hh\_l0", "bias\_ih\_l0",
/// "bias\_hh\_l0", "...\_reverse".
///
/// Gives a [`Layer`] by [`build`](Recurrent::build).
#[derive(Clone)]
#[must_use]
pub struct Recurrent {
    desc: sys::mpt_recurrent_desc,
}

impl Recurrent {
    /// Input size, hidden size; all else has its default.
    pub fn new(input_size: i64, hidden_size: i64) -> Recurrent {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_recurrent_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_recurrent_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.input_size = input_size;
        desc.hidden_size = hidden_size;
        Recurrent { desc }
    }

    /// Kind: default [`RecurrentKind::Lstm`].
    pub fn kind(mut self, kind: RecurrentKind) -> Self {
        self.desc.kind = kind.raw();
        self
    }

    /// Layers: default 1.
    pub fn layers(mut self, layers: i32) -> Self {
        self.desc.layers = layers;
        self
    }

    /// Bidirectional: both directions, concatenated; default 0.
    pub fn bidirectional(mut self, bidirectional: bool) -> Self {
        self.desc.bidirectional = bidirectional.into();
        self
    }

    /// Batch first: \[N,T,...\]; 0 (default): \[T,N,...\].
    pub fn batch_first(mut self, batch_first: bool) -> Self {
        self.desc.batch_first = batch_first.into();
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Dropout: between layers, in training; default 0.
    pub fn dropout(mut self, dropout: f64) -> Self {
        self.desc.dropout = dropout;
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_recurrent(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Recurrent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recurrent")
            .field("kind", &self.desc.kind.0)
            .field("input_size", &self.desc.input_size)
            .field("hidden_size", &self.desc.hidden_size)
            .field("layers", &self.desc.layers)
            .field("bidirectional", &self.desc.bidirectional)
            .field("batch_first", &self.desc.batch_first)
            .field("no_bias", &self.desc.no_bias)
            .field("dropout", &self.desc.dropout)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for Recurrent {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Recurrent::build(&self, ctx)
    }
}

impl LayerSpec for &Recurrent {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Recurrent::build(self, ctx)
    }
}

/// Multi-head attention \[Vaswani et al. 2017\]. Inputs x \[N,T,E\] (self-attention), or query, key, value, or these and a mask
/// as [`Tensor::attention`]'s; one output \[N,T,E\]. Parameters as torch.nn.MultiheadAttention: "in\_proj\_weight" \[3E,E\],
/// "in\_proj\_bias", "out\_proj.weight", "out\_proj.bias"; biases start at 0.
///
/// Gives a [`Layer`] by [`build`](Attention::build).
#[derive(Clone)]
#[must_use]
pub struct Attention {
    desc: sys::mpt_attention_desc,
}

impl Attention {
    /// Embed dim, heads; all else has its default.
    pub fn new(embed_dim: i64, heads: i32) -> Attention {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_attention_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_attention_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        desc.embed_dim = embed_dim;
        desc.heads = heads;
        Attention { desc }
    }

    /// Dropout: of the probabilities, in training; default 0.
    pub fn dropout(mut self, dropout: f64) -> Self {
        self.desc.dropout = dropout;
        self
    }

    /// Causal: no position sees a later one; default 0.
    pub fn causal(mut self, causal: bool) -> Self {
        self.desc.causal = causal.into();
        self
    }

    /// With a bias? By default it is.
    pub fn bias(mut self, bias: bool) -> Self {
        self.desc.no_bias = (!bias).into();
        self
    }

    /// Dtype: of the parameters; default [`DType::F32`].
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.desc.dtype = dtype.raw();
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Layer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_layer_attention(ctx.raw(), &self.desc, out))?;
            Ok(Layer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Attention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attention")
            .field("heads", &self.desc.heads)
            .field("embed_dim", &self.desc.embed_dim)
            .field("dropout", &self.desc.dropout)
            .field("causal", &self.desc.causal)
            .field("no_bias", &self.desc.no_bias)
            .field("dtype", &self.desc.dtype.0)
            .finish()
    }
}

impl LayerSpec for Attention {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Attention::build(&self, ctx)
    }
}

impl LayerSpec for &Attention {
    fn build(self, ctx: &Context) -> Result<Layer> {
        Attention::build(self, ctx)
    }
}

/// Makes a scaler; desc `None`: the defaults \[torch.amp.GradScaler\]. Scale and counters live on the device.
///
/// Gives a [`Scaler`] by [`build`](Scaling::build).
#[derive(Clone)]
#[must_use]
pub struct Scaling {
    desc: sys::mpt_scaler_desc,
}

impl Scaling {
    /// The defaults.
    pub fn new() -> Scaling {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_scaler_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_scaler_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        Scaling { desc }
    }

    /// Kind: default [`ScalerKind::Torch`].
    pub fn kind(mut self, kind: ScalerKind) -> Self {
        self.desc.kind = kind.raw();
        self
    }

    /// Initial scale: default 65536.
    pub fn initial_scale(mut self, initial_scale: f64) -> Self {
        self.desc.initial_scale = initial_scale;
        self
    }

    /// Growth factor: default 2.
    pub fn growth_factor(mut self, growth_factor: f64) -> Self {
        self.desc.growth_factor = growth_factor;
        self
    }

    /// Backoff factor: default 0.5.
    pub fn backoff_factor(mut self, backoff_factor: f64) -> Self {
        self.desc.backoff_factor = backoff_factor;
        self
    }

    /// Growth interval: good iterations before a growth; default 2000.
    pub fn growth_interval(mut self, growth_interval: i64) -> Self {
        self.desc.growth_interval = growth_interval;
        self
    }

    /// Min scale: 0 (default): none.
    pub fn min_scale(mut self, min_scale: f64) -> Self {
        self.desc.min_scale = min_scale;
        self
    }

    /// Max scale: 0 (default): none.
    pub fn max_scale(mut self, max_scale: f64) -> Self {
        self.desc.max_scale = max_scale;
        self
    }

    /// Hysteresis: bad iterations that are forgiven, the one that backs off included; at least 1; default 2.
    pub fn hysteresis(mut self, hysteresis: i32) -> Self {
        self.desc.hysteresis = hysteresis;
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Scaler> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_scaler_create(ctx.raw(), &self.desc, out))?;
            Ok(Scaler::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Scaling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scaling")
            .field("kind", &self.desc.kind.0)
            .field("initial_scale", &self.desc.initial_scale)
            .field("growth_factor", &self.desc.growth_factor)
            .field("backoff_factor", &self.desc.backoff_factor)
            .field("growth_interval", &self.desc.growth_interval)
            .field("min_scale", &self.desc.min_scale)
            .field("max_scale", &self.desc.max_scale)
            .field("hysteresis", &self.desc.hysteresis)
            .finish()
    }
}

impl Default for Scaling {
    fn default() -> Scaling {
        Scaling::new()
    }
}

/// \[torch.optim.SGD\];.
///
/// Gives a [`Optimizer`] by [`build`](Sgd::build).
#[derive(Clone)]
#[must_use]
pub struct Sgd {
    desc: sys::mpt_sgd_desc,
}

impl Sgd {
    /// The defaults.
    pub fn new() -> Sgd {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_sgd_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_sgd_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        Sgd { desc }
    }

    /// Nesterov: Nesterov's momentum; default 0.
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.desc.nesterov = nesterov.into();
        self
    }

    /// Lr: default 0.01.
    pub fn lr(mut self, lr: f64) -> Self {
        self.desc.lr = lr;
        self
    }

    /// Momentum: default 0.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.desc.momentum = momentum;
        self
    }

    /// Dampening: default 0.
    pub fn dampening(mut self, dampening: f64) -> Self {
        self.desc.dampening = dampening;
        self
    }

    /// Weight decay: default 0.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.desc.weight_decay = weight_decay;
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Optimizer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_optimizer_sgd(ctx.raw(), &self.desc, out))?;
            Ok(Optimizer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Sgd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sgd")
            .field("nesterov", &self.desc.nesterov)
            .field("lr", &self.desc.lr)
            .field("momentum", &self.desc.momentum)
            .field("dampening", &self.desc.dampening)
            .field("weight_decay", &self.desc.weight_decay)
            .finish()
    }
}

impl Default for Sgd {
    fn default() -> Sgd {
        Sgd::new()
    }
}

/// \[Kingma and Ba 2015, as torch.optim.Adam\]: weight decay is added to the gradient.
///
/// Gives a [`Optimizer`] by [`build`](Adam::build).
#[derive(Clone)]
#[must_use]
pub struct Adam {
    desc: sys::mpt_adam_desc,
}

impl Adam {
    /// The defaults.
    pub fn new() -> Adam {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_adam_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_adam_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        Adam { desc }
    }

    /// Lr: default 0.001.
    pub fn lr(mut self, lr: f64) -> Self {
        self.desc.lr = lr;
        self
    }

    /// Beta1: default 0.9.
    pub fn beta1(mut self, beta1: f64) -> Self {
        self.desc.beta1 = beta1;
        self
    }

    /// Beta2: default 0.999.
    pub fn beta2(mut self, beta2: f64) -> Self {
        self.desc.beta2 = beta2;
        self
    }

    /// Eps: default 1e-8.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// Weight decay: default 0 for Adam, 0.01 for AdamW.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.desc.weight_decay = weight_decay;
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Optimizer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_optimizer_adam(ctx.raw(), &self.desc, out))?;
            Ok(Optimizer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Adam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adam")
            .field("lr", &self.desc.lr)
            .field("beta1", &self.desc.beta1)
            .field("beta2", &self.desc.beta2)
            .field("eps", &self.desc.eps)
            .field("weight_decay", &self.desc.weight_decay)
            .finish()
    }
}

impl Default for Adam {
    fn default() -> Adam {
        Adam::new()
    }
}

/// \[Loshchilov and Hutter 2019, as torch.optim.AdamW\]: p \*= 1 - lr \* weight\_decay first.
///
/// Gives a [`Optimizer`] by [`build`](AdamW::build).
#[derive(Clone)]
#[must_use]
pub struct AdamW {
    desc: sys::mpt_adam_desc,
}

impl AdamW {
    /// The defaults.
    pub fn new() -> AdamW {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_adam_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_adamw_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        AdamW { desc }
    }

    /// Lr: default 0.001.
    pub fn lr(mut self, lr: f64) -> Self {
        self.desc.lr = lr;
        self
    }

    /// Beta1: default 0.9.
    pub fn beta1(mut self, beta1: f64) -> Self {
        self.desc.beta1 = beta1;
        self
    }

    /// Beta2: default 0.999.
    pub fn beta2(mut self, beta2: f64) -> Self {
        self.desc.beta2 = beta2;
        self
    }

    /// Eps: default 1e-8.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// Weight decay: default 0 for Adam, 0.01 for AdamW.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.desc.weight_decay = weight_decay;
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Optimizer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_optimizer_adamw(ctx.raw(), &self.desc, out))?;
            Ok(Optimizer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for AdamW {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdamW")
            .field("lr", &self.desc.lr)
            .field("beta1", &self.desc.beta1)
            .field("beta2", &self.desc.beta2)
            .field("eps", &self.desc.eps)
            .field("weight_decay", &self.desc.weight_decay)
            .finish()
    }
}

impl Default for AdamW {
    fn default() -> AdamW {
        AdamW::new()
    }
}

/// \[You et al. 2020, algorithm 2, phi the identity\]: AdamW's direction, scaled per parameter by |p| / |direction| (1 where one
/// is 0).
///
/// Gives a [`Optimizer`] by [`build`](Lamb::build).
#[derive(Clone)]
#[must_use]
pub struct Lamb {
    desc: sys::mpt_adam_desc,
}

impl Lamb {
    /// The defaults.
    pub fn new() -> Lamb {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_adam_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_lamb_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        Lamb { desc }
    }

    /// Lr: default 0.001.
    pub fn lr(mut self, lr: f64) -> Self {
        self.desc.lr = lr;
        self
    }

    /// Beta1: default 0.9.
    pub fn beta1(mut self, beta1: f64) -> Self {
        self.desc.beta1 = beta1;
        self
    }

    /// Beta2: default 0.999.
    pub fn beta2(mut self, beta2: f64) -> Self {
        self.desc.beta2 = beta2;
        self
    }

    /// Eps: default 1e-8.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// Weight decay: default 0 for Adam, 0.01 for AdamW.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.desc.weight_decay = weight_decay;
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Optimizer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_optimizer_lamb(ctx.raw(), &self.desc, out))?;
            Ok(Optimizer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Lamb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lamb")
            .field("lr", &self.desc.lr)
            .field("beta1", &self.desc.beta1)
            .field("beta2", &self.desc.beta2)
            .field("eps", &self.desc.eps)
            .field("weight_decay", &self.desc.weight_decay)
            .finish()
    }
}

impl Default for Lamb {
    fn default() -> Lamb {
        Lamb::new()
    }
}

/// \[Duchi et al. 2011, as torch.optim.Adagrad\];.
///
/// Gives a [`Optimizer`] by [`build`](Adagrad::build).
#[derive(Clone)]
#[must_use]
pub struct Adagrad {
    desc: sys::mpt_adagrad_desc,
}

impl Adagrad {
    /// The defaults.
    pub fn new() -> Adagrad {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_adagrad_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_adagrad_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        Adagrad { desc }
    }

    /// Lr: default 0.01.
    pub fn lr(mut self, lr: f64) -> Self {
        self.desc.lr = lr;
        self
    }

    /// Lr decay: default 0.
    pub fn lr_decay(mut self, lr_decay: f64) -> Self {
        self.desc.lr_decay = lr_decay;
        self
    }

    /// Weight decay: default 0.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.desc.weight_decay = weight_decay;
        self
    }

    /// Initial accumulator: default 0.
    pub fn initial_accumulator(mut self, initial_accumulator: f64) -> Self {
        self.desc.initial_accumulator = initial_accumulator;
        self
    }

    /// Eps: default 1e-10.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Optimizer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_optimizer_adagrad(ctx.raw(), &self.desc, out))?;
            Ok(Optimizer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Adagrad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adagrad")
            .field("lr", &self.desc.lr)
            .field("lr_decay", &self.desc.lr_decay)
            .field("weight_decay", &self.desc.weight_decay)
            .field("initial_accumulator", &self.desc.initial_accumulator)
            .field("eps", &self.desc.eps)
            .finish()
    }
}

impl Default for Adagrad {
    fn default() -> Adagrad {
        Adagrad::new()
    }
}

/// \[Zeiler 2012, as torch.optim.Adadelta\];.
///
/// Gives a [`Optimizer`] by [`build`](Adadelta::build).
#[derive(Clone)]
#[must_use]
pub struct Adadelta {
    desc: sys::mpt_adadelta_desc,
}

impl Adadelta {
    /// The defaults.
    pub fn new() -> Adadelta {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_adadelta_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_adadelta_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        Adadelta { desc }
    }

    /// Lr: default 1.
    pub fn lr(mut self, lr: f64) -> Self {
        self.desc.lr = lr;
        self
    }

    /// Rho: default 0.9.
    pub fn rho(mut self, rho: f64) -> Self {
        self.desc.rho = rho;
        self
    }

    /// Eps: default 1e-6.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// Weight decay: default 0.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.desc.weight_decay = weight_decay;
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Optimizer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_optimizer_adadelta(ctx.raw(), &self.desc, out))?;
            Ok(Optimizer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for Adadelta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adadelta")
            .field("lr", &self.desc.lr)
            .field("rho", &self.desc.rho)
            .field("eps", &self.desc.eps)
            .field("weight_decay", &self.desc.weight_decay)
            .finish()
    }
}

impl Default for Adadelta {
    fn default() -> Adadelta {
        Adadelta::new()
    }
}

/// \[Tieleman and Hinton 2012, as torch.optim.RMSprop\];.
///
/// Gives a [`Optimizer`] by [`build`](RmsProp::build).
#[derive(Clone)]
#[must_use]
pub struct RmsProp {
    desc: sys::mpt_rmsprop_desc,
}

impl RmsProp {
    /// The defaults.
    pub fn new() -> RmsProp {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_rmsprop_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_rmsprop_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        RmsProp { desc }
    }

    /// Centered: by the variance instead of the second moment; default 0.
    pub fn centered(mut self, centered: bool) -> Self {
        self.desc.centered = centered.into();
        self
    }

    /// Lr: default 0.01.
    pub fn lr(mut self, lr: f64) -> Self {
        self.desc.lr = lr;
        self
    }

    /// Alpha: default 0.99.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.desc.alpha = alpha;
        self
    }

    /// Eps: default 1e-8.
    pub fn eps(mut self, eps: f64) -> Self {
        self.desc.eps = eps;
        self
    }

    /// Weight decay: default 0.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.desc.weight_decay = weight_decay;
        self
    }

    /// Momentum: default 0.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.desc.momentum = momentum;
        self
    }

    /// Makes it in a context.
    pub fn build(&self, ctx: &Context) -> Result<Optimizer> {
        // SAFETY: the context is alive, and the handle that comes is owned and of this context.
        unsafe {
            let raw = make(|out| sys::mpt_optimizer_rmsprop(ctx.raw(), &self.desc, out))?;
            Ok(Optimizer::from_raw(raw, ctx.shared()))
        }
    }
}

impl std::fmt::Debug for RmsProp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RmsProp")
            .field("centered", &self.desc.centered)
            .field("lr", &self.desc.lr)
            .field("alpha", &self.desc.alpha)
            .field("eps", &self.desc.eps)
            .field("weight_decay", &self.desc.weight_decay)
            .field("momentum", &self.desc.momentum)
            .finish()
    }
}

impl Default for RmsProp {
    fn default() -> RmsProp {
        RmsProp::new()
    }
}

/// Settings of a group of parameters: [`Optimizer::add_group`].
#[derive(Clone)]
#[must_use]
pub struct Group {
    desc: sys::mpt_group_desc,
}

impl Group {
    /// The defaults.
    pub fn new() -> Group {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_group_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_group_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        Group { desc }
    }

    /// Rounding: of f16 and bf16 parameters; default [`Rounding::Master`].
    pub fn rounding(mut self, rounding: Rounding) -> Self {
        self.desc.rounding = rounding.raw();
        self
    }

    /// Lr scale: times the optimizer's rate; default 1.
    pub fn lr_scale(mut self, lr_scale: f64) -> Self {
        self.desc.lr_scale = lr_scale;
        self
    }

    /// Weight decay scale: times the optimizer's decay; default 1; 0: no decay for this group.
    pub fn weight_decay_scale(mut self, weight_decay_scale: f64) -> Self {
        self.desc.weight_decay_scale = weight_decay_scale;
        self
    }

    pub(crate) fn desc(&self) -> sys::mpt_group_desc {
        self.desc
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group")
            .field("rounding", &self.desc.rounding.0)
            .field("lr_scale", &self.desc.lr_scale)
            .field("weight_decay_scale", &self.desc.weight_decay_scale)
            .finish()
    }
}

impl Default for Group {
    fn default() -> Group {
        Group::new()
    }
}

/// How the rate moves with the steps: [`Optimizer::set_schedule`].
#[derive(Clone)]
#[must_use]
pub struct Schedule {
    desc: sys::mpt_schedule_desc,
}

impl Schedule {
    /// The defaults.
    pub fn new() -> Schedule {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_schedule_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_schedule_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        Schedule { desc }
    }

    /// Kind: default [`ScheduleKind::Constant`].
    pub fn kind(mut self, kind: ScheduleKind) -> Self {
        self.desc.kind = kind.raw();
        self
    }

    /// Warmup steps: a line from 1 / warmup\_steps to 1 first (ONE\_CYCLE: its rise); default 0.
    pub fn warmup_steps(mut self, warmup_steps: i64) -> Self {
        self.desc.warmup_steps = warmup_steps;
        self
    }

    /// Total steps: warm-up included; COSINE, LINEAR and ONE\_CYCLE need it.
    pub fn total_steps(mut self, total_steps: i64) -> Self {
        self.desc.total_steps = total_steps;
        self
    }

    /// Interval: STEP needs it.
    pub fn interval(mut self, interval: i64) -> Self {
        self.desc.interval = interval;
        self
    }

    /// Gamma: STEP; default 0.1.
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.desc.gamma = gamma;
        self
    }

    /// Final factor: default 0.
    pub fn final_factor(mut self, final_factor: f64) -> Self {
        self.desc.final_factor = final_factor;
        self
    }

    pub(crate) fn desc(&self) -> sys::mpt_schedule_desc {
        self.desc
    }
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schedule")
            .field("kind", &self.desc.kind.0)
            .field("warmup_steps", &self.desc.warmup_steps)
            .field("total_steps", &self.desc.total_steps)
            .field("interval", &self.desc.interval)
            .field("gamma", &self.desc.gamma)
            .field("final_factor", &self.desc.final_factor)
            .finish()
    }
}

impl Default for Schedule {
    fn default() -> Schedule {
        Schedule::new()
    }
}

/// How products run in fp8: [`Policy::set_fp8`](crate::Policy::set_fp8).
#[derive(Clone)]
#[must_use]
pub struct Fp8 {
    desc: sys::mpt_fp8_desc,
}

impl Fp8 {
    /// The defaults.
    pub fn new() -> Fp8 {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_fp8_desc = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_fp8_desc_init(&mut desc, std::mem::size_of_val(&desc)) };
        Fp8 { desc }
    }

    /// Recipe: default [`Fp8Recipe::Current`].
    pub fn recipe(mut self, recipe: Fp8Recipe) -> Self {
        self.desc.recipe = recipe.raw();
        self
    }

    /// History: [`Fp8Recipe::Delayed`]: optimizer steps that the scale looks back; default 1024.
    pub fn history(mut self, history: i32) -> Self {
        self.desc.history = history;
        self
    }

    /// Margin: the scale is 2^-margin times the largest possible one; default 0.
    pub fn margin(mut self, margin: i32) -> Self {
        self.desc.margin = margin;
        self
    }

    /// Forward: of activations and weights; default [`DType::F8E4M3`].
    pub fn forward(mut self, forward: DType) -> Self {
        self.desc.forward = forward.raw();
        self
    }

    /// Backward: of gradients; default [`DType::F8E5M2`].
    pub fn backward(mut self, backward: DType) -> Self {
        self.desc.backward = backward.raw();
        self
    }

    pub(crate) fn desc(&self) -> sys::mpt_fp8_desc {
        self.desc
    }
}

impl std::fmt::Debug for Fp8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fp8")
            .field("recipe", &self.desc.recipe.0)
            .field("history", &self.desc.history)
            .field("margin", &self.desc.margin)
            .field("forward", &self.desc.forward.0)
            .field("backward", &self.desc.backward.0)
            .finish()
    }
}

impl Default for Fp8 {
    fn default() -> Fp8 {
        Fp8::new()
    }
}

/// Settings of [`Tensor::conv2d`] and [`Tensor::conv_transpose2d`].
#[derive(Clone)]
#[must_use]
pub struct Conv2dParams {
    desc: sys::mpt_conv2d_params,
}

impl Conv2dParams {
    /// The defaults.
    pub fn new() -> Conv2dParams {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_conv2d_params = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_conv2d_params_init(&mut desc, std::mem::size_of_val(&desc)) };
        Conv2dParams { desc }
    }

    /// Stride in height and width: default 1.
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        let Pair(height, width) = stride.into();
        self.desc.stride_h = height;
        self.desc.stride_w = width;
        self
    }

    /// Padding in height and width: zeros on each side; default 0.
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        let Pair(height, width) = padding.into();
        self.desc.padding_h = height;
        self.desc.padding_w = width;
        self
    }

    /// Dilation in height and width: default 1.
    pub fn dilation(mut self, dilation: impl Into<Pair>) -> Self {
        let Pair(height, width) = dilation.into();
        self.desc.dilation_h = height;
        self.desc.dilation_w = width;
        self
    }

    /// Groups: default 1.
    pub fn groups(mut self, groups: i32) -> Self {
        self.desc.groups = groups;
        self
    }

    /// Output padding in height and width: [`Tensor::conv_transpose2d`] only: rows and columns added to the result; default 0.
    pub fn output_padding(mut self, output_padding: impl Into<Pair>) -> Self {
        let Pair(height, width) = output_padding.into();
        self.desc.output_padding_h = height;
        self.desc.output_padding_w = width;
        self
    }

    pub(crate) fn desc(&self) -> sys::mpt_conv2d_params {
        self.desc
    }
}

impl std::fmt::Debug for Conv2dParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conv2dParams")
            .field("stride_h", &self.desc.stride_h)
            .field("stride_w", &self.desc.stride_w)
            .field("padding_h", &self.desc.padding_h)
            .field("padding_w", &self.desc.padding_w)
            .field("dilation_h", &self.desc.dilation_h)
            .field("dilation_w", &self.desc.dilation_w)
            .field("groups", &self.desc.groups)
            .field("output_padding_h", &self.desc.output_padding_h)
            .field("output_padding_w", &self.desc.output_padding_w)
            .finish()
    }
}

impl Default for Conv2dParams {
    fn default() -> Conv2dParams {
        Conv2dParams::new()
    }
}

/// Settings of [`Tensor::conv1d`] and [`Tensor::conv_transpose1d`].
#[derive(Clone)]
#[must_use]
pub struct Conv1dParams {
    desc: sys::mpt_conv1d_params,
}

impl Conv1dParams {
    /// The defaults.
    pub fn new() -> Conv1dParams {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_conv1d_params = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_conv1d_params_init(&mut desc, std::mem::size_of_val(&desc)) };
        Conv1dParams { desc }
    }

    /// Stride: default 1.
    pub fn stride(mut self, stride: i32) -> Self {
        self.desc.stride = stride;
        self
    }

    /// Padding: zeros on each side; default 0.
    pub fn padding(mut self, padding: i32) -> Self {
        self.desc.padding = padding;
        self
    }

    /// Dilation: default 1.
    pub fn dilation(mut self, dilation: i32) -> Self {
        self.desc.dilation = dilation;
        self
    }

    /// Groups: default 1.
    pub fn groups(mut self, groups: i32) -> Self {
        self.desc.groups = groups;
        self
    }

    /// Output padding: [`Tensor::conv_transpose1d`] only; default 0.
    pub fn output_padding(mut self, output_padding: i32) -> Self {
        self.desc.output_padding = output_padding;
        self
    }

    pub(crate) fn desc(&self) -> sys::mpt_conv1d_params {
        self.desc
    }
}

impl std::fmt::Debug for Conv1dParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conv1dParams")
            .field("stride", &self.desc.stride)
            .field("padding", &self.desc.padding)
            .field("dilation", &self.desc.dilation)
            .field("groups", &self.desc.groups)
            .field("output_padding", &self.desc.output_padding)
            .finish()
    }
}

impl Default for Conv1dParams {
    fn default() -> Conv1dParams {
        Conv1dParams::new()
    }
}

/// Settings of pooling: [`Tensor::max_pool2d`], [`Layer::max_pool2d`] and their like.
#[derive(Clone)]
#[must_use]
pub struct Pool2dParams {
    desc: sys::mpt_pool2d_params,
}

impl Pool2dParams {
    /// The defaults.
    pub fn new() -> Pool2dParams {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_pool2d_params = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_pool2d_params_init(&mut desc, std::mem::size_of_val(&desc)) };
        Pool2dParams { desc }
    }

    /// Kernel in height and width: default 2.
    pub fn kernel(mut self, kernel: impl Into<Pair>) -> Self {
        let Pair(height, width) = kernel.into();
        self.desc.kernel_h = height;
        self.desc.kernel_w = width;
        self
    }

    /// Stride in height and width: 0: the kernel's; default 0.
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        let Pair(height, width) = stride.into();
        self.desc.stride_h = height;
        self.desc.stride_w = width;
        self
    }

    /// Padding in height and width: never the maximum; at most half the kernel; default 0.
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        let Pair(height, width) = padding.into();
        self.desc.padding_h = height;
        self.desc.padding_w = width;
        self
    }

    /// Exclude padding: [`Tensor::avg_pool2d`] only,divide by the elements inside; default 0.
    pub fn exclude_padding(mut self, exclude_padding: bool) -> Self {
        self.desc.exclude_padding = exclude_padding.into();
        self
    }

    pub(crate) fn desc(&self) -> sys::mpt_pool2d_params {
        self.desc
    }
}

impl std::fmt::Debug for Pool2dParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool2dParams")
            .field("kernel_h", &self.desc.kernel_h)
            .field("kernel_w", &self.desc.kernel_w)
            .field("stride_h", &self.desc.stride_h)
            .field("stride_w", &self.desc.stride_w)
            .field("padding_h", &self.desc.padding_h)
            .field("padding_w", &self.desc.padding_w)
            .field("exclude_padding", &self.desc.exclude_padding)
            .finish()
    }
}

impl Default for Pool2dParams {
    fn default() -> Pool2dParams {
        Pool2dParams::new()
    }
}

/// Settings of [`Tensor::attention`].
#[derive(Clone)]
#[must_use]
pub struct AttentionParams {
    desc: sys::mpt_attention_params,
}

impl AttentionParams {
    /// The defaults.
    pub fn new() -> AttentionParams {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_attention_params = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_attention_params_init(&mut desc, std::mem::size_of_val(&desc)) };
        AttentionParams { desc }
    }

    /// Causal: row i sees columns up to i + S - T; default 0.
    pub fn causal(mut self, causal: bool) -> Self {
        self.desc.causal = causal.into();
        self
    }

    /// Scale: of the scores; 0 (default): 1 / sqrt(D).
    pub fn scale(mut self, scale: f64) -> Self {
        self.desc.scale = scale;
        self
    }

    /// Dropout: of the probabilities, from \[0, 1); default 0.
    pub fn dropout(mut self, dropout: f64) -> Self {
        self.desc.dropout = dropout;
        self
    }

    pub(crate) fn desc(&self) -> sys::mpt_attention_params {
        self.desc
    }
}

impl std::fmt::Debug for AttentionParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttentionParams")
            .field("causal", &self.desc.causal)
            .field("scale", &self.desc.scale)
            .field("dropout", &self.desc.dropout)
            .finish()
    }
}

impl Default for AttentionParams {
    fn default() -> AttentionParams {
        AttentionParams::new()
    }
}

/// Settings of [`Tensor::cross_entropy`] and [`Tensor::nll`].
#[derive(Clone)]
#[must_use]
pub struct CrossEntropyParams {
    desc: sys::mpt_cross_entropy_params,
    weight: Option<Tensor>,
}

impl CrossEntropyParams {
    /// The defaults.
    pub fn new() -> CrossEntropyParams {
        // SAFETY: plain data; init fills it in.
        let mut desc: sys::mpt_cross_entropy_params = unsafe { std::mem::zeroed() };
        // Where this failed, the size stays 0, which whatever takes the description refuses.
        // SAFETY: the size is that of desc.
        unsafe { sys::mpt_cross_entropy_params_init(&mut desc, std::mem::size_of_val(&desc)) };
        CrossEntropyParams { desc, weight: None }
    }

    /// Reduction: default [`Reduction::Mean`]: weighted, over the rows that count.
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.desc.reduction = reduction.raw();
        self
    }

    /// Label smoothing: from \[0, 1\]; default 0 \[Szegedy et al. 2016\].
    pub fn label_smoothing(mut self, label_smoothing: f64) -> Self {
        self.desc.label_smoothing = label_smoothing;
        self
    }

    /// Ignore index: rows with this target give 0 and do not count; default -100.
    pub fn ignore_index(mut self, ignore_index: i64) -> Self {
        self.desc.ignore_index = ignore_index;
        self
    }

    /// \[C\] in f32 (f64 for f64), of each class; `None` (default): 1.
    pub fn weight(mut self, weight: &Tensor) -> Self {
        self.weight = Some(weight.clone());
        self
    }

    pub(crate) fn desc(&self) -> sys::mpt_cross_entropy_params {
        let mut desc = self.desc;
        desc.weight = self.weight.as_ref().map_or(std::ptr::null_mut(), |w| w.raw());
        desc
    }
}

impl std::fmt::Debug for CrossEntropyParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrossEntropyParams")
            .field("reduction", &self.desc.reduction.0)
            .field("label_smoothing", &self.desc.label_smoothing)
            .field("ignore_index", &self.desc.ignore_index)
            .field("weight", &self.weight)
            .finish()
    }
}

impl Default for CrossEntropyParams {
    fn default() -> CrossEntropyParams {
        CrossEntropyParams::new()
    }
}

/// # Operations
///
/// Each gives a new tensor (views: one that shares storage) and knows its gradient.
impl Tensor {
    /// a + b, with broadcasting as NumPy's. Floating and integer dtypes.
    pub fn add(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_add(self.raw(), b.raw(), out) })
    }

    /// a - b, with broadcasting. Floating and integer dtypes.
    pub fn sub(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_sub(self.raw(), b.raw(), out) })
    }

    /// a \* b, element by element, with broadcasting. Floating and integer dtypes.
    pub fn mul(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_mul(self.raw(), b.raw(), out) })
    }

    /// a / b, element by element, with broadcasting.
    pub fn div(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_div(self.raw(), b.raw(), out) })
    }

    /// scale \* x + shift.
    pub fn affine(&self, scale: f64, shift: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_affine(self.raw(), scale, shift, out) })
    }

    /// -x.
    pub fn neg(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_neg(self.raw(), out) })
    }

    /// e to the x.
    pub fn exp(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_exp(self.raw(), out) })
    }

    /// The natural logarithm.
    pub fn log(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_log(self.raw(), out) })
    }

    /// The square root.
    pub fn sqrt(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_sqrt(self.raw(), out) })
    }

    /// max(x, 0); NaN stays NaN; the gradient at 0 is 0.
    pub fn relu(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_relu(self.raw(), out) })
    }

    /// |x|; the gradient at 0 is 0.
    pub fn abs(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_abs(self.raw(), out) })
    }

    /// -1, 0 or 1; NaN stays; the gradient is 0.
    pub fn sign(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_sign(self.raw(), out) })
    }

    /// x \* x.
    pub fn square(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_square(self.raw(), out) })
    }

    /// 1 / sqrt(x).
    pub fn rsqrt(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_rsqrt(self.raw(), out) })
    }

    /// 1 / x.
    pub fn reciprocal(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_reciprocal(self.raw(), out) })
    }

    /// 2 to the x.
    pub fn exp2(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_exp2(self.raw(), out) })
    }

    /// exp(x) - 1, exact near 0.
    pub fn expm1(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_expm1(self.raw(), out) })
    }

    /// The logarithm to base 2.
    pub fn log2(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_log2(self.raw(), out) })
    }

    /// The logarithm to base 10.
    pub fn log10(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_log10(self.raw(), out) })
    }

    /// log(1 + x), exact near 0.
    pub fn log1p(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_log1p(self.raw(), out) })
    }

    /// The sine of x in radians.
    pub fn sin(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_sin(self.raw(), out) })
    }

    /// The cosine of x in radians.
    pub fn cos(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_cos(self.raw(), out) })
    }

    /// The tangent of x in radians.
    pub fn tan(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_tan(self.raw(), out) })
    }

    /// The arc sine.
    pub fn asin(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_asin(self.raw(), out) })
    }

    /// The arc cosine.
    pub fn acos(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_acos(self.raw(), out) })
    }

    /// The arc tangent.
    pub fn atan(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_atan(self.raw(), out) })
    }

    /// The hyperbolic sine.
    pub fn sinh(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_sinh(self.raw(), out) })
    }

    /// The hyperbolic cosine.
    pub fn cosh(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_cosh(self.raw(), out) })
    }

    /// The hyperbolic tangent.
    pub fn tanh(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_tanh(self.raw(), out) })
    }

    /// The inverse hyperbolic sine.
    pub fn asinh(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_asinh(self.raw(), out) })
    }

    /// The inverse hyperbolic cosine.
    pub fn acosh(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_acosh(self.raw(), out) })
    }

    /// The inverse hyperbolic tangent.
    pub fn atanh(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_atanh(self.raw(), out) })
    }

    /// The error function.
    pub fn erf(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_erf(self.raw(), out) })
    }

    /// The largest integer not above x; the gradient is 0.
    pub fn floor(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_floor(self.raw(), out) })
    }

    /// The smallest integer not below x; the gradient is 0.
    pub fn ceil(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_ceil(self.raw(), out) })
    }

    /// The nearest integer, halves to even; the gradient is 0.
    pub fn round(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_round(self.raw(), out) })
    }

    /// x without its fraction; the gradient is 0.
    pub fn trunc(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_trunc(self.raw(), out) })
    }

    /// 1 / (1 + exp(-x)).
    pub fn sigmoid(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_sigmoid(self.raw(), out) })
    }

    /// x \* sigmoid(x) \[Elfwing et al. 2018\].
    pub fn silu(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_silu(self.raw(), out) })
    }

    /// log(1 + exp(x)).
    pub fn softplus(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_softplus(self.raw(), out) })
    }

    /// Is x NaN? BOOL.
    pub fn isnan(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_isnan(self.raw(), out) })
    }

    /// Is x infinite? BOOL.
    pub fn isinf(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_isinf(self.raw(), out) })
    }

    /// Is x neither NaN nor infinite? BOOL.
    pub fn isfinite(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_isfinite(self.raw(), out) })
    }

    /// 1 where x is 0, else 0. Every dtype but fp8; BOOL.
    pub fn logical_not(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_logical_not(self.raw(), out) })
    }

    /// x where x \> 0, else slope \* x.
    pub fn leaky_relu(&self, slope: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_leaky_relu(self.raw(), slope, out) })
    }

    /// x where x \> 0, else alpha \* (exp(x) - 1) \[Clevert et al. 2016\].
    pub fn elu(&self, alpha: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_elu(self.raw(), alpha, out) })
    }

    /// x times the normal distribution's function of x, exact or approximate.
    pub fn gelu(&self, kind: GeluKind) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_gelu(self.raw(), kind.raw(), out) })
    }

    /// min(max(x, low), high); low and high may be infinite; NaN stays; no gradient outside and at the limits, as torch.clamp.
    pub fn clamp(&self, low: f64, high: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_clamp(self.raw(), low, high, out) })
    }

    /// x to the exponent.
    pub fn pow_scalar(&self, exponent: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_pow_scalar(self.raw(), exponent, out) })
    }

    /// a to the b, element by element, with broadcasting.
    pub fn pow(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_pow(self.raw(), b.raw(), out) })
    }

    /// The larger of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and integer dtypes.
    pub fn maximum(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_maximum(self.raw(), b.raw(), out) })
    }

    /// The smaller of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and integer dtypes.
    pub fn minimum(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_minimum(self.raw(), b.raw(), out) })
    }

    /// The remainder of a / b with the sign of a \[C fmod\], with broadcasting.
    pub fn fmod(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_fmod(self.raw(), b.raw(), out) })
    }

    /// The remainder of a / b with the sign of b \[NumPy remainder\], with broadcasting.
    pub fn remainder(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_remainder(self.raw(), b.raw(), out) })
    }

    /// floor(a / b) of the exact quotient, with broadcasting: -1 for -5 and infinity \[NumPy floor\_divide\]; the gradient is 0.
    pub fn floor_divide(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_floor_divide(self.raw(), b.raw(), out) })
    }

    /// The angle of the point (b, a) in radians \[C atan2\], with broadcasting.
    pub fn atan2(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_atan2(self.raw(), b.raw(), out) })
    }

    /// a == b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
    pub fn equal(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_equal(self.raw(), b.raw(), out) })
    }

    /// a != b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
    pub fn not_equal(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_not_equal(self.raw(), b.raw(), out) })
    }

    /// a \< b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
    pub fn less(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_less(self.raw(), b.raw(), out) })
    }

    /// a \<= b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
    pub fn less_equal(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_less_equal(self.raw(), b.raw(), out) })
    }

    /// a \> b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
    pub fn greater(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_greater(self.raw(), b.raw(), out) })
    }

    /// a \>= b as BOOL, with broadcasting. Every dtype but fp8; no gradient.
    pub fn greater_equal(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_greater_equal(self.raw(), b.raw(), out) })
    }

    /// Logical and of BOOL tensors, with broadcasting.
    pub fn logical_and(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_logical_and(self.raw(), b.raw(), out) })
    }

    /// Logical or of BOOL tensors, with broadcasting.
    pub fn logical_or(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_logical_or(self.raw(), b.raw(), out) })
    }

    /// Logical xor of BOOL tensors, with broadcasting.
    pub fn logical_xor(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_logical_xor(self.raw(), b.raw(), out) })
    }

    /// a where condition (BOOL) is true, else b, with broadcasting of all three. a and b of every dtype but fp8.
    pub fn select(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_where(self.raw(), a.raw(), b.raw(), out) })
    }

    /// Sum over ndims dimensions (dims `None`: all). keep\_dims 1 leaves extents of 1. Accumulates in f32 (f64 for f64).
    pub fn sum(&self, dims: impl Into<Dims>, keep_dims: bool) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_sum(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), out) })
    }

    /// Mean over dimensions; conventions as [`Tensor::sum`].
    pub fn mean(&self, dims: impl Into<Dims>, keep_dims: bool) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_mean(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), out) })
    }

    /// Largest element over dimensions (NaN wins); equal maxima share the gradient \[torch.amax\]. Conventions as [`Tensor::sum`].
    pub fn max(&self, dims: impl Into<Dims>, keep_dims: bool) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_max(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), out) })
    }

    /// Smallest element over dimensions; conventions as [`Tensor::max`].
    pub fn min(&self, dims: impl Into<Dims>, keep_dims: bool) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_min(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), out) })
    }

    /// Product over dimensions, accumulated in f32 (f64 for f64); conventions as [`Tensor::sum`].
    pub fn prod(&self, dims: impl Into<Dims>, keep_dims: bool) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_prod(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), out) })
    }

    /// Variance over dimensions: the sum of squared distances from the mean divided by (count - correction); conventions as
    /// [`Tensor::sum`].
    pub fn var(&self, dims: impl Into<Dims>, keep_dims: bool, correction: f64) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_var(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), correction, out) })
    }

    /// Euclidean norm over dimensions; the gradient of a norm of 0 is 0; conventions as [`Tensor::sum`].
    pub fn norm(&self, dims: impl Into<Dims>, keep_dims: bool) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_norm(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), out) })
    }

    /// log(sum(exp(x))) over dimensions without overflow; conventions as [`Tensor::sum`].
    pub fn logsumexp(&self, dims: impl Into<Dims>, keep_dims: bool) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_logsumexp(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), out) })
    }

    /// Is any element of a BOOL tensor true? Conventions as [`Tensor::sum`].
    pub fn any(&self, dims: impl Into<Dims>, keep_dims: bool) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_any(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), out) })
    }

    /// Are all elements of a BOOL tensor true? Conventions as [`Tensor::sum`].
    pub fn all(&self, dims: impl Into<Dims>, keep_dims: bool) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_all(self.raw(), dims.len(), dims.as_ptr(), keep_dims.into(), out) })
    }

    /// The index (I64) of the largest element along dim, the first of equals; NaN wins. keep\_dims as in [`Tensor::sum`]. No
    /// gradient.
    pub fn argmax(&self, dim: i32, keep_dims: bool) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_argmax(self.raw(), dim, keep_dims.into(), out) })
    }

    /// The index (I64) of the smallest element along dim; conventions as [`Tensor::argmax`].
    pub fn argmin(&self, dim: i32, keep_dims: bool) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_argmin(self.raw(), dim, keep_dims.into(), out) })
    }

    /// Running sum along dim, accumulated in f32 (f64 for f64).
    pub fn cumsum(&self, dim: i32) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_cumsum(self.raw(), dim, out) })
    }

    /// The elements along dim in ascending (descending 1: descending) order and where they were (I64). Stable; NaN counts as the
    /// largest.
    pub fn sort(&self, dim: i32, descending: bool) -> Result<(Tensor, Tensor)> {
        // SAFETY: handles are alive and lists as long as told.
        self.two_results(|out, second| unsafe { sys::mpt_sort(self.raw(), dim, descending.into(), out, second) })
    }

    /// The k largest (largest 0: smallest) elements along dim, best first, and where they were (I64).
    pub fn topk(&self, k: i64, dim: i32, largest: bool) -> Result<(Tensor, Tensor)> {
        // SAFETY: handles are alive and lists as long as told.
        self.two_results(|out, second| unsafe { sys::mpt_topk(self.raw(), k, dim, largest.into(), out, second) })
    }

    /// Another shape for the same elements in logical order; one extent may be -1. A view where strides allow, else a copy. Every
    /// dtype.
    pub fn reshape(&self, shape: impl AsRef<[i64]>) -> Result<Tensor> {
        let shape = shape.as_ref();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_reshape(self.raw(), count(shape.len()), shape.as_ptr(), out) })
    }

    /// A view with dimensions reordered: dimension i of out is dims\[i\] of x. dims `None`: the last two exchanged. Every dtype.
    pub fn transpose(&self, dims: Option<&[i32]>) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_transpose(self.raw(), dims.map_or(0, |d| count(d.len())), dims.map_or(std::ptr::null(), |d| d.as_ptr()), out) })
    }

    /// A view of length elements from start along dim. Every dtype.
    pub fn slice(&self, dim: i32, start: i64, length: i64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_slice(self.raw(), dim, start, length, out) })
    }

    /// Another dtype, rounding to nearest even; x itself (retained) when it has that dtype. Every dtype.
    pub fn cast(&self, dtype: DType) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_cast(self.raw(), dtype.raw(), out) })
    }

    /// x with broadcasting to shape: a view with strides of 0. Every dtype.
    pub fn expand(&self, shape: impl AsRef<[i64]>) -> Result<Tensor> {
        let shape = shape.as_ref();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_expand(self.raw(), count(shape.len()), shape.as_ptr(), out) })
    }

    /// A view without dimension dim, whose extent is 1. Every dtype.
    pub fn squeeze(&self, dim: i32) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_squeeze(self.raw(), dim, out) })
    }

    /// A view with an extent of 1 in front of dimension dim. Every dtype.
    pub fn unsqueeze(&self, dim: i32) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_unsqueeze(self.raw(), dim, out) })
    }

    /// A contiguous copy; x itself (retained) where it is contiguous. Every dtype.
    pub fn contiguous(&self) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_contiguous(self.raw(), out) })
    }

    /// The n tensors one after the other along dim; other extents equal. Every dtype but fp8; floating ones are promoted.
    pub fn concat(tensors: &[impl Borrow<Tensor>], dim: i32) -> Result<Tensor> {
        let tensors = references(tensors);
        let first = first_of(&tensors)?;
        let list = handles(&tensors);
        // SAFETY: the tensors are alive, and as many as told.
        first.result(|out| unsafe { sys::mpt_concat(list.as_ptr(), count(list.len()), dim, out) })
    }

    /// The n tensors of one shape along a new dimension dim. Dtypes as [`Tensor::concat`].
    pub fn stack(tensors: &[impl Borrow<Tensor>], dim: i32) -> Result<Tensor> {
        let tensors = references(tensors);
        let first = first_of(&tensors)?;
        let list = handles(&tensors);
        // SAFETY: the tensors are alive, and as many as told.
        first.result(|out| unsafe { sys::mpt_stack(list.as_ptr(), count(list.len()), dim, out) })
    }

    /// n views of the given lengths along dim, which must add up to its extent. outputs: room for n. Every dtype.
    pub fn split(&self, dim: i32, lengths: impl AsRef<[i64]>) -> Result<Vec<Tensor>> {
        let lengths = lengths.as_ref();
        // SAFETY: there is room for as many outputs as there are lengths.
        Tensor::results(self.context().shared(), lengths.len(), |out| unsafe {
            sys::mpt_split(self.raw(), dim, lengths.as_ptr(), count(lengths.len()), out)
        })
    }

    /// value in front of and behind each dimension: before\[i\] and after\[i\] elements, ndim of each; negative ones cut. Every dtype
    /// but fp8.
    pub fn pad(&self, before: impl AsRef<[i64]>, after: impl AsRef<[i64]>, value: f64) -> Result<Tensor> {
        let before = before.as_ref();
        let after = after.as_ref();
        same_length(before, after)?;
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_pad(self.raw(), count(before.len()), before.as_ptr(), after.as_ptr(), value, out) })
    }

    /// The order of elements reversed along ndims dimensions. Every dtype but fp8.
    pub fn flip(&self, dims: impl Into<Dims>) -> Result<Tensor> {
        let dims = dims.into();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_flip(self.raw(), dims.len(), dims.as_ptr(), out) })
    }

    /// x repeated repeats\[i\] times along dimension i; ndim may be larger than x's \[numpy.tile\]. Every dtype but fp8.
    pub fn tile(&self, repeats: impl AsRef<[i64]>) -> Result<Tensor> {
        let repeats = repeats.as_ref();
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_tile(self.raw(), count(repeats.len()), repeats.as_ptr(), out) })
    }

    /// The lower triangle of the last two dimensions, up to that diagonal; 0 above.
    pub fn tril(&self, diagonal: i64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_tril(self.raw(), diagonal, out) })
    }

    /// The upper triangle of the last two dimensions, from that diagonal on; 0 below.
    pub fn triu(&self, diagonal: i64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_triu(self.raw(), diagonal, out) })
    }

    /// out\[..., i, ...\] = x\[..., index\[i\], ...\] along dim; index \[K\]. Every dtype but fp8.
    pub fn index_select(&self, dim: i32, index: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_index_select(self.raw(), dim, index.raw(), out) })
    }

    /// out\[i\]\[j\]\[k\] = x\[index\[i\]\[j\]\[k\]\]\[j\]\[k\] for dim 0, and so on \[torch.gather\]. Every dtype but fp8.
    pub fn gather(&self, dim: i32, index: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_gather(self.raw(), dim, index.raw(), out) })
    }

    /// x with src added at the places that index names, the reverse of [`Tensor::gather`] \[torch.scatter\_add\]; the order of
    /// additions is fixed.
    pub fn scatter_add(&self, dim: i32, index: &Tensor, src: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_scatter_add(self.raw(), dim, index.raw(), src.raw(), out) })
    }

    /// \[...\] -\> \[..., classes\] of dtype: 1 at the index, else 0; all 0 for an index outside.
    pub fn one_hot(&self, classes: i64, dtype: DType) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_one_hot(self.raw(), classes, dtype.raw(), out) })
    }

    /// Rows of weight \[count, dim\] by index \[...\] -\> \[..., dim\]; the row padding\_index (-1: none) receives no gradient
    /// \[torch.nn.Embedding\].
    pub fn embedding(&self, weight: &Tensor, padding_index: i64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_embedding(self.raw(), weight.raw(), padding_index, out) })
    }

    /// Matrix product \[..., M, K\] x \[..., K, N\] -\> \[..., M, N\]; leading dimensions broadcast. Accumulates in f32 (f64 for
    /// f64). Contiguous, but for large results in f16 and bf16 on a GPU: their rows start at multiples of 16 bytes (see
    /// [`Tensor::strides`], [`Tensor::contiguous`]).
    pub fn matmul(&self, b: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_matmul(self.raw(), b.raw(), out) })
    }

    /// x W^T + bias: \[..., in\] x \[out, in\] -\> \[..., out\]; bias \[out\] or `None`. Strides as of [`Tensor::matmul`].
    pub fn linear(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_linear(self.raw(), weight.raw(), bias.map_or(std::ptr::null_mut(), |t| t.raw()), out) })
    }

    /// Cross-correlation \[N,C,H,W\] with \[O,C/groups,KH,KW\] -\> \[N,O,H',W'\], H' = (H + 2 pad - dil (KH-1) - 1) / stride + 1
    /// \[torch.nn.Conv2d\]. bias \[O\] or `None`; params `None`: the defaults. The result is dense with C innermost in memory.
    pub fn conv2d(&self, weight: &Tensor, bias: Option<&Tensor>, params: Option<&Conv2dParams>) -> Result<Tensor> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_conv2d(self.raw(), weight.raw(), bias.map_or(std::ptr::null_mut(), |t| t.raw()), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// The transposed convolution, the input gradient of [`Tensor::conv2d`]: \[N,C,H,W\] with \[C,O/groups,KH,KW\] -\> \[N,O,H',W'\],
    /// H' = (H - 1) stride - 2 pad + dil (KH - 1) + output\_padding + 1 \[torch.nn.ConvTranspose2d\]. bias \[O\] or `None`; params
    /// `None`: the defaults.
    pub fn conv_transpose2d(&self, weight: &Tensor, bias: Option<&Tensor>, params: Option<&Conv2dParams>) -> Result<Tensor> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_conv_transpose2d(self.raw(), weight.raw(), bias.map_or(std::ptr::null_mut(), |t| t.raw()), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// [`Tensor::conv2d`] in one dimension: \[N,C,L\] with \[O,C/groups,K\] -\> \[N,O,L'\].
    pub fn conv1d(&self, weight: &Tensor, bias: Option<&Tensor>, params: Option<&Conv1dParams>) -> Result<Tensor> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_conv1d(self.raw(), weight.raw(), bias.map_or(std::ptr::null_mut(), |t| t.raw()), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// [`Tensor::conv_transpose2d`] in one dimension: \[N,C,L\] with \[C,O/groups,K\] -\> \[N,O,L'\].
    pub fn conv_transpose1d(&self, weight: &Tensor, bias: Option<&Tensor>, params: Option<&Conv1dParams>) -> Result<Tensor> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_conv_transpose1d(self.raw(), weight.raw(), bias.map_or(std::ptr::null_mut(), |t| t.raw()), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// Largest element of each window, \[N,C,H,W\] -\> \[N,C,H',W'\], rounding H' down; the first maximum takes the gradient. params
    /// `None`: the defaults.
    pub fn max_pool2d(&self, params: Option<&Pool2dParams>) -> Result<Tensor> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_max_pool2d(self.raw(), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// Mean of each window, zeros of the padding included unless exclude\_padding; forms as [`Tensor::max_pool2d`].
    pub fn avg_pool2d(&self, params: Option<&Pool2dParams>) -> Result<Tensor> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_avg_pool2d(self.raw(), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// Means of windows that divide the image evenly: window i is \[floor(i H / h), ceil((i + 1) H / h))
    /// \[torch.nn.AdaptiveAvgPool2d\].
    pub fn adaptive_avg_pool2d(&self, height: i64, width: i64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_adaptive_avg_pool2d(self.raw(), height, width, out) })
    }

    /// Largest elements of such windows; the first maximum takes the gradient.
    pub fn adaptive_max_pool2d(&self, height: i64, width: i64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_adaptive_max_pool2d(self.raw(), height, width, out) })
    }

    /// [`Tensor::max_pool2d`] in one dimension: \[N,C,L\] -\> \[N,C,L'\]. stride 0: the kernel's.
    pub fn max_pool1d(&self, kernel: i32, stride: i32, padding: i32) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_max_pool1d(self.raw(), kernel, stride, padding, out) })
    }

    /// [`Tensor::avg_pool2d`] in one dimension, padding counted. stride 0: the kernel's.
    pub fn avg_pool1d(&self, kernel: i32, stride: i32, padding: i32) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_avg_pool1d(self.raw(), kernel, stride, padding, out) })
    }

    /// \[N,C,H,W\] -\> \[N,C,height,width\] by the nearest pixel (floor(i H / height)) or between pixels.
    pub fn upsample2d(&self, height: i64, width: i64, mode: UpsampleMode) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_upsample2d(self.raw(), height, width, mode.raw(), out) })
    }

    /// (x - mean) / sqrt(variance + eps) \* weight + bias per channel of \[N,C,...\] \[Ioffe and Szegedy 2015\]. training 1:
    /// statistics of the batch (more than one element per channel), and running = (1 - momentum) running + momentum batch, with the
    /// unbiased variance; 0: running statistics. running\_mean and running\_var \[C\], f32 (f64 for f64), both or none; written in
    /// place, whatever the loss scaler finds later.
    pub fn batch_norm(&self, weight: Option<&Tensor>, bias: Option<&Tensor>, running_mean: Option<&Tensor>, running_var: Option<&Tensor>, training: bool, momentum: f64, eps: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_batch_norm(self.raw(), weight.map_or(std::ptr::null_mut(), |t| t.raw()), bias.map_or(std::ptr::null_mut(), |t| t.raw()), running_mean.map_or(std::ptr::null_mut(), |t| t.raw()), running_var.map_or(std::ptr::null_mut(), |t| t.raw()), training.into(), momentum, eps, out) })
    }

    /// The same over the last ndims dimensions, whose shape weight and bias have \[Ba et al. 2016\].
    pub fn layer_norm(&self, ndims: i32, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_layer_norm(self.raw(), ndims, weight.map_or(std::ptr::null_mut(), |t| t.raw()), bias.map_or(std::ptr::null_mut(), |t| t.raw()), eps, out) })
    }

    /// x / sqrt(mean(x^2) + eps) \* weight over the last dimension \[Zhang and Sennrich 2019\].
    pub fn rms_norm(&self, weight: Option<&Tensor>, eps: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_rms_norm(self.raw(), weight.map_or(std::ptr::null_mut(), |t| t.raw()), eps, out) })
    }

    /// The same over each image's groups of C / groups channels of \[N,C,...\]; weight and bias \[C\] \[Wu and He 2018\].
    pub fn group_norm(&self, groups: i64, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_group_norm(self.raw(), groups, weight.map_or(std::ptr::null_mut(), |t| t.raw()), bias.map_or(std::ptr::null_mut(), |t| t.raw()), eps, out) })
    }

    /// [`Tensor::group_norm`] with a group per channel \[Ulyanov et al. 2016\].
    pub fn instance_norm(&self, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_instance_norm(self.raw(), weight.map_or(std::ptr::null_mut(), |t| t.raw()), bias.map_or(std::ptr::null_mut(), |t| t.raw()), eps, out) })
    }

    /// 0 with probability p (from \[0, 1)), else x / (1 - p) \[Srivastava et al. 2014\], by the context's random numbers: the same
    /// for any thread count.
    pub fn dropout(&self, p: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_dropout(self.raw(), p, out) })
    }

    /// exp(x) / sum(exp(x)) along dim (negative: from the end), computed in f32 or wider.
    pub fn softmax(&self, dim: i32) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_softmax(self.raw(), dim, out) })
    }

    /// log(softmax(x)) along dim.
    pub fn log_softmax(&self, dim: i32) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_log_softmax(self.raw(), dim, out) })
    }

    /// softmax(scale q k^T + mask) v: q \[B,H,T,D\], k \[B,H,S,D\], v \[B,H,S,E\] -\> \[B,H,T,E\] \[Vaswani et al. 2017\]. mask
    /// `None`, BOOL (true: seen) or floating (added), broadcast to \[B,H,T,S\]; it receives no gradient. Softmax in f32 (f64 for
    /// f64). A row that sees nothing gives 0. params `None`: the defaults.
    pub fn attention(&self, k: &Tensor, v: &Tensor, mask: Option<&Tensor>, params: Option<&AttentionParams>) -> Result<Tensor> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_attention(self.raw(), k.raw(), v.raw(), mask.map_or(std::ptr::null_mut(), |t| t.raw()), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// One LSTM step behind the products: gates \[N,4H\] (input, forget, cell, output; before their functions), cell \[N,H\] -\> new
    /// hidden and cell \[N,H\].
    pub fn lstm_cell(&self, cell: &Tensor) -> Result<(Tensor, Tensor)> {
        // SAFETY: handles are alive and lists as long as told.
        self.two_results(|out, second| unsafe { sys::mpt_lstm_cell(self.raw(), cell.raw(), out, second) })
    }

    /// One GRU step behind the products: from input and hidden state \[N,3H\] each (reset, update, new), hidden \[N,H\] -\> new
    /// hidden \[N,H\].
    pub fn gru_cell(&self, hidden_gates: &Tensor, hidden: &Tensor) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_gru_cell(self.raw(), hidden_gates.raw(), hidden.raw(), out) })
    }

    /// Cross-entropy of logits \[N,C\] against class indices \[N\] (U8, I32 or I64) or probabilities \[N,C\]
    /// \[torch.nn.functional.cross\_entropy\]; params `None`: the defaults. An index outside \[0, C) that is not ignore\_index gives
    /// NaN for its row and no gradient.
    pub fn cross_entropy(&self, target: &Tensor, params: Option<&CrossEntropyParams>) -> Result<Tensor> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_cross_entropy(self.raw(), target.raw(), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// The same of log-probabilities \[N,C\] against class indices; label\_smoothing must be 0 \[torch.nn.functional.nll\_loss\].
    pub fn nll(&self, target: &Tensor, params: Option<&CrossEntropyParams>) -> Result<Tensor> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_nll(self.raw(), target.raw(), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// (prediction - target)^2; shapes equal, here and below.
    pub fn mse(&self, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_mse(self.raw(), target.raw(), reduction.raw(), out) })
    }

    /// |prediction - target|; the gradient at 0 is 0.
    pub fn l1(&self, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_l1(self.raw(), target.raw(), reduction.raw(), out) })
    }

    /// d^2/2 for |d| \<= delta, else delta (|d| - delta/2) \[Huber 1964\].
    pub fn huber(&self, target: &Tensor, delta: f64, reduction: Reduction) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_huber(self.raw(), target.raw(), delta, reduction.raw(), out) })
    }

    /// -(w t log s + (1 - t) log(1 - s)), s = sigmoid(logits), without overflow; w: positive\_weight, 1 for none.
    pub fn bce_with_logits(&self, target: &Tensor, positive_weight: f64, reduction: Reduction) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_bce_with_logits(self.raw(), target.raw(), positive_weight, reduction.raw(), out) })
    }

    /// target (log target - log\_prediction), 0 where target is 0 \[torch.nn.functional.kl\_div\].
    pub fn kl_div(&self, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_kl_div(self.raw(), target.raw(), reduction.raw(), out) })
    }

    /// max(0, margin - prediction \* target) for targets of 1 and -1.
    pub fn hinge(&self, target: &Tensor, margin: f64, reduction: Reduction) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_hinge(self.raw(), target.raw(), margin, reduction.raw(), out) })
    }

    /// a.b / max(|a| |b|, eps) along dim, which goes; gradients to both.
    pub fn cosine_similarity(&self, b: &Tensor, dim: i32, eps: f64) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_cosine_similarity(self.raw(), b.raw(), dim, eps, out) })
    }

    /// Of rows of a and b \[N,D\]: 1 - cosine for target 1, max(0, cosine - margin) for -1; gradients to a and b
    /// \[torch.nn.CosineEmbeddingLoss\].
    pub fn cosine_embedding(&self, b: &Tensor, target: &Tensor, margin: f64, reduction: Reduction) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_cosine_embedding(self.raw(), b.raw(), target.raw(), margin, reduction.raw(), out) })
    }

    /// -log of the probability of all alignments of targets \[N,S\] (I32 or I64) to log\_probabilities \[T,N,C\] \[Graves et al.
    /// 2006, as torch.nn.CTCLoss\]. input\_lengths and target\_lengths \[N\] (I32 or I64). MEAN divides each by its target length
    /// first. zero\_infinity 1: impossible ones give 0. A target that is no class or the blank, and a length that does not fit, give
    /// NaN without a gradient, whatever zero\_infinity says.
    pub fn ctc(&self, targets: &Tensor, input_lengths: &Tensor, target_lengths: &Tensor, blank: i64, reduction: Reduction, zero_infinity: bool) -> Result<Tensor> {
        // SAFETY: handles are alive and lists as long as told.
        self.result(|out| unsafe { sys::mpt_ctc(self.raw(), targets.raw(), input_lengths.raw(), target_lengths.raw(), blank, reduction.raw(), zero_infinity.into(), out) })
    }
}

/// # Layers without parameters, and containers
impl Layer {
    /// [`Tensor::max_pool2d`] as a layer; params `None`: the defaults.
    pub fn max_pool2d(ctx: &Context, params: Option<&Pool2dParams>) -> Result<Layer> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_max_pool2d(ctx.raw(), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// [`Tensor::avg_pool2d`] as a layer; params `None`: the defaults.
    pub fn avg_pool2d(ctx: &Context, params: Option<&Pool2dParams>) -> Result<Layer> {
        let params = params.map(|p| p.desc());
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_avg_pool2d(ctx.raw(), params.as_ref().map_or(std::ptr::null(), |p| p), out) })
    }

    /// [`Tensor::adaptive_avg_pool2d`] as a layer.
    pub fn adaptive_avg_pool2d(ctx: &Context, height: i64, width: i64) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_adaptive_avg_pool2d(ctx.raw(), height, width, out) })
    }

    /// [`Tensor::adaptive_max_pool2d`] as a layer.
    pub fn adaptive_max_pool2d(ctx: &Context, height: i64, width: i64) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_adaptive_max_pool2d(ctx.raw(), height, width, out) })
    }

    /// [`Tensor::max_pool1d`] as a layer.
    pub fn max_pool1d(ctx: &Context, kernel: i32, stride: i32, padding: i32) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_max_pool1d(ctx.raw(), kernel, stride, padding, out) })
    }

    /// [`Tensor::avg_pool1d`] as a layer.
    pub fn avg_pool1d(ctx: &Context, kernel: i32, stride: i32, padding: i32) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_avg_pool1d(ctx.raw(), kernel, stride, padding, out) })
    }

    /// [`Tensor::upsample2d`] by whole factors as a layer.
    pub fn upsample2d(ctx: &Context, factor_h: i32, factor_w: i32, mode: UpsampleMode) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_upsample2d(ctx.raw(), factor_h, factor_w, mode.raw(), out) })
    }

    /// [`Tensor::dropout`] in training, nothing in evaluation.
    pub fn dropout(ctx: &Context, p: f64) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_dropout(ctx.raw(), p, out) })
    }

    /// An activation function as a layer. parameter: as `mpt_activation` says, else ignored.
    pub fn activation(ctx: &Context, kind: Activation, parameter: f64) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_activation(ctx.raw(), kind.raw(), parameter, out) })
    }

    /// [`Tensor::relu`] as a layer.
    pub fn relu(ctx: &Context) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_relu(ctx.raw(), out) })
    }

    /// [`Tensor::softmax`] as a layer.
    pub fn softmax(ctx: &Context, dim: i32) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_softmax(ctx.raw(), dim, out) })
    }

    /// \[N, ...\] -\> \[N, product of the rest\].
    pub fn flatten(ctx: &Context) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_flatten(ctx.raw(), out) })
    }

    /// An empty chain of layers; each gets the one output of the layer before.
    pub fn sequential(ctx: &Context) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_sequential(ctx.raw(), out) })
    }

    /// y = body(x) + shortcut(x), shapes equal. shortcut `None`: x itself. Both stay the caller's to release; their names are "body"
    /// and "shortcut" \[He et al. 2016\].
    pub fn residual(ctx: &Context, body: &Layer, shortcut: Option<&Layer>) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_residual(ctx.raw(), body.raw(), shortcut.map_or(std::ptr::null_mut(), |t| t.raw()), out) })
    }

    /// An empty set of layers that all get the same inputs, each with one output; join and dim say what comes of those.
    pub fn parallel(ctx: &Context, join: Join, dim: i32) -> Result<Layer> {
        // SAFETY: handles are alive.
        Layer::make(ctx, |out| unsafe { sys::mpt_layer_parallel(ctx.raw(), join.raw(), dim, out) })
    }
}
