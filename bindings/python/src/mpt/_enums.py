"""The enums of mpt; a function that takes one takes its name in lower case too.

Written by generate.py from the description of mpt.h: change that instead."""

from enum import IntEnum


class Status(IntEnum):
    """What a call came to."""

    OK = 0
    ARGUMENT = 1
    SHAPE = 2
    DTYPE = 3
    CONTEXT = 4
    STATE = 5
    STALE = 6
    UNSUPPORTED = 7
    MEMORY = 8
    DEVICE = 9
    DEVICE_LOST = 10
    IO = 11
    NOT_FOUND = 12
    UNSCALED_TWICE = 13
    UNSCALE_AFTER_STEP = 14
    STEP_TWICE = 15
    UPDATE_WITHOUT_STEP = 16
    FORKED = 17
    INTERNAL = 18


class DType(IntEnum):
    """Element types."""

    none = 0
    f64 = 1
    f32 = 2
    f16 = 3
    bf16 = 4
    f8e4m3 = 5
    f8e5m2 = 6
    i8 = 16
    i16 = 17
    i32 = 18
    i64 = 19
    u8 = 20
    bool = 21


class Device(IntEnum):
    """Where a context computes."""

    CPU = 0
    CUDA = 1
    AUTO = 2


class LogLevel(IntEnum):
    """mpt_log_level"""

    ERROR = 1
    WARNING = 2
    INFO = 3
    DEBUG = 4


class Reduction(IntEnum):
    """How a loss comes from its elements."""

    MEAN = 0
    SUM = 1
    NONE = 2
    BATCH_MEAN = 3


class GradMode(IntEnum):
    """What mpt_backward does to gradients that exist already."""

    WRITE = 0
    ADD = 1


class Init(IntEnum):
    """Initial values of a layer's weights. Biases: uniform in +-1/sqrt(fan_in) for DEFAULT, else 0."""

    DEFAULT = 0
    ZEROS = 1
    XAVIER_UNIFORM = 2
    XAVIER_NORMAL = 3
    KAIMING_UNIFORM = 4
    KAIMING_NORMAL = 5
    LECUN_NORMAL = 6
    ORTHOGONAL = 7
    ONES = 8


class Role(IntEnum):
    """Where in training an op stands; a policy can give each role its own precision."""

    FORWARD = 0
    INPUT_GRADIENT = 1
    WEIGHT_GRADIENT = 2


class ScalerKind(IntEnum):
    """How a loss scaler moves its scale."""

    STATIC = 0
    TORCH = 1
    HYSTERESIS = 2
    MEGATRON = 3


class Fp8Recipe(IntEnum):
    """How the scales of fp8 products are found. A scale is a power of two or not; the product is divided by it again."""

    UNSCALED = 0
    CURRENT = 1
    DELAYED = 2


class Rounding(IntEnum):
    """How f16 and bf16 parameters take updates."""

    MASTER = 0
    NEAREST = 1
    STOCHASTIC = 2
    KAHAN = 3


class ScheduleKind(IntEnum):
    """How a rate moves with the step count."""

    CONSTANT = 0
    STEP = 1
    COSINE = 2
    LINEAR = 3
    ONE_CYCLE = 4


class ActivationKind(IntEnum):
    """Activation functions that layers can be made of; the ops of these names say what they compute."""

    RELU = 0
    LEAKY_RELU = 1
    GELU = 2
    GELU_TANH = 3
    SILU = 4
    ELU = 5
    SIGMOID = 6
    TANH = 7
    SOFTPLUS = 8


class GeluKind(IntEnum):
    """mpt_gelu_kind"""

    EXACT = 0
    TANH = 1


class UpsampleMode(IntEnum):
    """mpt_upsample_mode"""

    NEAREST = 0
    BILINEAR = 1


class RecurrentKind(IntEnum):
    """mpt_recurrent_kind"""

    TANH = 0
    RELU = 1
    LSTM = 2
    GRU = 3


class Join(IntEnum):
    """What a parallel container does with its children's outputs."""

    SUM = 0
    CONCAT = 1
    LIST = 2
