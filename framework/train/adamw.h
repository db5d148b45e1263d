#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/nn/decoder_lm.h"
#include "framework/train/schedule.h"

namespace bitnet {

/// AdamW in one pass over each parameter, float32.
/// Source: Loshchilov and Hutter 2019, algorithm 2 (decoupled weight decay scaled by the learning rate).
/// Two parameter groups: matrices inside the blocks and the untied head decay; norms and the embedding do not.
class AdamW {
 public:
  AdamW(std::vector<NamedParameter> parameters, const OptimizerConfig& config);

  /// Clips the global gradient norm, updates every parameter from its gradient and frees the gradients.
  /// Returns the gradient norm before clipping. `step` is 0-based.
  double update(const StepHyper& hyper, int64_t step);

  const std::vector<NamedParameter>& parameters() const { return parameters_; }
  /// First and second moments, in the order of the parameters.
  const std::vector<at::Tensor>& first_moments() const { return first_moments_; }
  const std::vector<at::Tensor>& second_moments() const { return second_moments_; }

 private:
  std::vector<NamedParameter> parameters_;
  std::vector<bool> decays_;
  std::vector<at::Tensor> first_moments_, second_moments_;
  OptimizerConfig config_;
};

}  // namespace bitnet
