#include "framework/experiment/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "framework/core/error.h"
#include "framework/core/random.h"

namespace bitnet {
namespace {

constexpr uint64_t kBootstrapPurpose = 0x626f6f7473747261;  // a stream of draws of its own

/// Fewer resamples than this do not show where a tail ends.
constexpr double kFewestInTail = 5;

double student_quantile(double probability, double degrees) {
  return boost::math::quantile(boost::math::students_t_distribution<double>(degrees), probability);
}

void check_losses(const PairedLosses& losses) {
  if (losses.candidate_nats.size() != losses.baseline_nats.size()) {
    throw DataError("paired interval: the number of baseline seeds must be " +
                    std::to_string(losses.candidate_nats.size()) + ", as for the candidate, but is " +
                    std::to_string(losses.baseline_nats.size()) + ". Evaluate both models with the same seeds.");
  }
  for (const auto* side : {&losses.candidate_nats, &losses.baseline_nats}) {
    for (const std::vector<double>& items : *side) {
      if (items.size() != losses.weights.size()) {
        throw DataError("paired interval: the number of items must be " + std::to_string(losses.weights.size()) +
                        " for every seed, but is " + std::to_string(items.size()) +
                        ". Evaluate all models on the same items.");
      }
    }
  }
}

double sum(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0); }

double mean(std::span<const double> values) { return sum(values) / static_cast<double>(values.size()); }

double sum_of_squares_around(std::span<const double> values, double center) {
  double total = 0;
  for (const double value : values) total += (value - center) * (value - center);
  return total;
}

double weighted_sum(std::span<const double> values, std::span<const double> counts) {
  double total = 0;
  for (size_t i = 0; i < values.size(); ++i) total += values[i] * counts[i];
  return total;
}

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

std::string too_few(int64_t count, const char* one, const char* many, const IntervalOptions& options) {
  return "no interval: " + std::to_string(count) + " " + (count == 1 ? one : many) + " only, at least " +
         std::to_string(options.fewest_items) + " are needed";
}

IntervalOutcome no_interval(IntervalOutcome outcome, std::string reason) {
  outcome.method = std::move(reason);
  return outcome;
}

IntervalOutcome with_limits(IntervalOutcome outcome, Limits limits, const char* method) {
  outcome.interval = limits(kTail);
  outcome.limits = std::move(limits);
  outcome.method = method;
  return outcome;
}

/// Bootstrap-t limits around `center`, from the sorted differences of the resamples, each in its own standard errors.
Limits studentized_limits(double center, double error, std::vector<double> differences, double degrees) {
  const double fewest = kFewestInTail / static_cast<double>(differences.size());
  const auto sorted = std::make_shared<const std::vector<double>>(std::move(differences));
  return [=](double tail) {
    const double shown = std::max(tail, fewest);
    // Beyond what the resamples show, the quantiles grow as Student's do.
    const double scale = shown == tail ? 1 : student_quantile(tail, degrees) / student_quantile(shown, degrees);
    return Interval{center - scale * error * sorted_quantile(*sorted, 1 - shown),
                    center - scale * error * sorted_quantile(*sorted, shown)};
  };
}

/// The standard error of the statistic, by its linear part: that of items which count as often as `counts` says.
double standard_error(const PairedLosses& losses, const RateStatistic& statistic, std::span<const double> counts,
                      const PairedRates& rates, double weight) {
  const PairedRates slopes = statistic.slopes(rates);
  double total = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double part = slopes.candidate * (losses.candidate_nats[0][i] - rates.candidate * losses.weights[i]) +
                        slopes.baseline * (losses.baseline_nats[0][i] - rates.baseline * losses.weights[i]);
    total += counts[i] * part * part;
  }
  const auto items = static_cast<double>(counts.size());
  return std::sqrt(total * items / (items - 1)) / weight;
}

std::optional<Limits> bootstrap_items(const PairedLosses& losses, const RateStatistic& statistic,
                                      const IntervalOptions& options) {
  const size_t items = losses.weights.size();
  std::vector<double> counts(items, 1.0);
  double error = 0;
  const auto estimate = [&] {
    const double weight = weighted_sum(losses.weights, counts);
    const PairedRates rates{weighted_sum(losses.candidate_nats[0], counts) / weight,
                            weighted_sum(losses.baseline_nats[0], counts) / weight};
    error = standard_error(losses, statistic, counts, rates, weight);
    return statistic.value(rates);
  };
  const double center = estimate();
  const double center_error = error;
  if (!std::isfinite(center) || !std::isfinite(center_error)) return std::nullopt;
  std::vector<double> differences;
  differences.reserve(static_cast<size_t>(options.resamples));
  for (int64_t resample = 0; resample < options.resamples; ++resample) {
    // Each resample has a stream of its own, so that its draws do not depend on how many the others made.
    Random random = random_stream(options.seed, kBootstrapPurpose, static_cast<uint64_t>(resample));
    std::fill(counts.begin(), counts.end(), 0.0);
    for (size_t i = 0; i < items; ++i) counts[random.below(items)] += 1.0;
    const double difference = estimate() - center;
    // All that was drawn may be items without a length.
    if (!std::isfinite(difference) || !std::isfinite(error)) return std::nullopt;
    // Where all drawn items are alike they have no error to divide by; to rounding they may still differ.
    differences.push_back(difference == 0 ? 0 : difference / std::max(error, 1e-12 * std::fabs(difference)));
  }
  std::sort(differences.begin(), differences.end());
  return studentized_limits(center, center_error, std::move(differences), static_cast<double>(items - 1));
}

