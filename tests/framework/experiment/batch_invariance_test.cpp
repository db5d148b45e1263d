#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "framework/evaluate/evaluator.h"
#include "framework/infer/model_generator.h"
#include "framework/infer/model_scorer.h"

// The scores of every evaluator that scores, with a real model, must be the same bits however the requests are put
// together.

namespace bitnet {
namespace {

/// Passes requests on in groups of a size, each group from its end to its start.
class Regrouped : public Scorer {
 public:
  Regrouped(Scorer& scorer, size_t size) : scorer_(scorer), size_(size) {}
  int64_t context() const override { return scorer_.context(); }
  std::vector<ScoreResult> score(std::span<const ScoreRequest> requests) override {
    std::vector<ScoreResult> results;
    for (size_t begin = 0; begin < requests.size(); begin += size_) {
      const auto part = requests.subspan(begin, std::min(size_, requests.size() - begin));
      std::vector<ScoreRequest> reversed(part.rbegin(), part.rend());
      std::vector<ScoreResult> scored = scorer_.score(reversed);
      results.insert(results.end(), scored.rbegin(), scored.rend());
    }
    return results;
  }

 private:
  Scorer& scorer_;
  size_t size_;
};

std::vector<NamedEvaluator> scoring_evaluators() {
  std::vector<NamedEvaluator> evaluators;
  for (const PerplexityConvention convention :
       {PerplexityConvention::kWindows, PerplexityConvention::kWord, PerplexityConvention::kBitnet,
        PerplexityConvention::kSliding, PerplexityConvention::kChunks}) {
    NamedEvaluator& named = evaluators.emplace_back();
    named.name = "perplexity-" + std::to_string(static_cast<int>(convention));
    named.config.convention = convention;
    named.config.stride = 16;
  }
  evaluators.push_back({"choices", {}});
  evaluators.back().config.kind = EvaluatorKind::kMultipleChoice;
  return evaluators;
}

class BatchInvariance : public ::testing::TestWithParam<LinearKind> {};

TEST_P(BatchInvariance, EveryEvaluatorGivesTheSameBitsForEveryGroupingOfItsRequests) {
  ModelConfig config;
  config.linear = GetParam();
  config.width = 32;
  config.layers = 1;
  config.heads = 2;
  config.kv_heads = 1;
  config.ffn_width = 48;
  config.context = 48;  // also cuts the prompts of some questions
  config.init_std = 0.3;
  DatasetConfig data;
  data.train_bytes = data.validation_bytes = 1;
  data.test_bytes = 2000;
  ProgressReporter silent;
  const auto dataset = open_dataset(data, silent);
  const auto tokenizer = make_byte_tokenizer();
  const DecoderLM model(config, tokenizer->vocab_size(), /*seed=*/3, linear_factory(config.linear));
  const ServedModel served = serve(model);
  ModelGenerator generator(served);
  for (const NamedEvaluator& named : scoring_evaluators()) {
    const auto evaluator = make_evaluator(named, *dataset, *tokenizer, {}, silent);
    ModelScorer scorer(served);
    const Evaluation expected = evaluator->evaluate({scorer, generator, "weights", {}, {}}, silent);
    ASSERT_FALSE(expected.items.empty());
    for (const size_t size : {size_t{1}, size_t{3}, size_t{64}}) {
      Regrouped regrouped(scorer, size);
      const Evaluation evaluation = evaluator->evaluate({regrouped, generator, "weights", {}, {}}, silent);
      ASSERT_EQ(evaluation.items.size(), expected.items.size());
      for (size_t i = 0; i < expected.items.size(); ++i) {
        ASSERT_EQ(evaluation.items[i].nats, expected.items[i].nats) << named.name << ", groups of " << size;
        ASSERT_EQ(evaluation.items[i].details, expected.items[i].details) << named.name << ", groups of " << size;
      }
      for (size_t i = 0; i < expected.metrics.size(); ++i) {
        EXPECT_EQ(evaluation.metrics[i].value, expected.metrics[i].value) << named.name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BothLinears, BatchInvariance, ::testing::Values(LinearKind::kFloat, LinearKind::kBitnet),
                         [](const auto& test) { return test.param == LinearKind::kFloat ? "Float" : "BitNet"; });

}  // namespace
}  // namespace bitnet
