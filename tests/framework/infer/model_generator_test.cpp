#include "framework/infer/model_generator.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/random.h"
#include "framework/infer/generate.h"
#include "framework/nn/decoder_lm.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kVocab = 61;
constexpr int64_t kContext = 24;

ServedModel test_model(LinearKind linear) {
  ModelConfig config;
  config.linear = linear;
  config.width = 96;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.ffn_width = 160;
  config.context = kContext;
  config.init_std = 0.4;  // sharp enough that a wrong row or position shows
  return serve(DecoderLM(config, kVocab, /*seed=*/7,
                         linear == LinearKind::kFloat ? float_linear_factory() : bitnet_linear_factory()));
}

/// Prompts shorter and longer than the context, greedy and sampled, each with a seed of its own.
std::vector<GenerateRequest> mixed_requests() {
  Random random(11);
  std::vector<GenerateRequest> requests;
  for (const int64_t length : {1, 3, 20, 24, 25, 40, 7, 7}) {
    GenerateRequest& request = requests.emplace_back();
    for (int64_t i = 0; i < length; ++i) request.tokens.push_back(static_cast<int32_t>(random.below(kVocab)));
    request.options.max_new_tokens = 12;
    request.options.seed = static_cast<int64_t>(requests.size());
    if (requests.size() % 2 == 0) {
      request.options.temperature = 1.5;
      request.options.top_p = 0.95;
    }
  }
  requests.back().tokens = requests[6].tokens;
  return requests;
}

std::vector<std::vector<int32_t>> ids_of(const std::vector<GenerateResult>& results) {
  std::vector<std::vector<int32_t>> ids;
  for (const GenerateResult& result : results) ids.push_back(result.tokens);
  return ids;
}

class ModelGeneratorOf : public ::testing::TestWithParam<LinearKind> {
 protected:
  void TearDown() override { at::set_num_threads(threads_); }

 private:
  int threads_ = at::get_num_threads();
};

TEST_P(ModelGeneratorOf, GivesTheSameIdsInAnyCompanyOrderAndNumberOfThreads) {
  const ServedModel model = test_model(GetParam());
  ModelGenerator generator(model);
  const std::vector<GenerateRequest> requests = mixed_requests();
  at::set_num_threads(1);
  const auto expected = ids_of(generator.generate(requests, {}));
  EXPECT_EQ(expected[0].size(), 12u);
  EXPECT_NE(expected[6], expected[7]);  // greedy and sampled
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(ids_of(generator.generate(std::span(requests).subspan(i, 1), {})).at(0), expected[i]) << i;
    }
    std::vector<GenerateRequest> reversed = requests;
    std::reverse(reversed.begin(), reversed.end());
    reversed.insert(reversed.end(), requests.begin(), requests.end());
    const auto results = ids_of(generator.generate(reversed, {}));
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(results[requests.size() - 1 - i], expected[i]) << i;
      EXPECT_EQ(results[requests.size() + i], expected[i]) << i;
    }
  }
}

TEST_P(ModelGeneratorOf, ReportsEachRequestOnceOneAtATime) {
  const ServedModel model = test_model(GetParam());
  ModelGenerator generator(model);
  const std::vector<GenerateRequest> requests = mixed_requests();
  at::set_num_threads(3);
  std::multiset<size_t> reported;
  std::vector<std::vector<int32_t>> seen(requests.size());
  const auto results = generator.generate(requests, [&](size_t index, const GenerateResult& result) {
    reported.insert(index);
    seen[index] = result.tokens;
  });
  EXPECT_THAT(reported, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(seen, ids_of(results));
}

INSTANTIATE_TEST_SUITE_P(BothLinears, ModelGeneratorOf, ::testing::Values(LinearKind::kFloat, LinearKind::kBitnet),
                         [](const ::testing::TestParamInfo<LinearKind>& info) {
                           return info.param == LinearKind::kFloat ? "Float" : "BitNet";
                         });

TEST(ModelGenerator, EndsAtTheEndTokenAndWhereTheRequestIsFinished) {
  const ServedModel model = test_model(LinearKind::kBitnet);
  ModelGenerator generator(model);
  GenerateRequest request;
  request.tokens = {5, 9};
  request.options.max_new_tokens = 6;
  const auto run = [&] { return generator.generate(std::span(&request, 1), {}).at(0).tokens; };
  const std::vector<int32_t> all = run();
  ASSERT_EQ(all.size(), 6u);
  const auto first_at = static_cast<size_t>(std::find(all.begin(), all.end(), all[3]) - all.begin());
  request.end_token = all[3];
  EXPECT_EQ(run(), std::vector<int32_t>(all.begin(), all.begin() + static_cast<int64_t>(first_at)));
  request.end_token = -1;
  request.finished = [](std::span<const int32_t> generated) { return generated.size() == 2; };
  EXPECT_THAT(run(), ElementsAre(all[0], all[1]));
}

TEST(ModelGenerator, ThrowsWhatTheReporterThrowsAndRefusesWhatDoesNotFit) {
  const ServedModel model = test_model(LinearKind::kFloat);
  ModelGenerator generator(model);
  EXPECT_EQ(generator.context(), kContext);
  EXPECT_THAT(generator.generate({}, {}), IsEmpty());
  const std::vector<GenerateRequest> requests = mixed_requests();
  int calls = 0;
  const auto stop = [&](size_t, const GenerateResult&) {
    ++calls;
    throw std::runtime_error("stop");
  };
  at::set_num_threads(1);
  EXPECT_THROW(generator.generate(requests, stop), std::runtime_error);
  EXPECT_EQ(calls, 1);
  GenerateRequest request = requests[0];
  const auto run = [&] { return generator.generate(std::span(&request, 1), {}); };
  request.tokens = {};
  EXPECT_THROW(run(), DataError);
  request.tokens = {kVocab};
  EXPECT_THROW(run(), DataError);
  request.tokens = {-1};
  EXPECT_THROW(run(), DataError);
  request = requests[0];
  request.options.top_p = 0;
  EXPECT_THROW(run(), ConfigError);
}

}  // namespace
}  // namespace bitnet
