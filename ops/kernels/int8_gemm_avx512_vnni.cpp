#include <immintrin.h>

#include "ops/kernels/int8_peak.h"
#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/strip_gemm.h"
#include "ops/kernels/x86_simd_512.h"

namespace bitnet::kernels {
namespace {

struct Avx512VnniInt8 : Strip512 {
  static constexpr int kQuarters = 1;
  static constexpr uint32_t kOffset = 128;
  static constexpr int kMaxRows = 8;
  static constexpr int64_t steps_in_acc(int) { return kNeverWiden; }

  static Vector codes(Vector words, int) { return words; }
};

struct Avx512VnniPeak {
  using Vector = __m512i;
  static constexpr int kAccumulators = 16;
  static constexpr int kProducts = 64;
  static Vector zero() { return _mm512_setzero_si512(); }
  static Vector dot(Vector acc, Vector weights, Vector acts) { return _mm512_dpbusd_epi32(acc, weights, acts); }
  static void keep(Vector& value) { __asm__ volatile("" : "+v"(value)); }
};

}  // namespace

void int8_gemm_avx512_vnni(const GemmArgs& args) noexcept { gemm_by_strips<Avx512VnniInt8>(args); }

int64_t int8_peak_avx512_vnni(int64_t rounds) noexcept { return run_int8_peak<Avx512VnniPeak>(rounds); }

}  // namespace bitnet::kernels
