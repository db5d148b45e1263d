#include <arm_neon.h>

#include "ops/kernels/int8_tiles.h"
#include "ops/kernels/isa_kernels.h"

namespace bitnet::kernels {
namespace {

struct NeonDotInt8 {
  using Vector = int32x4_t;
  static constexpr int64_t kStepBytes = 16;
  static constexpr int kChains = 8;
  static constexpr uint32_t kActOffset = 0;
  static constexpr int kAccumulators = 16;
  static constexpr int kProducts = 16;

  static constexpr int outputs(int) { return 4; }
  static Vector zero() { return vdupq_n_s32(0); }
  static Vector load_weights(const int8_t* at) { return vreinterpretq_s32_s8(vld1q_s8(at)); }
  static Vector load_acts(const int8_t* at) { return load_weights(at); }
  static Vector dot(Vector acc, Vector weights, Vector acts) {
    return vdotq_s32(acc, vreinterpretq_s8_s32(weights), vreinterpretq_s8_s32(acts));
  }
  static Vector add(Vector a, Vector b) { return vaddq_s32(a, b); }
  static void store_sums(Vector a, Vector b, Vector c, Vector d, int32_t* to) {
    vst1q_s32(to, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
  }
  static void keep(Vector& value) { __asm__ volatile("" : "+w"(value)); }
};

}  // namespace

void int8_gemm_neon_dot(const Int8GemmArgs& args) noexcept { int8_gemm_by_tiles<NeonDotInt8>(args); }

int64_t int8_peak_neon_dot(int64_t rounds) noexcept { return run_int8_peak<NeonDotInt8>(rounds); }

}  // namespace bitnet::kernels
