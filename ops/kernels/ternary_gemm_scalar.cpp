#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/packed_format.h"

namespace bitnet::kernels {

// The reference that every other kernel must equal: read this one to learn what they compute.
void ternary_gemm_scalar(const GemmArgs& args) noexcept {
  for (int64_t n = 0; n < args.n; ++n) {
    const auto [first, stride] = words_of(n, args.n, packed_row_bytes(args.k));
    for (int64_t m = 0; m < args.m; ++m) {
      const int8_t* acts_K = args.acts_MK + m * args.act_stride;
      int32_t sum = 0;
      for (int64_t step = 0; step < packed_steps(args.k); ++step, acts_K += kStepWeights) {
        const uint8_t* word = args.weights_N + first + step * stride;
        for (int64_t j = 0; j < kWordBytes; ++j) {
          for (int quarter = 0; quarter < 4; ++quarter) {  // byte j: weights j, j + 4, j + 8, j + 12
            const int code = ((word[j] >> (2 * quarter)) & 3) - 1;
            sum += code * acts_K[4 * quarter + j];
          }
        }
      }
      args.out_MN[m * args.out_stride + n] = sum;
    }
  }
}

}  // namespace bitnet::kernels
