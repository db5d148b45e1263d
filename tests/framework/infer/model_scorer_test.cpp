#include "framework/infer/model_scorer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/random.h"

namespace bitnet {
namespace {

constexpr int64_t kScorerVocab = 61;
constexpr int64_t kScorerContext = 300;  // more rows than the scorer puts through the head at once

DecoderLM scored_model(LinearKind linear, int64_t width = 24, int64_t ffn_width = 40) {
  ModelConfig config;
  config.linear = linear;
  config.width = width;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.ffn_width = ffn_width;
  config.context = kScorerContext;
  config.init_std = 0.4;  // sharp enough that a wrong row or position shows
  return DecoderLM(config, kScorerVocab, /*seed=*/7,
                   linear == LinearKind::kFloat ? float_linear_factory() : bitnet_linear_factory());
}

std::vector<ScoreRequest> random_requests() {
  Random random(11);
  std::vector<ScoreRequest> requests;
  for (const int64_t length : {2, 3, 17, 64, 65, 17, 128, 301, 31, 300, 2, 100}) {
    ScoreRequest& request = requests.emplace_back();
    for (int64_t i = 0; i < length; ++i) request.tokens.push_back(static_cast<int32_t>(random.below(kScorerVocab)));
    request.scored_from = 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(length) - 1));
  }
  requests[7].scored_from = 1;  // all 300 rows
  return requests;
}

/// The definition, in double: log-softmax of the whole logits, one row at a time.
ScoreResult reference_score(const DecoderLM& model, const ScoreRequest& request) {
  const at::NoGradGuard no_grad;
  const std::vector<int64_t> inputs(request.tokens.begin(), request.tokens.end() - 1);
  const at::Tensor logits = model.forward(at::tensor(inputs).unsqueeze(0)).squeeze(0).to(at::kDouble);
  const at::Tensor log_p = at::log_softmax(logits, -1);
  ScoreResult result;
  result.greedy = true;
  for (auto i = static_cast<size_t>(request.scored_from); i < request.tokens.size(); ++i) {
    const at::Tensor row = log_p[static_cast<int64_t>(i) - 1];
    result.nats -= row[request.tokens[i]].item<double>();
    ++result.tokens;
    result.greedy = result.greedy && row.argmax().item<int64_t>() == request.tokens[i];
  }
  return result;
}

void expect_same_bits(const ScoreResult& actual, const ScoreResult& expected, size_t index) {
  EXPECT_EQ(actual.nats, expected.nats) << "request " << index;
  EXPECT_EQ(actual.tokens, expected.tokens) << "request " << index;
  EXPECT_EQ(actual.greedy, expected.greedy) << "request " << index;
}

class ModelScorerOf : public ::testing::TestWithParam<LinearKind> {
 protected:
  void TearDown() override { at::set_num_threads(threads_); }

 private:
  int threads_ = at::get_num_threads();
};

TEST_P(ModelScorerOf, EqualsTheLogSoftmaxOfTheLogits) {
  const DecoderLM model = scored_model(GetParam());
  const ServedModel served = serve(model);
  ModelScorer scorer(served);
  EXPECT_EQ(scorer.context(), kScorerContext);
  const std::vector<ScoreRequest> requests = random_requests();
  const std::vector<ScoreResult> results = scorer.score(requests);
  ASSERT_EQ(results.size(), requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const ScoreResult expected = reference_score(model, requests[i]);
    EXPECT_NEAR(results[i].nats, expected.nats, 1e-5 * static_cast<double>(expected.tokens)) << "request " << i;
    EXPECT_EQ(results[i].tokens, expected.tokens) << "request " << i;
    EXPECT_EQ(results[i].greedy, expected.greedy) << "request " << i;
  }
}

// Large enough that the BLAS would share a product among threads, and then give other bits than one thread does.
TEST_P(ModelScorerOf, GivesTheSameBitsInAnyCompanyOrderAndNumberOfThreads) {
  const DecoderLM model = scored_model(GetParam(), /*width=*/256, /*ffn_width=*/688);
  const ServedModel served = serve(model);
  ModelScorer scorer(served);
  const std::vector<ScoreRequest> requests = random_requests();
  at::set_num_threads(1);
  const std::vector<ScoreResult> expected = scorer.score(requests);
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    for (size_t i = 0; i < requests.size(); ++i) {
      expect_same_bits(scorer.score(std::span(requests).subspan(i, 1)).at(0), expected[i], i);
    }
    std::vector<ScoreRequest> reversed = requests;
    std::reverse(reversed.begin(), reversed.end());
    reversed.insert(reversed.end(), requests.begin(), requests.end());
    const std::vector<ScoreResult> results = scorer.score(reversed);
    for (size_t i = 0; i < requests.size(); ++i) {
      expect_same_bits(results[requests.size() - 1 - i], expected[i], i);
      expect_same_bits(results[requests.size() + i], expected[i], i);
    }
  }
}

