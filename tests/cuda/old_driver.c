/* Stands in for libcuda.so.1 of a driver that is older than every CUDA 13: it says so, and has nothing else. */
__attribute__((visibility("default"))) int cuDriverGetVersion(int *version);
__attribute__((visibility("default"))) int cuInit(unsigned flags);
__attribute__((visibility("default"))) int cuGetProcAddress(const char *name, void **function, int version,
                                                            unsigned long long flags);

int cuDriverGetVersion(int *version) {
    *version = 12000;
    return 0;
}
int cuInit(unsigned flags) {
    (void)flags;
    return 0;
}
int cuGetProcAddress(const char *name, void **function, int version, unsigned long long flags) {
    (void)name, (void)version, (void)flags;
    *function = 0;
    return 500; /* CUDA_ERROR_NOT_FOUND */
}
