#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/strip_gemm.h"
#include "ops/kernels/x86_simd_512.h"

namespace bitnet::kernels {
namespace {

struct Avx512Vnni : Strip512 {
  static constexpr int kQuarters = 4;
  static constexpr uint32_t kOffset = 1;
  // 16 accumulators with two strips. With 12 rows GCC 12 spills and moves registers: 0.85 of the peak instead of 0.98.
  static constexpr int kMaxRows = 8;
  // A dot adds at least 4 * 8 * -128 in the second place, and at most 2 a step: 2^17 steps stay above -2^31.
  static constexpr int64_t steps_in_acc(int places) { return places == 1 ? kNeverWiden : 1 << 17; }

  static Vector codes(Vector words, int place) {
    return _mm512_and_si512(words, _mm512_set1_epi8(place == 0 ? 0x03 : 0x0c));
  }
};

}  // namespace

void ternary_gemm_avx512_vnni(const GemmArgs& args) noexcept { gemm_by_strips<Avx512Vnni>(args); }

}  // namespace bitnet::kernels
