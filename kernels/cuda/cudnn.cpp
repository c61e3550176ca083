#include "cudnn.h"

#ifdef MPT_HAS_CUDNN

#include <dlfcn.h>

#include <algorithm>
#include <string>

#include "common/kernel.h"
#include "device.h"
#include "tuner.h"

namespace mpt::cuda {

namespace {

constexpr std::size_t kOldest = 90000;                          // 9.0.0
constexpr int kCandidates = 12;                                 // that a tuner tries
constexpr std::int64_t kMostWorkspace = std::int64_t{1} << 30;  // of an engine

void demand(cudnnStatus_t status) {
    if (status != CUDNN_STATUS_SUCCESS) throw CudnnRefuses{};
}

struct EngineNotes {
    bool tensor_cores = false, forbidden = false;
};

EngineNotes notes_of(const Cudnn &cudnn, const CudnnDescriptor &configuration) {
    CudnnDescriptor engine(cudnn, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t raw = engine.raw();
    configuration.get(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
    cudnnBackendNumericalNote_t list[CUDNN_NUMERICAL_NOTE_TYPE_COUNT + 16];
    const auto room = static_cast<std::int64_t>(std::size(list));
    const std::int64_t count = engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, room, list);
    EngineNotes notes;
    for (std::int64_t i = 0; i < std::min(count, room); ++i) {
        switch (list[i]) {
            case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
                notes.tensor_cores = true;
                break;
            case CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP:
                break;
            default:  // another order of sums, or less precision: Winograd's and Fourier's transforms, rounded operands and sums
                notes.forbidden = true;
        }
    }
    return notes;
}

std::vector<CudnnDescriptor> configurations(const Cudnn &cudnn, const CudnnDescriptor &graph, cudnnBackendHeurMode_t mode) try {
    CudnnDescriptor heuristics(cudnn, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode)
        .finalize();
    const std::int64_t count = heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
    std::vector<CudnnDescriptor> list;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::int64_t i = 0; i < count; ++i) raw.push_back(list.emplace_back(cudnn, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).raw());
    const std::int64_t given =
        count == 0 ? 0 : heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, raw.data());
    while (static_cast<std::int64_t>(list.size()) > given) list.pop_back();
    return list;
} catch (CudnnRefuses) {
    return {};
}

}  // namespace

// The library stays loaded: it keeps threads and device memory of its own that do not bear unloading.
std::unique_ptr<Cudnn> Cudnn::open() {
    void *library = dlopen("libcudnn.so.9", RTLD_NOW | RTLD_LOCAL);
    if (!library) return nullptr;
    std::unique_ptr<Cudnn> cudnn(new Cudnn);
    if (!cudnn->resolve(library)) return nullptr;
    return cudnn;
}

bool Cudnn::resolve(void *library) {
    decltype(&cudnnGetVersion) version = nullptr;
    decltype(&cudnnCreate) create = nullptr;
    bool found = true;
    const auto take = [&](auto &function, const char *name) {
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
        found &= function != nullptr;
    };
    take(version, "cudnnGetVersion");
    take(create, "cudnnCreate");
    take(destroy_, "cudnnDestroy");
    take(set_stream, "cudnnSetStream");
    take(create_descriptor, "cudnnBackendCreateDescriptor");
    take(destroy_descriptor, "cudnnBackendDestroyDescriptor");
    take(set_attribute, "cudnnBackendSetAttribute");
    take(get_attribute, "cudnnBackendGetAttribute");
    take(finalize, "cudnnBackendFinalize");
    take(execute, "cudnnBackendExecute");
    if (!found || (version_ = version()) < kOldest) return false;
    if (create(&handle_) == CUDNN_STATUS_SUCCESS) return true;
    handle_ = nullptr;
    cudaGetLastError();
    return false;
}

Cudnn::~Cudnn() {
    if (handle_) destroy_(handle_);
}

CudnnDescriptor::CudnnDescriptor(const Cudnn &cudnn, cudnnBackendDescriptorType_t type) : cudnn_(&cudnn) {
    demand(cudnn.create_descriptor(type, &descriptor_));
}

CudnnDescriptor::~CudnnDescriptor() {
    if (descriptor_) cudnn_->destroy_descriptor(descriptor_);
}

CudnnDescriptor &CudnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                                      const void *values) {
    demand(cudnn_->set_attribute(descriptor_, name, type, count, values));
    return *this;
}

CudnnDescriptor &CudnnDescriptor::finalize() {
    demand(cudnn_->finalize(descriptor_));
    return *this;
}

