#include "schedule.h"

#include <atomic>
#include <new>

#include "one_thread.h"
#include "primitives.h"

namespace mpt::onednn {

void Step::argument(int name, const dnnl::memory::desc &desc, Place place) {
    memories_.push_back(dnnl::memory(desc, engine_, DNNL_MEMORY_NONE));
    places_.push_back(place);
    arguments_.push_back({name, memories_.back().get()});
}

char *Step::Addresses::of(const Place &place) const {
    const void *base = workspace;
    if (place.base == Place::In) base = in[place.index];
    if (place.base == Place::Out) base = out[place.index];
    if (place.base == Place::Constant) base = constants[place.index];
    return static_cast<char *>(const_cast<void *>(base)) + place.offset;
}

dnnl_status_t Step::run(const Addresses &addresses, dnnl_stream_t stream) const {
    if (function_) {
        function_(addresses);
        return dnnl_success;
    }
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const dnnl_status_t status = set_data(arguments_[i].memory, addresses.of(places_[i]), stream);
        if (status != dnnl_success) return status;
    }
    return dnnl_primitive_execute(primitive_.get(), stream, static_cast<int>(arguments_.size()), arguments_.data());
}

Place Schedule::reserve(std::size_t bytes) {
    const Place place{Place::Work, 0, workspace_bytes};
    workspace_bytes += (bytes + MPT_MOD_ALIGNMENT - 1) / MPT_MOD_ALIGNMENT * MPT_MOD_ALIGNMENT;
    return place;
}

Step Schedule::reorder(const dnnl::memory::desc &from, Place source, const dnnl::memory::desc &to, Place target) {
    const dnnl::reorder::primitive_desc desc(device_.engine, from, device_.engine, to, attributes());
    Step made = step<dnnl::reorder>(desc);
    made.argument(DNNL_ARG_FROM, from, source);
    made.argument(DNNL_ARG_TO, to, target);
    return made;
}

void Schedule::bind_input(Part &before, Step &step, int name, const dnnl::memory::desc &lies, Place place,
                          const dnnl::memory::desc &wanted) {
    if (lies != wanted) {
        const Place copy = reserve(wanted);
        before.push_back(reorder(lies, place, wanted, copy));
        place = copy;
    }
    step.argument(name, wanted, place);
}

void Schedule::bind_output(Part &after, Step &step, int name, const dnnl::memory::desc &lies, Place place,
                           const dnnl::memory::desc &wanted) {
    if (lies != wanted) {
        const Place copy = reserve(wanted);
        after.push_back(reorder(wanted, copy, lies, place));
        place = copy;
    }
    step.argument(name, wanted, place);
}

Place Schedule::ones(dnnl::memory::data_type type, std::size_t count) {
    if (type == dnnl::memory::data_type::f32) {
        if (f32_ones_.size() < count) f32_ones_.resize(count, 1.0f);
        return {Place::Constant, 0, 0};
    }
    if (bf16_ones_.size() < count) bf16_ones_.resize(count, 0x3f80);
    return {Place::Constant, 1, 0};
}

void Schedule::add(Phase phase) {
    while (streams_.size() < phase.size()) streams_.emplace_back(device_.engine);
    phases_.push_back(std::move(phase));
}

void Schedule::launch(const void *const *in, void *const *out, void *workspace) {
    const void *const constants[] = {f32_ones_.data(), bf16_ones_.data()};
    struct Launch {
        const Phase *phase;
        const std::vector<dnnl::stream> *streams;
        Step::Addresses addresses;
        std::atomic<int> status;
    } launch{nullptr, &streams_, {in, out, static_cast<char *>(workspace), constants}, {dnnl_success}};
    const mpt_mod_body body = [](std::int32_t part, std::int32_t, void *arg) {
        auto *l = static_cast<Launch *>(arg);
        const OneThread one_thread;
        for (const Step &step : (*l->phase)[part]) {
            dnnl_status_t status = dnnl_out_of_memory;
            try {
                status = step.run(l->addresses, (*l->streams)[part].get());
            } catch (const std::bad_alloc &) {  // oneDNN's own lists; the pool's threads can throw to nobody
            }
            if (status == dnnl_success) continue;
            l->status = status;
            return;
        }
    };
    for (const Phase &phase : phases_) {
        launch.phase = &phase;
        const auto parts = static_cast<std::int32_t>(phase.size());
        if (parts == 1)
            body(0, 1, &launch);
        else
            device_.threads.run(device_.threads.pool, parts, body, &launch);
        if (launch.status != dnnl_success)
            throw Failure{launch.status == dnnl_out_of_memory ? MPT_ERROR_MEMORY : MPT_ERROR_DEVICE, name + " failed with oneDNN's status " + std::to_string(launch.status)};
    }
}

}  // namespace mpt::onednn
