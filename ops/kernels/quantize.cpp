#include "ops/kernels/quantize.h"

#include "ops/kernels/cpu_features.h"
#include "ops/kernels/quantize_levels.h"

namespace bitnet::kernels {
namespace {

const QuantizeFunctions& best_functions() {
  static const QuantizeFunctions& best = []() -> const QuantizeFunctions& {
    const QuantizeLevels& levels = quantize_levels();
    int first = 0;
    while (!levels.level[first].supported) ++first;
    return *levels.level[first].functions;
  }();
  return best;
}

}  // namespace

const QuantizeLevels& quantize_levels() noexcept {
  static const QuantizeLevels levels = {
#if defined(__x86_64__)
      {{"avx512", &kQuantizeAvx512, cpu_features().avx512_bw},
       {"avx2", &kQuantizeAvx2, cpu_features().avx2},
       {"portable", &kQuantizePortable, true}},
      3
#else
      {{"portable", &kQuantizePortable, true}}, 1
#endif
  };
  return levels;
}

void quantize_rows(const float* x_MK, int64_t m, int64_t k, int64_t code_stride, int8_t* codes, float* scales_M,
                   int32_t* sums_M) noexcept {
  best_functions().quantize_rows(x_MK, m, k, code_stride, kQuantizeEpsilon, codes, scales_M, sums_M);
}

void quantize_ternary(const float* w, int64_t count, float gamma, int8_t* codes) noexcept {
  best_functions().quantize_ternary(w, count, gamma, codes);
}

float absmean(const float* w, int64_t count) noexcept {
  const double sum = best_functions().sum_of_magnitudes(w, count);
  const float mean = count == 0 ? 0.0f : static_cast<float>(sum / static_cast<double>(count));
  return mean < kQuantizeEpsilon ? kQuantizeEpsilon : mean;  // in this order NaN stays
}

void dequantize_rows(const int32_t* sums_MN, int64_t m, int64_t n, float gamma, const float* scales_M, float* y,
                     int64_t y_stride) noexcept {
  best_functions().dequantize_rows(sums_MN, m, n, gamma, scales_M, y, y_stride);
}

void dequantize_add_rows(const int32_t* sums_MN, int64_t m, int64_t n, float gamma, const float* scales_M, float* y,
                         int64_t y_stride) noexcept {
  best_functions().dequantize_add_rows(sums_MN, m, n, gamma, scales_M, y, y_stride);
}

}  // namespace bitnet::kernels
