#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/infer/session.h"
#include "framework/nn/scorer.h"

namespace bitnet {

/// Scores with a served model in float32. Each request goes through the model alone, on one thread, and the threads
/// take requests in turn, those that share tokens together: shared tokens are read once, in a call of their own. Its
/// shapes, and so the order of every sum, depend on the request only: results are the same bits in any company, in any
/// order and with any number of threads.
class ModelScorer : public Scorer {
 public:
  /// `model` must outlive the scorer.
  explicit ModelScorer(const ServedModel& model) : model_(model) {}
  int64_t context() const override { return model_.config.context; }
  /// Errors: DataError for a request that is too short, too long, or holds an id that the model does not know.
  std::vector<ScoreResult> score(std::span<const ScoreRequest> requests) override;

 private:
  void check(const ScoreRequest& request) const;

  const ServedModel& model_;
};

}  // namespace bitnet
