#include "ops/kernels/decoder_math.h"

#include "ops/kernels/cpu_features.h"
#include "ops/kernels/decoder_levels.h"

namespace bitnet::kernels {
namespace {

const DecoderFunctions& best_functions() {
  static const DecoderFunctions& best = []() -> const DecoderFunctions& {
    const DecoderLevels& levels = decoder_levels();
    int first = 0;
    while (!levels.level[first].supported) ++first;
    return *levels.level[first].functions;
  }();
  return best;
}

}  // namespace

const DecoderLevels& decoder_levels() noexcept {
  static const DecoderLevels levels = {
#if defined(__x86_64__)
      {{"avx512", &kDecoderAvx512, cpu_features().avx512_bw && cpu_features().fma, true},
       {"avx2", &kDecoderAvx2, cpu_features().avx2 && cpu_features().fma, true},
       {"portable", &kDecoderPortable, true, false}},
      3
#elif defined(__aarch64__)
      {{"portable", &kDecoderPortable, true, true}}, 1
#else
      {{"portable", &kDecoderPortable, true, false}}, 1
#endif
  };
  return levels;
}

void rms_norm_rows(const float* x_MK, int64_t m, int64_t k, const float* weight_K, float epsilon, float* y_MK,
                   float* inverse_rms_M) noexcept {
  best_functions().rms_norm_rows(x_MK, m, k, weight_K, epsilon, y_MK, inverse_rms_M);
}

void gate_silu(const float* gate, const float* up, int64_t count, float* out) noexcept {
  best_functions().gate_silu(gate, up, count, out);
}

void gate_relu2(const float* gate, const float* up, int64_t count, float* out) noexcept {
  best_functions().gate_relu2(gate, up, count, out);
}

void rotate_head(const float* x, int64_t half, const float* cosines, const float* sines, float sign,
                 float* y) noexcept {
  best_functions().rotate_head(x, half, cosines, sines, sign, y);
}

void store_key_value(const float* key, const float* value, int64_t position, int64_t head_width, float* keys,
                     float* values) noexcept {
  float* column = keys + position / kKeyBlock * kKeyBlock * head_width + position % kKeyBlock;
  for (int64_t i = 0; i < head_width; ++i) column[i * kKeyBlock] = key[i];
  float* row = values + position * value_stride(head_width);
  for (int64_t i = 0; i < head_width; ++i) row[i] = value[i];
}

void attend_by(const DecoderFunctions& functions, const AttentionArgs& args) noexcept {
  const int64_t heads_at_once = args.group < kAttentionRows ? args.group : kAttentionRows;
  const int64_t positions_at_once = kAttentionRows / heads_at_once;
  const float* q_R[kAttentionRows];
  float* out_R[kAttentionRows];
  float* log_sums_R[kAttentionRows];
  int64_t lengths_R[kAttentionRows];
  for (int64_t first = 0; first < args.positions; first += positions_at_once) {
    const int64_t end = first + positions_at_once < args.positions ? first + positions_at_once : args.positions;
    for (int64_t head = 0; head < args.group; head += heads_at_once) {
      const int64_t head_end = head + heads_at_once < args.group ? head + heads_at_once : args.group;
      int64_t rows = 0;
      for (int64_t position = first; position < end; ++position) {
        for (int64_t h = head; h < head_end; ++h, ++rows) {
          const int64_t offset = position * args.position_stride + h * args.head_width;
          q_R[rows] = args.q + offset;
          out_R[rows] = args.out + offset;
          lengths_R[rows] = args.first_position + position + 1;
          if (args.log_sums != nullptr) log_sums_R[rows] = args.log_sums + h * args.log_stride + position;
        }
      }
      functions.attend({q_R, out_R, lengths_R, rows, args.keys, args.values, args.head_width, args.scale, args.scratch,
                        args.log_sums == nullptr ? nullptr : log_sums_R});
    }
  }
}

void attend(const AttentionArgs& args) noexcept { attend_by(best_functions(), args); }

void dot_rows_float32(const float* x_MK, int64_t m, const float* w_NK, int64_t n, int64_t k, float* y,
                      int64_t y_stride) noexcept {
  best_functions().dot_rows_float32(x_MK, m, w_NK, n, k, y, y_stride);
}

void dot_rows_bfloat16(const float* x_MK, int64_t m, const uint16_t* w_NK, int64_t n, int64_t k, float* y,
                       int64_t y_stride) noexcept {
  best_functions().dot_rows_bfloat16(x_MK, m, w_NK, n, k, y, y_stride);
}

int64_t float_peak(int64_t rounds) noexcept { return best_functions().float_peak(rounds); }

}  // namespace bitnet::kernels
