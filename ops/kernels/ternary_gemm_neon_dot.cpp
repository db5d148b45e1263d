#include <arm_neon.h>

#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/panel_gemm.h"
#include "ops/kernels/tile_gemm.h"

namespace bitnet::kernels {
namespace {

struct NeonDot {
  using Vector = int32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kStripN = 16;
  static constexpr int kTileM = 6;  // 24 accumulators, 4 weights and the broadcast of 32 registers
  static constexpr int64_t kPanelBlocks = 8;

  static Vector zero() { return vdupq_n_s32(0); }
  static Vector load(const uint8_t* at) { return vreinterpretq_s32_u8(vld1q_u8(at)); }
  static void store(int32_t* to, Vector value) { vst1q_s32(to, value); }
  static Vector broadcast(const int8_t* four) {
    int32_t bits;
    __builtin_memcpy(&bits, four, 4);
    return vdupq_n_s32(bits);
  }
  // Codes 0, 1, 2 are legal signed bytes, so the signed dot product serves.
  static Vector dot(Vector acc, Vector codes, Vector acts) {
    return vdotq_s32(acc, vreinterpretq_s8_s32(codes), vreinterpretq_s8_s32(acts));
  }

  static void unpack_panel(const uint8_t* rows_N, int64_t row_bytes, int64_t valid, int64_t blocks, uint8_t* panel) {
    const uint8x16_t mask = vdupq_n_u8(3);
    for (int64_t group = 0; group < kStripN && group < valid; group += 4) {
      const uint8_t* rows[4];  // rows past the last one repeat it: their sums are never stored
      for (int64_t i = 0; i < 4; ++i) rows[i] = rows_N + (group + i < valid ? group + i : valid - 1) * row_bytes;
      uint8_t* to = panel + 4 * group;
      for (int64_t block = 0; block < blocks; ++block, to += kStepsPerBlock * 4 * kStripN) {
        for (int half = 0; half < 2; ++half) {
          uint32x4_t words[4];
          transpose_words(rows, block * kBytesPerBlock + 16 * half, words);
          // Bits 2q and 2q + 1 of word d hold the weights 32q + 4d .. 32q + 4d + 3 of the block: step 8q + d.
          for (int d = 0; d < 4; ++d) {
            const uint8x16_t codes = vreinterpretq_u8_u32(words[d]);
            uint8_t* step = to + (4 * half + d) * 4 * kStripN;
            constexpr int64_t kQuarterStep = 8 * 4 * kStripN;
            vst1q_u8(step, vandq_u8(codes, mask));
            vst1q_u8(step + kQuarterStep, vandq_u8(vshrq_n_u8(codes, 2), mask));
            vst1q_u8(step + 2 * kQuarterStep, vandq_u8(vshrq_n_u8(codes, 4), mask));
            vst1q_u8(step + 3 * kQuarterStep, vshrq_n_u8(codes, 6));
          }
        }
      }
    }
  }

  template <int R>
  static void multiply(const uint8_t* panel, const int8_t* acts, int64_t stride, int64_t blocks, int32_t* sums) {
    multiply_by_dots<NeonDot, R>(panel, acts, stride, blocks, sums);
  }

 private:
  // Four rows of 16 packed bytes -> words[d] = 32-bit word d of the four rows.
  static void transpose_words(const uint8_t* const rows[4], int64_t at, uint32x4_t words[4]) {
    uint32x4_t row[4];
    for (int i = 0; i < 4; ++i) row[i] = vreinterpretq_u32_u8(vld1q_u8(rows[i] + at));
    const uint64x2_t even01 = vreinterpretq_u64_u32(vtrn1q_u32(row[0], row[1]));
    const uint64x2_t odd01 = vreinterpretq_u64_u32(vtrn2q_u32(row[0], row[1]));
    const uint64x2_t even23 = vreinterpretq_u64_u32(vtrn1q_u32(row[2], row[3]));
    const uint64x2_t odd23 = vreinterpretq_u64_u32(vtrn2q_u32(row[2], row[3]));
    words[0] = vreinterpretq_u32_u64(vtrn1q_u64(even01, even23));
    words[1] = vreinterpretq_u32_u64(vtrn1q_u64(odd01, odd23));
    words[2] = vreinterpretq_u32_u64(vtrn2q_u64(even01, even23));
    words[3] = vreinterpretq_u32_u64(vtrn2q_u64(odd01, odd23));
  }
};

struct NeonDotTile {
  using Vector = int32x4_t;
  static constexpr int64_t kVectorBytes = 16;  // half a block
  static constexpr int kChains = 8;
  static constexpr int64_t steps_in_acc(int) { return INT64_MAX / 2; }

  static constexpr int outputs(int) { return 4; }  // 16 accumulators at M = 4, 4 packed, 4 rows of 32 registers
  static Vector zero() { return vdupq_n_s32(0); }
  template <bool kWhole>
  static Vector load_packed(const uint8_t* at) {
    return vreinterpretq_s32_u8(vld1q_u8(at));
  }
  template <bool kWhole>
  static Vector load_acts(const int8_t* acts, int64_t step, int q) {
    return vreinterpretq_s32_s8(vld1q_s8(acts + step / 2 * kWeightsPerBlock + step % 2 * 16 + 32 * q));
  }
  static Vector codes(Vector packed, int place) {
    return vreinterpretq_s32_u8(vandq_u8(vreinterpretq_u8_s32(packed), vdupq_n_u8(place == 0 ? 0x03 : 0x0c)));
  }
  static Vector shift(Vector packed, int places) {
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(packed), vdupq_n_s32(-2 * places)));
  }
  static Vector dot(Vector acc, Vector codes, Vector acts) { return NeonDot::dot(acc, codes, acts); }
  static Vector widen(Vector acc) { return acc; }
  static Vector add_wide(Vector a, Vector b) { return vaddq_s32(a, b); }
  static Vector add_second_place(Vector a, Vector b) { return vaddq_s32(a, vshrq_n_s32(b, 2)); }
  static void store_sums(Vector a, Vector b, Vector c, Vector d, int32_t* to) {
    vst1q_s32(to, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
  }
};

// Below this many rows, unpacking a panel costs more than it saves. Estimated from the x86 kernels: not measured on
// Arm.
constexpr int64_t kLeastRowsForPanels = 16;

}  // namespace

void ternary_gemm_neon_dot(const TernaryGemmArgs& args) noexcept {
  if (args.m >= kLeastRowsForPanels) {
    gemm_by_panels<NeonDot>(args);
  } else {
    gemm_by_tiles<NeonDotTile>(args);
  }
}

}  // namespace bitnet::kernels
