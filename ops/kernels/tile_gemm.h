#pragma once

#include <cstdint>

#include "ops/kernels/panel_gemm.h"

// The product along K, shared by the ISA files. A tile of R outputs and M (1 to 4) rows of activations goes along K: a
// vector of packed weights is loaded and unpacked in registers once and meets all M rows. Each sum is a vector of
// partial sums until the end of K. More rows take several tiles: unpacking then fills the slots that the dot products
// leave.
//
// Everything is in an anonymous namespace, as in panel_gemm.h.
//
// An ISA gives a struct F with
//   Vector, kVectorBytes                packed bytes of one step: a block of 128 weights, a part of one, or two
//   outputs(M)                          R for M rows: as many accumulators as the registers hold
//   kChains                             with fewer sums a tile has two accumulators for each: one dot waits for the one
//                                       before it, and a code used in its second place needs no shift
//   steps_in_acc(places)                steps after which an accumulator must be widened, with one or two of them a sum
//   load_packed<whole>(at)              the packed bytes; `whole` is false for the first half of a vector alone
//   load_acts<whole>(acts, step, q)     the activations of the weights in bits 2q and 2q + 1 of the bytes of a step
//   codes(packed, place)                bits 0 and 1 of each byte, or (place 1) bits 2 and 3 where they are: 4 * code
//   shift(packed, places)               the next two bits of each byte, or the next four, moved down
//   dot(acc, codes, acts)               adds products to the lanes of an accumulator
//   widen(acc), add_wide(a, b)          accumulator to lanes of 32 bits, and the sum of such
//   add_second_place(a, b)              a + b / 4 of such: b holds the sums of codes in the second place
//   store_sums(a, b, c, d, to)          the sums of all lanes of four vectors

namespace bitnet::kernels {
namespace {

constexpr int kMaxTileRows = 4;
// Outputs that all rows of a block visit before the next ones: whole tiles for every outputs(M) and whole cache lines
// of sums, while 48 packed rows still fit the L1 or L2 cache. With 24 a height of 512 is up to 5 % slower.
constexpr int64_t kGroupOutputs = 48;
// Rows whose activations stay in the L2 cache over all groups of outputs: 64 rows of 5632 are 352 KiB.
constexpr int64_t kBlockRows = 64;

constexpr int64_t kCacheLine = 64;
// A tile reads R rows side by side, which no hardware prefetcher recognizes: from memory that gave 30 % of the speed of
// a plain read loop. So every step prefetches as many bytes as it takes, but in the order of memory. With one row of
// activations and 4 outputs a tile that gives 89 to 100 %, on one or two threads; 4 KiB ahead gives 61 to 99 %, 12 KiB
// 75 to 100 %, and prefetching the rows side by side 70 to 90 %.
constexpr int64_t kPrefetchBytes = 6144;

// The bytes ahead, for R rows of `row_bytes` at a time. In the order of memory the last row of a tile comes R - 1 rows
// after the first, but all are read together: so many bytes more, and every line is asked for kPrefetchBytes before
// use.
inline int64_t prefetch_distance(int64_t rows, int64_t row_bytes) { return kPrefetchBytes + (rows - 1) * row_bytes; }

inline void prefetch_L2(const void* at) { __builtin_prefetch(at, 0, 2); }

template <class F, int R, int M>
struct Tile {
  using Vector = typename F::Vector;
  static constexpr int kSums = R * M;
  // A lane of the second place takes 8 products a step, at least 8 * -128 each: -2^13. kMaxK has fewer than 2^18 steps
  // of the smallest vector, so such a sum stays above -2^31.
  static constexpr int kPlaces = kSums >= F::kChains ? 1 : 2;

  const uint8_t* rows;
  int64_t row_bytes;
  const int8_t* acts;
  int64_t act_stride;

