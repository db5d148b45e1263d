#include "framework/config/gate_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "framework/core/error.h"
#include "framework/core/random.h"

namespace bitnet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_gate_policy(text, "policy.yaml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(GatePolicy, ReadsEveryField) {
  const GatePolicy policy = parse_gate_policy(
      "confidence: 0.9\n"
      "margins:\n"
      "  losses: {variant: bitnet, evaluator: 'p*', metric: bits_per_byte, margin: 2.5, unit: ln_ratio,\n"
      "           inconclusive: fail, required: false, other_machine: skip}\n"
      "targets:\n"
      "  speed: {metric: generation_tokens_per_second, bound: at_most, value: 4, unit: times, inconclusive: pass}\n",
      "policy.yaml");
  EXPECT_EQ(policy.confidence, 0.9);
  ASSERT_EQ(policy.margins.size(), 1u);
  const MarginRule& margin = policy.margins[0];
  EXPECT_EQ(margin.name, "losses");
  EXPECT_EQ(margin.variant, "bitnet");
  EXPECT_EQ(margin.evaluator, "p*");
  EXPECT_EQ(margin.metric, "bits_per_byte");
  EXPECT_EQ(margin.margin, 2.5);
  EXPECT_EQ(margin.unit, GateUnit::kLnRatio);
  EXPECT_EQ(margin.inconclusive, WhenInconclusive::kFail);
  EXPECT_EQ(margin.other_machine, OtherMachine::kSkip);
  EXPECT_FALSE(margin.required);
  ASSERT_EQ(policy.targets.size(), 1u);
  const TargetRule& target = policy.targets[0];
  EXPECT_EQ(target.variant, "*");
  EXPECT_EQ(target.evaluator, "*");
  EXPECT_EQ(target.bound, GateBound::kAtMost);
  EXPECT_EQ(target.value, 4);
  EXPECT_EQ(target.unit, GateUnit::kTimes);
  EXPECT_EQ(target.inconclusive, WhenInconclusive::kPass);
  EXPECT_TRUE(target.required);
}

TEST(GatePolicy, MistakesHaveTheirPlace) {
  EXPECT_THAT(
      error_of("margins:\n  losses: {metric: acc, margn: 3}\n"),
      AllOf(HasSubstr("policy.yaml:2:25: margins.losses.margn must be a known key, but is unknown. Did you mean "
                      "'margin'?")));
  EXPECT_THAT(error_of("margins:\n  losses: {margin: -1, metric: acc}\n"),
              HasSubstr("policy.yaml:2:20: margins.losses.margin must be a number in [0, 1000], but is '-1'."));
  EXPECT_THAT(error_of("margins:\n  losses: {metric: acc}\n"), HasSubstr("margins.losses.margin must be given"));
  EXPECT_THAT(error_of("margins:\n  losses: {margin: 1}\n"), HasSubstr("margins.losses.metric must be given"));
  EXPECT_THAT(error_of("margins:\n  losses: {metric: acc, margin: 1, unit: times}\n"),
              HasSubstr("margins.losses.unit must be percent, points or ln_ratio, but is 'times'."));
  EXPECT_THAT(error_of("margins:\n  losses: {metric: acc, margin: 1, unit: miles}\n"),
              AllOf(HasSubstr("margins.losses.unit must be one of percent, points, ln_ratio, times"),
                    Not(HasSubstr("must be percent, points or"))));
  EXPECT_THAT(error_of("targets:\n  speed: {metric: acc, value: 1}\n"),
              AllOf(HasSubstr("targets.speed.bound must be given"), HasSubstr("targets.speed.unit must be given")));
  EXPECT_THAT(error_of("targets:\n  speed: {metric: acc, bound: at_least, value: 0, unit: times}\n"),
              HasSubstr("policy.yaml:2:41: targets.speed.value must be more than 0, because it is in times, but is"));
  EXPECT_THAT(error_of("margins:\n  losses: {metric: 'ac[c]', margin: 1}\n"),
              HasSubstr("policy.yaml:2:12: margins.losses.metric must have no wildcards but * and ?, but is 'ac[c]'."));
  EXPECT_THAT(error_of("margins: [1]\n"), HasSubstr("margins must be a map of rules by name, but is a list."));
  EXPECT_THAT(error_of("margins: {'A b': {metric: acc, margin: 1}}\n"),
              HasSubstr("must be a name of lowercase letters, digits and hyphens"));
  EXPECT_THAT(error_of("margins:\n  one: 3\n"), HasSubstr("margins.one must be a map of keys and values"));
  EXPECT_THAT(error_of("confidence: 1\nmargins: {one: {metric: acc, margin: 1}}"),
              HasSubstr("confidence must be a number in (0.5, 1)"));
  EXPECT_THAT(error_of("confidence: 0.9\n"), HasSubstr("must hold at least one rule"));
  EXPECT_THAT(error_of("margin: {}\n"), HasSubstr("Did you mean 'margins'?"));
  EXPECT_NE(error_of(""), "no error");
  EXPECT_NE(error_of("a: [\n"), "no error");
}

TEST(GatePolicy, DamagedTextsGiveErrorsAndNothingWorse) {
  const std::string text = "confidence: 0.9\nmargins:\n  losses: {metric: 'b*', margin: 2.5, unit: percent}\n";
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = text;
    for (uint64_t i = random.below(4); i <= 4; ++i) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(128));
    }
    error_of(damaged);
  }
}

TEST(GatePolicy, PatternsStandForNames) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*", "pass@1"));
  EXPECT_TRUE(matches("pass@*", "pass@10"));
  EXPECT_FALSE(matches("pass@*", "acc"));
  EXPECT_FALSE(matches("?*", ""));
  EXPECT_TRUE(matches("acc", "acc"));
  EXPECT_FALSE(matches("acc", "acc_norm"));
}

TEST(GatePolicy, EveryPolicyOfTheProjectIsRead) {
  int read = 0;
  for (const auto& file : std::filesystem::directory_iterator(BITNET_SOURCE_DIR "/configs/gate")) {
    EXPECT_NO_THROW(read_gate_policy(file.path())) << file.path();
    ++read;
  }
  EXPECT_GE(read, 2);
}

}  // namespace
}  // namespace bitnet
