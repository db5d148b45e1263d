#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

// What the CPU implementations share.

namespace bitnet::ops {

/// Absmean quantization of a contiguous float32 weight into `codes` of as many elements. Gives gamma.
float quantize_weight_into(const at::Tensor& w_OI, int8_t* codes);

}  // namespace bitnet::ops
