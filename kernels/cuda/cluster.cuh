// Clusters: blocks that run at once and read each other's shared memory, from capability 9.0 on. Without, a cluster is one block.
#pragma once

#include <cooperative_groups.h>

#include "kernel.h"

namespace mpt::cuda {

inline int most_in_cluster(const Device &device) {
    return device.capability() >= 90 ? 8 : 1;
}

struct ClusterLaunch {
    // blocks: all of them, a multiple of those of a cluster.
    ClusterLaunch(unsigned blocks, unsigned threads, std::size_t shared, int in_cluster, cudaStream_t stream) {
        attribute.id = cudaLaunchAttributeClusterDimension;
        attribute.val.clusterDim.x = static_cast<unsigned>(in_cluster);
        attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
        config.gridDim = dim3(blocks);
        config.blockDim = dim3(threads);
        config.dynamicSmemBytes = shared;
        config.stream = stream;
        config.attrs = &attribute;
        config.numAttrs = in_cluster > 1 ? 1 : 0;
    }
    ClusterLaunch(const ClusterLaunch &) = delete;
    ClusterLaunch &operator=(const ClusterLaunch &) = delete;

    cudaLaunchAttribute attribute = {};
    cudaLaunchConfig_t config = {};
};

template <class... Parameters, class... Arguments>
void launch_clusters(void (*function)(Parameters...), unsigned blocks, unsigned threads, std::size_t shared, int in_cluster,
                     cudaStream_t stream, const char *name, const Arguments &...arguments) {
    const ClusterLaunch launch(blocks, threads, shared, in_cluster, stream);
    check(cudaLaunchKernelEx(&launch.config, function, Parameters(arguments)...), name);
}

// How many a GPU runs at once, at least one.
template <class F>
unsigned clusters_at_once(const Device &device, F *function, unsigned threads, std::size_t shared, int in_cluster,
                          const char *name) {
    int clusters = 0;
    if (in_cluster > 1) {
        const ClusterLaunch launch(static_cast<unsigned>(in_cluster), threads, shared, in_cluster, nullptr);
        check(cudaOccupancyMaxActiveClusters(&clusters, function, &launch.config), name);
    } else {
        check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&clusters, function, static_cast<int>(threads), shared), name);
        clusters *= device.multiprocessors();
    }
    return static_cast<unsigned>(clusters > 0 ? clusters : 1);
}

// What a block wrote before it arrives, the others read once they have waited. All threads take part.
__device__ __forceinline__ void cluster_arrive() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
#endif
}
__device__ __forceinline__ void cluster_wait() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
}
// The same place in the shared memory of another of the cluster's blocks.
template <class T>
__device__ __forceinline__ const T *of_block(const T *shared, unsigned block) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    return cooperative_groups::cluster_group::map_shared_rank(shared, block);
#else
    return shared;
#endif
}

}  // namespace mpt::cuda
