// How attention starts, as torch.nn.MultiheadAttention does.
#include <algorithm>

#include "net.h"

using namespace net;

TEST(AttentionLayer, BiasesStartAtZero) {
    Context ctx = context();
    Layer layer;
    mpt_attention_desc d;
    OK(mpt_attention_desc_init(&d, sizeof d));
    d.embed_dim = 4;
    d.heads = 2;
    OK(mpt_layer_attention(ctx, &d, layer.out()));
    for (const char *name : {"in_proj_bias", "out_proj.bias", "in_proj_weight", "out_proj.weight"}) {
        Tensor p;
        OK(mpt_layer_parameter_by_name(layer, name, p.out()));
        const std::vector<float> values = floats(p);
        const bool zero = std::all_of(values.begin(), values.end(), [](float v) { return v == 0; });
        EXPECT_EQ(zero, std::string(name).find("bias") != std::string::npos) << name;
    }
}
