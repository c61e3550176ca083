// The ways to a convolution, in files of their own.
#pragma once

#include "device/attrs/conv.h"
#include "kernel.h"

namespace mpt::cuda {

enum class ConvPass { Forward, InputGradient, FilterGradient };

// conv2d_cudnn.cpp. Of a FilterGradient dw alone. otherwise: what runs where cuDNN is not there or refuses, and where addresses are
// no multiples of 16.
std::unique_ptr<Kernel> prepare_conv_cudnn(Device &device, const mpt_mod_call &call, ConvPass pass,
                                           std::unique_ptr<Kernel> otherwise);

// 16-bit formats on tensor cores: conv2d_mma.cu; conv2d_wgrad_strips.cu and conv2d_wgrad_mma.cu for dw. Nothing, and portable
// stays, where the call is another. portable: what runs where addresses are no multiples of 16.
std::unique_ptr<Kernel> prepare_conv_mma(Device &device, const mpt_mod_call &call, ConvPass pass,
                                         std::unique_ptr<Kernel> &portable);
std::unique_ptr<Kernel> prepare_conv_wgrad_strips(Device &device, const mpt_mod_call &call, std::unique_ptr<Kernel> &portable);
std::unique_ptr<Kernel> prepare_conv_wgrad_mma(Device &device, const mpt_mod_call &call, std::unique_ptr<Kernel> &portable);

}  // namespace mpt::cuda
