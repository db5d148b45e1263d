#pragma once

#include <cstdint>

// Free of the standard library beyond <cstdint>: the ISA files include it, and must not instantiate shared inline code.

namespace bitnet::kernels {

/// One product of M rows of int8 activations with N packed rows of ternary weights, K deep:
/// out_MN[m * out_stride + n] = sum over k of acts[m][k] * code[n][k], exact in int32 (k <= kMaxK).
struct TernaryGemmArgs {
  const uint8_t* packed_rows_N;  ///< packed rows without the header, packed_row_bytes(k) each
  const int8_t* acts_MK;         ///< rows of padded_k(k) bytes, zero from k on; -128 is legal
  const int32_t* act_sums_M;     ///< sum of each row of acts
  int32_t* out_MN;
  int64_t out_stride;  ///< int32 elements from one row of out to the next; >= n
  int64_t m, n, k;
};

}  // namespace bitnet::kernels
