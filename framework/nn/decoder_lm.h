#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/nn/linear.h"

namespace bitnet {

/// A trainable tensor and its name, for example "layers.0.attention.q.weight".
struct NamedParameter {
  std::string name;
  at::Tensor value;
};

/// A linear layer and its name.
struct NamedLinear {
  std::string name;
  std::shared_ptr<Linear> linear;
};

/// Gives the initial value of a parameter, by the name that DecoderLM::parameters has for it: float32, contiguous, of
/// the shape asked for.
using ParameterSource = std::function<at::Tensor(const std::string& name, at::IntArrayRef shape)>;

/// A LLaMA-architecture decoder: RMSNorm, RoPE, grouped-query attention, SwiGLU. One definition for all forms of the
/// linear layer. Source: Touvron et al. 2023 (LLaMA), section 2.2; norm placements: docs/conventions.md.
class DecoderLM {
 public:
  /// Initial weights are normal(0, init_std) drawn in a fixed order from `seed`: the same for every factory.
  DecoderLM(const ModelConfig& config, int64_t vocab_size, int64_t seed, const LinearFactory& factory);
  /// Initial weights from a source, which is asked for each parameter once, in a fixed order.
  DecoderLM(const ModelConfig& config, int64_t vocab_size, const ParameterSource& source, const LinearFactory& factory);
  ~DecoderLM();
  DecoderLM(DecoderLM&&) noexcept;
  DecoderLM& operator=(DecoderLM&&) noexcept;

  /// Shapes: tokens_BT [B, T] int64, T <= context -> hidden states after the last norm [B, T, D] float32.
  at::Tensor hidden(const at::Tensor& tokens_BT) const;
  /// Logits of hidden states. Shapes: hidden [.., D] -> [.., V].
  at::Tensor logits(const at::Tensor& hidden) const;
  /// Shapes: tokens_BT [B, T] int64 -> logits [B, T, V] float32.
  at::Tensor forward(const at::Tensor& tokens_BT) const { return logits(hidden(tokens_BT)); }
  /// Mean cross-entropy in nats of predicting targets_BT; never holds all logits at once. Shapes: [B, T] both -> [].
  at::Tensor loss(const at::Tensor& tokens_BT, const at::Tensor& targets_BT) const;

  /// All trainable tensors in a fixed order.
  std::vector<NamedParameter> parameters() const;
  /// The linear layers inside the blocks (not embedding or head), in a fixed order.
  std::vector<NamedLinear> linears() const;
  const ModelConfig& config() const;
  int64_t vocab_size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitnet
