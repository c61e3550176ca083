/* What a host sees when modules are missing beside the library: a status and a message that names the file.
 * usage: modules LIBRARY cpu|no-cpu|no-cuda */
#include <string.h>

#include "trainer.h"

static trainer t;

/* Creation on the device fails with MPT_ERROR_DEVICE, names the module, and leaves the output alone. */
static int refused(mpt_device device, const char *module) {
    mpt_context_desc desc;
    mpt_context *ctx = NULL;
    mpt_status status;
    TRAINER_CHECK(&t, t.mpt_context_desc_init(&desc, sizeof desc));
    desc.device = device;
    status = t.mpt_context_create(&desc, &ctx);
    printf("status %d: %s\n", (int)status, t.mpt_last_error());
    return status == MPT_ERROR_DEVICE && !ctx && strstr(t.mpt_last_error(), module) != NULL;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    trainer_open(&t, argv[1], RTLD_LOCAL);
    if (!strcmp(argv[2], "no-cpu")) return !refused(MPT_DEVICE_CPU, "libmpt_cpu");
    if (!strcmp(argv[2], "no-cuda")) {
        mpt_context_desc desc;
        mpt_device device = MPT_DEVICE_CUDA;
        if (!refused(MPT_DEVICE_CUDA, "libmpt_cuda")) return 1;
        TRAINER_CHECK(&t, t.mpt_context_desc_init(&desc, sizeof desc));
        desc.device = MPT_DEVICE_AUTO;
        TRAINER_CHECK(&t, t.mpt_context_create(&desc, &t.ctx));
        TRAINER_CHECK(&t, t.mpt_context_device(t.ctx, &device));
        t.mpt_context_release(t.ctx);
        return device != MPT_DEVICE_CPU;
    }
    trainer_start(&t, 1);
    trainer_enqueue(&t);
    return !(trainer_loss(&t) > 0);
}
