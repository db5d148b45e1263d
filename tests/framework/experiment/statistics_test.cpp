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
  EXPECT_DOUBLE_EQ(kRateDifference.value(rates), 1);
  EXPECT_DOUBLE_EQ(kRelativeDifference.value(rates), 1.0 / 3.0);
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
  const IntervalOutcome outcome = paired_interval(losses, kRateDifference);
  ASSERT_TRUE(outcome.interval);
  EXPECT_NEAR(outcome.interval->low, 0.25, 1e-12);
  EXPECT_NEAR(outcome.interval->high, 0.25, 1e-12);
  EXPECT_EQ(outcome.items, 12);
  EXPECT_EQ(outcome.method, "paired bootstrap-t of items");
}

TEST(Statistics, SlopesAreTheDerivatives) {
  const PairedRates rates{3, 2};
  for (const RateStatistic& statistic : {kRateDifference, kRelativeDifference}) {
    constexpr double kStep = 1e-6;
    const PairedRates slopes = statistic.slopes(rates);
    EXPECT_NEAR(slopes.candidate, (statistic.value({3 + kStep, 2}) - statistic.value({3 - kStep, 2})) / (2 * kStep),
                1e-8);
    EXPECT_NEAR(slopes.baseline, (statistic.value({3, 2 + kStep}) - statistic.value({3, 2 - kStep})) / (2 * kStep),
                1e-8);
  }
}

TEST(Statistics, IntervalOfTwoValuesFollowsTheBinomialDistribution) {
  // 16 items with gap 0 or 1, half of each: a resample's mean is Binomial(16, 1/2) / 16. P(X <= 3) = 0.0106 and
  // P(X <= 4) = 0.0384, so the 2.5 % quantile of X is 4. In its own standard errors, sqrt(p (1 - p) / 15), that lies
  // -0.25 / sqrt(0.1875 / 15) from the middle, and by symmetry the 97.5 % quantile as far above it.
  PairedLosses losses;
  losses.candidate_nats.resize(1);
  losses.baseline_nats.resize(1);
  for (int i = 0; i < 16; ++i) {
    losses.weights.push_back(1);
    losses.baseline_nats[0].push_back(1);
    losses.candidate_nats[0].push_back(i < 8 ? 1 : 2);
  }
  const IntervalOutcome outcome = paired_interval(losses, kRateDifference);
  ASSERT_TRUE(outcome.interval);
  const double half = 0.25 / std::sqrt(0.1875 / 15) * std::sqrt(0.25 / 15);
  EXPECT_NEAR(outcome.interval->low, 0.5 - half, 1e-12);
  EXPECT_NEAR(outcome.interval->high, 0.5 + half, 1e-12);
}

TEST(Statistics, TooFewItemsGiveNoIntervalAndSaySo) {
  const PairedLosses one{{5}, {{10}}, {{9}}};
  const IntervalOutcome outcome = paired_interval(one, kRateDifference);
  EXPECT_FALSE(outcome.interval);
  EXPECT_EQ(outcome.method, "no interval: 1 item only, at least 10 are needed");
  EXPECT_FALSE(paired_interval(PairedLosses{}, kRateDifference).interval);
  Random random(1);
  EXPECT_FALSE(paired_interval(simulate_losses(9, 1, 0, 0, random), kRateDifference).interval);
  EXPECT_TRUE(paired_interval(simulate_losses(10, 1, 0, 0, random), kRateDifference).interval);
}

TEST(Statistics, LossesThatAreNotFiniteGiveNoInterval) {
  Random random(1);
  PairedLosses losses = simulate_losses(20, 1, 0, 0, random);
  losses.candidate_nats[0][3] = std::nan("");
  const IntervalOutcome outcome = paired_interval(losses, kRateDifference);
  EXPECT_FALSE(outcome.interval);
  EXPECT_THAT(outcome.method, ::testing::HasSubstr("not finite"));
}

