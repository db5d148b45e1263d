#include "framework/nn/decoder_lm.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/framework/nn/model_support.h"
#include "tests/framework/nn/plain_decoder.h"

namespace bitnet {
namespace {

using at::Tensor;
using testing::kTinyVocab;
using testing::make_model;
using testing::random_tokens;
using testing::same_bits;
using testing::Threads;
using testing::tiny_config;

constexpr NormPlacement kPlacements[] = {NormPlacement::kLlama, NormPlacement::kBitnet, NormPlacement::kTips};
constexpr Activation kActivations[] = {Activation::kSilu, Activation::kRelu2};

/// Every shape of the model that the config allows, small.
std::vector<ModelConfig> all_configs(LinearKind linear) {
  std::vector<ModelConfig> configs;
  for (const NormPlacement norm : kPlacements) {
    for (const Activation activation : kActivations) {
      for (const bool tied : {true, false}) {
        for (const int64_t kv_heads : {1, 2, 4}) {
          ModelConfig config = tiny_config(linear, norm);
          config.activation = activation;
          config.tied_head = tied;
          config.kv_heads = kv_heads;
          configs.push_back(config);
        }
      }
    }
  }
  return configs;
}

std::string describe(const ModelConfig& config) {
  return "norm " + std::to_string(static_cast<int>(config.norm)) + ", activation " +
         std::to_string(static_cast<int>(config.activation)) + (config.tied_head ? ", tied, " : ", untied, ") +
         std::to_string(config.kv_heads) + " key/value heads";
}

TEST(DecoderLM, EqualsThePlainLoopsInDouble) {
  for (const ModelConfig& config : all_configs(LinearKind::kFloat)) {
    SCOPED_TRACE(describe(config));
    const DecoderLM model = make_model(config);
    testing::vary_norm_weights(model);
    const testing::PlainDecoder plain(model);
    const Tensor tokens = random_tokens(2, config.context);
    const Tensor logits = model.forward(tokens).detach().contiguous();
    ASSERT_EQ(logits.sizes(), at::IntArrayRef({2, config.context, kTinyVocab}));
    const float* found = logits.data_ptr<float>();
    double worst = 0, largest = 0;
    for (int64_t row = 0; row < 2; ++row) {
      const int64_t* ids = tokens[row].data_ptr<int64_t>();
      const testing::PlainDecoder::Rows expected = plain.logits({ids, ids + config.context});
      for (int64_t t = 0; t < config.context; ++t) {
        for (int64_t v = 0; v < kTinyVocab; ++v) {
          const double exact = expected[static_cast<size_t>(t)][static_cast<size_t>(v)];
          worst = std::max(worst, std::abs(found[(row * config.context + t) * kTinyVocab + v] - exact));
          largest = std::max(largest, std::abs(exact));
        }
      }
    }
    EXPECT_LE(worst, 1e-4);
    EXPECT_GT(largest, 1.0);  // else 1e-4 would say little
  }
}

TEST(DecoderLM, ChangingATokenChangesNothingBeforeIt) {
  for (const LinearKind linear : {LinearKind::kFloat, LinearKind::kBitnet}) {
    ModelConfig config = tiny_config(linear);
    config.context = 140;  // beyond one block of attention rows
    const DecoderLM model = make_model(config);
    const at::NoGradGuard no_grad;
    const Tensor tokens = random_tokens(1, config.context);
    const Tensor before = model.forward(tokens);
    for (const int64_t changed : {1, 64, 127, 128, 139}) {
      const Tensor other = tokens.clone();
      other[0][changed] = (tokens[0][changed].item<int64_t>() + 1) % kTinyVocab;
      const Tensor after = model.forward(other);
      EXPECT_TRUE(same_bits(before.narrow(1, 0, changed), after.narrow(1, 0, changed))) << "token " << changed;
      EXPECT_FALSE(same_bits(before.select(1, changed), after.select(1, changed))) << "token " << changed;
    }
  }
}

std::set<std::string> expected_names(const ModelConfig& config) {
  const bool tips = config.norm == NormPlacement::kTips;
  std::set<std::string> names = {"embedding.weight", "final_norm.weight"};
  if (!config.tied_head) names.insert("head.weight");
  for (int64_t index = 0; index < config.layers; ++index) {
    const std::string layer = "layers." + std::to_string(index) + ".";
    for (const char* linear :
         {"attention.q", "attention.k", "attention.v", "attention.o", "ffn.gate", "ffn.up", "ffn.down"}) {
      names.insert(layer + linear + ".weight");
      if (tips) names.insert(layer + linear + "_norm.weight");
    }
    if (!tips) names.insert({layer + "attention_norm.weight", layer + "ffn_norm.weight"});
    if (config.norm == NormPlacement::kBitnet) {
      names.insert({layer + "attention_sub_norm.weight", layer + "ffn_sub_norm.weight"});
    }
  }
  return names;
}

TEST(DecoderLM, ParametersAreNamedOnceAndCounted) {
  for (const ModelConfig& config : all_configs(LinearKind::kBitnet)) {
    SCOPED_TRACE(describe(config));
    const DecoderLM model = make_model(config);
    std::set<std::string> names;
    int64_t numbers = 0;
    for (const NamedParameter& parameter : model.parameters()) {
      EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
      EXPECT_TRUE(parameter.value.requires_grad() && parameter.value.is_leaf()) << parameter.name;
      numbers += parameter.value.numel();
    }
    EXPECT_EQ(names, expected_names(config));
    const int64_t d = config.width, f = config.ffn_width, kv = d / config.heads * config.kv_heads;
    const int64_t norms = config.norm == NormPlacement::kLlama    ? 2 * d
                          : config.norm == NormPlacement::kBitnet ? 3 * d + f
                                                                  : 6 * d + f;
    const int64_t linears = 2 * d * d + 2 * d * kv + 3 * d * f;
    EXPECT_EQ(numbers, (config.tied_head ? 1 : 2) * kTinyVocab * d + config.layers * (linears + norms) + d);
  }
}

TEST(DecoderLM, LinearsAreThoseOfTheBlocksInOrder) {
  const DecoderLM model = make_model(tiny_config(LinearKind::kBitnet));
  const std::vector<NamedLinear> linears = model.linears();
  ASSERT_EQ(linears.size(), 14u);
  EXPECT_EQ(linears.front().name, "layers.0.attention.q");
  EXPECT_EQ(linears[4].name, "layers.0.ffn.gate");
  EXPECT_EQ(linears.back().name, "layers.1.ffn.down");
  EXPECT_EQ(linears.back().linear->weight().sizes(), at::IntArrayRef({24, 33}));
}

TEST(DecoderLM, InitialWeightsAreTheSameForEveryFactory) {
  for (const NormPlacement norm : kPlacements) {
    const DecoderLM float_model = make_model(tiny_config(LinearKind::kFloat, norm));
    const DecoderLM bitnet_model = make_model(tiny_config(LinearKind::kBitnet, norm));
    const auto a = float_model.parameters(), b = bitnet_model.parameters();
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].name, b[i].name);
      EXPECT_TRUE(same_bits(a[i].value, b[i].value)) << a[i].name;
    }
  }
}

