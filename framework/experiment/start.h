#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "framework/config/experiment_config.h"
#include "framework/core/progress.h"
#include "framework/nn/model_source.h"

namespace bitnet {

/// Where a variant's checkpoint was found.
struct FoundCheckpoint {
  std::optional<std::filesystem::path> path;  ///< none: the variant starts from random weights
  std::string note;  ///< for the report, where random weights stand in for a checkpoint that is not to be had; or empty
};

/// Finds, or fetches, what `variant.start` names. Errors: DataError where it is not to be had and `start.missing` says
/// error.
FoundCheckpoint find_checkpoint(const VariantConfig& variant, ProgressReporter& progress);

/// The weights that a variant starts from: those of its checkpoint, which must have the variant's shape, or random ones
/// from `seed`. Linear layers, head and context are the variant's. Errors: DataError for a damaged checkpoint, and one
/// of another shape or with fewer pieces than the tokenizer; ConfigError for a context beyond the checkpoint's.
ModelSource start_weights(const VariantConfig& variant, const FoundCheckpoint& found, int64_t vocab_size, int64_t seed);

}  // namespace bitnet
