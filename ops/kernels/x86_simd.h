#pragma once

#include <immintrin.h>

#include <cstdint>

#include "ops/kernels/panel_gemm.h"
#include "ops/kernels/tile_gemm.h"

// What the x86 ISA files share, with 256-bit vectors. Anonymous namespace, as in panel_gemm.h.

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

// Eight rows of one packed block (32 bytes, eight 32-bit words a row) -> words[d] = word d of the eight rows.
inline __attribute__((always_inline)) void transpose_words(const uint8_t* const rows[8], int64_t at, __m256i words[8]) {
  __m256i low[4], high[4];
  for (int i = 0; i < 4; ++i) {
    const __m256i even = load_256(rows[2 * i] + at);
    const __m256i odd = load_256(rows[2 * i + 1] + at);
    low[i] = _mm256_unpacklo_epi32(even, odd);
    high[i] = _mm256_unpackhi_epi32(even, odd);
  }
  // Rows 0 to 3 and 4 to 7: word d in the lower lane, word d + 4 in the upper one.
  const __m256i first[4] = {_mm256_unpacklo_epi64(low[0], low[1]), _mm256_unpackhi_epi64(low[0], low[1]),
                            _mm256_unpacklo_epi64(high[0], high[1]), _mm256_unpackhi_epi64(high[0], high[1])};
  const __m256i last[4] = {_mm256_unpacklo_epi64(low[2], low[3]), _mm256_unpackhi_epi64(low[2], low[3]),
                           _mm256_unpacklo_epi64(high[2], high[3]), _mm256_unpackhi_epi64(high[2], high[3])};
  for (int d = 0; d < 4; ++d) {
    words[d] = _mm256_permute2x128_si256(first[d], last[d], 0x20);
    words[d + 4] = _mm256_permute2x128_si256(first[d], last[d], 0x31);
  }
}

// unpack_panel of panel_gemm.h. Rows past the last one repeat it: their sums are never stored.
template <int kStripN>
void unpack_x86_panel(const uint8_t* rows_N, int64_t row_bytes, int64_t valid, int64_t blocks, uint8_t* panel) {
  const __m256i mask = _mm256_set1_epi8(3);
  for (int64_t group = 0; group < kStripN && group < valid; group += 8) {
    const uint8_t* rows[8];
    for (int64_t i = 0; i < 8; ++i) rows[i] = rows_N + (group + i < valid ? group + i : valid - 1) * row_bytes;
    uint8_t* to = panel + 4 * group;
    for (int64_t block = 0; block < blocks; ++block, to += kStepsPerBlock * 4 * kStripN) {
      __m256i words[8];
      transpose_words(rows, block * kBytesPerBlock, words);
      // Bits 2q and 2q + 1 of word d hold the weights 32q + 4d .. 32q + 4d + 3 of the block: step 8q + d.
      for (int d = 0; d < 8; ++d) {
        uint8_t* step = to + d * 4 * kStripN;
        constexpr int64_t kQuarterStep = 8 * 4 * kStripN;
        auto put = [&](int q, __m256i codes) {
          _mm256_store_si256(reinterpret_cast<__m256i*>(step + q * kQuarterStep), _mm256_and_si256(codes, mask));
        };
        put(0, words[d]);
        put(1, _mm256_srli_epi16(words[d], 2));
        put(2, _mm256_srli_epi16(words[d], 4));
        put(3, _mm256_srli_epi16(words[d], 6));
      }
    }
  }
}

// Sums of the eight lanes of four vectors.
inline __m128i sum_lanes(__m256i a, __m256i b, __m256i c, __m256i d) {
  const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
  return _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
}

// The part of tile_gemm.h that AVX2 and AVX-VNNI have in common.
struct Tile256 {
  using Vector = __m256i;
  static constexpr int64_t kVectorBytes = 32;

  // 16 registers: M * R accumulators, and what is left for packed bytes, rows and the mask.
  static constexpr int outputs(int m) { return m == 1 || m == 2 ? 4 : m == 3 ? 3 : 2; }
  static Vector zero() { return _mm256_setzero_si256(); }
  template <bool kWhole>
  static Vector load_packed(const uint8_t* at) {
    return load_256(at);
  }
  template <bool kWhole>
  static Vector load_acts(const int8_t* acts, int64_t step, int q) {
    return load_256(acts + step * kWeightsPerBlock + 32 * q);
  }
  static Vector codes(Vector packed, int place) {
    return _mm256_and_si256(packed, _mm256_set1_epi8(place == 0 ? 0x03 : 0x0c));
  }
  static Vector shift(Vector packed, int places) { return _mm256_srli_epi16(packed, 2 * places); }
  static Vector add_wide(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static Vector add_second_place(Vector a, Vector b) { return _mm256_add_epi32(a, _mm256_srai_epi32(b, 2)); }
  static void store_sums(Vector a, Vector b, Vector c, Vector d, int32_t* to) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), sum_lanes(a, b, c, d));
  }
};

}  // namespace
}  // namespace bitnet::kernels
