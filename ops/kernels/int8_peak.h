#pragma once

#include <cstdint>

// The limit that products are compared with, shared by the ISA files. Anonymous namespace, as in strip_gemm.h.

namespace bitnet::kernels {
namespace {

// Multiply-accumulate instructions alone, on registers: P::dot on P::kAccumulators accumulators. P::keep(acc) makes the
// compiler believe that the accumulator is used. Returns the number of multiplications of bytes.
template <class P>
int64_t run_int8_peak(int64_t rounds) {
  typename P::Vector acc[P::kAccumulators];
#pragma GCC unroll 16
  for (int i = 0; i < P::kAccumulators; ++i) acc[i] = P::zero();
  typename P::Vector weights = P::zero();
  typename P::Vector acts = P::zero();
  P::keep(weights);
  P::keep(acts);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < P::kAccumulators; ++i) {
      acc[i] = P::dot(acc[i], weights, acts);
      P::keep(acc[i]);
    }
  }
  return rounds * P::kAccumulators * P::kProducts;
}

}  // namespace
}  // namespace bitnet::kernels
