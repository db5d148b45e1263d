#pragma once

#include <cstdint>

// The loops of quantize.h, in plain C++ that a compiler turns into vector code. Compiled several times: once for the
// baseline and once for each x86 level that gains from it, from the same text, so that the bits are the same. Anonymous
// namespace and no standard library functions, as in the other ISA files.

namespace bitnet::kernels {
namespace {

// Loops over a constant number of elements are what compilers turn into vectors without a remainder at each step.
constexpr int kChunk = 64;

// 1.5 * 2^23: adding it to |t| < 2^22 rounds t to an integer, half to even, which then stands in the low bits.
constexpr float kRoundMagic = 12582912.0f;
constexpr int32_t kInfinityBits = 0x7f800000;
constexpr int32_t kHalfBits = 0x3f000000;

inline int32_t bits_of(float value) {
  int32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float float_of(int32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline int8_t round_to_int8(float t) { return static_cast<int8_t>(bits_of(t + kRoundMagic)); }

// Bits of the largest |x|: without its sign bit a float orders as its bits do, and infinity and NaN come last.
inline int32_t largest_magnitude_bits(const float* x_K, int64_t k) {
  int32_t best[kChunk] = {};
  int64_t at = 0;
  for (; at + kChunk <= k; at += kChunk) {
    for (int i = 0; i < kChunk; ++i) {
      const int32_t bits = bits_of(x_K[at + i]) & 0x7fffffff;
      best[i] = best[i] > bits ? best[i] : bits;
    }
  }
  for (int i = 0; at + i < k; ++i) {
    const int32_t bits = bits_of(x_K[at + i]) & 0x7fffffff;
    best[i] = best[i] > bits ? best[i] : bits;
  }
  int32_t largest = 0;
  for (int i = 0; i < kChunk; ++i) largest = largest > best[i] ? largest : best[i];
  return largest;
}

// No clamp is needed: |x| <= a, so |x * (127 / a)| <= 127 * (1 + 2^-23)^2 < 127.5, which rounds to at most 127.
inline int32_t quantize_row(const float* x_K, int64_t k, float inverse, int8_t* codes) {
  int32_t sums[kChunk] = {};
  int64_t at = 0;
  for (; at + kChunk <= k; at += kChunk) {
    for (int i = 0; i < kChunk; ++i) {
      const int8_t code = round_to_int8(x_K[at + i] * inverse);
      codes[at + i] = code;
      sums[i] += code;
    }
  }
  for (int i = 0; at + i < k; ++i) {
    const int8_t code = round_to_int8(x_K[at + i] * inverse);
    codes[at + i] = code;
    sums[i] += code;
  }
  int32_t sum = 0;
  for (int i = 0; i < kChunk; ++i) sum += sums[i];
  return sum;
}

inline void quantize_rows_loop(const float* x_MK, int64_t m, int64_t k, int64_t code_stride, float epsilon,
                               int8_t* codes, float* scales_M, int32_t* sums_M) {
  for (int64_t row = 0; row < m; ++row) {
    const float* x_K = x_MK + row * k;
    int8_t* to = codes + row * code_stride;
    const int32_t largest = largest_magnitude_bits(x_K, k);
    int32_t sum = 0;
    if (largest >= kInfinityBits) {
      __builtin_memset(to, 0, static_cast<uint64_t>(k));
      scales_M[row] = __builtin_nanf("");
    } else {
      const float absmax = float_of(largest) < epsilon ? epsilon : float_of(largest);
      sum = quantize_row(x_K, k, 127.0f / absmax, to);
      scales_M[row] = absmax / 127.0f;
    }
    if (code_stride > k) __builtin_memset(to + k, 0, static_cast<uint64_t>(code_stride - k));
    if (sums_M != nullptr) sums_M[row] = sum;
  }
}

// clamp(round_half_even(t), -1, 1) is the sign of t where |t| > 0.5 (0.5 itself goes to 0), else 0. In integers,
// because compilers do not make vectors of float comparisons that may trap. A NaN becomes -1 or 1: codes stay legal.
inline int8_t ternary_code(float w, float inverse) {
  const int32_t bits = bits_of(w * inverse);
  const int32_t magnitude = (bits & 0x7fffffff) > kHalfBits ? 1 : 0;
  const int32_t sign = bits >> 31;  // 0 or -1
  return static_cast<int8_t>((magnitude ^ sign) - sign);
}

inline void quantize_ternary_loop(const float* w, int64_t count, float gamma, int8_t* codes) {
  const float inverse = 1.0f / gamma;
  int64_t at = 0;
  for (; at + kChunk <= count; at += kChunk) {
    for (int i = 0; i < kChunk; ++i) codes[at + i] = ternary_code(w[at + i], inverse);
  }
  for (; at < count; ++at) codes[at] = ternary_code(w[at], inverse);
}

// Element i goes to sum i mod 32, whatever the vector width: the order of the additions is part of the result.
inline double sum_of_magnitudes(const float* w, int64_t count) {
  constexpr int kSums = 32;
  double sums[kSums] = {};
  int64_t at = 0;
  for (; at + kSums <= count; at += kSums) {
    for (int i = 0; i < kSums; ++i) sums[i] += static_cast<double>(float_of(bits_of(w[at + i]) & 0x7fffffff));
  }
  for (int i = 0; at + i < count; ++i) sums[i] += static_cast<double>(float_of(bits_of(w[at + i]) & 0x7fffffff));
  double total = 0;
  for (int i = 0; i < kSums; ++i) total += sums[i];
  return total;
}

template <bool kAdd>
void dequantize_rows_loop(const int32_t* sums_MN, int64_t m, int64_t n, float gamma, const float* scales_M, float* y,
                          int64_t y_stride) {
  for (int64_t row = 0; row < m; ++row) {
    const float scale = gamma * scales_M[row];
    const int32_t* from = sums_MN + row * n;
    float* to = y + row * y_stride;
    int64_t at = 0;
    for (; at + kChunk <= n; at += kChunk) {
      for (int i = 0; i < kChunk; ++i) {
        const float value = static_cast<float>(from[at + i]) * scale;
        to[at + i] = kAdd ? to[at + i] + value : value;
      }
    }
    for (; at < n; ++at) {
      const float value = static_cast<float>(from[at]) * scale;
      to[at] = kAdd ? to[at] + value : value;
    }
  }
}

}  // namespace
}  // namespace bitnet::kernels
