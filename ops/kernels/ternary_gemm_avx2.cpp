#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/strip_gemm.h"
#include "ops/kernels/x86_simd.h"

namespace bitnet::kernels {
namespace {

// maddubs multiplies codes (0, 1, 2) with activations (-128 .. 127) and adds pairs into int16: at least 2 * 2 * -128 =
// -512, at most 2 * 2 * 127 = 508. So 64 of them lie in -32768 .. 32512 and still fit int16; then they are widened.
constexpr int kAddsInInt16 = 64;

struct Avx2 : Strip256 {
  static constexpr int kQuarters = 4;
  static constexpr uint32_t kOffset = 1;
  static constexpr int kMaxRows = 4;
  static constexpr int kChains = 4;  // four accumulators a sum for one row
  // A step makes four additions to one accumulator; or two or fewer to each of several, of which some hold four times
  // the codes.
  static constexpr int64_t steps_in_acc(int places) { return kAddsInInt16 / (places == 1 ? 4 : 2 * 4); }

  static Vector dot(Vector acc, Vector codes, const int8_t* acts) {
    acc = _mm256_add_epi16(acc, _mm256_maddubs_epi16(codes, broadcast(acts)));
    // In this order, or the compiler computes all products before it adds them, and runs out of registers.
    __asm__ volatile("" : "+x"(acc));
    return acc;
  }
  static Vector codes(Vector words, int place) { return ternary_codes(words, place); }
  static Vector widen(Vector acc) { return _mm256_madd_epi16(acc, _mm256_set1_epi16(1)); }
};

}  // namespace

void ternary_gemm_avx2(const GemmArgs& args) noexcept { gemm_by_strips<Avx2>(args); }

}  // namespace bitnet::kernels
