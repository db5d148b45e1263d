#include "ops/torch/checks.h"

#include <vector>

#include "ops/kernels/packed_format.h"

namespace bitnet::ops {
namespace {

void check_dtype(const char* where, const char* name, const at::Tensor& t, at::ScalarType dtype,
                 const char* dtype_name) {
  TORCH_CHECK(t.scalar_type() == dtype, where, ": ", name, " must be ", dtype_name, ", but is ", t.scalar_type(),
              ". Convert it with .to(torch.", dtype_name, ").");
}

void check_same_device(const char* where, const char* name, const at::Tensor& t, const char* other_name,
                       const at::Tensor& other) {
  TORCH_CHECK(t.device() == other.device(), where, ": ", name, " must be on the device of ", other_name, " (",
              other.device(), "), but is on ", t.device(), ". Move one of them with .to(device).");
}

void check_inputs(const char* where, const char* name, int64_t inputs) {
  TORCH_CHECK(inputs >= 1 && inputs <= kernels::kMaxK, where, ": the last size of ", name, " must be 1 to ",
              kernels::kMaxK, ", but is ", inputs, ". Split the layer.");
}

void check_matrix(const char* where, const char* name, const at::Tensor& t) {
  TORCH_CHECK(t.dim() == 2 && t.size(0) > 0 && t.size(1) > 0, where, ": ", name,
              " must be a matrix [outputs, inputs] that is not empty, but is of shape ", t.sizes(), ". Reshape it.");
  check_inputs(where, name, t.size(1));
}

}  // namespace

void check_weight(const char* where, const at::Tensor& w_OI) {
  check_dtype(where, "w", w_OI, at::kFloat, "float32");
  check_matrix(where, "w", w_OI);
}

LinearSizes check_activation(const char* where, const at::Tensor& x) {
  check_dtype(where, "x", x, at::kFloat, "float32");
  TORCH_CHECK(x.dim() >= 1, where,
              ": x must be of one or more dimensions, but is a single number. Give rows of inputs: x.unsqueeze(0).");
  const int64_t inputs = x.size(-1);
  check_inputs(where, "x", inputs);
  return {x.numel() / inputs, 0, inputs};
}

LinearSizes check_linear(const char* where, const at::Tensor& x, const at::Tensor& w_OI) {
  LinearSizes sizes = check_activation(where, x);
  check_weight(where, w_OI);
  check_same_device(where, "w", w_OI, "x", x);
  TORCH_CHECK(w_OI.size(1) == sizes.k, where, ": the last size of x must be ", w_OI.size(1), " as in w of shape ",
              w_OI.sizes(), ", but is ", sizes.k, ". Give an x of shape [.., ", w_OI.size(1), "].");
  sizes.n = w_OI.size(0);
  return sizes;
}

void check_pack(const char* where, const at::Tensor& codes_OI, const at::Tensor& scale) {
  check_dtype(where, "codes", codes_OI, at::kChar, "int8");
  check_matrix(where, "codes", codes_OI);
  check_dtype(where, "scale", scale, at::kFloat, "float32");
  TORCH_CHECK(scale.numel() == 1, where, ": scale must be of one element, but is of shape ", scale.sizes(),
              ". Give the gamma of the whole matrix.");
  check_same_device(where, "scale", scale, "codes", codes_OI);
}

void check_packed_bytes(const char* where, const at::Tensor& packed) {
  check_dtype(where, "packed", packed, at::kByte, "uint8");
  TORCH_CHECK(packed.dim() == 1, where, ": packed must be a vector of bytes, but is of shape ", packed.sizes(),
              ". Give what pack_ternary returned.");
}

LinearSizes check_ternary_linear(const char* where, const at::Tensor& x, const at::Tensor& packed) {
  LinearSizes sizes = check_activation(where, x);
  check_packed_bytes(where, packed);
  check_same_device(where, "packed", packed, "x", x);
  const int64_t row_bytes = kernels::packed_row_bytes(sizes.k);
  const int64_t rows_bytes = packed.numel() - kernels::kHeaderBytes;
  TORCH_CHECK(rows_bytes >= row_bytes && rows_bytes % row_bytes == 0, where, ": packed must be ", kernels::kHeaderBytes,
              " bytes and a multiple of ", row_bytes, " (rows of ", sizes.k, " inputs, the last size of x), but is ",
              packed.numel(), " bytes. Give what pack_ternary returned for a weight [O, ", sizes.k, "].");
  sizes.n = rows_bytes / row_bytes;
  return sizes;
}

LinearSizes check_dequantize(const char* where, const at::Tensor& codes, const at::Tensor& scale) {
  check_dtype(where, "codes", codes, at::kChar, "int8");
  check_dtype(where, "scale", scale, at::kFloat, "float32");
  check_same_device(where, "scale", scale, "codes", codes);
  TORCH_CHECK(codes.dim() >= 1 && codes.size(-1) >= 1, where,
              ": codes must be of one or more dimensions with a last size of 1 or more, but is of shape ",
              codes.sizes(), ". Reshape it.");
  const int64_t rows = codes.numel() / codes.size(-1);
  TORCH_CHECK(scale.numel() == 1 || scale.numel() == rows, where, ": scale must be of one element or one a row (", rows,
              "), but is of shape ", scale.sizes(), ". Give the scale that came with the codes.");
  return {rows, 0, codes.size(-1)};
}

std::vector<int64_t> with_last_size(const at::Tensor& x, int64_t last) {
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = last;
  return sizes;
}

}  // namespace bitnet::ops
