#include "framework/infer/speed.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "framework/infer/machine_limits.h"

// Nothing here depends on how long something takes.

namespace bitnet {
namespace {

ServedModel small_model() {
  ModelConfig config;
  config.width = 32;
  config.layers = 1;
  config.heads = 2;
  config.kv_heads = 1;
  config.ffn_width = 48;
  config.context = 24;
  return random_served_model(config, /*vocab_size=*/50, LinearForm::kPacked, HeadFormat::kInt8, /*seed=*/1);
}

TEST(Speed, RandomIdsDependOnTheSeedAloneAndAreInTheVocabulary) {
  const std::vector<int32_t> ids = random_ids(1000, 50, 7);
  ASSERT_EQ(ids.size(), 1000U);
  EXPECT_EQ(random_ids(1000, 50, 7), ids);
  EXPECT_NE(random_ids(1000, 50, 8), ids);
  std::vector<int> counts(50);
  for (const int32_t id : ids) {
    ASSERT_GE(id, 0);
    ASSERT_LT(id, 50);
    ++counts[static_cast<size_t>(id)];
  }
  EXPECT_EQ(std::count(counts.begin(), counts.end(), 0), 0);
}

TEST(Speed, EachTestStartsWithAnEmptyCacheAndReadsAllIds) {
  const ServedModel model = small_model();
  Session session(model, 20);
  const std::vector<int32_t> ids = random_ids(20, 50, 1);
  for (int repetition = 0; repetition < 2; ++repetition) {
    EXPECT_GT(prompt_seconds(session, ids), 0);
    EXPECT_EQ(session.position(), 20);
    EXPECT_GT(generation_seconds(session, std::span(ids).first(5)), 0);
    EXPECT_EQ(session.position(), 5);
  }
}

TEST(MachineLimits, AreMeasured) {
  const MachineLimits limits = measure_limits(1);
  EXPECT_GT(limits.read_bytes_per_second, 0);
  EXPECT_GT(limits.int8_macs_per_second, 0);
  EXPECT_GT(limits.float32_macs_per_second, 0);
}

}  // namespace
}  // namespace bitnet
