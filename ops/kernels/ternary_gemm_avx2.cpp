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

 private:
  static __m256i broadcast(const int8_t* four) {
    int32_t bits;
    __builtin_memcpy(&bits, four, 4);
    return _mm256_set1_epi32(bits);
  }
};

struct Avx2Tile : Tile256 {
  static constexpr int kChains = 5;  // two accumulators at M = 1
  // A step adds 4 products to one accumulator, or 2 to each of two, of which one holds four times the codes.
  static constexpr int64_t steps_in_acc(int places) { return kAddsInInt16 / (places == 1 ? 4 : 8); }

  static Vector dot(Vector acc, Vector codes, Vector acts) {
    acc = _mm256_add_epi16(acc, _mm256_maddubs_epi16(codes, acts));
    // In this order, or the compiler computes all products before it adds them, and runs out of registers.
    __asm__ volatile("" : "+x"(acc));
    return acc;
  }
  static Vector widen(Vector acc) { return _mm256_madd_epi16(acc, _mm256_set1_epi16(1)); }
};

// Shallow products with many rows go by panels: a tile would spend its time on the sums across its vectors. Measured,
// AMD Zen 4, 64 rows, GMAC/s by panels and by tiles: K = 256 143 and 92, 512 157 and 121, 1024 164 and 142, 2048 155
// and 157.
constexpr int64_t kLeastRowsForPanels = 16;
constexpr int64_t kDeepestForPanels = 1024;

}  // namespace

void ternary_gemm_avx2(const TernaryGemmArgs& args) noexcept {
  if (args.m >= kLeastRowsForPanels && args.k <= kDeepestForPanels) {
    gemm_by_panels<Avx2>(args);
  } else {
    gemm_by_tiles<Avx2Tile>(args);
  }
}

}  // namespace bitnet::kernels
