// Activation functions.
#include "unary.cuh"

namespace mpt::cuda {

PrepareUnary activation_function(std::int64_t kind) {
    switch (kind) {
        case MPT_UNARY_RELU:
            return prepare_value<Relu>;
        case MPT_UNARY_SIGMOID:
            return prepare_value<Sigmoid>;
        case MPT_UNARY_SILU:
            return prepare_value<Silu>;
        case MPT_UNARY_SOFTPLUS:
            return prepare_value<Softplus>;
        case MPT_UNARY_LEAKY_RELU:
            return prepare_value<LeakyRelu>;
        case MPT_UNARY_ELU:
            return prepare_value<Elu>;
        case MPT_UNARY_GELU:
            return prepare_value<Gelu>;
        case MPT_UNARY_GELU_TANH:
            return prepare_value<GeluTanh>;
        default:
            return nullptr;
    }
}

}  // namespace mpt::cuda
