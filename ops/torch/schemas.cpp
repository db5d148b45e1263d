// The schemas of torch.ops.bitnet.* and the C++ functions that call them through the dispatcher.
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include "ops/torch/bitnet_ops.h"

TORCH_LIBRARY(bitnet, m) {
  m.def("quantize_weight(Tensor w) -> (Tensor codes, Tensor gamma)");
  m.def("quantize_activation(Tensor x) -> (Tensor codes, Tensor scale)");
  m.def("bit_linear(Tensor x, Tensor w) -> Tensor");
  m.def("pack_ternary(Tensor codes, Tensor scale) -> Tensor");
  m.def("unpack_ternary(Tensor packed) -> (Tensor codes, Tensor scale)");
  m.def("ternary_linear(Tensor x, Tensor packed) -> Tensor");
  // codes * scale in float32: what the quantized tensors stand for.
  m.def("dequantize(Tensor codes, Tensor scale) -> Tensor");
  // bit_linear without gradients, with the tensors that its backward needs beside the result.
  m.def(
      "bit_linear_forward(Tensor x, Tensor w) -> "
      "(Tensor y, Tensor x_codes, Tensor x_scale, Tensor w_codes, Tensor gamma)");
}

namespace bitnet::ops {
namespace {

template <typename Signature>
c10::TypedOperatorHandle<Signature> find_operator(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

using TensorPair = std::tuple<at::Tensor, at::Tensor>;

}  // namespace

TensorPair quantize_weight(const at::Tensor& w_OI) {
  static const auto op = find_operator<TensorPair(const at::Tensor&)>("bitnet::quantize_weight");
  return op.call(w_OI);
}

TensorPair quantize_activation(const at::Tensor& x) {
  static const auto op = find_operator<TensorPair(const at::Tensor&)>("bitnet::quantize_activation");
  return op.call(x);
}

at::Tensor dequantize(const at::Tensor& codes, const at::Tensor& scale) {
  static const auto op = find_operator<at::Tensor(const at::Tensor&, const at::Tensor&)>("bitnet::dequantize");
  return op.call(codes, scale);
}

at::Tensor bit_linear(const at::Tensor& x, const at::Tensor& w_OI) {
  static const auto op = find_operator<at::Tensor(const at::Tensor&, const at::Tensor&)>("bitnet::bit_linear");
  return op.call(x, w_OI);
}

at::Tensor pack_ternary(const at::Tensor& codes_OI, const at::Tensor& scale) {
  static const auto op = find_operator<at::Tensor(const at::Tensor&, const at::Tensor&)>("bitnet::pack_ternary");
  return op.call(codes_OI, scale);
}

TensorPair unpack_ternary(const at::Tensor& packed) {
  static const auto op = find_operator<TensorPair(const at::Tensor&)>("bitnet::unpack_ternary");
  return op.call(packed);
}

at::Tensor ternary_linear(const at::Tensor& x, const at::Tensor& packed) {
  static const auto op = find_operator<at::Tensor(const at::Tensor&, const at::Tensor&)>("bitnet::ternary_linear");
  return op.call(x, packed);
}

}  // namespace bitnet::ops
