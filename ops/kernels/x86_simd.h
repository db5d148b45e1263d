#pragma once

#include <immintrin.h>

#include <cstdint>

#include "ops/kernels/strips.h"

// What the x86 ISA files share, with 256-bit vectors. Anonymous namespace, as in strip_gemm.h.

namespace bitnet::kernels {
namespace {

inline __m256i load_256(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }

#if defined(__AVXVNNI__)
inline __m256i dpbusd_256(__m256i acc, __m256i unsigned_bytes, __m256i signed_bytes) {
  return _mm256_dpbusd_avx_epi32(acc, unsigned_bytes, signed_bytes);
}
#elif defined(__AVX512VNNI__)
// The AVX-512 encoding: how a CPU with that one alone tests the files for AVX-VNNI.
inline __m256i dpbusd_256(__m256i acc, __m256i unsigned_bytes, __m256i signed_bytes) {
  return _mm256_dpbusd_epi32(acc, unsigned_bytes, signed_bytes);
}
#endif

// The part of strip_gemm.h that AVX2 and AVX-VNNI have in common. 16 registers: eight accumulators of four rows and
// half a strip each, two of words, two of codes, the activations, a product, the mask.
struct Strip256 {
  using Vector = __m256i;
  static constexpr int kLanes = 8;
  static constexpr int kWideVectors = 2;
  static constexpr int64_t kLeastRowsForWide = 0;

  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector load(const uint8_t* at) { return load_256(at); }
  static Vector load(const uint8_t* at, int64_t words) {
    return _mm256_maskload_epi32(reinterpret_cast<const int*>(at), mask_of(words));
  }
  static Vector broadcast(const int8_t* acts) {
    int32_t four;
    __builtin_memcpy(&four, acts, 4);
    return _mm256_set1_epi32(four);
  }
  static Vector ternary_codes(Vector words, int place) {
    return _mm256_and_si256(words, _mm256_set1_epi8(place == 0 ? 0x03 : 0x0c));
  }
  static Vector shift(Vector words, int places) { return _mm256_srli_epi16(words, 2 * places); }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static Vector quarter(Vector sums) { return _mm256_srai_epi32(sums, 2); }
  static void store(int32_t* to, Vector sums, int32_t offset) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_sub_epi32(sums, _mm256_set1_epi32(offset)));
  }
  static void store(int32_t* to, Vector sums, int32_t offset, int64_t count) {
    _mm256_maskstore_epi32(to, mask_of(count), _mm256_sub_epi32(sums, _mm256_set1_epi32(offset)));
  }

 private:
  static Vector mask_of(int64_t count) {
    const Vector lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes);
  }
};

}  // namespace
}  // namespace bitnet::kernels
