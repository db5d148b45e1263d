#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"
#include "framework/evaluate/evaluator.h"

namespace bitnet {

/// How well a model predicts a split's text, under one of five conventions that give different numbers and are never
/// compared with each other (conventions.h has their windows):
/// - `windows` (GPTQ): BOS once, then the text in windows without overlap (fixed_windows). perplexity is exp of the
/// mean
///   over windows of the window's mean nats.
/// - `bitnet` (BitNet b1.58): lines and their EOS packed into windows that start with BOS (packed_windows). perplexity
///   is exp of nats / scored tokens.
/// - `sliding` (Hugging Face's guide): windows that overlap (sliding_windows). perplexity is exp of the mean of the
///   windows' mean nats, weighted as the guide weighs them; an item's nats and tokens are weighted so.
/// - `word` (lm-eval): every token of every page scored exactly once (rolling_windows, BOS as the prefix).
///   word_perplexity = exp(nats / words), byte_perplexity = exp(nats / bytes). Words and bytes are the page's as
///   stored, also where the text that is scored was detokenized.
/// - `chunks` (llama.cpp): the text without its last newline in windows without overlap, the first token of each
///   overwritten by BOS; the second half of each is scored (half_scored_windows). perplexity is exp of nats / scored
///   tokens.
/// bits_per_byte = nats / ln 2 / bytes in all but `sliding`, whose weights leave no bytes to divide by; the bytes are
/// those that the scored tokens stand for, in `bitnet` with EOS for a line's newline.
/// Source: GPTQ (Frantar et al. 2022); 1bitLLM's eval_ppl.py; transformers' perplexity.md; lm-evaluation-harness, task
/// wikitext; llama.cpp's perplexity.cpp.
class PerplexityEvaluator : public Evaluator {
 public:
  PerplexityEvaluator(std::string name, EvaluatorConfig config, const Dataset& dataset, const Tokenizer& tokenizer);
  std::string name() const override { return name_; }
  int64_t version() const override { return 1; }
  std::string data_sha256() const override { return dataset_.sha256(config_.split); }
  Evaluation evaluate(const EvaluatedModel& model, ProgressReporter& progress) override;

 private:
  int64_t window_length(const Scorer& scorer) const;
  void evaluate_windows(const EvaluatedModel& model, ProgressReporter& progress, Evaluation& evaluation) const;
  void evaluate_packed(const EvaluatedModel& model, ProgressReporter& progress, Evaluation& evaluation) const;
  void evaluate_sliding(const EvaluatedModel& model, ProgressReporter& progress, Evaluation& evaluation) const;
  void evaluate_chunks(const EvaluatedModel& model, ProgressReporter& progress, Evaluation& evaluation) const;
  void evaluate_words(const EvaluatedModel& model, ProgressReporter& progress, Evaluation& evaluation) const;
  /// A text's ids, after BOS where the configuration wants it, and the bytes that each stands for.
  struct EncodedText {
    std::vector<int32_t> ids;
    std::vector<int64_t> bytes;
  };
  EncodedText encode(const std::string& text) const;
  /// Rows joined or as stored, and the phrase for it.
  std::string joined_or_stored() const;
  std::string text_phrase() const;
  /// Scores windows that lie `length` apart and adds an item for each.
  void add_windows(const EvaluatedModel& model, ProgressReporter& progress, const EncodedText& text,
                   const std::vector<ScoreRequest>& windows, int64_t length, Evaluation& evaluation) const;
  /// The floor of the metrics of a text that is scored as stored.
  void add_floor(const EncodedText& text, Evaluation& evaluation) const;
  void require_windows(size_t windows, const std::string& needed, size_t tokens) const;
  std::string where() const { return "evaluator '" + name_ + "'"; }

  std::string name_;
  EvaluatorConfig config_;
  const Dataset& dataset_;
  const Tokenizer& tokenizer_;
};

}  // namespace bitnet
