#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "framework/config/experiment_config.h"
#include "framework/core/progress.h"
#include "framework/data/token_windows.h"
#include "framework/nn/decoder_lm.h"
#include "framework/train/records.h"

namespace bitnet {

/// One training from start to end, in a folder of its own.
struct TrainJob {
  std::filesystem::path folder;  ///< metrics.jsonl, checkpoint.safetensors, timing.json, model.safetensors
  std::string label;             ///< for the progress bar, for example "bitnet, seed 1"
  std::string identity;          ///< digest of all that the training depends on; a checkpoint of another is refused
  std::map<std::string, std::string> model_metadata;  ///< stored with the finished model
  OptimizerConfig optimizer;
  TrainerConfig trainer;
  int64_t seed = 1;
  const TokenWindows* train = nullptr;
  const TokenWindows* validation = nullptr;
  /// The training is left after so many steps, with its checkpoint saved; 0: not before its end.
  int64_t stop_after_steps = 0;
  /// Asked after each step: true saves a checkpoint and throws Interrupted. May be empty.
  std::function<bool()> should_stop;
};

struct TrainOutcome {
  bool trained = false;  ///< false: the finished model was there
  bool finished = true;  ///< false: left after `stop_after_steps`; the model is that of `steps`
  int64_t steps = 0;
  int64_t tokens_seen = 0;
  double train_seconds = 0;  ///< in steps, over all resumed parts that count; validation and checkpoints apart
  std::string initial_weights_sha256;
  std::string final_weights_sha256;
  TrainRecords records;
};

/// Training stopped on request after its checkpoint was saved.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted; the same command resumes"; }
};

/// Trains `model` (with its initial weights) to the end, or as far as the job says, or resumes from the folder's
/// checkpoint, or, where the finished model is there, reads it. Killed at any moment, the same call goes on and gives
/// the same bits. Errors: DataError for a damaged checkpoint or one of another configuration, and for splits too short
/// for one batch (training) or one window (validation).
TrainOutcome train_to_end(DecoderLM& model, const TrainJob& job, ProgressReporter& progress);

}  // namespace bitnet