TEST(DecoderLM, InitialWeightsDependOnTheSeedAndDifferBetweenTensors) {
  const DecoderLM one = make_model(tiny_config(LinearKind::kFloat), 1);
  const DecoderLM two = make_model(tiny_config(LinearKind::kFloat), 2);
  std::set<float> first_values;
  size_t matrices = 0;
  for (size_t i = 0; i < one.parameters().size(); ++i) {
    const NamedParameter a = one.parameters()[i], b = two.parameters()[i];
    if (a.value.dim() != 2) continue;
    EXPECT_FALSE(same_bits(a.value, b.value)) << a.name;
    first_values.insert({a.value.data_ptr<float>()[0], b.value.data_ptr<float>()[0]});
    ++matrices;
  }
  EXPECT_EQ(first_values.size(), 2 * matrices);
}

TEST(DecoderLM, InitialWeightsAreNormalWithTheirDeviation) {
  ModelConfig config = tiny_config(LinearKind::kFloat);
  config.width = 128;
  config.ffn_width = 400;
  config.init_std = 0.02;
  const DecoderLM model = make_model(config, /*seed=*/1, /*vocab_size=*/500);
  for (const NamedParameter& parameter : model.parameters()) {
    const Tensor values = parameter.value.detach().to(at::kDouble);
    if (values.dim() == 1) {
      EXPECT_TRUE(at::equal(values, at::ones_like(values))) << parameter.name;
      continue;
    }
    // Five standard errors of each figure of n draws.
    const auto n = static_cast<double>(values.numel());
    const double mean = values.mean().item<double>(), deviation = values.std().item<double>();
    EXPECT_NEAR(mean, 0.0, 5 * 0.02 / std::sqrt(n)) << parameter.name;
    EXPECT_NEAR(deviation, 0.02, 5 * 0.02 / std::sqrt(2 * n)) << parameter.name;
    const double inside = values.abs().lt(0.02).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(inside, 0.6827, 5 * std::sqrt(0.6827 * 0.3173 / n)) << parameter.name;
  }
}

