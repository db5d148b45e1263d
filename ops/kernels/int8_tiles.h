#pragma once

#include <cstdint>

#include "ops/kernels/int8_gemm_args.h"
#include "ops/kernels/tile_gemm.h"

// The int8 product, shared by the ISA files: the tiles of tile_gemm.h with one byte a weight, so nothing to unpack.
// Anonymous namespace, as there.
//
// An ISA gives a struct G with
//   Vector, kStepBytes                      bytes of a row in one vector; a whole part of 64
//   outputs(M), kChains                     as in tile_gemm.h
//   kActOffset                              what load_acts adds to every activation
//   load_weights(at), load_acts(at)         the next kStepBytes of a row
//   dot(acc, weights, acts), add(a, b)      products added to the 32-bit lanes of acc
//   store_sums(a, b, c, d, to)              the sums of all lanes of four vectors

namespace bitnet::kernels {
namespace {

template <class G, int R, int M>
struct Int8Tile {
  using Vector = typename G::Vector;
  static constexpr int kSums = R * M;
  static constexpr int kPerSum = kSums >= G::kChains ? 1 : 2;  // accumulators: one dot waits for the one before it
  static_assert(kWeightsPerBlock % (2 * G::kStepBytes) == 0);

  const int8_t* weights;
  const int8_t* acts;
  int64_t stride;  // of both

  inline __attribute__((always_inline)) void step(int64_t at, Vector acc[M][R]) const {
    Vector row[M];
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) row[m] = G::load_acts(acts + m * stride + at);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vector codes = G::load_weights(weights + r * stride + at);
      if (r * G::kStepBytes % kCacheLine == 0)
        prefetch_L2(weights + at * R + r * G::kStepBytes + prefetch_distance(R, stride));
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) acc[m][r] = G::dot(acc[m][r], codes, row[m]);
    }
  }

  // sums[m * R + r], of weights times activations plus kActOffset.
  __attribute__((noinline)) void multiply(int32_t* sums) const {
    Vector acc[kPerSum][M][R];
#pragma GCC unroll 2
    for (int c = 0; c < kPerSum; ++c) {
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) acc[c][m][r] = G::zero();
      }
    }
    for (int64_t at = 0; at < stride; at += kPerSum * G::kStepBytes) {
#pragma GCC unroll 2
      for (int c = 0; c < kPerSum; ++c) step(at + c * G::kStepBytes, acc[c]);
    }
    Vector total[(kSums + 3) / 4 * 4];
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        total[m * R + r] = kPerSum == 1 ? acc[0][m][r] : G::add(acc[0][m][r], acc[kPerSum - 1][m][r]);
      }
    }
#pragma GCC unroll 4
    for (int i = kSums; i < (kSums + 3) / 4 * 4; ++i) total[i] = G::zero();
#pragma GCC unroll 4
    for (int i = 0; i < kSums; i += 4) G::store_sums(total[i], total[i + 1], total[i + 2], total[i + 3], sums + i);
  }
};

template <class G>
struct Int8Product {
  static constexpr int outputs(int m) { return G::outputs(m); }

  template <int R, int M>
  static void run(const Int8GemmArgs& args, int64_t blocks, int64_t m0, int64_t n) {
    const int64_t stride = blocks * kWeightsPerBlock;
    int32_t sums[(R * M + 3) / 4 * 4];
    const Int8Tile<G, R, M> tile = {args.weights_NK + n * stride, args.acts_MK + m0 * stride, stride};
    tile.multiply(sums);
    for (int m = 0; m < M; ++m) {
      int32_t* out = args.out_MN + (m0 + m) * args.out_stride + n;
      for (int r = 0; r < R; ++r) {  // modulo 2^32: the sum itself fits
        const uint32_t offset = G::kActOffset * static_cast<uint32_t>(args.weight_sums_N[n + r]);
        out[r] = static_cast<int32_t>(static_cast<uint32_t>(sums[m * R + r]) - offset);
      }
    }
  }
};

template <class G>
void int8_gemm_by_tiles(const Int8GemmArgs& args) {
  run_by_tiles<Int8Product<G>>(args);
}

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