TEST(Statistics, ShapesThatDifferAreRefused) {
  EXPECT_THROW(paired_interval({{1, 1}, {{1, 1}}, {{1}}}, kRateDifference), DataError);
  EXPECT_THROW(paired_interval({{1, 1}, {{1, 1}}, {}}, kRateDifference), DataError);
}

TEST(Statistics, IntervalsAreDeterministicInTheSeed) {
  Random random(3);
  const PairedLosses losses = simulate_losses(40, 1, 0.1, 0, random);
  const auto first = paired_interval(losses, kRateDifference).interval;
  const auto again = paired_interval(losses, kRateDifference).interval;
  const auto other = paired_interval(losses, kRateDifference, {.seed = 2}).interval;
  EXPECT_EQ(first->low, again->low);
  EXPECT_EQ(first->high, again->high);
  EXPECT_NE(first->low, other->low);
}

TEST(Statistics, PairingRemovesTheItemsHardness) {
  Random random(4);
  PairedLosses losses = simulate_losses(200, 1, 0.1, 0, random);
  const auto paired = *paired_interval(losses, kRateDifference).interval;
  // The same losses with the pairs broken: hardness (sd 0.5) no longer cancels.
  std::rotate(losses.candidate_nats[0].begin(), losses.candidate_nats[0].begin() + 1, losses.candidate_nats[0].end());
  const auto unpaired = *paired_interval(losses, kRateDifference).interval;
  EXPECT_GT(unpaired.high - unpaired.low, 4 * (paired.high - paired.low));
}

TEST(Statistics, IntervalOfRatiosIsAPointWhereEveryTurnHasTheSame) {
  const IntervalOutcome outcome = log_ratio_interval(std::vector<double>(10, 0.25));
  ASSERT_TRUE(outcome.interval);
  EXPECT_EQ(outcome.interval->low, 0.25);
  EXPECT_EQ(outcome.interval->high, 0.25);
  EXPECT_EQ(outcome.items, 10);
  EXPECT_EQ(outcome.method, "interpolated order statistics of the turns' log ratios");
}

TEST(Statistics, LimitsOfAMedianAreOrderStatistics) {
  // Of 10 values the median lies below the first with probability 1 / 1024, below the second with 11 / 1024, below the
  // third with 56 / 1024.
  const Limits limits = log_ratio_interval({5, 3, 9, 1, 7, 2, 10, 4, 8, 6}).limits;
  for (const auto& [tail, low] : {std::pair(1.0, 1.0), std::pair(11.0, 2.0), std::pair(56.0, 3.0)}) {
    EXPECT_NEAR(limits(tail / 1024).low, low, 1e-9) << tail;
    EXPECT_NEAR(limits(tail / 1024).high, 11 - low, 1e-9) << tail;
  }
  // Hettmansperger and Sheather: between the second and the third at 95 %, I = (0.97852 - 0.95) / (0.97852 - 0.89063)
  // and weight 8 I / (2 + 6 I).
  const double part = (1002.0 / 1024 - 0.95) / (90.0 / 1024);
  EXPECT_NEAR(limits(kTail).low, 2 + 8 * part / (2 + 6 * part), 1e-9);
  EXPECT_EQ(limits(0.5).low, limits(0.5).high);
  EXPECT_EQ(limits(0.5).low, 5.5);
  EXPECT_EQ(limits(0.0009).low, -HUGE_VAL);  // 10 values can not say so much
  EXPECT_EQ(log_ratio_interval({5, 3, 9, 1, 7, 2, 10, 4, 8, 6, 11}).limits(0.5).low, 6);
}

TEST(Statistics, OneTurnThatWasDisturbedMovesNoInterval) {
  std::vector<double> ratios = {0.50, 0.51, 0.49, 0.52, 0.48, 0.50, 0.51, 0.49, 0.50, 0.50};
  const IntervalOutcome calm = log_ratio_interval(ratios);
  ratios[3] = -3;
  const IntervalOutcome disturbed = log_ratio_interval(ratios);
  ASSERT_TRUE(calm.interval && disturbed.interval);
  EXPECT_GE(disturbed.interval->low, 0.48);
  EXPECT_LE(disturbed.interval->high, calm.interval->high);
  EXPECT_LT(calm.interval->low, calm.interval->high);
}

