#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/core/progress.h"
#include "framework/evaluate/evaluator.h"
#include "framework/nn/scorer.h"

namespace bitnet {

/// Scores all requests of `evaluator`, with a progress bar whose `unit` is for example "windows". What is scored is
/// kept in score_log_path as it comes, where the model has a folder for that, and is not scored again by a later call
/// with the same requests; who writes the evaluation down removes the file. Between two calls of the scorer, some
/// seconds apart, `model.stop_if_asked` may end the work. Errors: DataError where a log-likelihood is not a finite
/// number, and those of WorkLog.
std::vector<ScoreResult> score_all(const Evaluator& evaluator, const EvaluatedModel& model,
                                   std::span<const ScoreRequest> requests, std::string_view unit,
                                   ProgressReporter& progress);

/// The file in `folder` with the scores of an evaluation that is not finished.
std::filesystem::path score_log_path(const std::filesystem::path& folder, const std::string& evaluator);

}  // namespace bitnet
