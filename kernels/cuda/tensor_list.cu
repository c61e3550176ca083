#include "tensor_list.cuh"

namespace mpt::cuda {

TensorList::TensorList(const Device &device, int addresses, int pack, int stride, int most, std::vector<Tensor> tensors)
    : addresses_(addresses), pack_(pack), piece_(stride), tensors_(std::move(tensors)) {
    if (addresses > kMostAddresses)
        throw Failure{MPT_ERROR_UNSUPPORTED,
                      "a GPU updates at most " + std::to_string(kMostAddresses) + " tensors together per parameter"};
    std::erase_if(tensors_, [](const Tensor &tensor) { return tensor.count == 0; });
    std::int64_t elements = 0;
    for (const Tensor &tensor : tensors_) elements += tensor.count;
    constexpr std::int64_t kPiecesEach = 32;  // of a multiprocessor, so that the last ones end at about one time
    for (; most > 1 && elements / (2 * piece_) >= kPiecesEach * device.multiprocessors(); most /= 2) piece_ *= 2;
    for (const Tensor &tensor : tensors_) pieces_ += pieces_of(tensor);
}

}  // namespace mpt::cuda