TEST(DecoderLM, LossIsTheMeanNegativeLogProbability) {
  for (const LinearKind linear : {LinearKind::kFloat, LinearKind::kBitnet}) {
    const DecoderLM model = make_model(tiny_config(linear));
    const Tensor tokens = random_tokens(3, 12), targets = random_tokens(3, 12, kTinyVocab, /*seed=*/4);
    const Tensor log_p = at::log_softmax(model.forward(tokens).detach().to(at::kDouble), -1);
    const double expected = -log_p.gather(2, targets.unsqueeze(2)).mean().item<double>();
    EXPECT_NEAR(model.loss(tokens, targets).item<double>(), expected, 1e-6 * expected);
  }
}

/// Loss and all gradients.
std::vector<Tensor> loss_and_gradients(const DecoderLM& model, const Tensor& tokens, const Tensor& targets) {
  const Tensor loss = model.loss(tokens, targets);
  loss.backward();
  std::vector<Tensor> all = {loss.detach()};
  for (const NamedParameter& parameter : model.parameters()) all.push_back(parameter.value.grad());
  return all;
}

TEST(DecoderLM, LossAndGradientsHaveTheSameBitsForAllThreads) {
  for (const LinearKind linear : {LinearKind::kFloat, LinearKind::kBitnet}) {
    ModelConfig config = tiny_config(linear, NormPlacement::kBitnet);
    config.width = 64;
    config.ffn_width = 168;
    config.context = 160;
    const Tensor tokens = random_tokens(4, 160, 300), targets = random_tokens(4, 160, 300, /*seed=*/4);
    std::vector<Tensor> results[2];
    for (const int threads : {1, 2}) {
      const Threads set(threads);
      results[threads - 1] = loss_and_gradients(make_model(config, 1, 300), tokens, targets);
    }
    for (size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(same_bits(results[0][i], results[1][i])) << i;
  }
}

TEST(DecoderLM, EveryParameterGetsAGradient) {
  for (const ModelConfig& config : all_configs(LinearKind::kBitnet)) {
    const DecoderLM model = make_model(config);
    model.loss(random_tokens(2, 12), random_tokens(2, 12, kTinyVocab, /*seed=*/4)).backward();
    for (const NamedParameter& parameter : model.parameters()) {
      ASSERT_TRUE(parameter.value.grad().defined()) << describe(config) << ": " << parameter.name;
      EXPECT_GT(parameter.value.grad().abs().max().item<float>(), 0.0f) << describe(config) << ": " << parameter.name;
    }
  }
}

TEST(DecoderLM, RefusesTokensThatDoNotFit) {
  const DecoderLM model = make_model(tiny_config(LinearKind::kFloat));
  EXPECT_THROW(model.forward(random_tokens(1, 13)), std::invalid_argument);
  EXPECT_THROW(model.forward(random_tokens(1, 5).squeeze(0)), std::invalid_argument);
  EXPECT_NO_THROW(model.forward(random_tokens(1, 12)));
}

}  // namespace
}  // namespace bitnet
