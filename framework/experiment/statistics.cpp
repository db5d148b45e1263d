#include "framework/experiment/statistics.h"

#include <algorithm>
#include <cmath>

#include "framework/core/error.h"
#include "framework/core/random.h"

namespace bitnet {
namespace {

constexpr uint64_t kBootstrapPurpose = 0x626f6f7473747261;  // a stream of draws of its own

void check_losses(const PairedLosses& losses) {
  if (losses.candidate_nats.size() != losses.baseline_nats.size()) {
    throw DataError("paired bootstrap: the number of baseline seeds must be " +
                    std::to_string(losses.candidate_nats.size()) + ", as for the candidate, but is " +
                    std::to_string(losses.baseline_nats.size()) + ". Evaluate both models with the same seeds.");
  }
  for (const auto* side : {&losses.candidate_nats, &losses.baseline_nats}) {
    for (const std::vector<double>& items : *side) {
      if (items.size() != losses.weights.size()) {
        throw DataError("paired bootstrap: the number of items must be " + std::to_string(losses.weights.size()) +
                        " for every seed, but is " + std::to_string(items.size()) +
                        ". Evaluate all models on the same items.");
      }
    }
  }
}

double sum(std::span<const double> values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

double weighted_sum(std::span<const double> values, std::span<const double> counts) {
  double total = 0;
  for (size_t i = 0; i < values.size(); ++i) total += values[i] * counts[i];
  return total;
}

std::string too_few(size_t count, const char* one, const char* many, const BootstrapOptions& options) {
  return "no interval: " + std::to_string(count) + " " + (count == 1 ? one : many) + " only, at least " +
         std::to_string(options.fewest_items) + " are needed";
}

/// The middle part of the resamples' values.
Interval percentiles(std::vector<double> values, const BootstrapOptions& options) {
  std::sort(values.begin(), values.end());
  const double tail = (1.0 - options.confidence) / 2.0;
  return {sorted_quantile(values, tail), sorted_quantile(values, 1.0 - tail)};
}

IntervalOutcome no_interval(IntervalOutcome outcome, std::string reason) {
  outcome.method = std::move(reason);
  return outcome;
}

}  // namespace

PairedRates paired_rates(const PairedLosses& losses) {
  check_losses(losses);
  PairedRates rates;
  const double weight = sum(losses.weights);
  for (const auto& items : losses.candidate_nats) rates.candidate += sum(items) / weight;
  for (const auto& items : losses.baseline_nats) rates.baseline += sum(items) / weight;
  const auto seeds = static_cast<double>(losses.candidate_nats.size());
  return {rates.candidate / seeds, rates.baseline / seeds};
}

double ln_ratio(const PairedRates& rates) { return rates.candidate - rates.baseline; }

double relative_difference(const PairedRates& rates) { return (rates.candidate - rates.baseline) / rates.baseline; }

double sorted_quantile(std::span<const double> sorted, double probability) {
  const double position = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

IntervalOutcome paired_bootstrap(const PairedLosses& losses, const RateStatistic& statistic,
                                 const BootstrapOptions& options) {
  check_losses(losses);
  const size_t items = losses.weights.size();
  const size_t seeds = losses.candidate_nats.size();
  IntervalOutcome outcome;
  outcome.items = static_cast<int64_t>(items);
  outcome.seeds = static_cast<int64_t>(seeds);
  if (seeds == 0 || items == 0) return no_interval(outcome, "no interval: no items were kept");
  if (outcome.items < options.fewest_items) {
    return no_interval(outcome, too_few(items, "item", "items", options));
  }
  if (!(sum(losses.weights) > 0)) return no_interval(outcome, "no interval: the items have no length");

  std::vector<double> values;
  values.reserve(static_cast<size_t>(options.resamples));
  std::vector<double> counts(items);
  for (int64_t resample = 0; resample < options.resamples; ++resample) {
    // Each resample has a stream of its own, so that its draws do not depend on how many the others made.
    Random random = random_stream(options.seed, kBootstrapPurpose, static_cast<uint64_t>(resample));
    std::fill(counts.begin(), counts.end(), 0.0);
    for (size_t i = 0; i < items; ++i) counts[random.below(items)] += 1.0;
    const double weight = weighted_sum(losses.weights, counts);
    PairedRates rates;
    for (size_t i = 0; i < seeds; ++i) {
      const size_t seed = seeds == 1 ? 0 : random.below(seeds);
      rates.candidate += weighted_sum(losses.candidate_nats[seed], counts) / weight;
      rates.baseline += weighted_sum(losses.baseline_nats[seed], counts) / weight;
    }
    rates.candidate /= static_cast<double>(seeds);
    rates.baseline /= static_cast<double>(seeds);
    const double value = statistic(rates);
    if (!std::isfinite(value)) return no_interval(outcome, "no interval: a loss is not finite");
    values.push_back(value);
  }
  outcome.interval = percentiles(std::move(values), options);
  outcome.method = seeds > 1 ? "paired bootstrap of items and seeds" : "paired bootstrap of items";
  return outcome;
}

IntervalOutcome log_ratio_bootstrap(const std::vector<double>& log_ratios, const BootstrapOptions& options) {
  const size_t turns = log_ratios.size();
  IntervalOutcome outcome;
  outcome.items = static_cast<int64_t>(turns);
  outcome.seeds = 1;
  if (outcome.items < options.fewest_items) return no_interval(outcome, too_few(turns, "turn", "turns", options));
  if (!std::all_of(log_ratios.begin(), log_ratios.end(), [](double ratio) { return std::isfinite(ratio); })) {
    return no_interval(outcome, "no interval: a ratio is not finite");
  }
  std::vector<double> values;
  values.reserve(static_cast<size_t>(options.resamples));
  std::vector<double> drawn(turns);
  for (int64_t resample = 0; resample < options.resamples; ++resample) {
    Random random = random_stream(options.seed, kBootstrapPurpose, static_cast<uint64_t>(resample));
    for (double& ratio : drawn) ratio = log_ratios[random.below(turns)];
    std::sort(drawn.begin(), drawn.end());
    values.push_back(sorted_quantile(drawn, 0.5));
  }
  outcome.interval = percentiles(std::move(values), options);
  outcome.method = "bootstrap of the turns' log ratios";
  return outcome;
}

}  // namespace bitnet
