#pragma once

#include <immintrin.h>

#include <cstdint>

// What the AVX-512 files share. Anonymous namespace, as in panel_gemm.h.

namespace bitnet::kernels {
namespace {

// to[0 .. 3] = the sums of the sixteen lanes of each vector.
inline void store_sums_512(__m512i a, __m512i b, __m512i c, __m512i d, int32_t* to) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  const __m512i abcd = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}

}  // namespace
}  // namespace bitnet::kernels
