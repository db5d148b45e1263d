#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bitnet {

/// One sequence to score: the log-likelihood of tokens[scored_from..] given all before each of them.
struct ScoreRequest {
  std::vector<int32_t> tokens;  ///< at most the scorer's context + 1 long: the last token is predicted, never an input
  int64_t scored_from = 1;      ///< in [1, tokens.size()): the first token has nothing before it
  /// In [0, scored_from): so many tokens at the start are read by themselves, once for all neighboring requests that
  /// start with the same ones. The result depends on this number, but not on whether there are such neighbors.
  int64_t shared = 0;
};

struct ScoreResult {
  double nats = 0;      ///< sum of -log p over the scored tokens
  int64_t tokens = 0;   ///< how many were scored
  bool greedy = false;  ///< whether every scored token is the argmax (the lowest id of equal ones)
};

/// Scores token sequences with a model. A request's result depends on the request alone: not on its neighbors, their
/// order or their number.
class Scorer {
 public:
  virtual ~Scorer() = default;
  virtual int64_t context() const = 0;  ///< most input tokens of one request
  /// Results in the order of the requests.
  virtual std::vector<ScoreResult> score(std::span<const ScoreRequest> requests) = 0;
};

}  // namespace bitnet
