#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/core/tensor_file.h"
#include "framework/data/token_windows.h"
#include "framework/nn/decoder_lm.h"
#include "framework/train/adamw.h"

namespace bitnet {

/// What one optimizer step gave.
struct StepResult {
  double nats_per_token = 0;  ///< loss of the batch before the update
  double learning_rate = 0;
  double gradient_norm = 0;  ///< before clipping
};

/// Trains one model, step by step. Its whole state is the parameters, the moments and the step count: run(10) equals
/// run(5), save, load, run(5), bit for bit, at the same number of threads.
class Trainer {
 public:
  /// `model` and `loader` must outlive the trainer.
  Trainer(DecoderLM& model, const OptimizerConfig& optimizer, const TrainerConfig& trainer, BatchLoader& loader);

  int64_t total_steps() const { return total_steps_; }
  int64_t steps_per_epoch() const;
  int64_t steps_done() const { return steps_done_; }
  int64_t tokens_per_step() const { return batch_windows_ * window_; }

  /// One optimizer step. Errors: ConfigError where the loss or the gradient norm is not finite, with what to change;
  /// the trainer is of no use after that.
  StepResult step();

  /// The state as named tensors (views of live memory) and metadata, and back.
  /// Errors of restore: DataError where a tensor is missing or of another shape; `where` names the file.
  void add_state(std::map<std::string, std::string>& metadata, std::map<std::string, TensorView>& tensors) const;
  void restore(const TensorFile& file, const std::string& where);

 private:
  DecoderLM& model_;
  OptimizerConfig config_;
  BatchLoader& loader_;
  AdamW optimizer_;
  int64_t batch_windows_;
  int64_t window_;
  int64_t total_steps_;
  int64_t steps_done_ = 0;
  std::vector<int64_t> batch_;
};

/// Mean loss in nats per token over all windows (at least one), in batches. No gradients.
double validation_loss(const DecoderLM& model, const TokenWindows& windows, int64_t batch_windows);

}  // namespace bitnet
