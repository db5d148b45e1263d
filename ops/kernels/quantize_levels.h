#pragma once

#include <cstdint>

namespace bitnet::kernels {

/// The loops of quantize_loops.h, compiled for one level of instructions.
struct QuantizeFunctions {
  void (*quantize_rows)(const float* x_MK, int64_t m, int64_t k, int64_t code_stride, float epsilon, int8_t* codes,
                        float* scales_M, int32_t* sums_M);
  void (*quantize_ternary)(const float* w, int64_t count, float gamma, int8_t* codes);
  double (*sum_of_magnitudes)(const float* w, int64_t count);
  void (*dequantize_rows)(const int32_t* sums_MN, int64_t m, int64_t n, float gamma, const float* scales_M, float* y,
                          int64_t y_stride);
  void (*dequantize_add_rows)(const int32_t* sums_MN, int64_t m, int64_t n, float gamma, const float* scales_M,
                              float* y, int64_t y_stride);
};

// Constant tables, so that reading one runs no code of its level.
extern const QuantizeFunctions kQuantizePortable;
#if defined(__x86_64__)
extern const QuantizeFunctions kQuantizeAvx2;
extern const QuantizeFunctions kQuantizeAvx512;
#endif

/// One level that this build has. All levels give the same bits.
struct QuantizeLevel {
  const char* name;
  const QuantizeFunctions* functions;
  bool supported;  ///< by this CPU
};

/// The levels of this build, best first; the last one, portable, runs everywhere.
struct QuantizeLevels {
  QuantizeLevel level[3];
  int count;
};
const QuantizeLevels& quantize_levels() noexcept;

}  // namespace bitnet::kernels
