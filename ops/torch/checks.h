#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

// The one place where the operators look at their arguments: both the CPU and the Meta implementations begin here, so a
// program that runs on Meta tensors has passed the same checks. Below these functions everything is trusted.
// Errors: c10::Error, `<operator>: <thing> must be <expected>, but is <found>. <What to do.>`

namespace bitnet::ops {

/// Rows (the product of the leading dimensions), outputs and inputs of a linear layer.
struct LinearSizes {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
};

/// A weight: [O, I] float32, neither dimension empty, I <= kernels::kMaxK.
void check_weight(const char* where, const at::Tensor& w_OI);

/// Activations: [.., I] float32 with 1 <= I <= kernels::kMaxK. Gives M (n stays 0).
LinearSizes check_activation(const char* where, const at::Tensor& x);

/// Activations and a weight of the same device and I.
LinearSizes check_linear(const char* where, const at::Tensor& x, const at::Tensor& w_OI);

/// Codes [O, I] int8 and a float32 scale of one element, both on one device. The values are the CPU implementation's to
/// check.
void check_pack(const char* where, const at::Tensor& codes_OI, const at::Tensor& scale);

/// A packed weight: [bytes] uint8.
void check_packed_bytes(const char* where, const at::Tensor& packed);

/// Activations and packed bytes whose number is a whole number of rows of I inputs; n follows from it.
LinearSizes check_ternary_linear(const char* where, const at::Tensor& x, const at::Tensor& packed);

/// Codes [.., C] int8 and a float32 scale of one element, or of one element a row ([.., 1]). Gives the rows m and
/// columns k.
LinearSizes check_dequantize(const char* where, const at::Tensor& codes, const at::Tensor& scale);

/// The sizes of x with the last one replaced: [.., last].
std::vector<int64_t> with_last_size(const at::Tensor& x, int64_t last);

}  // namespace bitnet::ops
