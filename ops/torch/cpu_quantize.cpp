// CPU implementations of the quantizers and of the packed format.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <torch/library.h>

#include <cmath>
#include <tuple>

#include "ops/kernels/packed_format.h"
#include "ops/kernels/quantize.h"
#include "ops/torch/checks.h"
#include "ops/torch/cpu_kernels.h"

namespace bitnet::ops {
namespace {

// Elements that one thread should get at least: a few microseconds of work, as much as it takes to start a thread.
constexpr int64_t kElementsPerTask = 16384;

int64_t rows_per_task(int64_t row_elements) { return (kElementsPerTask + row_elements - 1) / row_elements; }

std::tuple<at::Tensor, at::Tensor> cpu_quantize_weight(const at::Tensor& w_OI) {
  check_weight("quantize_weight", w_OI);
  at::Tensor codes = at::empty(w_OI.sizes(), w_OI.options().dtype(at::kChar));
  at::Tensor gamma = at::empty({}, w_OI.options());
  *gamma.data_ptr<float>() = quantize_weight_into(w_OI.contiguous(), codes.data_ptr<int8_t>());
  return {codes, gamma};
}

std::tuple<at::Tensor, at::Tensor> cpu_quantize_activation(const at::Tensor& x) {
  const LinearSizes sizes = check_activation("quantize_activation", x);
  const at::Tensor rows = x.contiguous();
  at::Tensor codes = at::empty(x.sizes(), x.options().dtype(at::kChar));
  at::Tensor scale = at::empty(with_last_size(x, 1), x.options());
  const float* from = rows.data_ptr<float>();
  int8_t* to = codes.data_ptr<int8_t>();
  float* scales = scale.data_ptr<float>();
  at::parallel_for(0, sizes.m, rows_per_task(sizes.k), [&](int64_t begin, int64_t end) {
    kernels::quantize_rows(from + begin * sizes.k, end - begin, sizes.k, sizes.k, to + begin * sizes.k, scales + begin,
                           /*sums_M=*/nullptr);
  });
  return {codes, scale};
}

void dequantize_row(const int8_t* __restrict codes, int64_t count, float scale, float* __restrict out) {
  // Blocks of a fixed length that do not overlap, so that -O2 makes vectors of them.
  constexpr int64_t kBlock = 16;
  int64_t i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    for (int64_t j = 0; j < kBlock; ++j) out[i + j] = static_cast<float>(codes[i + j]) * scale;
  }
  for (; i < count; ++i) out[i] = static_cast<float>(codes[i]) * scale;
}

at::Tensor cpu_dequantize(const at::Tensor& codes, const at::Tensor& scale) {
  const LinearSizes sizes = check_dequantize("dequantize", codes, scale);
  at::Tensor out = at::empty(codes.sizes(), scale.options());
  // Rows may lie apart (bit_linear's padded codes do), the elements of a row may not.
  at::Tensor rows = codes.reshape({sizes.m, sizes.k});
  if (rows.stride(1) != 1) rows = rows.contiguous();
  const at::Tensor scales = scale.contiguous();
  const int8_t* from = rows.data_ptr<int8_t>();
  const float* row_scales = scales.data_ptr<float>();
  const int64_t from_stride = rows.stride(0);
  const int64_t scale_stride = scale.numel() == 1 ? 0 : 1;
  float* to = out.data_ptr<float>();
  at::parallel_for(0, sizes.m, rows_per_task(sizes.k), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      dequantize_row(from + row * from_stride, sizes.k, row_scales[row * scale_stride], to + row * sizes.k);
    }
  });
  return out;
}

at::Tensor cpu_pack_ternary(const at::Tensor& codes_OI, const at::Tensor& scale) {
  check_pack("pack_ternary", codes_OI, scale);
  const float gamma = *scale.data_ptr<float>();
  TORCH_CHECK(std::isfinite(gamma) && gamma > 0, "pack_ternary: scale must be positive and finite, but is ", gamma,
              ". Look for NaN or infinity in the weight.");
  const at::Tensor codes = codes_OI.contiguous();
  const int8_t* values = codes.data_ptr<int8_t>();
  int bad = 0;
  for (int64_t i = 0; i < codes.numel(); ++i) bad |= values[i] < -1 || values[i] > 1;
  TORCH_CHECK(bad == 0, "pack_ternary: codes must be -1, 0 and 1, but are ", codes.min().item<int>(), " to ",
              codes.max().item<int>(), ". Give what quantize_weight returned.");
  const int64_t n = codes.size(0);
  const int64_t k = codes.size(1);
  at::Tensor packed = at::empty({kernels::packed_bytes(n, k)}, codes.options().dtype(at::kByte));
  kernels::pack(values, n, k, gamma, packed.data_ptr<uint8_t>());
  return packed;
}

std::tuple<at::Tensor, at::Tensor> cpu_unpack_ternary(const at::Tensor& packed) {
  check_packed_bytes("unpack_ternary", packed);
  const at::Tensor bytes = packed.contiguous();
  kernels::PackedInfo info;
  const char* wrong = kernels::check_packed(bytes.data_ptr<uint8_t>(), static_cast<size_t>(bytes.numel()), &info);
  TORCH_CHECK(wrong == nullptr, "unpack_ternary: packed must be whole and unchanged, but ", wrong,
              ". Pack the weight again.");
  at::Tensor codes = at::empty({info.n, info.k}, packed.options().dtype(at::kChar));
  kernels::unpack(bytes.data_ptr<uint8_t>(), codes.data_ptr<int8_t>());
  return {codes, at::full({}, info.scale, packed.options().dtype(at::kFloat))};
}

}  // namespace

float quantize_weight_into(const at::Tensor& w_OI, int8_t* codes) {
  const float* w = w_OI.data_ptr<float>();
  const float gamma = kernels::absmean(w, w_OI.numel());
  at::parallel_for(0, w_OI.numel(), kElementsPerTask, [&](int64_t begin, int64_t end) {
    kernels::quantize_ternary(w + begin, end - begin, gamma, codes + begin);
  });
  return gamma;
}

}  // namespace bitnet::ops

TORCH_LIBRARY_IMPL(bitnet, CPU, m) {
  m.impl("quantize_weight", bitnet::ops::cpu_quantize_weight);
  m.impl("quantize_activation", bitnet::ops::cpu_quantize_activation);
  m.impl("dequantize", bitnet::ops::cpu_dequantize);
  m.impl("pack_ternary", bitnet::ops::cpu_pack_ternary);
  m.impl("unpack_ternary", bitnet::ops::cpu_unpack_ternary);
}
