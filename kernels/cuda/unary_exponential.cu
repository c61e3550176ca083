// Exponentials, logarithms, powers and the error function.
#include "unary.cuh"

namespace mpt::cuda {

PrepareUnary exponential_function(std::int64_t kind) {
    switch (kind) {
        case MPT_UNARY_EXP:
            return prepare_value<Exp>;
        case MPT_UNARY_LOG:
            return prepare_value<Log>;
        case MPT_UNARY_EXP2:
            return prepare_value<Exp2>;
        case MPT_UNARY_EXPM1:
            return prepare_value<Expm1>;
        case MPT_UNARY_LOG2:
            return prepare_value<Log2>;
        case MPT_UNARY_LOG10:
            return prepare_value<Log10>;
        case MPT_UNARY_LOG1P:
            return prepare_value<Log1p>;
        case MPT_UNARY_ERF:
            return prepare_value<Erf>;
        default:
            return nullptr;
    }
}

PrepareUnary power_function(double exponent) {
    if (exponent == -1) return arithmetic_function(MPT_UNARY_RECIPROCAL);
    if (exponent == -0.5) return arithmetic_function(MPT_UNARY_RSQRT);
    if (exponent == 0.5) return arithmetic_function(MPT_UNARY_SQRT);
    if (exponent == 2) return arithmetic_function(MPT_UNARY_SQUARE);
    if (exponent == 3) return prepare_value<Pow3>;
    return prepare_value<Pow>;
}

}  // namespace mpt::cuda
