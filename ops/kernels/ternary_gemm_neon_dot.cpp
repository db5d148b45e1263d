#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/neon_simd.h"
#include "ops/kernels/strip_gemm.h"

namespace bitnet::kernels {
namespace {

struct NeonDot : StripNeon {
  static constexpr int kQuarters = 4;
  static constexpr uint32_t kOffset = 1;
  // A dot adds at least 4 * 8 * -128 in the second place, and at most 2 a step: 2^17 steps stay above -2^31.
  static constexpr int64_t steps_in_acc(int places) { return places == 1 ? kNeverWiden : 1 << 17; }

  static Vector codes(Vector words, int place) {
    return vreinterpretq_s32_u8(vandq_u8(vreinterpretq_u8_s32(words), vdupq_n_u8(place == 0 ? 0x03 : 0x0c)));
  }
};

}  // namespace

void ternary_gemm_neon_dot(const GemmArgs& args) noexcept { gemm_by_strips<NeonDot>(args); }

}  // namespace bitnet::kernels
