#include "ops/kernels/int8_peak.h"
#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/strip_gemm.h"
#include "ops/kernels/x86_simd.h"

namespace bitnet::kernels {
namespace {

struct AvxVnniInt8 : Strip256 {
  static constexpr int kQuarters = 1;
  static constexpr uint32_t kOffset = 128;
  static constexpr int kMaxRows = 4;
  static constexpr int kChains = 1;
  static constexpr int64_t steps_in_acc(int) { return kNeverWiden; }

  static Vector codes(Vector words, int) { return words; }
  static Vector dot(Vector acc, Vector weights, const int8_t* acts) {
    return dpbusd_256(acc, weights, broadcast(acts));
  }
  static Vector widen(Vector acc) { return acc; }
};

struct AvxVnniPeak {
  using Vector = __m256i;
  static constexpr int kAccumulators = 12;
  static constexpr int kProducts = 32;
  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector dot(Vector acc, Vector weights, Vector acts) { return dpbusd_256(acc, weights, acts); }
  static void keep(Vector& value) { __asm__ volatile("" : "+x"(value)); }
};

}  // namespace

void int8_gemm_avx_vnni(const GemmArgs& args) noexcept { gemm_by_strips<AvxVnniInt8>(args); }

int64_t int8_peak_avx_vnni(int64_t rounds) noexcept { return run_int8_peak<AvxVnniPeak>(rounds); }

}  // namespace bitnet::kernels
