#include "framework/experiment/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "framework/core/error.h"
#include "framework/core/random.h"

namespace bitnet {
namespace {

double standard_normal(Random& random) {
  return std::sqrt(-2 * std::log(1 - random.uniform())) * std::cos(2 * std::acos(-1.0) * random.uniform());
}

/// Items of unequal length; the true ln ratio is `gap` nats per unit of weight, and a seed moves it by `seed_noise`.
PairedLosses simulate_losses(int64_t items, int64_t seeds, double gap, double seed_noise, Random& random) {
  PairedLosses losses;
  std::vector<double> hardness;
  std::vector<double> item_gap;
  for (int64_t i = 0; i < items; ++i) {
    losses.weights.push_back(50 + static_cast<double>(random.below(100)));
    hardness.push_back(3 + 0.5 * standard_normal(random));
    item_gap.push_back(gap + 0.1 * standard_normal(random));
  }
  for (int64_t s = 0; s < seeds; ++s) {
    const double moved = seed_noise * standard_normal(random);
    losses.baseline_nats.emplace_back();
    losses.candidate_nats.emplace_back();
    for (size_t i = 0; i < hardness.size(); ++i) {
      const double noise = 0.02 * standard_normal(random);
      losses.baseline_nats.back().push_back(losses.weights[i] * hardness[i]);
      losses.candidate_nats.back().push_back(losses.weights[i] * (hardness[i] + item_gap[i] + moved + noise));
    }
  }
  return losses;
}

TEST(Statistics, QuantilesInterpolateBetweenOrderStatistics) {
  const std::vector<double> sorted = {1, 2, 4, 8, 16};
  EXPECT_DOUBLE_EQ(sorted_quantile(sorted, 0), 1);
  EXPECT_DOUBLE_EQ(sorted_quantile(sorted, 1), 16);
  EXPECT_DOUBLE_EQ(sorted_quantile(sorted, 0.5), 4);
  EXPECT_DOUBLE_EQ(sorted_quantile(sorted, 0.125), 1.5);  // position 0.5 of 0..4
  EXPECT_DOUBLE_EQ(sorted_quantile(sorted, 0.9), 8 + 0.6 * 8);
  EXPECT_DOUBLE_EQ(sorted_quantile(std::vector<double>{7}, 0.3), 7);
}

TEST(Statistics, RatesAreSumsOverSumsAveragedOverSeeds) {
  // Seed 1: candidate (10 + 50) / 20 = 3, baseline (10 + 30) / 20 = 2; seed 2: candidate 100 / 20 = 5, baseline 80 / 20
  // = 4.
  const PairedLosses losses{{5, 15}, {{10, 50}, {40, 60}}, {{10, 30}, {20, 60}}};
  const PairedRates rates = paired_rates(losses);
  EXPECT_DOUBLE_EQ(rates.candidate, 4);
  EXPECT_DOUBLE_EQ(rates.baseline, 3);
  EXPECT_DOUBLE_EQ(ln_ratio(rates), 1);
  EXPECT_DOUBLE_EQ(relative_difference(rates), 1.0 / 3.0);
}

TEST(Statistics, IntervalIsAPointWhereEveryItemHasTheSameGap) {
  PairedLosses losses;
  losses.candidate_nats.resize(1);
  losses.baseline_nats.resize(1);
  for (int i = 0; i < 12; ++i) {
    losses.weights.push_back(i + 1);
    losses.baseline_nats[0].push_back(2.0 * (i + 1));
    losses.candidate_nats[0].push_back(2.25 * (i + 1));
  }
  const IntervalOutcome outcome = paired_bootstrap(losses, ln_ratio);
  ASSERT_TRUE(outcome.interval);
  EXPECT_NEAR(outcome.interval->low, 0.25, 1e-12);
  EXPECT_NEAR(outcome.interval->high, 0.25, 1e-12);
  EXPECT_EQ(outcome.items, 12);
  EXPECT_EQ(outcome.method, "paired bootstrap of items");
}

TEST(Statistics, IntervalOfTwoValuesFollowsTheBinomialDistribution) {
  // 16 items with gap 0 or 1, half of each: a resample's mean is Binomial(16, 1/2) / 16. P(X <= 3) = 0.0106 and
  // P(X <= 4) = 0.0384, so the 2.5 % quantile is 4 / 16, and by symmetry the 97.5 % quantile is 12 / 16.
  PairedLosses losses;
  losses.candidate_nats.resize(1);
  losses.baseline_nats.resize(1);
  for (int i = 0; i < 16; ++i) {
    losses.weights.push_back(1);
    losses.baseline_nats[0].push_back(1);
    losses.candidate_nats[0].push_back(i < 8 ? 1 : 2);
  }
  const IntervalOutcome outcome = paired_bootstrap(losses, ln_ratio);
  ASSERT_TRUE(outcome.interval);
  EXPECT_DOUBLE_EQ(outcome.interval->low, 0.25);
  EXPECT_DOUBLE_EQ(outcome.interval->high, 0.75);
}

TEST(Statistics, TooFewItemsGiveNoIntervalAndSaySo) {
  const PairedLosses one{{5}, {{10}}, {{9}}};
  const IntervalOutcome outcome = paired_bootstrap(one, ln_ratio);
  EXPECT_FALSE(outcome.interval);
  EXPECT_EQ(outcome.method, "no interval: 1 item only, at least 10 are needed");
  EXPECT_FALSE(paired_bootstrap(PairedLosses{}, ln_ratio).interval);
  Random random(1);
  EXPECT_FALSE(paired_bootstrap(simulate_losses(9, 1, 0, 0, random), ln_ratio).interval);
  EXPECT_TRUE(paired_bootstrap(simulate_losses(10, 1, 0, 0, random), ln_ratio).interval);
}

TEST(Statistics, LossesThatAreNotFiniteGiveNoInterval) {
  Random random(1);
  PairedLosses losses = simulate_losses(20, 1, 0, 0, random);
  losses.candidate_nats[0][3] = std::nan("");
  const IntervalOutcome outcome = paired_bootstrap(losses, ln_ratio);
  EXPECT_FALSE(outcome.interval);
  EXPECT_THAT(outcome.method, ::testing::HasSubstr("not finite"));
}

TEST(Statistics, ShapesThatDifferAreRefused) {
  EXPECT_THROW(paired_bootstrap({{1, 1}, {{1, 1}}, {{1}}}, ln_ratio), DataError);
  EXPECT_THROW(paired_bootstrap({{1, 1}, {{1, 1}}, {}}, ln_ratio), DataError);
}

TEST(Statistics, IntervalsAreDeterministicInTheSeed) {
  Random random(3);
  const PairedLosses losses = simulate_losses(40, 2, 0.1, 0.05, random);
  const auto first = paired_bootstrap(losses, ln_ratio).interval;
  const auto again = paired_bootstrap(losses, ln_ratio).interval;
  const auto other = paired_bootstrap(losses, ln_ratio, {.seed = 2}).interval;
  EXPECT_EQ(first->low, again->low);
  EXPECT_EQ(first->high, again->high);
  EXPECT_NE(first->low, other->low);
}

TEST(Statistics, PairingRemovesTheItemsHardness) {
  Random random(4);
  PairedLosses losses = simulate_losses(200, 1, 0.1, 0, random);
  const auto paired = *paired_bootstrap(losses, ln_ratio).interval;
  // The same losses with the pairs broken: hardness (sd 0.5) no longer cancels.
  std::rotate(losses.candidate_nats[0].begin(), losses.candidate_nats[0].begin() + 1, losses.candidate_nats[0].end());
  const auto unpaired = *paired_bootstrap(losses, ln_ratio).interval;
  EXPECT_GT(unpaired.high - unpaired.low, 4 * (paired.high - paired.low));
}

TEST(Statistics, IntervalOfRatiosIsAPointWhereEveryTurnHasTheSame) {
  const IntervalOutcome outcome = log_ratio_bootstrap(std::vector<double>(10, 0.25));
  ASSERT_TRUE(outcome.interval);
  EXPECT_EQ(outcome.interval->low, 0.25);
  EXPECT_EQ(outcome.interval->high, 0.25);
  EXPECT_EQ(outcome.items, 10);
  EXPECT_EQ(outcome.method, "bootstrap of the turns' log ratios");
}

TEST(Statistics, OneTurnThatWasDisturbedMovesNoInterval) {
  std::vector<double> ratios = {0.50, 0.51, 0.49, 0.52, 0.48, 0.50, 0.51, 0.49, 0.50, 0.50};
  const IntervalOutcome calm = log_ratio_bootstrap(ratios);
  ratios[3] = -3;
  const IntervalOutcome disturbed = log_ratio_bootstrap(ratios);
  ASSERT_TRUE(calm.interval && disturbed.interval);
  EXPECT_GE(disturbed.interval->low, 0.48);
  EXPECT_LE(disturbed.interval->high, calm.interval->high);
  EXPECT_LT(calm.interval->low, calm.interval->high);
}

TEST(Statistics, RatiosThatAreFewOrNotFiniteGiveNoInterval) {
  const IntervalOutcome few = log_ratio_bootstrap(std::vector<double>(9, 0.25));
  EXPECT_FALSE(few.interval);
  EXPECT_EQ(few.method, "no interval: 9 turns only, at least 10 are needed");
  std::vector<double> ratios(10, 0.25);
  ratios[4] = std::nan("");
  EXPECT_FALSE(log_ratio_bootstrap(ratios).interval);
}

TEST(Statistics, SeedsAreAFurtherLevel) {
  Random random(5);
  const PairedLosses losses = simulate_losses(400, 6, 0.1, 0.05, random);
  const auto both = *paired_bootstrap(losses, ln_ratio).interval;
  const PairedLosses first{losses.weights, {losses.candidate_nats[0]}, {losses.baseline_nats[0]}};
  const auto items_only = *paired_bootstrap(first, ln_ratio).interval;
  // Items alone: sd 0.1 / sqrt(400) = 0.005. Seeds add 0.05 / sqrt(6) = 0.020.
  EXPECT_GT(both.high - both.low, 2 * (items_only.high - items_only.low));
  EXPECT_EQ(paired_bootstrap(losses, ln_ratio).method, "paired bootstrap of items and seeds");
}

TEST(Statistics, IntervalsOfManyItemsCoverTheTruthAsOftenAsTheySay) {
  constexpr int kPairs = 1000;
  Random random(6);
  int covered = 0;
  for (int pair = 0; pair < kPairs; ++pair) {
    const PairedLosses losses = simulate_losses(80, 1, 0.1, 0, random);
    const auto interval =
        *paired_bootstrap(losses, ln_ratio, {.resamples = 500, .seed = static_cast<uint64_t>(pair)}).interval;
    covered += interval.low <= 0.1 && 0.1 <= interval.high;
  }
  EXPECT_GE(covered, 930);
  EXPECT_LE(covered, 970);
}

TEST(Statistics, IntervalsOverManySeedsCoverTheTruthAsOftenAsTheySay) {
  constexpr int kPairs = 300;
  Random random(7);
  int covered = 0;
  for (int pair = 0; pair < kPairs; ++pair) {
    const PairedLosses losses = simulate_losses(60, 20, 0.1, 0.03, random);
    const auto interval =
        *paired_bootstrap(losses, ln_ratio, {.resamples = 300, .seed = static_cast<uint64_t>(pair)}).interval;
    covered += interval.low <= 0.1 && 0.1 <= interval.high;
  }
  // 300 pairs: the binomial's standard deviation is 1.3 %, and 20 seeds lose about 1 %.
  EXPECT_GE(covered, 0.90 * kPairs);
  EXPECT_LE(covered, 0.985 * kPairs);
}

}  // namespace
}  // namespace bitnet
