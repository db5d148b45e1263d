#pragma once

#include <cstdint>

namespace bitnet::kernels {

/// Least absmean and absmax: keeps a row or a matrix of zeros finite.
inline constexpr float kQuantizeEpsilon = 1e-5f;

/// Absmax int8 quantization of each row (BitNet b1.58, Ma et al. 2024, Appendix; docs/conventions.md): a = max(max|x|,
/// 1e-5), codes = clamp(round_half_even(x * (127 / a)), -128, 127), scale = a / 127. The same bits on every ISA.
/// Shapes: x_MK [m, k] row-major; codes [m, code_stride], zero from k on; scales_M [m]; sums_M [m] (may be null).
/// A row with NaN or infinity gives scale NaN and codes 0, so that the result shows it.
void quantize_rows(const float* x_MK, int64_t m, int64_t k, int64_t code_stride, int8_t* codes, float* scales_M,
                   int32_t* sums_M) noexcept;

/// Absmean ternary quantization with a given gamma: codes = clamp(round_half_even(w * (1 / gamma)), -1, 1).
/// Shapes: w [count], codes [count]. Where w or gamma is not finite the codes are still -1, 0 or 1.
void quantize_ternary(const float* w, int64_t count, float gamma, int8_t* codes) noexcept;

/// gamma = max(mean|w|, 1e-5); the mean is summed in double in a fixed order, so that it does not depend on threads.
/// Not finite if an element is not.
float absmean(const float* w, int64_t count) noexcept;

/// y[m][n] = sums[m][n] * (gamma * scale[m]), in this order. Shapes: sums [m, n] row-major; y [m, n], rows y_stride
/// apart.
void dequantize_rows(const int32_t* sums_MN, int64_t m, int64_t n, float gamma, const float* scales_M, float* y,
                     int64_t y_stride) noexcept;

/// The same, added to what y holds.
void dequantize_add_rows(const int32_t* sums_MN, int64_t m, int64_t n, float gamma, const float* scales_M, float* y,
                         int64_t y_stride) noexcept;

}  // namespace bitnet::kernels
