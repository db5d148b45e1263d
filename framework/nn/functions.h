#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "framework/config/experiment_config.h"

// The differentiable pieces of the decoder that are worth a kernel of their own: each saves passes over memory against
// the composition of library operators. Letters: B batch, T time, D width, H heads, G key/value heads, K head width, N
// rows, V vocabulary. All float32. No result depends on the number of threads, but for
// linear_cross_entropy, whose products are those of the library.

namespace bitnet {

/// x / sqrt(mean(x^2) + epsilon) * weight. Shapes: x [.., D], weight [D]. Source: Zhang and Sennrich 2019, equation 4.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon);

/// Cosines and sines of rotary positions. Shapes: [2, positions, K / 2]: cosines, then sines.
/// Source: Su et al. 2021 (RoFormer), section 3.2.2; frequency i is theta^(-2i / K).
at::Tensor rope_table(int64_t positions, int64_t head_width, double theta);

/// Rotates the pairs (i, i + K / 2) of every head (the half-split layout of Hugging Face's LLaMA).
/// Shapes: x [B, T, heads * K], table as rope_table gives with at least first_position + T positions.
at::Tensor apply_rope(const at::Tensor& x, const at::Tensor& table, int64_t first_position = 0);

/// Causal softmax attention, softmax(q k^T / sqrt(K)) v, with grouped heads: query head h reads key/value head h / (H /
/// G). Keeps no T x T matrix for the backward pass (recomputed from the log-sum-exp of each row). Shapes: q [B, T, H *
/// K], k and v [B, T, G * K] -> [B, T, H * K]. Source: Vaswani et al. 2017, equation 1; the recomputation: Dao et al.
/// 2022 (FlashAttention), section 3.1.
at::Tensor causal_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                            int64_t kv_heads);

/// act(gate) * up, with silu (SwiGLU) or the squared ReLU. Shapes: all the same. Source: Shazeer 2020 (GLU variants).
at::Tensor gated(const at::Tensor& gate, const at::Tensor& up, Activation activation);

/// Mean cross-entropy (nats) of the classifier hidden @ weight^T against targets, in chunks of rows: holds no N x V
/// matrix. Shapes: hidden [N, D], weight [V, D], targets [N] int64 -> [].
at::Tensor linear_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets);

}  // namespace bitnet