TEST(Statistics, RatiosThatAreFewOrNotFiniteGiveNoInterval) {
  const IntervalOutcome few = log_ratio_interval(std::vector<double>(9, 0.25));
  EXPECT_FALSE(few.interval);
  EXPECT_EQ(few.method, "no interval: 9 turns only, at least 10 are needed");
  std::vector<double> ratios(10, 0.25);
  ratios[4] = std::nan("");
  EXPECT_FALSE(log_ratio_interval(ratios).interval);
}

TEST(Statistics, SeedsAreAFurtherLevel) {
  Random random(5);
  const PairedLosses losses = simulate_losses(400, 6, 0.1, 0.05, random);
  const auto both = *paired_interval(losses, kRateDifference).interval;
  const PairedLosses first{losses.weights, {losses.candidate_nats[0]}, {losses.baseline_nats[0]}};
  const auto items_only = *paired_interval(first, kRateDifference).interval;
  // Items alone: sd 0.1 / sqrt(400) = 0.005. Seeds add 0.05 / sqrt(6) = 0.020.
  EXPECT_GT(both.high - both.low, 2 * (items_only.high - items_only.low));
  EXPECT_EQ(paired_interval(losses, kRateDifference).method, "Student's interval of items and seeds");
}

TEST(Statistics, SeedsAloneGiveStudentsInterval) {
  // Every item of a seed has the seed's gap, 1, 2 or 6: mean 3, standard deviation sqrt(7), and the 97.5 % quantile of
  // Student's distribution with 2 degrees of freedom is 4.302653.
  PairedLosses losses;
  losses.weights.assign(10, 2.0);
  for (const double gap : {1.0, 2.0, 6.0}) {
    losses.baseline_nats.emplace_back(10, 8.0);
    losses.candidate_nats.emplace_back(10, 8.0 + 2 * gap);
  }
  const Interval interval = *paired_interval(losses, kRateDifference).interval;
  const double half = 4.302653 * std::sqrt(7.0 / 3);
  EXPECT_NEAR(interval.low, 3 - half, 1e-5);
  EXPECT_NEAR(interval.high, 3 + half, 1e-5);
}

TEST(Statistics, ItemsAloneGiveStudentsIntervalWhereSeedsAgree) {
  // 10 items with gaps 1 to 10 in both seeds: mean 5.5, variance 55 / 6, quantile of 9 degrees of freedom 2.262157.
  PairedLosses losses;
  losses.weights.assign(10, 1.0);
  losses.baseline_nats.assign(2, std::vector<double>(10, 20.0));
  std::vector<double> worse;
  for (int i = 1; i <= 10; ++i) worse.push_back(20.0 + i);
  losses.candidate_nats.assign(2, worse);
  const Interval interval = *paired_interval(losses, kRateDifference).interval;
  const double half = 2.262157 * std::sqrt(55.0 / 6 / 10);
  EXPECT_NEAR(interval.low, 5.5 - half, 1e-5);
  EXPECT_NEAR(interval.high, 5.5 + half, 1e-5);
}

