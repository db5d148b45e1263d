#include "framework/evaluate/evaluator.h"

#include "framework/core/error.h"
#include "framework/evaluate/code_evaluator.h"
#include "framework/evaluate/multiple_choice.h"
#include "framework/evaluate/perplexity.h"

namespace bitnet {

std::unique_ptr<Evaluator> make_evaluator(const NamedEvaluator& evaluator, const Dataset& dataset,
                                          const Tokenizer& tokenizer, const EvaluatorOptions& options,
                                          ProgressReporter& progress) {
  switch (evaluator.config.kind) {
    case EvaluatorKind::kPerplexity:
      return std::make_unique<PerplexityEvaluator>(evaluator.name, evaluator.config, dataset, tokenizer);
    case EvaluatorKind::kMultipleChoice:
      return std::make_unique<MultipleChoiceEvaluator>(
          evaluator.name, evaluator.config,
          open_choice_data(evaluator.config, dataset, "evaluator '" + evaluator.name + "'", progress), tokenizer);
    case EvaluatorKind::kCode:
      return std::make_unique<CodeEvaluator>(
          evaluator.name, evaluator.config,
          open_code_data(evaluator.config.data, dataset, "evaluator '" + evaluator.name + "'", progress), tokenizer,
          options);
    case EvaluatorKind::kEfficiency:
      throw ConfigError("evaluator '" + evaluator.name +
                        "': kind must be one that measures a model by itself, but is efficiency, which measures the "
                        "variants of an experiment by turns. Use `bitnet bench` for one model.");
  }
  throw ConfigError("evaluator '" + evaluator.name +
                    "': kind must be a known one, but is not. Choose one of those that configs/REFERENCE.md lists.");
}

}  // namespace bitnet