/// Questions of three choices behind prompts of different lengths, and a request that shares nothing.
std::vector<ScoreRequest> sharing_requests() {
  Random random(12);
  const auto draw = [&random](std::vector<int32_t>& tokens, int64_t count) {
    for (int64_t i = 0; i < count; ++i) tokens.push_back(static_cast<int32_t>(random.below(kScorerVocab)));
  };
  std::vector<ScoreRequest> requests;
  for (const int64_t prompt : {2, 17, 64, 130}) {
    std::vector<int32_t> start;
    draw(start, prompt);
    for (const int64_t choice : {1, 5, 40}) {
      ScoreRequest request{start, prompt, prompt - 1};
      draw(request.tokens, choice);
      requests.push_back(request);
    }
  }
  requests.push_back({requests.back().tokens, 4, 0});
  return requests;
}

TEST_P(ModelScorerOf, SharedTokensAreReadOnceAndChangeNoBitOfAnyNeighbor) {
  const DecoderLM model = scored_model(GetParam(), /*width=*/256, /*ffn_width=*/688);
  const ServedModel served = serve(model);
  ModelScorer scorer(served);
  const std::vector<ScoreRequest> requests = sharing_requests();
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    const std::vector<ScoreResult> together = scorer.score(requests);
    for (size_t i = 0; i < requests.size(); ++i) {
      expect_same_bits(scorer.score(std::span(requests).subspan(i, 1)).at(0), together[i], i);
      ScoreRequest whole = requests[i];
      whole.shared = 0;
      const ScoreResult alone = scorer.score(std::span(&whole, 1)).at(0);
      // A packed model gives the same bits however its input is cut; a float one only up to the order of its sums.
      if (GetParam() == LinearKind::kBitnet) expect_same_bits(alone, together[i], i);
      EXPECT_NEAR(alone.nats, together[i].nats, 1e-4 * static_cast<double>(alone.tokens)) << "request " << i;
    }
    std::vector<ScoreRequest> reversed = requests;
    std::reverse(reversed.begin(), reversed.end());
    const std::vector<ScoreResult> backwards = scorer.score(reversed);
    for (size_t i = 0; i < requests.size(); ++i) expect_same_bits(backwards[requests.size() - 1 - i], together[i], i);
  }
}

TEST_P(ModelScorerOf, KnowsAGreedyContinuation) {
  const DecoderLM model = scored_model(GetParam());
  const ServedModel served = serve(model);
  ModelScorer scorer(served);
  ScoreRequest request{{5, 9}, 2};
  for (int step = 0; step < 6; ++step) {
    const at::NoGradGuard no_grad;
    const std::vector<int64_t> inputs(request.tokens.begin(), request.tokens.end());
    const at::Tensor logits = model.forward(at::tensor(inputs).unsqueeze(0));
    request.tokens.push_back(static_cast<int32_t>(logits[0][-1].argmax().item<int64_t>()));
  }
  ScoreRequest other = request;
  other.tokens.back() = (other.tokens.back() + 1) % kScorerVocab;
  const std::vector<ScoreResult> results = scorer.score(std::vector{request, other});
  EXPECT_TRUE(results[0].greedy);
  EXPECT_FALSE(results[1].greedy);
  EXPECT_LT(results[0].nats, results[1].nats);
}

INSTANTIATE_TEST_SUITE_P(BothLinears, ModelScorerOf, ::testing::Values(LinearKind::kFloat, LinearKind::kBitnet),
                         [](const ::testing::TestParamInfo<LinearKind>& info) {
                           return info.param == LinearKind::kFloat ? "Float" : "BitNet";
                         });

TEST(ModelScorer, RefusesRequestsThatDoNotFitTheModel) {
  const ServedModel served = serve(scored_model(LinearKind::kFloat));
  ModelScorer scorer(served);
  const auto score = [&scorer](ScoreRequest request) { return scorer.score(std::span(&request, 1)); };
  const std::vector<int32_t> longest(static_cast<size_t>(kScorerContext) + 1, 1);
  EXPECT_EQ(score({longest, 1}).at(0).tokens, kScorerContext);
  std::vector<int32_t> too_long = longest;
  too_long.push_back(1);
  EXPECT_THROW(score({too_long, 1}), DataError);
  EXPECT_THROW(score({{1}, 1}), DataError);
  EXPECT_THROW(score({{1, 2}, 0}), DataError);
  EXPECT_THROW(score({{1, 2}, 2}), DataError);
  EXPECT_THROW(score({{1, kScorerVocab}, 1}), DataError);
  EXPECT_THROW(score({{-1, 2}, 1}), DataError);
  EXPECT_THROW(score({{1, 2, 3}, 2, 2}), DataError);
  EXPECT_THROW(score({{1, 2, 3}, 2, -1}), DataError);
  EXPECT_TRUE(scorer.score({}).empty());
}

}  // namespace
}  // namespace bitnet
