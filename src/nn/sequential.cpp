#include "core/error.h"
#include "nn/layer.h"

namespace mpt {

namespace {

class Sequential final : public mpt_layer {
public:
    using mpt_layer::mpt_layer;

    void add(const std::string &name, const Ref<mpt_layer> &child) override {
        const std::string own = name.empty() ? std::to_string(children_.size()) : name;
        if (own.find_first_of("./") != std::string::npos)
            fail(MPT_ERROR_ARGUMENT, "argument 'name' is '", own, "': a layer's name has no '.' or '/'");
        for (const auto &[other, layer] : children_)
            if (other == own) fail(MPT_ERROR_ARGUMENT, "argument 'name' is '", own, "', which this container has already: choose another name");
        if (child->holds(*this)) fail(MPT_ERROR_ARGUMENT, "argument 'child' holds the container itself: a layer cannot be inside itself");
        children_.emplace_back(own, child);
    }

private:
    std::vector<Ref<Tensor>> forward(const std::vector<Ref<Tensor>> &inputs) override {
        std::vector<Ref<Tensor>> x = inputs;
        for (auto &[name, child] : children_) {
            try {
                x = child->run(name, x);
            } catch (Error &error) {
                error.message = "layer '" + name + "': " + error.message;
                throw;
            }
        }
        return x;
    }
};

}  // namespace

Ref<mpt_layer> new_sequential(Context &ctx) { return make<Sequential>(ctx); }

}  // namespace mpt
