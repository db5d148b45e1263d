#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/x86_simd.h"

namespace bitnet::kernels {
namespace {

// maddubs multiplies codes (0, 1, 2) with activations (-128 .. 127) and adds pairs into int16: at least 2 * 2 * -128 =
// -512, at most 2 * 2 * 127 = 508. So 64 of them lie in -32768 .. 32512 and still fit int16; then they are widened.
constexpr int kAddsInInt16 = 64;

struct Avx2 {
  static constexpr int kStripN = 16;
  static constexpr int kTileM = 6;  // 12 accumulators, 2 weights, 1 broadcast, 1 product: all 16 registers
  static constexpr int64_t kPanelBlocks = 8;
  static constexpr int kRowsAtOnce = 4;

  static void unpack_panel(const uint8_t* rows, int64_t row_bytes, int64_t valid, int64_t blocks, uint8_t* panel) {
    unpack_x86_panel<kStripN>(rows, row_bytes, valid, blocks, panel);
  }

  template <int R>
  __attribute__((noinline)) static void multiply(const uint8_t* panel, const int8_t* acts, int64_t stride,
                                                 int64_t blocks, int32_t* sums) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i* wide = reinterpret_cast<__m256i*>(sums);
    for (int i = 0; i < 2 * R; ++i) _mm256_store_si256(wide + i, _mm256_setzero_si256());
    for (int64_t steps = blocks * kStepsPerBlock; steps > 0; steps -= kAddsInInt16) {
      __m256i acc[R][2];
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) acc[r][0] = acc[r][1] = _mm256_setzero_si256();
      const int64_t count = steps < kAddsInInt16 ? steps : kAddsInInt16;
      for (int64_t step = 0; step < count; ++step, panel += 4 * kStripN, acts += 4) {
        const __m256i weights0 = load_256(panel);
        const __m256i weights1 = load_256(panel + 32);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          const __m256i four = broadcast(acts + r * stride);
          acc[r][0] = _mm256_add_epi16(acc[r][0], _mm256_maddubs_epi16(weights0, four));
          acc[r][1] = _mm256_add_epi16(acc[r][1], _mm256_maddubs_epi16(weights1, four));
          // In this order, or the compiler computes all products before it adds them, and runs out of registers.
          __asm__ volatile("" : "+x"(acc[r][0]), "+x"(acc[r][1]));
        }
      }
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
          __m256i* to = wide + 2 * r + v;
          _mm256_store_si256(to, _mm256_add_epi32(_mm256_load_si256(to), _mm256_madd_epi16(acc[r][v], ones)));
        }
      }
    }
  }

  template <int R>
  static void dot_rows(const uint8_t* rows, int64_t row_bytes, const int8_t* acts, int64_t blocks, int32_t* sums) {
    constexpr int64_t kBlocksInInt16 = kAddsInInt16 / 4;
    const __m256i mask = _mm256_set1_epi8(3);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i wide[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int64_t first = 0; first < blocks; first += kBlocksInInt16) {
      __m256i acc[R];
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) acc[r] = _mm256_setzero_si256();
      const int64_t last = first + kBlocksInInt16 < blocks ? first + kBlocksInInt16 : blocks;
      for (int64_t block = first; block < last; ++block, acts += kWeightsPerBlock) {
        const __m256i acts0 = load_256(acts);
        const __m256i acts1 = load_256(acts + 32);
        const __m256i acts2 = load_256(acts + 64);
        const __m256i acts3 = load_256(acts + 96);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) {
          const __m256i packed = load_256(rows + r * row_bytes + block * kBytesPerBlock);
          const __m256i product0 = _mm256_maddubs_epi16(_mm256_and_si256(packed, mask), acts0);
          const __m256i product1 = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(packed, 2), mask), acts1);
          const __m256i product2 = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(packed, 4), mask), acts2);
          const __m256i product3 = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(packed, 6), mask), acts3);
          acc[r] = _mm256_add_epi16(
              acc[r], _mm256_add_epi16(_mm256_add_epi16(product0, product1), _mm256_add_epi16(product2, product3)));
        }
      }
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) wide[r] = _mm256_add_epi32(wide[r], _mm256_madd_epi16(acc[r], ones));
    }
    const __m128i totals = sum_lanes(wide[0], wide[1], wide[2], wide[3]);
    if constexpr (R == 4) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(sums), totals);
    } else {
      sums[0] = _mm_cvtsi128_si32(totals);
    }
  }

 private:
  static __m256i broadcast(const int8_t* four) {
    int32_t bits;
    __builtin_memcpy(&bits, four, 4);
    return _mm256_set1_epi32(bits);
  }
};

// Below this many rows, unpacking a panel costs more than it saves (benchmarks/ternary_gemm).
constexpr int64_t kLeastRowsForPanels = 5;

}  // namespace

void ternary_gemm_avx2(const TernaryGemmArgs& args) noexcept {
  if (args.m >= kLeastRowsForPanels) {
    gemm_by_panels<Avx2>(args);
  } else {
    for (int64_t m = 0; m < args.m; ++m) multiply_row<Avx2>(args, m);
  }
}

}  // namespace bitnet::kernels
