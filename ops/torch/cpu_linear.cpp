// CPU implementations of bit_linear's forward and of ternary_linear: one code path, so that both give the same bits.
// M rows of activations, N outputs, K inputs, P bytes from one row of quantized inputs to the next.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <tuple>

#include "ops/kernels/packed_format.h"
#include "ops/kernels/quantize.h"
#include "ops/kernels/ternary_gemm.h"
#include "ops/torch/bitnet_ops.h"
#include "ops/torch/checks.h"
#include "ops/torch/cpu_kernels.h"

namespace bitnet::ops {
namespace {

// Rows of a task when work is split over M. The kernels take 64 rows at a time; tasks of many more would only let their
// sums leave the cache.
constexpr int64_t kMinTaskRows = 32;
constexpr int64_t kMaxTaskRows = 128;
// Outputs of a task when work is split over N: 64 sums fill whole cache lines, so no two threads write to one.
constexpr int64_t kTaskOutputs = 64;
// Multiplications that are worth starting a thread for.
constexpr int64_t kProductsPerTask = 1 << 19;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct QuantizedLinear {
  const kernels::TernaryKernel& kernel;
  const float* x_MK;
  const uint8_t* packed;
  float gamma;
  LinearSizes sizes;
  int8_t* codes_MP;
  float* scales_M;
  int32_t* row_sums_M;
  float* y_MN;

  int64_t stride() const { return kernels::act_stride(sizes.k); }

  void quantize(int64_t first, int64_t rows) const {
    kernels::quantize_rows(x_MK + first * sizes.k, rows, sizes.k, stride(), codes_MP + first * stride(),
                           scales_M + first, row_sums_M + first);
  }

  // Sums of `rows` rows from `first` and of `outputs` outputs from `output` on.
  void multiply(int64_t first, int64_t rows, int64_t output, int64_t outputs, int32_t* sums,
                int64_t sums_stride) const {
    const uint8_t* rows_N = packed + kernels::kHeaderBytes + output * kernels::packed_row_bytes(sizes.k);
    kernel.gemm(
        {rows_N, codes_MP + first * stride(), stride(), row_sums_M + first, sums, sums_stride, rows, outputs, sizes.k});
  }
};

// Many rows: each task quantizes, multiplies and scales rows of its own while they are in its cache.
void run_over_rows(const QuantizedLinear& linear, int64_t task_rows) {
  const auto [m, n, k] = linear.sizes;
  at::parallel_for(0, ceil_div(m, task_rows), 1, [&, m = m, n = n](int64_t begin, int64_t end) {
    const at::Tensor sums = at::empty({task_rows, n}, at::kInt);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task * task_rows;
      const int64_t rows = std::min(task_rows, m - first);
      linear.quantize(first, rows);
      linear.multiply(first, rows, 0, n, sums.data_ptr<int32_t>(), n);
      kernels::dequantize_rows(sums.data_ptr<int32_t>(), rows, n, linear.gamma, linear.scales_M + first,
                               linear.y_MN + first * n, n);
    }
  });
}

// Few rows: the threads share the weight, which is then what takes the time to read.
void run_over_outputs(const QuantizedLinear& linear) {
  const auto [m, n, k] = linear.sizes;
  linear.quantize(0, m);
  const at::Tensor sums_MN = at::empty({m, n}, at::kInt);
  int32_t* sums = sums_MN.data_ptr<int32_t>();
  const int64_t grain = ceil_div(kProductsPerTask, kTaskOutputs * m * k);
  at::parallel_for(0, ceil_div(n, kTaskOutputs), grain, [&, m = m, n = n](int64_t begin, int64_t end) {
    const int64_t output = begin * kTaskOutputs;
    const int64_t outputs = std::min(end * kTaskOutputs, n) - output;
    linear.multiply(0, m, output, outputs, sums + output, n);
    for (int64_t row = 0; row < m; ++row) {
      kernels::dequantize_rows(sums + row * n + output, 1, outputs, linear.gamma, linear.scales_M + row,
                               linear.y_MN + row * n + output, n);
    }
  });
}

struct LinearResult {
  at::Tensor y;
  at::Tensor x_codes;  // [.., K], rows P elements apart
  at::Tensor x_scale;
};

LinearResult quantized_linear(const at::Tensor& x, const uint8_t* packed, float gamma, const LinearSizes& sizes) {
  const at::Tensor rows_MK = x.contiguous();
  const at::TensorOptions options = x.options();
  const at::Tensor codes_MP = at::empty({sizes.m, kernels::act_stride(sizes.k)}, options.dtype(at::kChar));
  const at::Tensor row_sums_M = at::empty({sizes.m}, options.dtype(at::kInt));
  LinearResult result;
  result.y = at::empty(with_last_size(x, sizes.n), options);
  result.x_codes = codes_MP.narrow(1, 0, sizes.k).view(x.sizes());
  result.x_scale = at::empty(with_last_size(x, 1), options);
  if (sizes.m == 0) return result;
  const QuantizedLinear linear{kernels::active_kernel(),
                               rows_MK.data_ptr<float>(),
                               packed,
                               gamma,
                               sizes,
                               codes_MP.data_ptr<int8_t>(),
                               result.x_scale.data_ptr<float>(),
                               row_sums_M.data_ptr<int32_t>(),
                               result.y.data_ptr<float>()};
  const int64_t threads = at::get_num_threads();
  if (sizes.m >= kMinTaskRows * threads) {
    const int64_t share = ceil_div(ceil_div(sizes.m, threads), kMinTaskRows) * kMinTaskRows;
    run_over_rows(linear, std::min(share, kMaxTaskRows));
  } else {
    run_over_outputs(linear);
  }
  return result;
}

using ForwardResult = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

ForwardResult cpu_bit_linear_forward(const at::Tensor& x, const at::Tensor& w_OI) {
  const LinearSizes sizes = check_linear("bit_linear", x, w_OI);
  const at::Tensor w_codes = at::empty(w_OI.sizes(), w_OI.options().dtype(at::kChar));
  const at::Tensor gamma = at::empty({}, w_OI.options());
  float& gamma_value = *gamma.data_ptr<float>();
  gamma_value = quantize_weight_into(w_OI.contiguous(), w_codes.data_ptr<int8_t>());
  const at::Tensor packed = at::empty({kernels::packed_bytes(sizes.n, sizes.k)}, w_OI.options().dtype(at::kByte));
  kernels::pack(w_codes.data_ptr<int8_t>(), sizes.n, sizes.k, gamma_value, packed.data_ptr<uint8_t>());
  LinearResult result = quantized_linear(x, packed.data_ptr<uint8_t>(), gamma_value, sizes);
  return {result.y, result.x_codes, result.x_scale, w_codes, gamma};
}

at::Tensor cpu_bit_linear(const at::Tensor& x, const at::Tensor& w_OI) {
  return std::get<0>(cpu_bit_linear_forward(x, w_OI));
}

at::Tensor cpu_ternary_linear(const at::Tensor& x, const at::Tensor& packed) {
  const LinearSizes sizes = check_ternary_linear("ternary_linear", x, packed);
  const at::Tensor bytes = packed.contiguous();
  const kernels::PackedInfo info = kernels::read_header(bytes.data_ptr<uint8_t>());
  TORCH_CHECK(info.n == sizes.n && info.k == sizes.k, "ternary_linear: packed must be a weight [", sizes.n, ", ",
              sizes.k, "] by its size and x, but its header says [", info.n, ", ", info.k,
              "]. Give the weight of this layer; unpack_ternary checks its bytes.");
  return quantized_linear(x, bytes.data_ptr<uint8_t>(), info.scale, sizes).y;
}

}  // namespace

const char* active_kernel_name() { return kernels::active_kernel().name; }

}  // namespace bitnet::ops

TORCH_LIBRARY_IMPL(bitnet, CPU, m) {
  m.impl("bit_linear_forward", bitnet::ops::cpu_bit_linear_forward);
  m.impl("bit_linear", bitnet::ops::cpu_bit_linear);
  m.impl("ternary_linear", bitnet::ops::cpu_ternary_linear);
}
