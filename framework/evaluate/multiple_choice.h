#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/data/choice_questions.h"
#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"
#include "framework/evaluate/evaluator.h"

namespace bitnet {

/// Questions and where they are from.
struct ChoiceData {
  std::vector<ChoiceQuestion> questions;
  std::string name;    ///< the catalog entry, the file or the dataset
  std::string sha256;  ///< of the file, or of the questions where they are in none
};

/// The questions of an evaluator: from the catalog, a file, or the dataset itself where `data` is empty. `where` names
/// the evaluator in errors. Errors: DataError where the file is missing or wrong, or the dataset has no questions.
ChoiceData open_choice_data(const EvaluatorConfig& config, const Dataset& dataset, const std::string& where,
                            ProgressReporter& progress);

/// One choice as ids: the prompt's, then the choice's.
struct EncodedChoice {
  ScoreRequest request;
  bool truncated = false;  ///< tokens were left out at the start, because all did not fit
};

/// A prompt and its continuation as lm-evaluation-harness encodes them (TemplateLM._encode_pair and
/// HFLM._loglikelihood_tokens): white space at the prompt's end goes to the continuation; the continuation's ids are
/// those of the whole text behind as many as the prompt alone has; where all are more than `context` + 1, the last ones
/// stay. BOS comes first where `bos` says so, and always before an empty prompt. Errors: DataError where the
/// continuation has no ids or more than `context`; `where` names it.
EncodedChoice encode_choice(const Tokenizer& tokenizer, std::string_view prompt, std::string_view continuation,
                            bool bos, int64_t context, const std::string& where);

/// Which of a question's choices a model prefers, as lm-evaluation-harness' task arc_easy measures it, zero-shot.
/// - acc: the choice with the highest sum of log-likelihoods is the right one; the first of equal ones counts.
/// - acc_norm: the same with each sum divided by the number of Unicode code points of the choice (without the space
/// that
///   the continuation puts before it).
/// An item is a question: its nats and tokens are those of the right choice; details hold every choice.
class MultipleChoiceEvaluator : public Evaluator {
 public:
  MultipleChoiceEvaluator(std::string name, EvaluatorConfig config, ChoiceData data, const Tokenizer& tokenizer);
  std::string name() const override { return name_; }
  int64_t version() const override { return 1; }
  std::string data_sha256() const override { return data_.sha256; }
  Evaluation evaluate(const EvaluatedModel& model, ProgressReporter& progress) override;

 private:
  std::string name_;
  EvaluatorConfig config_;
  ChoiceData data_;
  const Tokenizer& tokenizer_;
};

}  // namespace bitnet
