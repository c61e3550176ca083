/* A program of a user: strict C89 and C++98, the installed header and library, nothing else. */
#include <mpt.h>
#include <stdio.h>

#define CHECK(call)                                                      \
    do {                                                                 \
        if ((call) != MPT_OK) {                                          \
            fprintf(stderr, "line %d: %s\n", __LINE__, mpt_last_error()); \
            return 1;                                                    \
        }                                                                \
    } while (0)

int main(void) {
    mpt_context *ctx = NULL;
    mpt_tensor *x = NULL, *y = NULL, *loss = NULL, *grad = NULL;
    int64_t shape[2] = {2, 3};
    double value = 0, slope[6];
    if (mpt_version() != MPT_VERSION_MAJOR * 10000 + MPT_VERSION_MINOR * 100 + MPT_VERSION_PATCH) return 1;
    CHECK(mpt_context_create(NULL, &ctx));
    CHECK(mpt_tensor_create(ctx, MPT_F64, 2, shape, &x));
    CHECK(mpt_tensor_fill(x, 3.0));
    CHECK(mpt_tensor_set_requires_grad(x, 1));
    CHECK(mpt_mul(x, x, &y));
    CHECK(mpt_sum(y, 0, NULL, 0, &loss));
    CHECK(mpt_backward(loss, NULL, MPT_GRAD_WRITE));
    CHECK(mpt_tensor_grad(x, &grad));
    CHECK(mpt_tensor_item(loss, &value));
    CHECK(mpt_tensor_read(grad, slope, sizeof slope));
    mpt_tensor_release(grad);
    mpt_tensor_release(loss);
    mpt_tensor_release(y);
    mpt_tensor_release(x);
    mpt_context_release(ctx);
    printf("sum %g, gradient %g\n", value, slope[5]);
    return !(value == 54.0 && slope[0] == 6.0 && slope[5] == 6.0);
}
