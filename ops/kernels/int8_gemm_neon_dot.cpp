#include "ops/kernels/int8_peak.h"
#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/neon_simd.h"
#include "ops/kernels/strip_gemm.h"

namespace bitnet::kernels {
namespace {

struct NeonDotInt8 : StripNeon {
  static constexpr int kQuarters = 1;
  static constexpr uint32_t kOffset = 0;
  static constexpr int64_t steps_in_acc(int) { return kNeverWiden; }

  static Vector codes(Vector words, int) { return veorq_s32(words, vreinterpretq_s32_u8(vdupq_n_u8(0x80))); }
};

struct NeonDotPeak {
  using Vector = int32x4_t;
  static constexpr int kAccumulators = 16;
  static constexpr int kProducts = 16;
  static Vector zero() { return vdupq_n_s32(0); }
  static Vector dot(Vector acc, Vector weights, Vector acts) {
    return vdotq_s32(acc, vreinterpretq_s8_s32(weights), vreinterpretq_s8_s32(acts));
  }
  static void keep(Vector& value) { __asm__ volatile("" : "+w"(value)); }
};

}  // namespace

void int8_gemm_neon_dot(const GemmArgs& args) noexcept { gemm_by_strips<NeonDotInt8>(args); }

int64_t int8_peak_neon_dot(int64_t rounds) noexcept { return run_int8_peak<NeonDotPeak>(rounds); }

}  // namespace bitnet::kernels
