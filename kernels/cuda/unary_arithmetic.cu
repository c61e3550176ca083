// Functions of one input that need no more than arithmetic.
#include "unary.cuh"

namespace mpt::cuda {

PrepareUnary arithmetic_function(std::int64_t kind) {
    switch (kind) {
        case MPT_UNARY_NEG:
            return prepare_value<Neg>;
        case MPT_UNARY_SQRT:
            return prepare_value<Sqrt>;
        case MPT_UNARY_AFFINE:
            return prepare_value<Affine>;
        case MPT_UNARY_ABS:
            return prepare_value<Abs>;
        case MPT_UNARY_SIGN:
            return prepare_value<Sign>;
        case MPT_UNARY_SQUARE:
            return prepare_value<Square>;
        case MPT_UNARY_RSQRT:
            return prepare_value<Rsqrt>;
        case MPT_UNARY_RECIPROCAL:
            return prepare_value<Reciprocal>;
        case MPT_UNARY_FLOOR:
            return prepare_value<Floor>;
        case MPT_UNARY_CEIL:
            return prepare_value<Ceil>;
        case MPT_UNARY_ROUND:
            return prepare_value<Round>;
        case MPT_UNARY_TRUNC:
            return prepare_value<Trunc>;
        case MPT_UNARY_CLAMP:
            return prepare_value<Clamp>;
        default:
            return nullptr;
    }
}

}  // namespace mpt::cuda
