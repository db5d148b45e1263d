#include "ops/kernels/int8_format.h"
#include "ops/kernels/isa_kernels.h"

namespace bitnet::kernels {

// The reference that every other kernel must equal.
void int8_gemm_scalar(const GemmArgs& args) noexcept {
  for (int64_t n = 0; n < args.n; ++n) {
    const auto [first, stride] = words_of(n, args.n, int8_row_bytes(args.k));
    for (int64_t m = 0; m < args.m; ++m) {
      const int8_t* acts_K = args.acts_MK + m * args.act_stride;
      int32_t sum = 0;
      for (int64_t k = 0; k < args.k; ++k) {
        const uint8_t byte = args.weights_N[first + k / kInt8StepWeights * stride + k % kInt8StepWeights];
        sum += acts_K[k] * (byte - 128);
      }
      args.out_MN[m * args.out_stride + n] = sum;
    }
  }
}

int64_t int8_peak_scalar(int64_t rounds) noexcept {
  constexpr int kAccumulators = 8;
  uint32_t acc[kAccumulators] = {};
  uint32_t weight = 0;
  uint32_t act = 0;
  __asm__ volatile("" : "+r"(weight), "+r"(act));
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 8
    for (int i = 0; i < kAccumulators; ++i) {
      uint32_t factor = weight;
      __asm__ volatile("" : "+r"(factor));  // or one product would serve all accumulators
      acc[i] += factor * act;
      __asm__ volatile("" : "+r"(acc[i]));
    }
  }
  return rounds * kAccumulators;
}

}  // namespace bitnet::kernels
