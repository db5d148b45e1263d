// The operators on the Meta device: the checks, the shapes and the types, without data.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <tuple>

#include "ops/kernels/packed_format.h"
#include "ops/torch/checks.h"

namespace bitnet::ops {
namespace {

std::tuple<at::Tensor, at::Tensor> meta_quantize_weight(const at::Tensor& w_OI) {
  check_weight("quantize_weight", w_OI);
  return {at::empty(w_OI.sizes(), w_OI.options().dtype(at::kChar)), at::empty({}, w_OI.options())};
}

std::tuple<at::Tensor, at::Tensor> meta_quantize_activation(const at::Tensor& x) {
  check_activation("quantize_activation", x);
  return {at::empty(x.sizes(), x.options().dtype(at::kChar)), at::empty(with_last_size(x, 1), x.options())};
}

at::Tensor meta_dequantize(const at::Tensor& codes, const at::Tensor& scale) {
  check_dequantize("dequantize", codes, scale);
  return at::empty(codes.sizes(), scale.options());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> meta_bit_linear_forward(const at::Tensor& x,
                                                                                               const at::Tensor& w_OI) {
  const LinearSizes sizes = check_linear("bit_linear", x, w_OI);
  const at::TensorOptions codes = x.options().dtype(at::kChar);
  return {at::empty(with_last_size(x, sizes.n), x.options()), at::empty(x.sizes(), codes),
          at::empty(with_last_size(x, 1), x.options()), at::empty(w_OI.sizes(), codes), at::empty({}, x.options())};
}

at::Tensor meta_bit_linear(const at::Tensor& x, const at::Tensor& w_OI) {
  const LinearSizes sizes = check_linear("bit_linear", x, w_OI);
  return at::empty(with_last_size(x, sizes.n), x.options());
}

at::Tensor meta_pack_ternary(const at::Tensor& codes_OI, const at::Tensor& scale) {
  check_pack("pack_ternary", codes_OI, scale);
  return at::empty({kernels::packed_bytes(codes_OI.size(0), codes_OI.size(1))}, codes_OI.options().dtype(at::kByte));
}

std::tuple<at::Tensor, at::Tensor> meta_unpack_ternary(const at::Tensor& packed) {
  check_packed_bytes("unpack_ternary", packed);
  TORCH_CHECK(false, "unpack_ternary: packed must be on the CPU, but is on ", packed.device(),
              ". Move it with .to('cpu'): its shape lies in its bytes.");
}

at::Tensor meta_ternary_linear(const at::Tensor& x, const at::Tensor& packed) {
  const LinearSizes sizes = check_ternary_linear("ternary_linear", x, packed);
  return at::empty(with_last_size(x, sizes.n), x.options());
}

}  // namespace
}  // namespace bitnet::ops

TORCH_LIBRARY_IMPL(bitnet, Meta, m) {
  m.impl("quantize_weight", bitnet::ops::meta_quantize_weight);
  m.impl("quantize_activation", bitnet::ops::meta_quantize_activation);
  m.impl("dequantize", bitnet::ops::meta_dequantize);
  m.impl("bit_linear_forward", bitnet::ops::meta_bit_linear_forward);
  m.impl("bit_linear", bitnet::ops::meta_bit_linear);
  m.impl("pack_ternary", bitnet::ops::meta_pack_ternary);
  m.impl("unpack_ternary", bitnet::ops::meta_unpack_ternary);
  m.impl("ternary_linear", bitnet::ops::meta_ternary_linear);
}