TEST(Statistics, ItemsOfWhichMostHaveNoLengthGiveNoInterval) {
  PairedLosses losses;
  losses.weights = {5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  losses.baseline_nats = {std::vector<double>(12, 1.0)};
  losses.candidate_nats = {std::vector<double>(12, 1.1)};
  const IntervalOutcome outcome = paired_interval(losses, kRateDifference);
  EXPECT_FALSE(outcome.interval);
  EXPECT_EQ(outcome.method, "no interval: a loss is not finite, or too few items have a length");
}

TEST(Statistics, ItemsAndSeedsTogetherGiveHowesSumShrunkByTheShareOfTheItems) {
  // 10 items with gaps 1 to 10, in the second seed 2 more: mean 6.5, nothing is left. By the items 2 * 55 / 6 = 55 / 3,
  // by the seeds 10 * 2 = 20, in units of the variance of a mean of 20. Quantiles: 1 degree of freedom 12.706205, 9
  // degrees 2.262157.
  PairedLosses losses;
  losses.weights.assign(10, 1.0);
  losses.baseline_nats.assign(2, std::vector<double>(10, 20.0));
  losses.candidate_nats.resize(2);
  for (int i = 1; i <= 10; ++i) {
    losses.candidate_nats[0].push_back(20.0 + i);
    losses.candidate_nats[1].push_back(22.0 + i);
  }
  const Interval interval = *paired_interval(losses, kRateDifference).interval;
  const double by_items = 55.0 / 3, by_seeds = 20;
  const double share = by_items / (by_items + by_seeds);
  const double sum = std::sqrt(12.706205 * 12.706205 * by_seeds + 2.262157 * 2.262157 * by_items);
  const double half = sum * (1 - share * share / 2) / std::sqrt(20.0);
  EXPECT_NEAR(interval.low, 6.5 - half, 1e-4);
  EXPECT_NEAR(interval.high, 6.5 + half, 1e-4);
}

TEST(Statistics, LimitsWidenWhereTheTailShrinks) {
  Random random(8);
  const PairedLosses one = simulate_losses(30, 1, 0.1, 0, random);
  const PairedLosses three = simulate_losses(30, 3, 0.1, 0.02, random);
  std::vector<double> ratios;
  for (int i = 0; i < 15; ++i) ratios.push_back(random.uniform());
  for (const Limits& limits : {paired_interval(one, kRateDifference).limits,
                               paired_interval(three, kRelativeDifference).limits, log_ratio_interval(ratios).limits}) {
    Interval inner = limits(0.5);
    for (double tail = 0.45; tail > 1e-7; tail *= 0.8) {
      const Interval outer = limits(tail);
      EXPECT_LE(outer.low, inner.low) << tail;
      EXPECT_GE(outer.high, inner.high) << tail;
      inner = outer;
    }
  }
}

TEST(Statistics, PValuesInvertTheLimits) {
  const Limits limits = [](double tail) { return Interval{-1 / tail, -tail}; };  // upper limit -tail
  EXPECT_NEAR(p_value_below(limits, -0.2), 0.2, 1e-5);
  EXPECT_NEAR(p_value_below(limits, -0.001), 0.001, 1e-8);
  EXPECT_EQ(p_value_below(limits, -0.6), 1);
  EXPECT_EQ(p_value_below(limits, 0), 1e-12);
  Random random(9);
  const Limits real = paired_interval(simulate_losses(50, 1, 0.1, 0, random), kRateDifference).limits;
  for (const double tail : {0.3, 0.025, 0.001, 1e-5})
    EXPECT_NEAR(p_value_below(real, real(tail).high), tail, 1e-3 * tail);
}

TEST(Statistics, ADifferenceOfEstimatesHasTheirErrorsTogether) {
  const auto around = [](double value, double half) {
    return Limits([=](double) { return Interval{value - half, value + 2 * half}; });
  };
  // Zou and Donner: below, the first one's lower and the second one's upper arm count.
  const Interval interval = median_difference_limits(7, around(7, 3), 5, around(5, 2))(kTail);
  EXPECT_DOUBLE_EQ(interval.low, 2 - 0.95 * std::hypot(3, 4));
  EXPECT_DOUBLE_EQ(interval.high, 2 + 0.95 * std::hypot(6, 2));
  EXPECT_FALSE(median_difference_limits(1, {}, 2, around(2, 1)));
}

TEST(Statistics, MappedLimitsStayInOrder) {
  const Limits limits = [](double) { return Interval{1, 2}; };
  const Interval falling = mapped_limits(limits, [](double value) { return -value; })(kTail);
  EXPECT_EQ(falling.low, -2);
  EXPECT_EQ(falling.high, -1);
  EXPECT_FALSE(mapped_limits({}, [](double value) { return value; }));
}

}  // namespace
}  // namespace bitnet
