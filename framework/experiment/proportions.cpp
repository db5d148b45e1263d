#include "framework/experiment/proportions.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace bitnet {
namespace {

double square(double value) { return value * value; }

/// The phi coefficient of the two models' outcomes, moved towards 0 by half a question where it is positive.
double corrected_phi(const PairedOutcomes& outcomes) {
  const auto a = static_cast<double>(outcomes.both);
  const auto b = static_cast<double>(outcomes.candidate_only);
  const auto c = static_cast<double>(outcomes.baseline_only);
  const auto d = static_cast<double>(outcomes.neither);
  const double scale = std::sqrt((a + b) * (c + d) * (a + c) * (b + d));
  if (scale == 0) return 0;
  const double product = a * d - b * c;
  return (product > 0 ? std::max(product - (a + b + c + d) / 2, 0.0) : product) / scale;
}

}  // namespace

Interval wilson_interval(int64_t successes, int64_t trials, double tail) {
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double z = -boost::math::quantile(boost::math::normal_distribution<double>(), tail);
  const double z2 = square(z);
  const double center = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = z / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  // At the ends rounding would leave 0 and 1 by a few parts in 10^17.
  return {successes == 0 ? 0 : std::max(center - half, 0.0), successes == trials ? 1 : std::min(center + half, 1.0)};
}

Interval paired_difference_interval(const PairedOutcomes& outcomes, double tail) {
  const int64_t n = outcomes.both + outcomes.candidate_only + outcomes.baseline_only + outcomes.neither;
  const int64_t candidate_right = outcomes.both + outcomes.candidate_only;
  const int64_t baseline_right = outcomes.both + outcomes.baseline_only;
  const double candidate = static_cast<double>(candidate_right) / static_cast<double>(n);
  const double baseline = static_cast<double>(baseline_right) / static_cast<double>(n);
  const Interval of_candidate = wilson_interval(candidate_right, n, tail);
  const Interval of_baseline = wilson_interval(baseline_right, n, tail);
  const double phi = corrected_phi(outcomes);
  const auto reach = [phi](double one, double other) {
    return std::sqrt(std::max(square(one) - 2 * phi * one * other + square(other), 0.0));
  };
  const double difference = candidate - baseline;
  return {difference - reach(candidate - of_candidate.low, of_baseline.high - baseline),
          difference + reach(of_candidate.high - candidate, baseline - of_baseline.low)};
}

double mcnemar_p_value(const PairedOutcomes& outcomes) {
  const int64_t differing = outcomes.candidate_only + outcomes.baseline_only;
  if (differing == 0) return 1;
  const boost::math::binomial_distribution<double> even(static_cast<double>(differing), 0.5);
  const int64_t fewer = std::min(outcomes.candidate_only, outcomes.baseline_only);
  return std::min(1.0, 2 * boost::math::cdf(even, static_cast<double>(fewer)));
}

}  // namespace bitnet
