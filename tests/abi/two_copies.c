/* Two copies of the library in one process, as when a host and its plugin each bring one: they share nothing.
 * usage: two_copies LIBRARY COPY */
#include <math.h>
#include <string.h>

#include "trainer.h"

#define REQUIRE(condition)                                                        \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "%s:%d: not true: " #condition "\n", __FILE__, __LINE__); \
            return 1;                                                             \
        }                                                                         \
    } while (0)

int main(int argc, char **argv) {
    static trainer a, b;
    double start, alone, together;
    if (argc < 3) return 2;
    /* The first is visible to all that is loaded later, the worst that a host can do. */
    trainer_open(&a, argv[1], RTLD_GLOBAL);
    trainer_open(&b, argv[2], RTLD_LOCAL);
    REQUIRE(a.mpt_version != b.mpt_version);
    trainer_start(&a, 7);
    trainer_capture(&a);
    start = trainer_run(&a, 1);
    trainer_start(&b, 7);
    trainer_capture(&b);
    REQUIRE(trainer_run(&b, 1) == start);
    alone = trainer_run(&a, 60);
    /* An error in one is not seen in the other. */
    REQUIRE(a.mpt_tensor_create(NULL, MPT_F32, 0, NULL, &a.loss) != MPT_OK);
    REQUIRE(strlen(a.mpt_last_error()) > 0 && strlen(b.mpt_last_error()) == 0);
    a.mpt_context_release(a.ctx);
    together = trainer_run(&b, 60);
    printf("loss %g -> %g, in the other copy %g\n", start, alone, together);
    REQUIRE(isfinite(alone) && alone < 0.5 * start);
    REQUIRE(together == alone);
    return 0;
}
