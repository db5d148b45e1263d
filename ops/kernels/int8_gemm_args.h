#pragma once

#include <cstdint>

// Free of the standard library beyond <cstdint>, as ternary_gemm_args.h.

namespace bitnet::kernels {

/// Deepest row of an int8 product: 2^16 products of at most 128 * 127 keep every sum within int32.
inline constexpr int64_t kMaxInt8K = int64_t{1} << 16;

/// One product of M rows of int8 activations with N rows of int8 weights, K deep:
/// out_MN[m * out_stride + n] = sum over k of acts[m][k] * weights[n][k], exact in int32 (k <= kMaxInt8K).
struct Int8GemmArgs {
  const int8_t* weights_NK;      ///< rows of padded_k(k) bytes, zeros from k on; -127 .. 127
  const int32_t* weight_sums_N;  ///< sum of each row of weights
  const int8_t* acts_MK;         ///< rows of padded_k(k) bytes, zero from k on; -128 is legal
  int32_t* out_MN;
  int64_t out_stride;  ///< int32 elements from one row of out to the next; >= n
  int64_t m, n, k;
};

}  // namespace bitnet::kernels
