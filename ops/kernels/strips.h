#pragma once

#include <cstdint>

// How weights lie in memory for the products: strips of 16 outputs. Free of the standard library beyond <cstdint>: the
// ISA files include it, and must not instantiate shared inline code.

namespace bitnet::kernels {

/// Outputs (rows of a weight) that lie side by side: a step along K of a strip is one 32-bit word of each of them.
inline constexpr int64_t kStripOutputs = 16;
inline constexpr int64_t kWordBytes = 4;

/// Where output `n` of a matrix of `outputs`, `row_bytes` each, lies: its first word, and the bytes from one word to
/// the next. The last strip is as narrow as the outputs that are left.
struct StripWords {
  int64_t first, stride;
};
constexpr StripWords words_of(int64_t n, int64_t outputs, int64_t row_bytes) {
  const int64_t strip = n / kStripOutputs * kStripOutputs;
  const int64_t width = outputs - strip < kStripOutputs ? outputs - strip : kStripOutputs;
  return {strip * row_bytes + (n - strip) * kWordBytes, width * kWordBytes};
}

/// Bytes from one row of `k` activations to the next that suit every kernel: whole cache lines, and no multiple of 1
/// KiB, at which the rows of a tile would meet in few sets of the first-level cache.
constexpr int64_t act_stride(int64_t k) {
  const int64_t lines = (k + 63) / 64;
  return 64 * (lines % 16 == 0 ? lines + 1 : lines);
}

/// One product of M rows of int8 activations with N rows of weights, K deep, exact in int32:
/// out_MN[m * out_stride + n] = sum over k of acts[m][k] * weight[n][k].
struct GemmArgs {
  const uint8_t* weights_N;   ///< strips: packed ternary weights without their header, or int8 ones
  const int8_t* acts_MK;      ///< zero from k to the end of the last word of weights; -128 is legal
  int64_t act_stride;         ///< bytes from one row of acts to the next; act_stride(k) suits best
  const int32_t* act_sums_M;  ///< sum of each row of acts
  int32_t* out_MN;
  int64_t out_stride;  ///< int32 elements from one row of out to the next; >= n
  /// Who splits N gives every part but the last a multiple of kStripOutputs.
  int64_t m, n, k;
};

}  // namespace bitnet::kernels
