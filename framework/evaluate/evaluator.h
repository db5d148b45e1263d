#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/core/progress.h"
#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"
#include "framework/nn/scorer.h"

namespace bitnet {

/// One item's record, kept in samples_<evaluator>.jsonl and used for paired statistics: a window or a page.
struct EvaluationItem {
  std::string id;      ///< the same for all models that are compared
  double nats = 0;     ///< sum of -log p
  int64_t tokens = 0;  ///< scored tokens
  int64_t words = 0;   ///< by the convention's word count; 0 where it has none
  int64_t bytes = 0;   ///< UTF-8 bytes of the text that the scored tokens stand for
};

struct Metric {
  std::string name;  ///< for example "word_perplexity", "bits_per_byte"
  double value = 0;
  std::string unit;  ///< for example "perplexity", "bits/byte"
  bool lower_is_better = true;
};

/// What an evaluator found about one model.
struct Evaluation {
  std::string evaluator;   ///< the block's name
  int64_t version = 0;     ///< of the evaluator's code: raised when its numbers change
  std::string convention;  ///< for example "windows (rows joined by two newlines), 256 tokens"
  std::string data_sha256;
  std::string split;
  std::vector<Metric> metrics;
  std::vector<EvaluationItem> items;
  std::map<std::string, double> floor;  ///< metric name -> value at the true entropy, where known
  // Filled by who runs the evaluator:
  std::string weights_sha256;  ///< of the model that was measured
  double seconds = 0;          ///< that the evaluation took
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual std::string name() const = 0;
  virtual int64_t version() const = 0;
  /// Errors: ConfigError where the window does not fit the scorer's context; DataError where the split holds no item to
  /// score, or where the model gives a probability that is not a number.
  virtual Evaluation evaluate(Scorer& scorer, ProgressReporter& progress) = 0;
};

/// The switch over the kinds. `dataset` and `tokenizer` must outlive the evaluator.
std::unique_ptr<Evaluator> make_evaluator(const NamedEvaluator& evaluator, const Dataset& dataset,
                                          const Tokenizer& tokenizer);

}  // namespace bitnet