std::int64_t CudnnDescriptor::get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t room,
                                  void *values) const {
    std::int64_t count = 0;
    demand(cudnn_->get_attribute(descriptor_, name, type, room, &count, values));
    return count;
}

CudnnPlan::CudnnPlan(Device &device, const Cudnn &cudnn, const std::vector<CudnnDescriptor> &operations, const CudnnRules &rules,
                     const CudnnTrial &trial, std::vector<CudnnNumber> numbers)
    : cudnn_(&cudnn), numbers_(std::move(numbers)) {
    cudnnHandle_t handle = cudnn.handle();
    std::vector<cudnnBackendDescriptor_t> raw;
    for (const CudnnDescriptor &operation : operations) raw.push_back(operation.raw());
    CudnnDescriptor graph(cudnn, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle)
        .set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(raw.size()), raw.data())
        .finalize();
    const int most = device.tuner().on ? kCandidates : 1;
    const std::vector<CudnnDescriptor> named = configurations(cudnn, graph, CUDNN_HEUR_MODE_A);
    std::vector<Candidate> list;
    if (rules.prefer_tensor_cores) list = candidates(named, rules, true, most);
    if (list.empty()) list = candidates(named, rules, false, most);
    if (list.empty() && rules.fallback) list = candidates(configurations(cudnn, graph, CUDNN_HEUR_MODE_FALLBACK), rules, false, most);
    if (list.empty()) throw CudnnRefuses{};
    chosen_ = std::move(list[static_cast<std::size_t>(fastest(device, list, trial))]);
}

std::vector<CudnnPlan::Candidate> CudnnPlan::candidates(const std::vector<CudnnDescriptor> &configurations, const CudnnRules &rules, bool needs_tensor_cores,
                                                        int most) const {
    std::vector<Candidate> list;
    for (const CudnnDescriptor &configuration : configurations) {
        if (static_cast<int>(list.size()) == most) break;
        try {
            const EngineNotes notes = notes_of(*cudnn_, configuration);
            if (notes.forbidden || (notes.tensor_cores && !rules.tensor_cores) || (!notes.tensor_cores && needs_tensor_cores))
                continue;
            cudnnHandle_t handle = cudnn_->handle();
            auto plan = std::make_unique<CudnnDescriptor>(*cudnn_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
            plan->set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle)
                .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration)
                .finalize();
            std::int64_t bytes = 0;
            plan->get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &bytes);
            if (bytes <= kMostWorkspace) list.push_back({std::move(plan), static_cast<std::size_t>(bytes)});
        } catch (CudnnRefuses) {
            continue;
        }
    }
    return list;
}

int CudnnPlan::fastest(Device &device, const std::vector<Candidate> &list, const CudnnTrial &trial) const {
    std::vector<std::size_t> bytes = trial.bytes;
    bytes.push_back(0);
    for (const Candidate &one : list) bytes.back() = std::max(bytes.back(), one.workspace_bytes);
    return device.tuner().fastest("cudnn " + std::to_string(cudnn_->version()) + ' ' + trial.key, static_cast<int>(list.size()), bytes, device.stream(),
                                  [&](int way, const std::vector<void *> &memory, cudaStream_t stream) {
                                      execute(*list[static_cast<std::size_t>(way)].plan, trial.ids, {memory.begin(), memory.end() - 1}, memory.back(), stream);
                                  });
}

void CudnnPlan::launch(const std::vector<std::int64_t> &ids, const std::vector<void *> &addresses, void *workspace,
                       cudaStream_t stream) const {
    execute(*chosen_.plan, ids, addresses, workspace, stream);
}

void CudnnPlan::execute(const CudnnDescriptor &plan, const std::vector<std::int64_t> &tensors, const std::vector<void *> &places,
                        void *workspace, cudaStream_t stream) const {
    std::vector<std::int64_t> ids = tensors;
    std::vector<void *> addresses = places;
    for (const CudnnNumber &number : numbers_) {
        ids.push_back(number.id);
        addresses.push_back(const_cast<std::uint32_t *>(&number.bits));
    }
    try {
        CudnnDescriptor pack(*cudnn_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
        const auto count = static_cast<std::int64_t>(ids.size());
        pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, ids.data())
            .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, addresses.data())
            .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace)
            .finalize();
        demand(cudnn_->set_stream(cudnn_->handle(), stream));
        demand(cudnn_->execute(cudnn_->handle(), plan.raw(), pack.raw()));
    } catch (CudnnRefuses) {
        throw kernels::Failure{MPT_ERROR_DEVICE, "cuDNN: a kernel could not be launched"};
    }
}

}  // namespace mpt::cuda

#endif
