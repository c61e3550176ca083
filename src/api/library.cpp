#include "api/guard.h"
#include "core/dtype.h"

using namespace mpt;

uint32_t MPT_CALL mpt_version(void) { return MPT_VERSION_MAJOR * 10000u + MPT_VERSION_MINOR * 100u + MPT_VERSION_PATCH; }

const char *MPT_CALL mpt_status_name(mpt_status status) {
    switch (status) {
#define MPT_NAME(x) \
    case x: return #x
        MPT_NAME(MPT_OK);
        MPT_NAME(MPT_ERROR_ARGUMENT);
        MPT_NAME(MPT_ERROR_SHAPE);
        MPT_NAME(MPT_ERROR_DTYPE);
        MPT_NAME(MPT_ERROR_CONTEXT);
        MPT_NAME(MPT_ERROR_STATE);
        MPT_NAME(MPT_ERROR_STALE);
        MPT_NAME(MPT_ERROR_UNSUPPORTED);
        MPT_NAME(MPT_ERROR_MEMORY);
        MPT_NAME(MPT_ERROR_DEVICE);
        MPT_NAME(MPT_ERROR_DEVICE_LOST);
        MPT_NAME(MPT_ERROR_IO);
        MPT_NAME(MPT_ERROR_NOT_FOUND);
        MPT_NAME(MPT_ERROR_UNSCALED_TWICE);
        MPT_NAME(MPT_ERROR_UNSCALE_AFTER_STEP);
        MPT_NAME(MPT_ERROR_STEP_TWICE);
        MPT_NAME(MPT_ERROR_UPDATE_WITHOUT_STEP);
        MPT_NAME(MPT_ERROR_FORKED);
        MPT_NAME(MPT_ERROR_INTERNAL);
#undef MPT_NAME
        case MPT_STATUS_FORCE_32: break;
    }
    return "unknown status";
}

const char *MPT_CALL mpt_dtype_name(mpt_dtype dtype) { return dtype_name(dtype); }
size_t MPT_CALL mpt_dtype_size(mpt_dtype dtype) { return dtype_size(dtype); }
const char *MPT_CALL mpt_last_error(void) { return api::thread_error_text(); }
