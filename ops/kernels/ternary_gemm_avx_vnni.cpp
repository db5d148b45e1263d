#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/x86_simd.h"

namespace bitnet::kernels {
namespace {

struct AvxVnni {
  using Vector = __m256i;
  static constexpr int kLanes = 8;
  static constexpr int kStripN = 16;
  static constexpr int kTileM = 6;  // 12 accumulators, 2 weights, 1 broadcast of 16 registers
  static constexpr int64_t kPanelBlocks = 8;

  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector load(const uint8_t* at) { return load_256(at); }
  static void store(int32_t* to, Vector value) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value); }
  static Vector broadcast(const int8_t* four) {
    int32_t bits;
    __builtin_memcpy(&bits, four, 4);
    return _mm256_set1_epi32(bits);
  }
  // Adds without saturation, so a sum of codes that wraps is still right modulo 2^32.
  static Vector dot(Vector acc, Vector codes, Vector acts) { return dpbusd_256(acc, codes, acts); }

  static void unpack_panel(const uint8_t* rows, int64_t row_bytes, int64_t valid, int64_t blocks, uint8_t* panel) {
    unpack_x86_panel<kStripN>(rows, row_bytes, valid, blocks, panel);
  }

  template <int R>
  static void multiply(const uint8_t* panel, const int8_t* acts, int64_t stride, int64_t blocks, int32_t* sums) {
    multiply_by_dots<AvxVnni, R>(panel, acts, stride, blocks, sums);
  }
};

struct AvxVnniTile : Tile256 {
  static constexpr int kChains = 8;
  static constexpr int64_t steps_in_acc(int) { return INT64_MAX / 2; }

  static Vector dot(Vector acc, Vector codes, Vector acts) { return AvxVnni::dot(acc, codes, acts); }
  static Vector widen(Vector acc) { return acc; }
};

// Below this many rows, unpacking a panel costs more than it saves: measured in the AVX-512 encoding, with 16
// registers.
constexpr int64_t kLeastRowsForPanels = 16;

}  // namespace

void ternary_gemm_avx_vnni(const TernaryGemmArgs& args) noexcept {
  if (args.m >= kLeastRowsForPanels) {
    gemm_by_panels<AvxVnni>(args);
  } else {
    gemm_by_tiles<AvxVnniTile>(args);
  }
}

}  // namespace bitnet::kernels
