#pragma once

#include <cstdint>

#include "ops/kernels/strips.h"

// The products, shared by the ISA files. A step of a strip is one 32-bit word of each of its 16 outputs: a vector of
// words meets broadcast activations of every row of the tile. Ternary words hold 16 weights and are unpacked in
// registers, a quarter at a time, by a mask and a shift; int8 words hold 4. A lane of a sum belongs to one output, so
// nothing is summed across a vector, and few rows of activations read the weights as one stream in the order of memory.
//
// Everything is in an anonymous namespace: each ISA file gets its own copies, compiled with its own flags. An inline
// function that it shared with portable code could be the copy that the linker keeps for everybody.
//
// An ISA gives a struct F with
//   Vector, kLanes          words, codes and sums of kLanes outputs
//   kQuarters               groups of four weights in a word: 4 (ternary) or 1 (int8)
//   kOffset                 what is added to each weight to make it a code
//   kMaxRows                rows of a tile at most
//   kWideVectors            vectors of outputs in a tile, from kLeastRowsForWide rows on; with fewer rows a tile is one
//                           strip wide
//   kChains                 a tile with fewer sums has two or four accumulators for each: a dot waits for the one
//   before
//                           it in its accumulator, and a code used in its second place needs no shift
//   steps_in_acc(places)    steps after which accumulators must be widened, with one or two places in use; kNeverWiden
//                           where sums may wrap modulo 2^32
//   load(at), load(at, n)   kLanes words, or the first n of them (0 to kLanes) without touching more
//   codes(words, place)     bits 0 and 1 of each byte, or (place 1) bits 2 and 3 where they are: 4 * code
//   shift(words, places)    the next two bits of each byte, or the next four, moved down
//   dot(acc, codes, acts)   adds to each sum the products of its four codes with the four activations at `acts`
//   widen(acc), add(a, b)   accumulator to sums of 32 bits, and the sum of such
//   quarter(a)              a / 4 of sums: those of the second place
//   store(to, sums, less)   sums - less, modulo 2^32; store(to, sums, less, n): the first n of them

namespace bitnet::kernels {
namespace {

constexpr int64_t kNeverWiden = INT64_MAX;

// How far ahead a stream of weights is asked for. The processor foresees such a stream, but too late. One row of
// activations through a whole model in large pages, shares of a plain read loop on one and two threads: into the
// first-level cache 0.89 and 0.94 at 3 KiB, 0.92 and 0.98 at 4, 0.94 and 0.97 at 5, 0.92 and 0.99 at 6, 0.91 and 0.91
// at 8; into the second-level cache 0.86 and 0.89 at 6, 0.79 and 0.91 at 10.
constexpr int64_t kPrefetchBytes = 5120;

template <class F, int R, int V, bool kWhole>
struct StripTile {
  using Vector = typename F::Vector;
  static constexpr int kSums = R * V;
  static constexpr int kSets = F::kQuarters == 1 || kSums >= F::kChains ? 1 : 2 * kSums >= F::kChains ? 2 : 4;
  static constexpr int kPlaces = kSets == 1 ? 1 : 2;
  static constexpr int kPerStrip = kStripOutputs / F::kLanes;
  static constexpr int64_t kStepWeights = 4 * F::kQuarters;

  const uint8_t* strip;
  int64_t strip_bytes;  // of a whole strip
  int64_t outputs;      // of this tile
  const int8_t* acts;
  int64_t act_stride;

  int64_t step_stride() const { return kWhole ? kStripOutputs * kWordBytes : outputs * kWordBytes; }
  int64_t lanes(int v) const {
    const int64_t left = outputs - v * F::kLanes;
    return left < 0 ? 0 : left < F::kLanes ? left : F::kLanes;
  }

  inline __attribute__((always_inline)) Vector load(int64_t step, int v) const {
    const uint8_t* at =
        strip + v / kPerStrip * strip_bytes + step * step_stride() + v % kPerStrip * F::kLanes * kWordBytes;
    // A narrow tile is one stream; a wide one asks for the strips that come next, which all its rows will need.
    if (V == kPerStrip && v == 0) __builtin_prefetch(at + kPrefetchBytes, /*write=*/0, /*locality=*/3);
    if (V > kPerStrip) __builtin_prefetch(at + V / kPerStrip * strip_bytes, /*write=*/0, /*locality=*/2);
    if constexpr (kWhole) return F::load(at);
    return F::load(at, lanes(v));
  }

  inline __attribute__((always_inline)) void run_step(int64_t step, Vector acc[kSets][R][V]) const {
    Vector words[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) words[v] = load(step, v);
#pragma GCC unroll 4
    for (int q = 0; q < F::kQuarters; ++q) {
      Vector codes[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        codes[v] = F::codes(words[v], q % kPlaces);
        if (q + 1 < F::kQuarters && q % kPlaces == kPlaces - 1) words[v] = F::shift(words[v], kPlaces);
      }
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const int8_t* four = acts + r * act_stride + step * kStepWeights + 4 * q;
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[q % kSets][r][v] = F::dot(acc[q % kSets][r][v], codes[v], four);
      }
    }
  }

