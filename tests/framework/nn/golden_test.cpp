// The model against numbers that tests/golden/make_tiny_decoder.py computes from the seed alone.

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/config/resolve.h"
#include "framework/core/file.h"
#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

/// The enumerator whose YAML spelling `text` is.
template <typename Enum>
Enum enum_of(const std::string& text, const std::vector<Enum>& values) {
  for (const Enum value : values) {
    if (yaml_name(value) == text) return value;
  }
  throw std::invalid_argument("unknown name in the golden file: " + text);
}

ModelConfig config_of(const nlohmann::json& json) {
  ModelConfig config;
  config.linear = enum_of<LinearKind>(json.at("linear"), {LinearKind::kFloat, LinearKind::kBitnet});
  config.norm =
      enum_of<NormPlacement>(json.at("norm"), {NormPlacement::kLlama, NormPlacement::kBitnet, NormPlacement::kTips});
  config.activation = enum_of<Activation>(json.at("activation"), {Activation::kSilu, Activation::kRelu2});
  config.tied_head = json.at("tied_head");
  config.width = json.at("width");
  config.layers = json.at("layers");
  config.heads = json.at("heads");
  config.kv_heads = json.at("kv_heads");
  config.ffn_width = json.at("ffn_width");
  config.context = json.at("context");
  config.rope_theta = json.at("rope_theta");
  config.norm_epsilon = json.at("norm_epsilon");
  config.init_std = json.at("init_std");
  return config;
}

TEST(GoldenDecoder, WeightsAndLogitsEqualTheIndependentScript) {
  const auto golden =
      nlohmann::json::parse(read_file(std::filesystem::path(BITNET_SOURCE_DIR) / "tests/golden/tiny_decoder.json"));
  ASSERT_EQ(golden.at("cases").size(), 5u);
  for (const nlohmann::json& json : golden.at("cases")) {
    SCOPED_TRACE(json.at("name").get<std::string>());
    const DecoderLM model = testing::make_model(config_of(json), json.at("seed"), json.at("vocab_size"));
    const float* first = model.parameters().front().value.data_ptr<float>();
    const std::vector<double> weights = json.at("first_weights");
    // One step of float32 at 0.5: another machine's logarithm and cosine may differ in the last place.
    for (size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(first[i], weights[i], 6e-8) << i;

    const at::NoGradGuard no_grad;
    for (size_t window = 0; window < golden.at("tokens").size(); ++window) {
      const std::vector<int64_t> tokens = golden["tokens"][window];
      const at::Tensor logits = model.forward(at::tensor(tokens, at::kLong).unsqueeze(0)).squeeze(0);
      const std::vector<std::vector<double>> expected = json.at("logits")[window];
      ASSERT_EQ(logits.size(0), static_cast<int64_t>(expected.size()));
      ASSERT_EQ(logits.size(1), static_cast<int64_t>(expected[0].size()));
      for (size_t t = 0; t < expected.size(); ++t) {
        for (size_t v = 0; v < expected[t].size(); ++v) {
          EXPECT_NEAR(logits[static_cast<int64_t>(t)][static_cast<int64_t>(v)].item<double>(), expected[t][v], 1e-4)
              << "position " << t << ", token " << v;
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitnet
