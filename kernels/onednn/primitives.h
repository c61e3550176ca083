// Where oneDNN 2 and 3 differ, and the attributes that all primitives here share.
#pragma once

#include <string_view>
#include <tuple>
#include <vector>

#include "kernel.h"

namespace mpt::onednn {

// Scratchpads come from the workspace, and f32 means f32 whatever the environment says.
inline dnnl::primitive_attr attributes() {
    dnnl::primitive_attr made;
    made.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    made.set_fpmath_mode(dnnl::fpmath_mode::strict);
    return made;
}

// The implementation to use for P. oneDNN lists them best first by its own judgement; `skip` tells which to pass
// over while there is a better one behind. Reference implementations are refused: the portable kernels are faster.
template <class P, class Skip, class... Hint, class... Arguments>
typename P::primitive_desc choose(const dnnl::engine &engine, Skip skip, const std::tuple<Hint...> &hint,
                                  const Arguments &...arguments) {
#if DNNL_VERSION_MAJOR >= 3
    auto make = [&](const auto &...hints) { return typename P::primitive_desc(engine, arguments..., hints..., attributes()); };
#else
    const typename P::desc operation(arguments...);  // next_impl reads it
    auto make = [&](const auto &...hints) { return typename P::primitive_desc(operation, attributes(), engine, hints...); };
#endif
    auto chosen = std::apply(make, hint);
    const auto info = [](const auto &desc) { return std::string_view(desc.impl_info_str()); };
    if (skip(info(chosen))) {
        auto other = std::apply(make, hint);
        if (other.next_impl() && !skip(info(other)) && info(other).find("avx512") != std::string_view::npos) chosen = other;
    }
    if (info(chosen).find("ref") == 0) refuse("oneDNN has only its reference implementation for this call");
    return chosen;
}

// For `skip`: nothing is passed over.
inline bool take_first(std::string_view) {
    return false;
}

inline dnnl::sum::primitive_desc sum_desc(const dnnl::engine &engine, const dnnl::memory::desc &form, int count) {
    const std::vector<float> scales(count, 1.0f);
    const std::vector<dnnl::memory::desc> forms(count, form);
#if DNNL_VERSION_MAJOR >= 3
    return dnnl::sum::primitive_desc(engine, form, scales, forms, attributes());
#else
    return dnnl::sum::primitive_desc(form, scales, forms, engine, attributes());
#endif
}

inline dnnl_status_t set_data(dnnl_memory_t memory, void *address, dnnl_stream_t stream) {
#if DNNL_VERSION_MAJOR >= 3
    (void)stream;
    return dnnl_memory_set_data_handle(memory, address);
#else
    return dnnl_memory_set_data_handle_v2(memory, address, stream);
#endif
}

}  // namespace mpt::onednn
