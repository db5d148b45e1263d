#pragma once

#include <cstdint>

#include "ops/kernels/ternary_gemm_args.h"

// The product for several rows of activations, shared by the ISA files. A strip of outputs is unpacked once, for a
// panel of K, into a stack buffer where one vector holds four weights of each of its outputs; then every tile of rows
// reuses it with one broadcast of four activations a step. Nothing has to be summed across a vector at the end.
//
// Everything is in an anonymous namespace: each ISA file gets its own copies, compiled with its own flags.
//
// An ISA gives a struct V with
//   kStripN, kTileM      outputs and rows of one tile of accumulators
//   kPanelBlocks         blocks of 128 weights in a panel
//   unpack_panel(rows, row_bytes, valid, blocks, panel)    codes 0, 1, 2 as panel[step][kStripN][4], 32 steps a block
//   multiply<R>(panel, acts, stride, blocks, sums)         sums[R][kStripN] = products of codes (not weights)

namespace bitnet::kernels {
namespace {

constexpr int64_t kWeightsPerBlock = 128;
constexpr int64_t kBytesPerBlock = 32;
constexpr int64_t kStepsPerBlock = 32;  // of four weights each

struct PanelTile {
  const uint8_t* panel;
  const int8_t* acts;
  int64_t act_stride;
  int64_t blocks;
  const int32_t* act_sums;
  int32_t* out;
  int64_t out_stride;
  int64_t valid;  // outputs of this strip that exist
  bool first;     // first panel of K: out holds nothing yet
};

// weights = codes - 1, so sum(weight * act) = sum(code * act) - sum(act). Unsigned arithmetic: the sum of codes may
// wrap for K near kMaxK, and the difference is right modulo 2^32.
template <class V, int R>
__attribute__((noinline)) void run_tile(const PanelTile& tile) {
  alignas(64) int32_t sums[R][V::kStripN];
  V::template multiply<R>(tile.panel, tile.acts, tile.act_stride, tile.blocks, &sums[0][0]);
  for (int r = 0; r < R; ++r) {
    int32_t* out = tile.out + r * tile.out_stride;
    if (tile.first) {
      const uint32_t act_sum = static_cast<uint32_t>(tile.act_sums[r]);
      for (int64_t n = 0; n < tile.valid; ++n)
        out[n] = static_cast<int32_t>(static_cast<uint32_t>(sums[r][n]) - act_sum);
    } else {
      for (int64_t n = 0; n < tile.valid; ++n) {
        out[n] = static_cast<int32_t>(static_cast<uint32_t>(sums[r][n]) + static_cast<uint32_t>(out[n]));
      }
    }
  }
}

template <class V, int R = V::kTileM>
void run_tile_of(int64_t rows, const PanelTile& tile) {
  if (rows >= R) {
    run_tile<V, R>(tile);
  } else if constexpr (R > 1) {
    run_tile_of<V, R - 1>(rows, tile);
  }
}

template <class V>
void gemm_by_panels(const TernaryGemmArgs& args) {
  alignas(64) uint8_t panel[V::kPanelBlocks * kWeightsPerBlock * V::kStripN];
  const int64_t blocks = (args.k + kWeightsPerBlock - 1) / kWeightsPerBlock;
  const int64_t row_bytes = blocks * kBytesPerBlock;
  const int64_t act_stride = blocks * kWeightsPerBlock;
  for (int64_t n = 0; n < args.n; n += V::kStripN) {
    const int64_t valid = args.n - n < V::kStripN ? args.n - n : V::kStripN;
    for (int64_t block = 0; block < blocks; block += V::kPanelBlocks) {
      const int64_t count = blocks - block < V::kPanelBlocks ? blocks - block : V::kPanelBlocks;
      V::unpack_panel(args.packed_rows_N + n * row_bytes + block * kBytesPerBlock, row_bytes, valid, count, panel);
      // Tiles of even height: 8 rows at a height of 6 are twice 4, which is faster than 6 and 2.
      int64_t tiles = (args.m + V::kTileM - 1) / V::kTileM;
      int64_t rows = 0;
      for (int64_t m = 0; m < args.m; m += rows, --tiles) {
        rows = (args.m - m + tiles - 1) / tiles;
        run_tile_of<V>(rows, PanelTile{.panel = panel,
                                       .acts = args.acts_MK + m * act_stride + block * kWeightsPerBlock,
                                       .act_stride = act_stride,
                                       .blocks = count,
                                       .act_sums = args.act_sums_M + m,
                                       .out = args.out_MN + m * args.out_stride + n,
                                       .out_stride = args.out_stride,
                                       .valid = valid,
                                       .first = block == 0});
      }
    }
  }
}

// multiply<R> of an ISA whose dot(acc, weights, acts) adds four products to each 32-bit lane of acc.
template <class V, int R>
__attribute__((noinline)) void multiply_by_dots(const uint8_t* panel, const int8_t* acts, int64_t stride,
                                                int64_t blocks, int32_t* sums) {
  constexpr int kVectors = V::kStripN / V::kLanes;
  typename V::Vector acc[R][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) acc[r][v] = V::zero();
  }
  const int64_t steps = blocks * kStepsPerBlock;
  for (int64_t step = 0; step < steps; ++step, panel += 4 * V::kStripN, acts += 4) {
    typename V::Vector weights[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) weights[v] = V::load(panel + 4 * V::kLanes * v);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const typename V::Vector four = V::broadcast(acts + r * stride);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) acc[r][v] = V::dot(acc[r][v], weights[v], four);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) V::store(sums + r * V::kStripN + V::kLanes * v, acc[r][v]);
  }
}

}  // namespace
}  // namespace bitnet::kernels
