#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/x86_simd.h"

namespace bitnet::kernels {
namespace {

struct AvxVnni {
  using Vector = __m256i;
  static constexpr int kLanes = 8;
  static constexpr int kStripN = 16;
  static constexpr int kTileM = 6;  // 12 accumulators, 2 weights, 1 broadcast of 16 registers
  static constexpr int64_t kPanelBlocks = 8;
  static constexpr int kRowsAtOnce = 4;

  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector load(const uint8_t* at) { return load_256(at); }
  static void store(int32_t* to, Vector value) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value); }
  static Vector broadcast(const int8_t* four) {
    int32_t bits;
    __builtin_memcpy(&bits, four, 4);
    return _mm256_set1_epi32(bits);
  }
  // Adds without saturation, so a sum of codes that wraps is still right modulo 2^32.
  static Vector dot(Vector acc, Vector codes, Vector acts) {
#if defined(__AVXVNNI__)
    return _mm256_dpbusd_avx_epi32(acc, codes, acts);
#else
    return _mm256_dpbusd_epi32(acc, codes,
                               acts);  // the AVX-512 encoding: how a CPU with that one alone tests this file
#endif
  }

  static void unpack_panel(const uint8_t* rows, int64_t row_bytes, int64_t valid, int64_t blocks, uint8_t* panel) {
    unpack_x86_panel<kStripN>(rows, row_bytes, valid, blocks, panel);
  }

  template <int R>
  static void multiply(const uint8_t* panel, const int8_t* acts, int64_t stride, int64_t blocks, int32_t* sums) {
    multiply_by_dots<AvxVnni, R>(panel, acts, stride, blocks, sums);
  }

  template <int R>
  static void dot_rows(const uint8_t* rows, int64_t row_bytes, const int8_t* acts, int64_t blocks, int32_t* sums) {
    const __m256i mask = _mm256_set1_epi8(3);
    __m256i even[4], odd[4];  // two chains a row: one vpdpbusd has to wait for the one before it
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) even[r] = odd[r] = zero();
    for (int64_t block = 0; block < blocks; ++block, acts += kWeightsPerBlock) {
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        const __m256i packed = load_256(rows + r * row_bytes + block * kBytesPerBlock);
        even[r] = dot(even[r], _mm256_and_si256(packed, mask), load_256(acts));
        odd[r] = dot(odd[r], _mm256_and_si256(_mm256_srli_epi16(packed, 2), mask), load_256(acts + 32));
        even[r] = dot(even[r], _mm256_and_si256(_mm256_srli_epi16(packed, 4), mask), load_256(acts + 64));
        odd[r] = dot(odd[r], _mm256_and_si256(_mm256_srli_epi16(packed, 6), mask), load_256(acts + 96));
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) even[r] = _mm256_add_epi32(even[r], odd[r]);
    const __m128i totals = sum_lanes(even[0], even[1], even[2], even[3]);
    if constexpr (R == 4) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(sums), totals);
    } else {
      sums[0] = _mm_cvtsi128_si32(totals);
    }
  }
};

// Below this many rows, unpacking a panel costs more than it saves (benchmarks/ternary_gemm).
constexpr int64_t kLeastRowsForPanels = 6;

}  // namespace

void ternary_gemm_avx_vnni(const TernaryGemmArgs& args) noexcept {
  if (args.m >= kLeastRowsForPanels) {
    gemm_by_panels<AvxVnni>(args);
  } else {
    for (int64_t m = 0; m < args.m; ++m) multiply_row<AvxVnni>(args, m);
  }
}

}  // namespace bitnet::kernels
