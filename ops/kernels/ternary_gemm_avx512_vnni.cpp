#include "ops/kernels/isa_kernels.h"
#include "ops/kernels/x86_simd.h"

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

// One row of activations: along K, two blocks (64 packed bytes, 256 weights) at a time. The activations are copied, a
// chunk of K at a time, into the order in which those bytes hold their weights: quarter q of both blocks side by side.
constexpr int64_t kChunkBlocks = 64;
constexpr int64_t kPairActs = 2 * kWeightsPerBlock;

void order_acts(const int8_t* acts, int64_t blocks, int8_t* ordered) {
  for (int64_t block = 0; block < blocks; block += 2) {
    for (int q = 0; q < 4; ++q) {
      const __m256i low = load_256(acts + block * kWeightsPerBlock + 32 * q);
      // The second block of the last pair may not exist; its weights are then read as zero bytes.
      const __m256i high =
          block + 1 < blocks ? load_256(acts + (block + 1) * kWeightsPerBlock + 32 * q) : _mm256_setzero_si256();
      _mm512_store_si512(ordered + block * kWeightsPerBlock + 64 * q,
                         _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
    }
  }
}

// The codes are used where they lie in the byte: bits 2 and 3 give four times the code, and so on, and each place has
// an accumulator that is shifted down at the end. A lane of the highest place gets at most 4 * 128 * 128 = 2^16 a pair
// of blocks, 2^21 a chunk of 32 pairs: exact.
template <int R>
struct RowSums {
  __m512i place[R][4];

  RowSums() {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int q = 0; q < 4; ++q) place[r][q] = _mm512_setzero_si512();
    }
  }

  inline __attribute__((always_inline)) void add(int r, __m512i packed, const int8_t* ordered) {
    place[r][0] = dot(place[r][0], packed, 0x03, ordered);
    place[r][1] = dot(place[r][1], packed, 0x0c, ordered + 64);
    place[r][2] = dot(place[r][2], packed, 0x30, ordered + 128);
    place[r][3] = dot(place[r][3], packed, static_cast<char>(0xc0), ordered + 192);
  }

  __m512i total(int r) const {
    const __m512i low = _mm512_add_epi32(place[r][0], _mm512_srai_epi32(place[r][1], 2));
    const __m512i high = _mm512_add_epi32(_mm512_srai_epi32(place[r][2], 4), _mm512_srai_epi32(place[r][3], 6));
    return _mm512_add_epi32(low, high);
  }

 private:
  static __m512i dot(__m512i acc, __m512i packed, char mask, const int8_t* acts) {
    return _mm512_dpbusd_epi32(acc, _mm512_and_si512(packed, _mm512_set1_epi8(mask)), _mm512_load_si512(acts));
  }
};

inline __m256i halves(__m512i value) {
  return _mm256_add_epi32(_mm512_castsi512_si256(value), _mm512_extracti64x4_epi64(value, 1));
}

template <int R>
void dot_rows(const uint8_t* rows, int64_t row_bytes, const int8_t* ordered, int64_t blocks, int32_t* sums) {
  RowSums<R> acc;
  const int64_t pairs = blocks / 2;
  for (int64_t pair = 0; pair < pairs; ++pair, ordered += kPairActs) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) acc.add(r, _mm512_loadu_si512(rows + r * row_bytes + 64 * pair), ordered);
  }
  if (blocks % 2 != 0) {  // half a vector: the bytes past the row are not touched
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) acc.add(r, _mm512_maskz_loadu_epi64(0x0f, rows + r * row_bytes + 64 * pairs), ordered);
  }
  if constexpr (R == 1) {
    const __m256i zero = _mm256_setzero_si256();
    sums[0] = _mm_cvtsi128_si32(sum_lanes(halves(acc.total(0)), zero, zero, zero));
  } else {
#pragma GCC unroll 8
    for (int r = 0; r < R; r += 4) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + r),
                       sum_lanes(halves(acc.total(r)), halves(acc.total(r + 1)), halves(acc.total(r + 2)),
                                 halves(acc.total(r + 3))));
    }
  }
}

void multiply_row_512(const TernaryGemmArgs& args, int64_t m) {
  constexpr int kRowsAtOnce = 4;
  alignas(64) int8_t ordered[kChunkBlocks * kWeightsPerBlock];
  const int64_t blocks = (args.k + kWeightsPerBlock - 1) / kWeightsPerBlock;
  const int64_t row_bytes = blocks * kBytesPerBlock;
  int32_t* out = args.out_MN + m * args.out_stride;
  for (int64_t block = 0; block < blocks; block += kChunkBlocks) {
    const int64_t count = blocks - block < kChunkBlocks ? blocks - block : kChunkBlocks;
    order_acts(args.acts_MK + (m * blocks + block) * kWeightsPerBlock, count, ordered);
    const uint8_t* rows = args.packed_rows_N + block * kBytesPerBlock;
    // Modulo 2^32, as in panel_gemm.h: the first chunk starts from -sum(acts), a later one from what is there.
    auto add = [&](int64_t n, int32_t sum) {
      const uint32_t before =
          block == 0 ? 0u - static_cast<uint32_t>(args.act_sums_M[m]) : static_cast<uint32_t>(out[n]);
      out[n] = static_cast<int32_t>(before + static_cast<uint32_t>(sum));
    };
    int32_t sums[kRowsAtOnce];
    int64_t n = 0;
    for (; n + kRowsAtOnce <= args.n; n += kRowsAtOnce) {
      dot_rows<kRowsAtOnce>(rows + n * row_bytes, row_bytes, ordered, count, sums);
      for (int r = 0; r < kRowsAtOnce; ++r) add(n + r, sums[r]);
    }
    for (; n < args.n; ++n) {
      dot_rows<1>(rows + n * row_bytes, row_bytes, ordered, count, sums);
      add(n, sums[0]);
    }
  }
}

// Below this many rows, unpacking a panel costs more than it saves (benchmarks/ternary_gemm).
constexpr int64_t kLeastRowsForPanels = 8;

}  // namespace

void ternary_gemm_avx512_vnni(const TernaryGemmArgs& args) noexcept {
  if (args.m >= kLeastRowsForPanels) {
    gemm_by_panels<Avx512Vnni>(args);
  } else {
    for (int64_t m = 0; m < args.m; ++m) multiply_row_512(args, m);
  }
}

}  // namespace bitnet::kernels
