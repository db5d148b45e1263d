#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <tuple>
#include <utility>

#include "ops/torch/bitnet_ops.h"

// The operators spelt with plain ATen functions, to compare with, and what the tests share.

namespace bitnet::ops::test {

/// round_half_even(w * (1 / gamma)) within -1..1, as float32.
inline at::Tensor reference_weight_codes(const at::Tensor& w, const at::Tensor& gamma) {
  return w.mul(at::ones({}).div(gamma)).round().clamp(-1, 1);
}

/// round_half_even(x * (127 / a)) within -128..127, and a / 127.
inline std::pair<at::Tensor, at::Tensor> reference_activation_codes(const at::Tensor& x) {
  const at::Tensor a = x.abs().amax(-1, /*keepdim=*/true).clamp_min(1e-5);
  // Tensors of 127: a division by a number may be turned into a multiplication.
  const at::Tensor codes = x.mul(at::full_like(a, 127).div(a)).round().clamp(-128, 127);
  return {codes, a.div(at::full_like(a, 127))};
}

/// The straight-through composition whose gradients bit_linear must have.
inline at::Tensor reference_bit_linear(const at::Tensor& x, const at::Tensor& w) {
  const at::Tensor gamma = std::get<1>(quantize_weight(w.detach()));
  const at::Tensor w_quantized = reference_weight_codes(w.detach(), gamma) * gamma;
  const auto [codes, scale] = reference_activation_codes(x.detach());
  return at::linear(x + (codes * scale - x).detach(), w + (w_quantized - w).detach());
}

inline at::Tensor pack_weight(const at::Tensor& w) {
  const auto [codes, gamma] = quantize_weight(w);
  return pack_ternary(codes, gamma);
}

/// Same shape, type and bits. (at::equal alone would take -0 for 0, and NaN for different.)
inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
  if (a.scalar_type() != at::kFloat) return at::equal(a, b);
  return at::equal(a.contiguous().view(at::kInt), b.contiguous().view(at::kInt));
}

/// The largest difference, relative to the largest reference value.
inline double relative_difference(const at::Tensor& a, const at::Tensor& reference) {
  return ((a - reference).abs().max() / reference.abs().max()).item<double>();
}

/// The text of the error that `call` throws; fails where it throws none.
template <typename Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  } catch (const std::exception& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

}  // namespace bitnet::ops::test
