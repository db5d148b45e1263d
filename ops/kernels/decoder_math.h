#pragma once

#include <cstdint>

// The float32 parts of a decoder layer between its linear layers: one spelling for training, evaluation and inference.
// Every result depends on its own row alone, in a fixed order of operations: not on how many rows a call takes, so that
// a prompt in one piece, in chunks, and token by token give the same bits. AVX2 and AVX-512 give the same bits too; a
// CPU without fused multiply-add differs in the last ones of attention, the SiLU gate and dots. No torch, no
// allocation, no exceptions.

namespace bitnet::kernels {

/// x / sqrt(mean(x^2) + epsilon) * weight. Shapes: x, y [m, k] (y may be x); weight [k]; inverse_rms_M [m] or null.
/// Source: Zhang and Sennrich 2019, equation 4.
void rms_norm_rows(const float* x_MK, int64_t m, int64_t k, const float* weight_K, float epsilon, float* y_MK,
                   float* inverse_rms_M) noexcept;

/// silu(gate) * up (SwiGLU, Shazeer 2020), silu(g) = g / (1 + exp(-g)). Shapes: all [count]; out may be an input.
void gate_silu(const float* gate, const float* up, int64_t count, float* out) noexcept;

/// relu(gate)^2 * up. Shapes: all [count]; out may be an input.
void gate_relu2(const float* gate, const float* up, int64_t count, float* out) noexcept;

/// Rotates the pairs (i, i + half) of one head: RoPE, half-split layout; `sign` -1 rotates back. Shapes: x, y [2 *
/// half] (y may be x); cosines, sines [half]. Source: Su et al. 2021 (RoFormer), section 3.2.2.
void rotate_head(const float* x, int64_t half, const float* cosines, const float* sines, float sign, float* y) noexcept;

/// Keys of one key/value head lie in blocks of 64 positions, [block][head_width][64], so that one vector holds a
/// feature of neighboring positions; values lie in rows of value_stride(head_width).
inline constexpr int64_t kKeyBlock = 64;
constexpr int64_t value_stride(int64_t head_width) { return (head_width + 15) / 16 * 16; }
constexpr int64_t key_floats(int64_t positions, int64_t head_width) {
  return (positions + kKeyBlock - 1) / kKeyBlock * kKeyBlock * head_width;
}
constexpr int64_t value_floats(int64_t positions, int64_t head_width) { return positions * value_stride(head_width); }

/// Stores the key and the value of one position. Shapes: key, value [head_width].
void store_key_value(const float* key, const float* value, int64_t position, int64_t head_width, float* keys,
                     float* values) noexcept;

/// Queries that attention takes at once.
inline constexpr int64_t kAttentionRows = 8;
/// Floats of scratch that attend needs for queries that see at most `positions` keys.
constexpr int64_t attention_scratch(int64_t positions) {
  return kAttentionRows * ((positions + kKeyBlock - 1) / kKeyBlock * kKeyBlock + 16);
}

/// Causal attention of consecutive positions, for the query heads that share one key/value head:
/// softmax(q k^T * scale) v. Source: Vaswani et al. 2017, equation 1; shared heads: Ainslie et al. 2023, section 2.2.
struct AttentionArgs {
  const float* q;           ///< of the first position: `group` heads of head_width, one after the other
  float* out;               ///< as q; may be q
  int64_t position_stride;  ///< floats from one position to the next in q and out
  int64_t positions;
  int64_t first_position;  ///< position i of the call sees the keys [0, first_position + i]
  int64_t group;
  const float* keys;  ///< initialized up to whole blocks
  const float* values;
  int64_t head_width;
  float scale;
  float* scratch;   ///< attention_scratch(first_position + positions)
  float* log_sums;  ///< null, or where log(sum of exp(score)) goes: log_sums[head * log_stride + position]
  int64_t log_stride;
};
void attend(const AttentionArgs& args) noexcept;

/// y[m * y_stride + n] = sum over k of x[m][k] * w[n][k]. Shapes: x [m, k], w [n, k] float32 or bfloat16 (upper half of
/// a float32).
void dot_rows_float32(const float* x_MK, int64_t m, const float* w_NK, int64_t n, int64_t k, float* y,
                      int64_t y_stride) noexcept;
void dot_rows_bfloat16(const float* x_MK, int64_t m, const uint16_t* w_NK, int64_t n, int64_t k, float* y,
                       int64_t y_stride) noexcept;

/// Fused multiply-adds done by `rounds` rounds of nothing but multiply-adds on registers: the float32 limit of one
/// core.
int64_t float_peak(int64_t rounds) noexcept;

}  // namespace bitnet::kernels
