#include "ops/kernels/int8_tiles.h"
#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/x86_simd_512.h"

namespace bitnet::kernels {
namespace {

struct Avx512VnniInt8 {
  using Vector = __m512i;
  static constexpr int64_t kStepBytes = 64;
  static constexpr int kChains = 8;
  static constexpr uint32_t kActOffset = 128;  // vpdpbusd takes unsigned bytes by signed ones
  static constexpr int kAccumulators = 16;
  static constexpr int kProducts = 64;

  static constexpr int outputs(int) { return 4; }
  static Vector zero() { return _mm512_setzero_si512(); }
  static Vector load_weights(const int8_t* at) { return _mm512_loadu_si512(at); }
  static Vector load_acts(const int8_t* at) {
    return _mm512_xor_si512(_mm512_loadu_si512(at), _mm512_set1_epi8(static_cast<char>(0x80)));
  }
  static Vector dot(Vector acc, Vector weights, Vector acts) { return _mm512_dpbusd_epi32(acc, acts, weights); }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static void store_sums(Vector a, Vector b, Vector c, Vector d, int32_t* to) { store_sums_512(a, b, c, d, to); }
  static void keep(Vector& value) { __asm__ volatile("" : "+v"(value)); }
};

}  // namespace

void int8_gemm_avx512_vnni(const Int8GemmArgs& args) noexcept { int8_gemm_by_tiles<Avx512VnniInt8>(args); }

int64_t int8_peak_avx512_vnni(int64_t rounds) noexcept { return run_int8_peak<Avx512VnniInt8>(rounds); }

}  // namespace bitnet::kernels
