#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <string>
#include <vector>

#include "framework/core/random.h"
#include "framework/nn/decoder_lm.h"

// What the tests of models share: small configurations, tokens, weights that make every part matter, exact comparison.

namespace bitnet::testing {

/// A model small enough for loops in double precision, with grouped heads.
inline ModelConfig tiny_config(LinearKind linear, NormPlacement norm = NormPlacement::kLlama) {
  ModelConfig config;
  config.linear = linear;
  config.width = 24;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.ffn_width = 33;  // no multiple of a vector or of a block of the packed format
  config.context = 12;
  config.norm = norm;
  config.rope_theta = 100.0;
  config.init_std = 0.3;  // sharp enough that a wrong head, row or position shows
  return config;
}

inline constexpr int64_t kTinyVocab = 19;

inline DecoderLM make_model(const ModelConfig& config, int64_t seed = 5, int64_t vocab_size = kTinyVocab) {
  return DecoderLM(config, vocab_size, seed, linear_factory(config.linear));
}

/// Uniform in [low, high), the same on every machine.
inline at::Tensor uniform_tensor(at::IntArrayRef shape, uint64_t seed, double low = -1.0, double high = 1.0) {
  Random random(seed);
  at::Tensor values = at::empty(shape, at::kFloat);
  float* data = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<float>(low + (high - low) * random.uniform());
  return values;
}

inline at::Tensor random_tokens(int64_t batch, int64_t time, int64_t vocab_size = kTinyVocab, uint64_t seed = 3) {
  Random random(seed);
  at::Tensor tokens = at::empty({batch, time}, at::kLong);
  for (int64_t i = 0; i < tokens.numel(); ++i) {
    tokens.data_ptr<int64_t>()[i] = static_cast<int64_t>(random.below(static_cast<uint64_t>(vocab_size)));
  }
  return tokens;
}

/// Norm weights start as ones, which hides a norm that forgets or swaps them: gives each other values.
inline void vary_norm_weights(const DecoderLM& model) {
  const at::NoGradGuard no_grad;
  uint64_t seed = 100;
  for (const NamedParameter& parameter : model.parameters()) {
    if (parameter.value.dim() == 1)
      parameter.value.detach().copy_(uniform_tensor(parameter.value.sizes(), ++seed, 0.5, 1.5));
  }
}

/// Same shape, type and bits. (at::equal alone would take -0 for 0.)
inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
  if (a.scalar_type() != at::kFloat) return at::equal(a, b);
  return at::equal(a.detach().contiguous().view(at::kInt), b.detach().contiguous().view(at::kInt));
}

/// The largest difference, relative to the largest reference value.
inline double relative_difference(const at::Tensor& a, const at::Tensor& reference) {
  const at::Tensor exact = reference.detach().to(at::kDouble);
  return ((a.detach().to(at::kDouble) - exact).abs().max() / exact.abs().max()).item<double>();
}

/// Runs the rest of a scope with a number of threads, then goes back.
class Threads {
 public:
  explicit Threads(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace bitnet::testing
