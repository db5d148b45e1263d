#pragma once

#include <cstdint>

#include "framework/config/experiment_config.h"

namespace bitnet {

/// What the optimizer uses in one step.
struct StepHyper {
  double learning_rate = 0;
  double weight_decay = 0;
};

/// Learning rate and weight decay of step `step` (0-based) of `total_steps`. Pure.
/// Warm-up rises linearly from 1/w to 1 of the peak over w = ceil(warmup_fraction * total_steps) steps. Then
///   constant:  the peak;
///   linear, cosine: from the peak to final_fraction of it at the last step;
///   two_stage: linear from the peak towards final_fraction of it over the whole run; from stage_two_at on the rate is
///              multiplied by stage_two_learning_rate and the weight decay becomes stage_two_weight_decay.
/// Source: Ma et al. 2024, "The Era of 1-bit LLMs: Training Tips, Code and FAQ", section 2 (two-stage schedules).
StepHyper hyper_at(const OptimizerConfig& config, int64_t step, int64_t total_steps);

}  // namespace bitnet
