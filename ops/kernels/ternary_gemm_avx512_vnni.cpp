#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/tile_gemm.h"
#include "ops/kernels/x86_simd.h"
#include "ops/kernels/x86_simd_512.h"

namespace bitnet::kernels {
namespace {

struct Avx512Vnni {
  using Vector = __m512i;
  static constexpr int kLanes = 16;
  static constexpr int kStripN = 32;
  static constexpr int kTileM = 12;  // 24 accumulators, 2 weights and the broadcast of 32 registers
  static constexpr int64_t kPanelBlocks = 4;

  static Vector zero() { return _mm512_setzero_si512(); }
  static Vector load(const uint8_t* at) { return _mm512_loadu_si512(at); }
  static void store(int32_t* to, Vector value) { _mm512_storeu_si512(to, value); }
  static Vector broadcast(const int8_t* four) {
    int32_t bits;
    __builtin_memcpy(&bits, four, 4);
    return _mm512_set1_epi32(bits);
  }
  // Adds without saturation, so a sum of codes that wraps is still right modulo 2^32.
  static Vector dot(Vector acc, Vector codes, Vector acts) { return _mm512_dpbusd_epi32(acc, codes, acts); }

  static void unpack_panel(const uint8_t* rows, int64_t row_bytes, int64_t valid, int64_t blocks, uint8_t* panel) {
    unpack_x86_panel<kStripN>(rows, row_bytes, valid, blocks, panel);
  }

  template <int R>
  static void multiply(const uint8_t* panel, const int8_t* acts, int64_t stride, int64_t blocks, int32_t* sums) {
    multiply_by_dots<Avx512Vnni, R>(panel, acts, stride, blocks, sums);
  }
};

// Two blocks (64 packed bytes, 256 weights) a step.
struct Avx512VnniTile {
  using Vector = __m512i;
  static constexpr int64_t kVectorBytes = 64;
  static constexpr int kChains = 9;  // two accumulators at M = 1 and 2
  static constexpr int64_t steps_in_acc(int) { return INT64_MAX / 2; }

  static constexpr int outputs(int) { return 4; }  // at M = 4: 16 accumulators, 4 packed, 4 rows
  static Vector zero() { return _mm512_setzero_si512(); }
  template <bool kWhole>
  static Vector load_packed(const uint8_t* at) {
    if constexpr (kWhole) return _mm512_loadu_si512(at);
    return _mm512_zextsi256_si512(load_256(at));  // the bytes past the row are not touched
  }
  // Quarter q of both blocks side by side.
  template <bool kWhole>
  static Vector load_acts(const int8_t* acts, int64_t step, int q) {
    const int8_t* at = acts + step * 2 * kWeightsPerBlock + 32 * q;
    if constexpr (kWhole) return _mm512_inserti64x4(_mm512_castsi256_si512(load_256(at)), load_256(at + 128), 1);
    return _mm512_zextsi256_si512(load_256(at));
  }
  static Vector codes(Vector packed, int place) {
    return _mm512_and_si512(packed, _mm512_set1_epi8(place == 0 ? 0x03 : 0x0c));
  }
  static Vector shift(Vector packed, int places) { return _mm512_srli_epi16(packed, 2 * places); }
  static Vector dot(Vector acc, Vector codes, Vector acts) { return Avx512Vnni::dot(acc, codes, acts); }
  static Vector add_second_place(Vector a, Vector b) { return _mm512_add_epi32(a, _mm512_srai_epi32(b, 2)); }
  static Vector widen(Vector acc) { return acc; }
  static Vector add_wide(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static void store_sums(Vector a, Vector b, Vector c, Vector d, int32_t* to) { store_sums_512(a, b, c, d, to); }
};

// Shallow products with many rows go by panels: a tile would spend its time on the sums across its vectors. Measured,
// AMD Zen 4, 64 rows, GMAC/s by panels and by tiles: K = 256 205 and 145, 512 216 and 183, 768 211 and 197, 1024 208
// and 205.
constexpr int64_t kLeastRowsForPanels = 16;
constexpr int64_t kDeepestForPanels = 768;

}  // namespace

void ternary_gemm_avx512_vnni(const TernaryGemmArgs& args) noexcept {
  if (args.m >= kLeastRowsForPanels && args.k <= kDeepestForPanels) {
    gemm_by_panels<Avx512Vnni>(args);
  } else {
    gemm_by_tiles<Avx512VnniTile>(args);
  }
}

}  // namespace bitnet::kernels
