#include "ops/kernels/int8_tiles.h"
#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/x86_simd.h"

namespace bitnet::kernels {
namespace {

struct AvxVnniInt8 {
  using Vector = __m256i;
  static constexpr int64_t kStepBytes = 32;
  static constexpr int kChains = 8;
  static constexpr uint32_t kActOffset = 128;  // vpdpbusd takes unsigned bytes by signed ones
  static constexpr int kAccumulators = 12;
  static constexpr int kProducts = 32;

  static constexpr int outputs(int m) { return Tile256::outputs(m); }
  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector load_weights(const int8_t* at) { return load_256(at); }
  static Vector load_acts(const int8_t* at) {
    return _mm256_xor_si256(load_256(at), _mm256_set1_epi8(static_cast<char>(0x80)));
  }
  static Vector dot(Vector acc, Vector weights, Vector acts) { return dpbusd_256(acc, acts, weights); }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static void store_sums(Vector a, Vector b, Vector c, Vector d, int32_t* to) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), sum_lanes(a, b, c, d));
  }
  static void keep(Vector& value) { __asm__ volatile("" : "+x"(value)); }
};

}  // namespace

void int8_gemm_avx_vnni(const Int8GemmArgs& args) noexcept { int8_gemm_by_tiles<AvxVnniInt8>(args); }

int64_t int8_peak_avx_vnni(int64_t rounds) noexcept { return run_int8_peak<AvxVnniInt8>(rounds); }

}  // namespace bitnet::kernels
