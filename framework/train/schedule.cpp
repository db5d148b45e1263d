#include "framework/train/schedule.h"

#include <cmath>
#include <numbers>

namespace bitnet {

StepHyper hyper_at(const OptimizerConfig& config, int64_t step, int64_t total_steps) {
  const ScheduleConfig& schedule = config.schedule;
  StepHyper hyper{config.learning_rate, config.weight_decay};
  const auto warmup_steps =
      static_cast<int64_t>(std::ceil(schedule.warmup_fraction * static_cast<double>(total_steps)));
  // 0 up to the first step after the warm-up, 1 at the last step.
  double progress = 0.0;
  if (step >= warmup_steps) {
    progress = step + 1 >= total_steps
                   ? 1.0
                   : static_cast<double>(step - warmup_steps) / static_cast<double>(total_steps - 1 - warmup_steps);
  }
  const double linear = 1.0 - (1.0 - schedule.final_fraction) * progress;
  double factor = 1.0;
  switch (schedule.kind) {
    case ScheduleKind::kConstant:
      break;
    case ScheduleKind::kLinear:
      factor = linear;
      break;
    case ScheduleKind::kCosine:
      factor = schedule.final_fraction +
               (1.0 - schedule.final_fraction) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
      break;
    case ScheduleKind::kTwoStage:
      factor = linear;
      if (static_cast<double>(step) >= schedule.stage_two_at * static_cast<double>(total_steps)) {
        factor *= schedule.stage_two_learning_rate;
        hyper.weight_decay = schedule.stage_two_weight_decay;
      }
      break;
  }
  if (step < warmup_steps) factor *= static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  hyper.learning_rate *= factor;
  return hyper;
}

}  // namespace bitnet