/// What each item of each seed adds to the statistic's linear part, around the statistic itself: [seed][item].
std::vector<std::vector<double>> linear_parts(const PairedLosses& losses, const RateStatistic& statistic) {
  const PairedRates rates = paired_rates(losses);
  const PairedRates slopes = statistic.slopes(rates);
  const double scale = static_cast<double>(losses.weights.size()) / sum(losses.weights);
  std::vector<std::vector<double>> parts(losses.candidate_nats.size());
  for (size_t s = 0; s < parts.size(); ++s) {
    for (size_t i = 0; i < losses.weights.size(); ++i) {
      const double candidate = losses.candidate_nats[s][i] - rates.candidate * losses.weights[i];
      const double baseline = losses.baseline_nats[s][i] - rates.baseline * losses.weights[i];
      parts[s].push_back(scale * (slopes.candidate * candidate + slopes.baseline * baseline));
    }
  }
  return parts;
}

/// Student's limits around `center` by the variance between items and between seeds of `parts`, whose mean is 0.
std::optional<Limits> random_effects(double center, const std::vector<std::vector<double>>& parts) {
  const auto seeds = static_cast<double>(parts.size());
  const auto items = static_cast<double>(parts.front().size());
  std::vector<double> of_item(parts.front().size(), 0.0);
  std::vector<double> of_seed;
  for (const std::vector<double>& row : parts) {
    of_seed.push_back(mean(row));
    for (size_t i = 0; i < row.size(); ++i) of_item[i] += row[i] / seeds;
  }
  double rest = 0;
  for (size_t s = 0; s < parts.size(); ++s) {
    for (size_t i = 0; i < of_item.size(); ++i) {
      const double residual = parts[s][i] - of_seed[s] - of_item[i];
      rest += residual * residual;
    }
  }
  const double mean_square_rest = rest / ((items - 1) * (seeds - 1));
  const double by_seeds = items * sum_of_squares_around(of_seed, 0) / (seeds - 1);
  const double by_items = std::max(seeds * sum_of_squares_around(of_item, 0) / (items - 1) - mean_square_rest, 0.0);
  if (!std::isfinite(by_seeds + by_items) || !std::isfinite(center)) return std::nullopt;
  const double share_of_items = by_items / std::max(by_seeds + by_items, std::numeric_limits<double>::min());
  return [=](double tail) {
    const double of_few = std::fabs(student_quantile(tail, seeds - 1));
    const double of_many = std::fabs(student_quantile(tail, items - 1));
    const double sum = std::hypot(of_few * std::sqrt(by_seeds), of_many * std::sqrt(by_items));
    const double shrunk = sum * (1 - share_of_items * share_of_items / seeds);
    const double least = std::min(of_many * std::sqrt(by_seeds + by_items), sum);
    const double half = std::max(shrunk, least) / std::sqrt(items * seeds);
    return Interval{center - half, center + half};
  };
}

/// Limits of the median by order statistics: below the k-th of n values (k from 1) it lies with the probability that
/// fewer than k of n coins show heads, whatever the distribution; between two of them the limits are interpolated.
Limits median_limits(std::vector<double> sorted_values) {
  const auto sorted = std::make_shared<const std::vector<double>>(std::move(sorted_values));
  return [sorted](double tail) {
    const auto n = static_cast<double>(sorted->size());
    const boost::math::binomial_distribution<double> coins(n, 0.5);
    const auto tail_below = [&](size_t k) { return boost::math::cdf(coins, static_cast<double>(k) - 1); };
    // Even the outermost values leave out more than such a tail.
    if (tail < tail_below(1)) return Interval{-HUGE_VAL, HUGE_VAL};
    size_t k = 1;
    while (2 * k < sorted->size() && tail_below(k + 1) <= tail) ++k;
    const auto at = static_cast<double>(k);
    const double part = (tail - tail_below(k)) / (tail_below(k + 1) - tail_below(k));
    const double inner = (n - at) * part / (at + (n - 2 * at) * part);  // weight of the value further in
    return Interval{(1 - inner) * (*sorted)[k - 1] + inner * (*sorted)[k],
                    (1 - inner) * (*sorted)[sorted->size() - k] + inner * (*sorted)[sorted->size() - k - 1]};
  };
}

}  // namespace

