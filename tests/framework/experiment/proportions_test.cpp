#include "framework/experiment/proportions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitnet {
namespace {

void expect_near(const Interval& interval, double low, double high, double tolerance = 5e-5) {
  EXPECT_NEAR(interval.low, low, tolerance);
  EXPECT_NEAR(interval.high, high, tolerance);
}

// Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, 1998, table I.
TEST(Wilson, EqualsPublishedIntervals) {
  expect_near(wilson_interval(81, 263), 0.2553, 0.3662);
  expect_near(wilson_interval(15, 148), 0.0624, 0.1605);
  expect_near(wilson_interval(0, 20), 0.0, 0.1611);
  expect_near(wilson_interval(1, 29), 0.0061, 0.1718);
}

TEST(Wilson, TakesOtherTails) {
  // At the normal distribution's 99.5 % quantile, 2.575829: 15 of 148.
  const double z = 2.575829, n = 148, p = 15.0 / 148;
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  const double center = (p + z * z / (2 * n)) / (1 + z * z / n);
  expect_near(wilson_interval(15, 148, 0.005), center - half, center + half, 1e-6);
  const Interval wide = paired_difference_interval({20, 12, 2, 16}, 0.005);
  const Interval narrow = paired_difference_interval({20, 12, 2, 16});
  EXPECT_LT(wide.low, narrow.low);
  EXPECT_GT(wide.high, narrow.high);
}

TEST(Wilson, StaysInItsRangeAndHoldsTheProportion) {
  for (int64_t trials = 1; trials <= 60; ++trials) {
    for (int64_t successes = 0; successes <= trials; ++successes) {
      const Interval interval = wilson_interval(successes, trials);
      const double part = static_cast<double>(successes) / static_cast<double>(trials);
      EXPECT_LE(0, interval.low);
      EXPECT_LE(interval.low, part);
      EXPECT_LE(part, interval.high);
      EXPECT_LE(interval.high, 1);
      const Interval mirrored = wilson_interval(trials - successes, trials);
      expect_near(interval, 1 - mirrored.high, 1 - mirrored.low, 1e-12);
    }
  }
}

// Newcombe, Statistics in Medicine 17, 1998, pages 2635 to 2650, table II, method 10.
TEST(PairedDifference, EqualsPublishedIntervals) {
  expect_near(paired_difference_interval({36, 12, 2, 0}), 0.0569, 0.3404);
  expect_near(paired_difference_interval({20, 12, 2, 16}), 0.0562, 0.3292);
}

TEST(PairedDifference, IsMirroredWhereTheModelsChangePlaces) {
  for (int64_t only = 0; only < 8; ++only) {
    const Interval one = paired_difference_interval({30, only, 5, 4});
    const Interval other = paired_difference_interval({30, 5, only, 4});
    expect_near(one, -other.high, -other.low, 1e-12);
    const double difference = static_cast<double>(only - 5) / static_cast<double>(39 + only);
    EXPECT_LE(one.low, difference);
    EXPECT_GE(one.high, difference);
  }
}

TEST(PairedDifference, HasALengthWhereTheModelsNeverDiffer) {
  const Interval interval = paired_difference_interval({54, 0, 0, 0});
  EXPECT_LT(interval.low, 0);
  EXPECT_GT(interval.high, 0);
}

TEST(McNemar, EqualsTheBinomialTailsByHand) {
  EXPECT_EQ(mcnemar_p_value({10, 0, 0, 10}), 1);
  EXPECT_EQ(mcnemar_p_value({10, 3, 3, 10}), 1);                  // both tails reach over the middle
  EXPECT_NEAR(mcnemar_p_value({0, 1, 0, 0}), 1, 1e-15);           // 2 * 1/2
  EXPECT_NEAR(mcnemar_p_value({500, 5, 0, 495}), 0.0625, 1e-15);  // 2 / 32
  EXPECT_NEAR(mcnemar_p_value({500, 0, 6, 495}), 0.03125, 1e-15);
  EXPECT_NEAR(mcnemar_p_value({36, 12, 2, 0}), 2.0 * (1 + 14 + 91) / 16384, 1e-15);
  EXPECT_NEAR(mcnemar_p_value({0, 1000, 900, 0}), 0.0231, 2e-4);  // normal approximation: z = 99 / sqrt(1900)
}

}  // namespace
}  // namespace bitnet
