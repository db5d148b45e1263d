#pragma once

#include <immintrin.h>

#include <cstdint>

// The part of strip_gemm.h that the AVX512-VNNI files have in common. Anonymous namespace, as there.

namespace bitnet::kernels {
namespace {

struct Strip512 {
  using Vector = __m512i;
  static constexpr int kLanes = 16;
  static constexpr int kWideVectors = 2;
  // Four rows or fewer wait for the memory, which is quickest as one stream.
  static constexpr int64_t kLeastRowsForWide = 5;
  static constexpr int kChains = 8;

  static Vector zero() { return _mm512_setzero_si512(); }
  static Vector load(const uint8_t* at) { return _mm512_loadu_si512(at); }
  static Vector load(const uint8_t* at, int64_t words) { return _mm512_maskz_loadu_epi32(mask_of(words), at); }
  static Vector shift(Vector words, int places) { return _mm512_srli_epi16(words, 2 * places); }
  // Adds without saturation, so a sum of codes that wraps is still right modulo 2^32.
  static Vector dot(Vector acc, Vector codes, const int8_t* acts) {
    int32_t four;
    __builtin_memcpy(&four, acts, 4);
    return _mm512_dpbusd_epi32(acc, codes, _mm512_set1_epi32(four));
  }
  static Vector widen(Vector acc) { return acc; }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static Vector quarter(Vector sums) { return _mm512_srai_epi32(sums, 2); }
  static void store(int32_t* to, Vector sums, int32_t less) {
    _mm512_storeu_si512(to, _mm512_sub_epi32(sums, _mm512_set1_epi32(less)));
  }
  static void store(int32_t* to, Vector sums, int32_t less, int64_t count) {
    _mm512_mask_storeu_epi32(to, mask_of(count), _mm512_sub_epi32(sums, _mm512_set1_epi32(less)));
  }

 private:
  static __mmask16 mask_of(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
};

}  // namespace
}  // namespace bitnet::kernels
