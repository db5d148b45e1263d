#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "ops/kernels/strips.h"

// The part of strip_gemm.h that the NEON files have in common. Anonymous namespace, as there.

namespace bitnet::kernels {
namespace {

struct StripNeon {
  using Vector = int32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kMaxRows = 4;  // 16 accumulators, 4 words, 4 codes and the activations of 32 registers
  static constexpr int kWideVectors = 4;
  static constexpr int64_t kLeastRowsForWide = 0;
  static constexpr int kChains = 8;

  static Vector zero() { return vdupq_n_s32(0); }
  static Vector load(const uint8_t* at) { return vreinterpretq_s32_u8(vld1q_u8(at)); }
  static Vector load(const uint8_t* at, int64_t words) {
    int32_t some[kLanes] = {};
    __builtin_memcpy(some, at, static_cast<uint64_t>(words * kWordBytes));
    return vld1q_s32(some);
  }
  static Vector shift(Vector words, int places) {
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(words), vdupq_n_s32(-2 * places)));
  }
  // Ternary codes, 0 to 8, are legal signed bytes, so the signed dot product serves.
  static Vector dot(Vector acc, Vector codes, const int8_t* acts) {
    int32_t four;
    __builtin_memcpy(&four, acts, 4);
    return vdotq_s32(acc, vreinterpretq_s8_s32(codes), vreinterpretq_s8_s32(vdupq_n_s32(four)));
  }
  static Vector widen(Vector acc) { return acc; }
  static Vector add(Vector a, Vector b) { return vaddq_s32(a, b); }
  static Vector quarter(Vector sums) { return vshrq_n_s32(sums, 2); }
  static void store(int32_t* to, Vector sums, int32_t less) { vst1q_s32(to, vsubq_s32(sums, vdupq_n_s32(less))); }
  static void store(int32_t* to, Vector sums, int32_t less, int64_t count) {
    int32_t all[kLanes];
    store(all, sums, less);
    __builtin_memcpy(to, all, static_cast<uint64_t>(count) * sizeof(int32_t));
  }
};

}  // namespace
}  // namespace bitnet::kernels
