#include "ops/kernels/int8_peak.h"
#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/strip_gemm.h"
#include "ops/kernels/x86_simd.h"

namespace bitnet::kernels {
namespace {

// maddubs takes unsigned by signed bytes and adds pairs into int16: magnitudes of activations (0 .. 128) by weights
// with the sign of their activation, at most 2 * 128 * 127 = 32512, which fits.
struct Avx2Int8 : Strip256 {
  static constexpr int kQuarters = 1;
  static constexpr uint32_t kOffset = 0;
  static constexpr int kMaxRows = 4;
  static constexpr int kChains = 1;
  static constexpr int64_t steps_in_acc(int) { return kNeverWiden; }

  static Vector codes(Vector words, int) { return _mm256_xor_si256(words, _mm256_set1_epi8(static_cast<char>(0x80))); }
  static Vector dot(Vector acc, Vector weights, const int8_t* acts) {
    const Vector four = broadcast(acts);
    const Vector pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(four), _mm256_sign_epi8(weights, four));
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    __asm__ volatile("" : "+x"(acc));  // in this order: the products must not fill the registers first
    return acc;
  }
  static Vector widen(Vector acc) { return acc; }
};

// What an int8 multiply-accumulate takes at least: maddubs and an addition, as the ternary kernel has them.
struct Avx2Peak {
  using Vector = __m256i;
  static constexpr int kAccumulators = 12;
  static constexpr int kProducts = 32;
  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector dot(Vector acc, Vector weights, Vector acts) {
    Vector products = _mm256_maddubs_epi16(weights, acts);
    keep(products);  // or one product would serve all accumulators
    return _mm256_add_epi16(acc, products);
  }
  static void keep(Vector& value) { __asm__ volatile("" : "+x"(value)); }
};

}  // namespace

void int8_gemm_avx2(const GemmArgs& args) noexcept { gemm_by_strips<Avx2Int8>(args); }

int64_t int8_peak_avx2(int64_t rounds) noexcept { return run_int8_peak<Avx2Peak>(rounds); }

}  // namespace bitnet::kernels
