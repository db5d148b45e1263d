#include "framework/train/requantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "framework/nn/model_file.h"
#include "tests/framework/train/train_support.h"

namespace bitnet {
namespace {

using at::Tensor;

DecoderLM wide_model() {
  ModelConfig config = testing::text_model_config(LinearKind::kBitnet);
  config.width = 128;
  config.kv_heads = 2;
  config.ffn_width = 160;
  return DecoderLM(config, 20, /*seed=*/3, bitnet_linear_factory());
}

TEST(TernaryWatch, NewWeightsHaveTheFractionsOfANormalDistribution) {
  const DecoderLM model = wide_model();
  TernaryWatch watch(model);
  EXPECT_TRUE(watch.codes().empty());
  const std::vector<TernaryRecord> records = watch.record(0);
  ASSERT_EQ(records.size(), model.linears().size());
  for (size_t i = 0; i < records.size(); ++i) {
    const TernaryRecord& record = records[i];
    SCOPED_TRACE(record.layer);
    EXPECT_EQ(record.layer, model.linears()[i].name);
    EXPECT_EQ(record.epoch, 0);
    EXPECT_NEAR(record.minus + record.zero + record.plus, 1.0, 1e-12);
    // P(|w| < mean|w| / 2) = erf(1 / (2 sqrt(pi))).
    EXPECT_NEAR(record.zero, std::erf(0.5 / std::sqrt(M_PI)), 0.01);
    EXPECT_NEAR(record.plus, record.minus, 0.02);
    EXPECT_NEAR(record.gamma, 0.05 * std::sqrt(2 / M_PI), 0.001);
    EXPECT_EQ(record.flipped, 0.0);
  }
}

TEST(TernaryWatch, CountsFlipsExactly) {
  const DecoderLM model = wide_model();
  TernaryWatch watch(model);
  watch.record(0);
  const Tensor codes = watch.codes()[4];
  // Exchanging weights of one layer changes none of its absolute values, and so neither its scale nor any other code.
  float* weight = model.linears()[4].linear->weight().data_ptr<float>();
  const int8_t* code = codes.data_ptr<int8_t>();
  int64_t zero = 0, plus = 0, minus = 0;
  while (code[zero] != 0) ++zero;
  while (code[plus] != 1) ++plus;
  while (code[minus] != -1) ++minus;
  const float left = weight[zero];  // a cycle of three: each place gets another code
  weight[zero] = weight[plus];
  weight[plus] = weight[minus];
  weight[minus] = left;
  const std::vector<TernaryRecord> records = watch.record(1);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].flipped, i == 4 ? 3.0 / static_cast<double>(codes.numel()) : 0.0) << records[i].layer;
    EXPECT_EQ(records[i].epoch, 1);
  }
  // Against the record before, not against the first.
  for (const TernaryRecord& record : watch.record(2)) EXPECT_EQ(record.flipped, 0.0) << record.layer;
}

TEST(TernaryWatch, RestoredCodesAreWhatFlipsAreCountedAgainst) {
  const DecoderLM model = wide_model();
  TernaryWatch first(model);
  first.record(0);
  std::vector<Tensor> codes;
  for (const Tensor& of_layer : first.codes()) codes.push_back(of_layer.clone());
  codes[2].data_ptr<int8_t>()[7] = codes[2].data_ptr<int8_t>()[7] == 0 ? 1 : 0;
  TernaryWatch resumed(model);
  resumed.restore(codes);
  const std::vector<TernaryRecord> records = resumed.record(1);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].flipped, i == 2 ? 1.0 / static_cast<double>(codes[2].numel()) : 0.0) << records[i].layer;
  }
}

TEST(TernaryWatch, LeavesTheMasterWeightsAlone) {
  const DecoderLM model = wide_model();
  const std::string before = weights_sha256(model);
  TernaryWatch watch(model);
  watch.record(0);
  watch.record(1);
  EXPECT_EQ(weights_sha256(model), before);
}

TEST(TernaryWatch, HasNothingToWatchInAFloatModel) {
  const DecoderLM model = testing::text_model(LinearKind::kFloat);
  TernaryWatch watch(model);
  EXPECT_TRUE(watch.record(0).empty());
  EXPECT_TRUE(watch.layers().empty());
}

}  // namespace
}  // namespace bitnet
