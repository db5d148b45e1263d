#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/strip_gemm.h"
#include "ops/kernels/x86_simd.h"

namespace bitnet::kernels {
namespace {

struct AvxVnni : Strip256 {
  static constexpr int kQuarters = 4;
  static constexpr uint32_t kOffset = 1;
  static constexpr int kMaxRows = 4;
  static constexpr int kChains = 8;
  // A dot adds at least 4 * 8 * -128 in the second place, and at most 2 a step: 2^17 steps stay above -2^31.
  static constexpr int64_t steps_in_acc(int places) { return places == 1 ? kNeverWiden : 1 << 17; }

  // Adds without saturation, so a sum of codes that wraps is still right modulo 2^32.
  static Vector dot(Vector acc, Vector codes, const int8_t* acts) { return dpbusd_256(acc, codes, broadcast(acts)); }
  static Vector codes(Vector words, int place) { return ternary_codes(words, place); }
  static Vector widen(Vector acc) { return acc; }
};

}  // namespace

void ternary_gemm_avx_vnni(const GemmArgs& args) noexcept { gemm_by_strips<AvxVnni>(args); }

}  // namespace bitnet::kernels
