#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/core/progress.h"
#include "framework/nn/scorer.h"

namespace bitnet {

/// Scores all requests with a progress bar, in calls short enough for it to move. `evaluator` and `unit` ("windows")
/// name the work. Errors: DataError where a log-likelihood is not a finite number.
std::vector<ScoreResult> score_all(Scorer& scorer, std::span<const ScoreRequest> requests, const std::string& evaluator,
                                   std::string_view unit, ProgressReporter& progress);

}  // namespace bitnet