  template <bool kWhole>
  inline __attribute__((always_inline)) void step(int64_t at, Vector acc[kPlaces][M][R]) const {
    if constexpr (M == 1) {  // output by output: one packed vector is live, not R
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        Vector packed = load<kWhole>(at, r);
#pragma GCC unroll 4
        for (int q = 0; q < 4; ++q) {
          const Vector row = F::template load_acts<kWhole>(acts, at, q);
          const Vector codes = F::codes(packed, q % kPlaces);
          if (q < 3 && q % kPlaces == kPlaces - 1) packed = F::shift(packed, kPlaces);
          acc[q % kPlaces][0][r] = F::dot(acc[q % kPlaces][0][r], codes, row);
        }
      }
    } else {
      Vector packed[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) packed[r] = load<kWhole>(at, r);
#pragma GCC unroll 4
      for (int q = 0; q < 4; ++q) {
        Vector row[M];
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m) row[m] = F::template load_acts<kWhole>(acts + m * act_stride, at, q);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          const Vector codes = F::codes(packed[r], q % kPlaces);
          if (q < 3 && q % kPlaces == kPlaces - 1) packed[r] = F::shift(packed[r], kPlaces);
#pragma GCC unroll 4
          for (int m = 0; m < M; ++m) {
            Vector& sum = acc[q % kPlaces][m][r];
            sum = F::dot(sum, codes, row[m]);
          }
        }
      }
    }
  }

  template <bool kWhole>
  inline __attribute__((always_inline)) Vector load(int64_t at, int r) const {
    const Vector packed = F::template load_packed<kWhole>(rows + r * row_bytes + at * F::kVectorBytes);
    // After the load: GCC 12 made slower code of the other order.
    if (r * F::kVectorBytes % kCacheLine == 0)
      prefetch_L2(rows + (at * R + r) * F::kVectorBytes + prefetch_distance(R, row_bytes));
    return packed;
  }

  // sums[m * R + r], of codes (not weights) times activations.
  __attribute__((noinline)) void multiply(int64_t blocks, int32_t* sums) const {
    const int64_t steps = blocks * kBytesPerBlock / F::kVectorBytes;
    const bool has_half = steps * F::kVectorBytes < blocks * kBytesPerBlock;
    constexpr int kRounded = (kSums + 3) / 4 * 4;
    Vector wide[kRounded];
#pragma GCC unroll 16
    for (int i = 0; i < kRounded; ++i) wide[i] = F::zero();
    constexpr int64_t kStepsInAcc = F::steps_in_acc(kPlaces);
    for (int64_t first = 0; first < steps || (first == 0 && has_half); first += kStepsInAcc) {
      Vector acc[kPlaces][M][R];
#pragma GCC unroll 2
      for (int c = 0; c < kPlaces; ++c) {
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m) {
#pragma GCC unroll 8
          for (int r = 0; r < R; ++r) acc[c][m][r] = F::zero();
        }
      }
      const int64_t last = steps - first < kStepsInAcc ? steps : first + kStepsInAcc;
      for (int64_t at = first; at < last; ++at) step<true>(at, acc);
      if constexpr (F::kVectorBytes > kBytesPerBlock) {
        if (has_half && last == steps) step<false>(steps, acc);
      }
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          Vector sum = F::widen(acc[0][m][r]);
          if constexpr (kPlaces == 2) sum = F::add_second_place(sum, F::widen(acc[1][m][r]));
          wide[m * R + r] = F::add_wide(wide[m * R + r], sum);
        }
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRounded; i += 4) F::store_sums(wide[i], wide[i + 1], wide[i + 2], wide[i + 3], sums + i);
  }
};

template <class F>
struct TernaryProduct {
  static constexpr int outputs(int m) { return F::outputs(m); }

  template <int R, int M>
  static void run(const TernaryGemmArgs& args, int64_t blocks, int64_t m0, int64_t n) {
    const int64_t row_bytes = blocks * kBytesPerBlock;
    const int64_t act_stride = blocks * kWeightsPerBlock;
    int32_t sums[(R * M + 3) / 4 * 4];
    const Tile<F, R, M> tile = {args.packed_rows_N + n * row_bytes, row_bytes, args.acts_MK + m0 * act_stride,
                                act_stride};
    tile.multiply(blocks, sums);
    for (int m = 0; m < M; ++m) {
      const uint32_t act_sum = static_cast<uint32_t>(args.act_sums_M[m0 + m]);  // modulo 2^32, as in panel_gemm.h
      int32_t* out = args.out_MN + (m0 + m) * args.out_stride + n;
      for (int r = 0; r < R; ++r) out[r] = static_cast<int32_t>(static_cast<uint32_t>(sums[m * R + r]) - act_sum);
    }
  }
};

// Outputs n to end of M rows from m0 on.
template <class P, int M, class Args>
void run_outputs(const Args& args, int64_t blocks, int64_t m0, int64_t n, int64_t end) {
  constexpr int kOutputs = P::outputs(M);
  for (; n + kOutputs <= end; n += kOutputs) P::template run<kOutputs, M>(args, blocks, m0, n);
  for (; n < end; ++n) P::template run<1, M>(args, blocks, m0, n);
}

// P::run<R, M>(args, blocks, m0, n) over the whole result; P::outputs(M) is R.
template <class P, class Args>
void run_by_tiles(const Args& args) {
  const int64_t blocks = (args.k + kWeightsPerBlock - 1) / kWeightsPerBlock;
  for (int64_t first = 0; first < args.m; first += kBlockRows) {
    const int64_t last = args.m - first < kBlockRows ? args.m : first + kBlockRows;
    for (int64_t n = 0; n < args.n; n += kGroupOutputs) {
      const int64_t end = args.n - n < kGroupOutputs ? args.n : n + kGroupOutputs;
      int64_t tiles = (last - first + kMaxTileRows - 1) / kMaxTileRows;
      int64_t rows = 0;
      for (int64_t m = first; m < last; m += rows, --tiles) {
        rows = (last - m + tiles - 1) / tiles;  // tiles of even height: 5 rows are 3 and 2
        if (rows == 1) run_outputs<P, 1>(args, blocks, m, n, end);
        if (rows == 2) run_outputs<P, 2>(args, blocks, m, n, end);
        if (rows == 3) run_outputs<P, 3>(args, blocks, m, n, end);
        if (rows == 4) run_outputs<P, 4>(args, blocks, m, n, end);
      }
    }
  }
}

template <class F>
void gemm_by_tiles(const TernaryGemmArgs& args) {
  run_by_tiles<TernaryProduct<F>>(args);
}

}  // namespace
}  // namespace bitnet::kernels
