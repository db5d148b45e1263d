#include "ops/kernels/int8_tiles.h"
#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/x86_simd.h"

namespace bitnet::kernels {
namespace {

// By way of int16, because maddubs saturates: 2 * 255 * 127 does not fit.
struct Avx2Int8 {
  using Vector = __m256i;
  static constexpr int64_t kStepBytes = 16;
  static constexpr int kChains = 1;
  static constexpr uint32_t kActOffset = 0;

  static constexpr int outputs(int m) { return Tile256::outputs(m); }
  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector load_weights(const int8_t* at) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
  }
  static Vector load_acts(const int8_t* at) { return load_weights(at); }
  static Vector dot(Vector acc, Vector weights, Vector acts) {
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(weights, acts));
    __asm__ volatile("" : "+x"(acc));  // in this order: the products must not fill the registers first
    return acc;
  }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static void store_sums(Vector a, Vector b, Vector c, Vector d, int32_t* to) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), sum_lanes(a, b, c, d));
  }
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

void int8_gemm_avx2(const Int8GemmArgs& args) noexcept { int8_gemm_by_tiles<Avx2Int8>(args); }

int64_t int8_peak_avx2(int64_t rounds) noexcept { return run_int8_peak<Avx2Peak>(rounds); }

}  // namespace bitnet::kernels
