#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/packed_format.h"

namespace bitnet::kernels {

// The reference that every other kernel must equal: read this one to learn what they compute.
void ternary_gemm_scalar(const TernaryGemmArgs& args) noexcept {
  constexpr int64_t kQuarter = kBlockWeights / 4;
  for (int64_t n = 0; n < args.n; ++n) {
    const uint8_t* weights_K = args.packed_rows_N + n * packed_row_bytes(args.k);
    for (int64_t m = 0; m < args.m; ++m) {
      const int8_t* acts_K = args.acts_MK + m * padded_k(args.k);
      int32_t sum = 0;
      for (int64_t block = 0; block < args.k; block += kBlockWeights, acts_K += kBlockWeights) {
        const uint8_t* bytes = weights_K + block / 4;
        for (int64_t j = 0; j < kQuarter; ++j) {
          for (int quarter = 0; quarter < 4; ++quarter) {  // byte j: weights j, j + 32, j + 64, j + 96
            const int code = ((bytes[j] >> (2 * quarter)) & 3) - 1;
            sum += code * acts_K[quarter * kQuarter + j];
          }
        }
      }
      args.out_MN[m * args.out_stride + n] = sum;
    }
  }
}

}  // namespace bitnet::kernels
