#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"
#include "framework/evaluate/evaluator.h"

namespace bitnet {

/// How well a model predicts a split's text, under one of two conventions that give different numbers and are never
/// compared with each other:
/// - `windows` (GPTQ): BOS once, then the text in windows without overlap (fixed_windows). perplexity is exp of the
/// mean
///   over windows of the window's mean nats.
/// - `word` (lm-eval): every token of every page scored exactly once (rolling_windows, BOS as the prefix).
///   word_perplexity = exp(nats / words), byte_perplexity = exp(nats / bytes). Words and bytes are the page's as
///   stored, also where the text that is scored was detokenized.
/// bits_per_byte = nats / ln 2 / bytes in both; for `windows` the bytes are those that the scored tokens stand for.
/// Source: GPTQ (Frantar et al. 2022); lm-evaluation-harness, task wikitext.
class PerplexityEvaluator : public Evaluator {
 public:
  PerplexityEvaluator(std::string name, EvaluatorConfig config, const Dataset& dataset, const Tokenizer& tokenizer);
  std::string name() const override { return name_; }
  int64_t version() const override { return 1; }
  std::string data_sha256() const override { return dataset_.sha256(config_.split); }
  Evaluation evaluate(const EvaluatedModel& model, ProgressReporter& progress) override;

 private:
  int64_t window_length(const Scorer& scorer) const;
  void evaluate_windows(Scorer& scorer, ProgressReporter& progress, Evaluation& evaluation) const;
  void evaluate_words(Scorer& scorer, ProgressReporter& progress, Evaluation& evaluation) const;
  std::vector<ScoreResult> score_all(Scorer& scorer, const std::vector<ScoreRequest>& requests,
                                     ProgressReporter& progress) const;
  std::string where() const { return "evaluator '" + name_ + "'"; }

  std::string name_;
  EvaluatorConfig config_;
  const Dataset& dataset_;
  const Tokenizer& tokenizer_;
};

}  // namespace bitnet
