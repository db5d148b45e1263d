#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/core/progress.h"
#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"
#include "framework/nn/generator.h"
#include "framework/nn/scorer.h"

namespace bitnet {

/// One item's record, kept in samples_<evaluator>.jsonl and used for paired statistics: a window, a page, a question or
/// a programming problem.
struct EvaluationItem {
  std::string id;      ///< the same for all models that are compared
  double nats = 0;     ///< sum of -log p
  int64_t tokens = 0;  ///< scored tokens
  int64_t words = 0;   ///< by the convention's word count; 0 where it has none
  int64_t bytes = 0;   ///< UTF-8 bytes of the text that the scored tokens stand for
  /// Metric name -> what this item contributes to it, in [0, 1]; the metric is the mean over the items.
  std::map<std::string, double> outcomes = {};
  /// What the samples file keeps beside the figures: a JSON object, or nothing. results.json keeps that of few items
  /// (framework/experiment/item_details.h).
  std::string details = {};
  double seconds = 0;        ///< of a test of speed: that its tokens took
  int64_t memory_bytes = 0;  ///< of a test of memory: what the model took at most
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
  std::string split;  ///< of the dataset; for evaluators with data of their own, what that is
  std::vector<Metric> metrics;
  std::vector<EvaluationItem> items;
  std::map<std::string, double> floor;   ///< metric name -> value at the true entropy, where known
  std::map<std::string, double> chance;  ///< metric name -> value where every answer is guessed, where known
  // Filled by who runs the evaluator:
  std::string weights_sha256;  ///< of the model that was measured
  double seconds = 0;          ///< that the evaluation took
};

/// One model as evaluators see it.
struct EvaluatedModel {
  Scorer& scorer;
  Generator& generator;
  std::string weights_sha256;    ///< identifies the model
  std::filesystem::path folder;  ///< of what an evaluator keeps of unfinished work, to go on with; empty: nothing kept
  /// Called within long work, where what is done so far is kept. Throws where the program is to stop; may be empty.
  std::function<void()> stop_if_asked;
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual std::string name() const = 0;
  virtual int64_t version() const = 0;
  /// SHA-256 of the data that is scored.
  virtual std::string data_sha256() const = 0;
  /// Errors: ConfigError where the window does not fit the scorer's context; DataError where the split holds no item to
  /// score, or where the model gives a probability that is not a number.
  virtual Evaluation evaluate(const EvaluatedModel& model, ProgressReporter& progress) = 0;
};

/// Keeps the first `limit` of `items`; 0: all.
template <class Item>
void keep_first(std::vector<Item>& items, int64_t limit) {
  if (limit > 0 && static_cast<int64_t>(items.size()) > limit) items.resize(static_cast<size_t>(limit));
}
/// What a convention says of that: "" or ", the first 8 only".
inline std::string limit_phrase(int64_t limit) {
  return limit == 0 ? "" : ", the first " + std::to_string(limit) + " only";
}

/// What the user allows evaluators to do. Changes no result.
struct EvaluatorOptions {
  bool allow_code_execution = false;  ///< run programs that a model wrote, each in a sandbox
};

/// The switch over the kinds. Finds and reads the data that the evaluator brings along, so that what is missing shows
/// before a model is trained. `dataset` and `tokenizer` must outlive the evaluator. Errors: ConfigError for
/// `kind: efficiency`, which compares models (framework/experiment/efficiency.h).
std::unique_ptr<Evaluator> make_evaluator(const NamedEvaluator& evaluator, const Dataset& dataset,
                                          const Tokenizer& tokenizer, const EvaluatorOptions& options,
                                          ProgressReporter& progress);

}  // namespace bitnet
