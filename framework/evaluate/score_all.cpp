#include "framework/evaluate/score_all.h"

#include <algorithm>
#include <cmath>

#include "framework/core/error.h"

namespace bitnet {
namespace {

/// Requests that one call of the scorer gets: few enough for a moving progress bar, many enough to keep all cores busy.
constexpr size_t kRequestsPerCall = 64;

}  // namespace

std::vector<ScoreResult> score_all(Scorer& scorer, std::span<const ScoreRequest> requests, const std::string& evaluator,
                                   std::string_view unit, ProgressReporter& progress) {
  std::vector<ScoreResult> results;
  results.reserve(requests.size());
  progress.start("evaluating " + evaluator, static_cast<int64_t>(requests.size()), unit);
  while (results.size() < requests.size()) {
    const size_t count = std::min(kRequestsPerCall, requests.size() - results.size());
    for (const ScoreResult& result : scorer.score(requests.subspan(results.size(), count))) {
      if (!std::isfinite(result.nats)) {
        throw DataError("evaluator '" + evaluator + "': every log-likelihood must be a finite number, but one is " +
                        std::to_string(-result.nats) +
                        ". The model's weights have diverged: train it anew with a lower learning rate.");
      }
      results.push_back(result);
    }
    progress.update(static_cast<int64_t>(results.size()));
  }
  progress.finish();
  return results;
}

}  // namespace bitnet
