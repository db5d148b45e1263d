#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <vector>

#include "framework/core/random.h"
#include "framework/experiment/proportions.h"
#include "framework/experiment/statistics.h"

// Every kind of interval, on simulated runs whose truth is known: 95 % intervals cover it in 93 to 97 % of them.

namespace bitnet {
namespace {

constexpr int kRuns = 2000;

double normal(Random& random) {
  return std::sqrt(-2 * std::log(1 - random.uniform())) * std::cos(2 * std::acos(-1.0) * random.uniform());
}

double exponential(Random& random) { return -std::log(1 - random.uniform()); }

/// In how many of the runs the interval that `simulate(random, run)` gives covers `truth`, in percent.
double coverage(double truth, const std::function<Interval(Random&, uint64_t)>& simulate) {
  int covered = 0;
  for (uint64_t run = 0; run < kRuns; ++run) {
    Random random = random_stream(20, 0, run);
    const Interval interval = simulate(random, run);
    covered += interval.low <= truth && truth <= interval.high;
  }
  return 100.0 * covered / kRuns;
}

void expect_covered(const char* name, double percent) {
  std::cout << name << ": covered in " << percent << " %\n";
  EXPECT_GE(percent, 93) << name;
  EXPECT_LE(percent, 97) << name;
}

/// Standard deviations of the gap of two models, in nats: between items, between seeds, and of what is left.
struct Noise {
  double items = 0.1;
  double seeds = 0.03;
  double rest = 0.02;
  bool skewed = false;  ///< a few items carry much of the gap
};

constexpr double kGap = 0.1;

PairedLosses simulate_losses(int64_t items, int64_t seeds, const Noise& noise, Random& random) {
  PairedLosses losses;
  std::vector<double> hardness, gap;
  for (int64_t i = 0; i < items; ++i) {
    losses.weights.push_back(50 + static_cast<double>(random.below(100)));
    hardness.push_back(3 + 0.5 * normal(random));
    gap.push_back(kGap + noise.items * (noise.skewed ? exponential(random) - 1 : normal(random)));
  }
  for (int64_t s = 0; s < seeds; ++s) {
    const double moved = seeds == 1 ? 0 : noise.seeds * normal(random);
    std::vector<double>& baseline = losses.baseline_nats.emplace_back();
    std::vector<double>& candidate = losses.candidate_nats.emplace_back();
    for (size_t i = 0; i < hardness.size(); ++i) {
      baseline.push_back(losses.weights[i] * hardness[i]);
      candidate.push_back(losses.weights[i] * (hardness[i] + gap[i] + moved + noise.rest * normal(random)));
    }
  }
  return losses;
}

double loss_coverage(int64_t items, int64_t seeds, const Noise& noise) {
  return coverage(kGap, [&](Random& random, uint64_t run) {
    const PairedLosses losses = simulate_losses(items, seeds, noise, random);
    return *paired_interval(losses, kRateDifference, {.resamples = 1000, .seed = run}).interval;
  });
}

TEST(Coverage, PerplexityWithOneSeed) {
  expect_covered("10 items", loss_coverage(10, 1, {}));
  expect_covered("60 items", loss_coverage(60, 1, {}));
  expect_covered("200 items", loss_coverage(200, 1, {}));
  expect_covered("20 skewed items", loss_coverage(20, 1, {.skewed = true}));
  expect_covered("100 skewed items", loss_coverage(100, 1, {.skewed = true}));
}

TEST(Coverage, RelativeDifferenceWithOneSeed) {
  // The truth is that of the means, 0.1 / 3.
  const double percent = coverage(kGap / 3, [](Random& random, uint64_t run) {
    return *paired_interval(simulate_losses(60, 1, {}, random), kRelativeDifference, {.resamples = 1000, .seed = run})
                .interval;
  });
  expect_covered("relative difference, 60 items", percent);
}

TEST(Coverage, PerplexityWithSeveralSeeds) {
  for (const int64_t seeds : {2, 3, 5, 10}) {
    std::cout << seeds << " seeds\n";
    // From seeds that matter more than the items to seeds that hardly matter, and to much that is neither.
    expect_covered("items hardly matter", loss_coverage(60, seeds, {.items = 0.02}));
    expect_covered("many items", loss_coverage(400, seeds, {}));
    expect_covered("seeds and items alike", loss_coverage(60, seeds, {.seeds = 0.013}));
    expect_covered("as met", loss_coverage(60, seeds, {}));
    expect_covered("seeds matter little", loss_coverage(60, seeds, {.seeds = 0.003}));
    expect_covered("seeds do not matter", loss_coverage(60, seeds, {.seeds = 0}));
    expect_covered("few items", loss_coverage(20, seeds, {}));
    expect_covered("much rest", loss_coverage(60, seeds, {.rest = 0.08}));
  }
}

TEST(Coverage, OneAccuracy) {
  for (const int64_t questions : {100, 264, 2376}) {
    for (const double p : {0.25, 0.5, 0.8}) {
      const double percent = coverage(p, [&](Random& random, uint64_t) {
        int64_t right = 0;
        for (int64_t i = 0; i < questions; ++i) right += random.uniform() < p;
        return wilson_interval(right, questions);
      });
      expect_covered("Wilson", percent);
    }
  }
}

TEST(Coverage, DifferenceOfTwoAccuracies) {
  // Questions have a difficulty that both models see in `shared` of the cases.
  for (const int64_t questions : {100, 264, 570}) {
    for (const double shared : {0.0, 0.5, 0.8}) {
      const double percent = coverage(0.05, [&](Random& random, uint64_t) {
        PairedOutcomes counts;
        for (int64_t i = 0; i < questions; ++i) {
          const double difficulty = random.uniform();
          const bool together = random.uniform() < shared;
          const bool candidate = (together ? difficulty : random.uniform()) < 0.5;
          const bool baseline = (together ? difficulty : random.uniform()) < 0.45;
          ++(candidate ? (baseline ? counts.both : counts.candidate_only)
                       : (baseline ? counts.baseline_only : counts.neither));
        }
        return paired_difference_interval(counts);
      });
      expect_covered("Newcombe", percent);
    }
  }
}

TEST(Coverage, MedianRatioOfSpeeds) {
  for (const int64_t turns : {10, 11, 20, 40}) {
    for (const bool disturbed : {false, true}) {
      const double percent = coverage(1.2, [&](Random& random, uint64_t) {
        std::vector<double> ratios;
        for (int64_t i = 0; i < turns; ++i) {
          // A disturbed machine slows a fifth of the turns of either model.
          const double spread = disturbed && random.uniform() < 0.2 ? 0.3 : 0.02;
          ratios.push_back(1.2 + spread * normal(random));
        }
        return *log_ratio_interval(ratios).interval;
      });
      expect_covered("median of turns", percent);
    }
  }
}

TEST(Coverage, DifferenceOfTwoMedianRatios) {
  const auto middle = [](std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return sorted_quantile(values, 0.5);
  };
  for (const auto& [turns_now, turns_before] : {std::pair(10, 10), std::pair(20, 20), std::pair(10, 40)}) {
    for (const double spread_before : {0.03, 0.09}) {
      const double percent = coverage(0.2, [&](Random& random, uint64_t) {
        const auto turns = [&](double truth, int count, double spread) {
          std::vector<double> ratios;
          for (int i = 0; i < count; ++i) ratios.push_back(truth + spread * normal(random));
          return ratios;
        };
        const std::vector<double> now = turns(1.4, turns_now, 0.03);
        const std::vector<double> before = turns(1.2, turns_before, spread_before);
        return median_difference_limits(middle(now), log_ratio_interval(now).limits, middle(before),
                                        log_ratio_interval(before).limits)(kTail);
      });
      expect_covered("difference of medians", percent);
    }
  }
}

}  // namespace
}  // namespace bitnet
