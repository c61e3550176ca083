// Trigonometric and hyperbolic functions and their inverses.
#include "unary.cuh"

namespace mpt::cuda {

PrepareUnary trigonometric_function(std::int64_t kind) {
    switch (kind) {
        case MPT_UNARY_SIN:
            return prepare_value<Sin>;
        case MPT_UNARY_COS:
            return prepare_value<Cos>;
        case MPT_UNARY_TAN:
            return prepare_value<Tan>;
        case MPT_UNARY_ASIN:
            return prepare_value<Asin>;
        case MPT_UNARY_ACOS:
            return prepare_value<Acos>;
        case MPT_UNARY_ATAN:
            return prepare_value<Atan>;
        case MPT_UNARY_SINH:
            return prepare_value<Sinh>;
        case MPT_UNARY_COSH:
            return prepare_value<Cosh>;
        case MPT_UNARY_TANH:
            return prepare_value<Tanh>;
        case MPT_UNARY_ASINH:
            return prepare_value<Asinh>;
        case MPT_UNARY_ACOSH:
            return prepare_value<Acosh>;
        case MPT_UNARY_ATANH:
            return prepare_value<Atanh>;
        default:
            return nullptr;
    }
}

}  // namespace mpt::cuda