  static inline __attribute__((always_inline)) void clear(Vector acc[kSets][R][V]) {
#pragma GCC unroll 4
    for (int s = 0; s < kSets; ++s) {
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[s][r][v] = F::zero();
      }
    }
  }

  static inline __attribute__((always_inline)) Vector total(const Vector acc[kSets][R][V], int r, int v) {
    Vector sum = F::widen(acc[0][r][v]);
    if constexpr (kSets == 4) sum = F::add(sum, F::widen(acc[2][r][v]));
    if constexpr (kSets >= 2) {
      Vector second = F::widen(acc[1][r][v]);
      if constexpr (kSets == 4) second = F::add(second, F::widen(acc[3][r][v]));
      sum = F::add(sum, F::quarter(second));
    }
    return sum;
  }

  inline __attribute__((always_inline)) void store(Vector sum, int r, int v, const GemmArgs& args, int64_t m,
                                                   int64_t n) const {
    int32_t* to = args.out_MN + (m + r) * args.out_stride + n + v * F::kLanes;
    // weights = codes - offset, so sum(weight * act) = sum(code * act) - offset * sum(act), right modulo 2^32.
    const auto less = static_cast<int32_t>(F::kOffset * static_cast<uint32_t>(args.act_sums_M[m + r]));
    if constexpr (kWhole) {
      F::store(to, sum, less);
    } else {
      F::store(to, sum, less, lanes(v));
    }
  }

  __attribute__((noinline)) void multiply(const GemmArgs& args, int64_t m, int64_t n) const {
    const int64_t steps = strip_bytes / (kStripOutputs * kWordBytes);
    // The sums go to memory that no prefetcher foresees, and are wanted there when the tile ends.
    for (int r = 0; r < R; ++r) {
      const char* to = reinterpret_cast<const char*>(args.out_MN + (m + r) * args.out_stride + n);
      for (int64_t at = 0; at < V * F::kLanes * 4; at += 64) __builtin_prefetch(to + at, /*write=*/1);
    }
    constexpr int64_t kStepsInAcc = F::steps_in_acc(kPlaces);
    Vector acc[kSets][R][V];
    if constexpr (kStepsInAcc == kNeverWiden) {
      clear(acc);
      for (int64_t step = 0; step < steps; ++step) run_step(step, acc);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) store(total(acc, r, v), r, v, args, m, n);
      }
    } else {
      Vector sums[R][V];
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sums[r][v] = F::zero();
      }
      for (int64_t first = 0; first < steps; first += kStepsInAcc) {
        const int64_t last = steps - first < kStepsInAcc ? steps : first + kStepsInAcc;
        clear(acc);
        for (int64_t step = first; step < last; ++step) run_step(step, acc);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) sums[r][v] = F::add(sums[r][v], total(acc, r, v));
        }
      }
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) store(sums[r][v], r, v, args, m, n);
      }
    }
  }
};

// Rows of activations that visit a tile of outputs before the next one: quantized at a depth of 5,632 they take a third
// of a second-level cache of 1 MiB.
constexpr int64_t kBlockRows = 64;

// One tile: `rows` is at most R.
template <class F, int R, int V, bool kWhole>
void run_tile(int64_t rows, const GemmArgs& args, int64_t m, int64_t n) {
  if constexpr (R > 1) {
    if (rows < R) return run_tile<F, R - 1, V, kWhole>(rows, args, m, n);
  }
  const int64_t row_bytes = (args.k + 4 * F::kQuarters - 1) / (4 * F::kQuarters) * kWordBytes;
  const StripTile<F, R, V, kWhole> tile = {args.weights_N + n * row_bytes, kStripOutputs * row_bytes, args.n - n,
                                           args.acts_MK + m * args.act_stride, args.act_stride};
  tile.multiply(args, m, n);
}

// Rows [first, last) of the outputs from n on, in tiles of even height: 13 rows are 7 and 6.
template <class F, int V, bool kWhole>
void run_rows(const GemmArgs& args, int64_t first, int64_t last, int64_t n) {
  int64_t tiles = (last - first + F::kMaxRows - 1) / F::kMaxRows;
  int64_t rows = 0;
  for (int64_t m = first; m < last; m += rows, --tiles) {
    rows = (last - m + tiles - 1) / tiles;
    run_tile<F, F::kMaxRows, V, kWhole>(rows, args, m, n);
  }
}

template <class F>
void gemm_by_strips(const GemmArgs& args) {
  constexpr int64_t kWide = F::kWideVectors * F::kLanes;  // outputs
  constexpr int kNarrow = kStripOutputs / F::kLanes;      // vectors
  for (int64_t first = 0; first < args.m; first += kBlockRows) {
    const int64_t last = args.m - first < kBlockRows ? args.m : first + kBlockRows;
    int64_t n = 0;
    if constexpr (kWide > kStripOutputs) {
      if (last - first >= F::kLeastRowsForWide) {
        for (; n + kWide <= args.n; n += kWide) run_rows<F, F::kWideVectors, true>(args, first, last, n);
      }
    }
    for (; n + kStripOutputs <= args.n; n += kStripOutputs) run_rows<F, kNarrow, true>(args, first, last, n);
    if (n < args.n) run_rows<F, kNarrow, false>(args, first, last, n);
  }
}

}  // namespace
}  // namespace bitnet::kernels
