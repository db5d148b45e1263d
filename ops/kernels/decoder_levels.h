#pragma once

#include <cstdint>

#include "ops/kernels/decoder_math.h"

namespace bitnet::kernels {

/// Up to kAttentionRows queries over the keys and values of one head.
struct AttentionTile {
  const float* const* q_R;   ///< [head_width] each
  float* const* out_R;       ///< [head_width] each; may be q_R
  const int64_t* lengths_R;  ///< row r sees the positions [0, lengths_R[r]), at least 1
  int64_t rows;
  const float* keys;
  const float* values;
  int64_t head_width;
  float scale;
  float* scratch;
  float* const* log_sums_R;  ///< null, or where log(sum of exp(score)) of each row goes
};

/// The loops of decoder_loops.h, compiled for one level of instructions; see decoder_math.h.
struct DecoderFunctions {
  void (*rms_norm_rows)(const float* x_MK, int64_t m, int64_t k, const float* weight_K, float epsilon, float* y_MK,
                        float* inverse_rms_M);
  void (*gate_silu)(const float* gate, const float* up, int64_t count, float* out);
  void (*gate_relu2)(const float* gate, const float* up, int64_t count, float* out);
  void (*rotate_head)(const float* x, int64_t half, const float* cosines, const float* sines, float sign, float* y);
  void (*attend)(const AttentionTile& tile);
  void (*dot_rows_float32)(const float* x_MK, int64_t m, const float* w_NK, int64_t n, int64_t k, float* y,
                           int64_t y_stride);
  void (*dot_rows_bfloat16)(const float* x_MK, int64_t m, const uint16_t* w_NK, int64_t n, int64_t k, float* y,
                            int64_t y_stride);
  int64_t (*float_peak)(int64_t rounds);
};

// Constant tables, so that reading one runs no code of its level.
extern const DecoderFunctions kDecoderPortable;
#if defined(__x86_64__)
extern const DecoderFunctions kDecoderAvx2;
extern const DecoderFunctions kDecoderAvx512;
#endif

/// attend with the functions of one level.
void attend_by(const DecoderFunctions& functions, const AttentionArgs& args) noexcept;

/// One level that this build has.
struct DecoderLevel {
  const char* name;
  const DecoderFunctions* functions;
  bool supported;     ///< by this CPU
  bool multiply_add;  ///< rounds a multiply-add once
};

/// The levels of this build, best first; the last one, portable, runs everywhere.
struct DecoderLevels {
  DecoderLevel level[3];
  int count;
};
const DecoderLevels& decoder_levels() noexcept;

}  // namespace bitnet::kernels