const RateStatistic kRateDifference = {
    [](const PairedRates& rates) { return rates.candidate - rates.baseline; },
    [](const PairedRates&) { return PairedRates{1, -1}; },
};

const RateStatistic kRelativeDifference = {
    [](const PairedRates& rates) { return (rates.candidate - rates.baseline) / rates.baseline; },
    [](const PairedRates& rates) {
      return PairedRates{1 / rates.baseline, -rates.candidate / (rates.baseline * rates.baseline)};
    },
};

double p_value_below(const Limits& limits, double threshold) {
  constexpr double kLeast = 1e-12;
  if (!(limits(0.5).high < threshold)) return 1;
  if (limits(kLeast).high < threshold) return kLeast;
  // Bisection of ln(tail): the upper limit rises where the tail falls.
  double above = std::log(kLeast);
  double below = std::log(0.5);
  while (below - above > 1e-6) {
    const double middle = (above + below) / 2;
    (limits(std::exp(middle)).high < threshold ? below : above) = middle;
  }
  return std::exp(below);
}

Limits mapped_limits(const Limits& limits, const std::function<double(double)>& change) {
  if (!limits) return {};
  return [=](double tail) {
    const Interval interval = limits(tail);
    const double a = change(interval.low);
    const double b = change(interval.high);
    return Interval{std::min(a, b), std::max(a, b)};
  };
}

Limits median_difference_limits(double first, const Limits& of_first, double second, const Limits& of_second) {
  if (!of_first || !of_second) return {};
  return [=](double tail) {
    const Interval one = of_first(tail);
    const Interval other = of_second(tail);
    const double difference = first - second;
    return Interval{difference - kMedianArms * std::hypot(first - one.low, other.high - second),
                    difference + kMedianArms * std::hypot(one.high - first, second - other.low)};
  };
}

PairedRates paired_rates(const PairedLosses& losses) {
  check_losses(losses);
  PairedRates rates;
  const double weight = sum(losses.weights);
  for (const auto& items : losses.candidate_nats) rates.candidate += sum(items) / weight;
  for (const auto& items : losses.baseline_nats) rates.baseline += sum(items) / weight;
  const auto seeds = static_cast<double>(losses.candidate_nats.size());
  return {rates.candidate / seeds, rates.baseline / seeds};
}

double sorted_quantile(std::span<const double> sorted, double probability) {
  const double position = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

IntervalOutcome paired_interval(const PairedLosses& losses, const RateStatistic& statistic,
                                const IntervalOptions& options) {
  check_losses(losses);
  IntervalOutcome outcome;
  outcome.items = static_cast<int64_t>(losses.weights.size());
  outcome.seeds = static_cast<int64_t>(losses.candidate_nats.size());
  if (outcome.seeds == 0 || outcome.items == 0) return no_interval(outcome, "no interval: no items were kept");
  if (outcome.items < options.fewest_items) {
    return no_interval(outcome, too_few(outcome.items, "item", "items", options));
  }
  if (!(sum(losses.weights) > 0)) return no_interval(outcome, "no interval: the items have no length");
  const std::optional<Limits> limits =
      outcome.seeds == 1 ? bootstrap_items(losses, statistic, options)
                         : random_effects(statistic.value(paired_rates(losses)), linear_parts(losses, statistic));
  if (!limits) return no_interval(outcome, "no interval: a loss is not finite, or too few items have a length");
  return with_limits(outcome, *limits,
                     outcome.seeds == 1 ? "paired bootstrap-t of items" : "Student's interval of items and seeds");
}

IntervalOutcome log_ratio_interval(const std::vector<double>& log_ratios, const IntervalOptions& options) {
  IntervalOutcome outcome;
  outcome.items = static_cast<int64_t>(log_ratios.size());
  outcome.seeds = 1;
  if (outcome.items < options.fewest_items) {
    return no_interval(outcome, too_few(outcome.items, "turn", "turns", options));
  }
  if (!all_finite(log_ratios)) return no_interval(outcome, "no interval: a ratio is not finite");
  std::vector<double> sorted = log_ratios;
  std::sort(sorted.begin(), sorted.end());
  return with_limits(outcome, median_limits(std::move(sorted)),
                     "interpolated order statistics of the turns' log ratios");
}

}  // namespace bitnet
