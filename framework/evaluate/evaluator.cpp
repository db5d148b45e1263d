#include "framework/evaluate/evaluator.h"

#include "framework/core/error.h"
#include "framework/evaluate/perplexity.h"

namespace bitnet {

std::unique_ptr<Evaluator> make_evaluator(const NamedEvaluator& evaluator, const Dataset& dataset,
                                          const Tokenizer& tokenizer, const EvaluatorOptions& options,
                                          ProgressReporter& progress) {
  static_cast<void>(options), static_cast<void>(progress);
  switch (evaluator.config.kind) {
    case EvaluatorKind::kPerplexity:
      return std::make_unique<PerplexityEvaluator>(evaluator.name, evaluator.config, dataset, tokenizer);
  }
  throw ConfigError("evaluator '" + evaluator.name +
                    "': kind must be perplexity, but is unknown. Choose a known kind.");
}

}  // namespace bitnet
