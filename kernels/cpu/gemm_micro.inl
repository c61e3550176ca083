// The innermost loop of a product. gemm_micro.cpp includes this once per instruction set, with
//   MICRO_TARGET  the function attribute that switches the instruction set on (empty for the base one)
//   MICRO_BYTES   bytes of a vector
//   MICRO_ROWS    rows of the largest tile: what the registers hold beside two vectors of b
//   MICRO_FMA     1: fma(a, b, c) is defined for this set; 0: multiply, then add
// and inside a namespace of its own.

template <class T>
struct Vector {
    typedef T type __attribute__((vector_size(MICRO_BYTES)));
    typedef T memory __attribute__((vector_size(MICRO_BYTES), aligned(alignof(T)), may_alias));
    static constexpr int lanes = MICRO_BYTES / sizeof(T);
};

// c (ROWS x VECS vectors, rows ldc apart) takes a b as `how` says. Element (i, k) of a is a[i * row_step + k * k_step], row k of b
// is b[k * VECS * lanes]. Each element of c is one chain over k, so tiles of any form give the same bits.
template <class T, int ROWS, int VECS>
MICRO_TARGET void tile(std::int64_t k_count, const T *a, std::int64_t row_step, std::int64_t k_step, const T *b, T *c,
                       std::int64_t ldc, TileStore how) {
    using V = typename Vector<T>::type;
    using M = typename Vector<T>::memory;
    constexpr int lanes = Vector<T>::lanes;
    V sum[ROWS][VECS];
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 2
        for (int j = 0; j < VECS; ++j)
            sum[i][j] = how == TileStore::extend ? V(*reinterpret_cast<const M *>(c + i * ldc + j * lanes)) : V{};
    // One pointer per four rows keeps the addresses within base + {0, 1, 2, 3} * step.
    constexpr int groups = (ROWS + 3) / 4;
    const T *group[groups];
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) group[g] = a + 4 * g * row_step;
    for (std::int64_t k = 0; k < k_count; ++k) {
        V row[VECS];
#pragma GCC unroll 2
        for (int j = 0; j < VECS; ++j) row[j] = *reinterpret_cast<const M *>(b + j * lanes);
#pragma GCC unroll 16
        for (int i = 0; i < ROWS; ++i) {
            const V value = group[i / 4][(i % 4) * row_step] - V{};
#pragma GCC unroll 2
            for (int j = 0; j < VECS; ++j) {
#if MICRO_FMA
                sum[i][j] = fma(value, row[j], sum[i][j]);
#else
                sum[i][j] += value * row[j];
#endif
            }
        }
#pragma GCC unroll 4
        for (int g = 0; g < groups; ++g) group[g] += k_step;
        b += VECS * lanes;
    }
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 2
        for (int j = 0; j < VECS; ++j) {
            M *out = reinterpret_cast<M *>(c + i * ldc + j * lanes);
            *out = how == TileStore::add ? V(*out) + sum[i][j] : sum[i][j];
        }
}

template <class T, int... I>
constexpr auto make_tiles(std::integer_sequence<int, I...>) {
    return std::array<std::array<TileKernel<T>, 2>, sizeof...(I)>{{{&tile<T, I + 1, 1>, &tile<T, I + 1, 2>}...}};
}

template <class T>
const Micro<T> &micro() {
    static constexpr auto tiles = make_tiles<T>(std::make_integer_sequence<int, MICRO_ROWS>());
    static constexpr Micro<T> found{MICRO_ROWS, Vector<T>::lanes, tiles.data()};
    return found;
}

#undef MICRO_TARGET
#undef MICRO_BYTES
#undef MICRO_ROWS
#undef MICRO_FMA
