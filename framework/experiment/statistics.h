#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bitnet {

/// Two models' losses on the same items, for every pair of equal seeds.
struct PairedLosses {
  std::vector<double> weights;                      ///< what an item's loss is divided by: its tokens, words or bytes
  std::vector<std::vector<double>> candidate_nats;  ///< [seed][item]: sum of -log p over the item
  std::vector<std::vector<double>> baseline_nats;   ///< [seed][item]
};

/// Nats per unit of weight of both models, each the mean over the seeds.
struct PairedRates {
  double candidate = 0;
  double baseline = 0;
};

/// The rates over all items and seeds.
PairedRates paired_rates(const PairedLosses& losses);

/// What the interval is about, for example `ln_ratio`.
using RateStatistic = std::function<double(const PairedRates&)>;

/// ln(perplexity of the candidate / perplexity of the baseline): the difference of the rates.
double ln_ratio(const PairedRates& rates);

/// (candidate - baseline) / baseline, for metrics that are proportional to the rate (bits per byte).
double relative_difference(const PairedRates& rates);

inline constexpr int64_t kBootstrapResamples = 2000;

struct BootstrapOptions {
  int64_t resamples = kBootstrapResamples;
  double confidence = 0.95;
  uint64_t seed = 1;
  int64_t fewest_items = 10;  ///< with fewer items a percentile interval is much too narrow
};

/// An interval, or why there is none.
struct Interval {
  double low = 0;
  double high = 0;
};
struct IntervalOutcome {
  std::optional<Interval> interval;
  int64_t items = 0;
  int64_t seeds = 0;
  std::string method;  ///< how the interval was made, or why there is none; a phrase for readers
};

/// Percentile interval by a paired bootstrap of whole items: each resample draws items with replacement and keeps what
/// the two models lost on an item together. With several seeds it draws the pairs of equal seeds as well; the draw of
/// the items is the same for all seeds, since all seeds saw the same items (a nested draw would let the items' noise
/// average out over the seeds, which it does not). Deterministic in `options.seed`. Errors: DataError where the shapes
/// of the losses differ. Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; Owen, "The
/// pigeonhole bootstrap", Annals of Applied Statistics 1(2), 2007.
IntervalOutcome paired_bootstrap(const PairedLosses& losses, const RateStatistic& statistic,
                                 const BootstrapOptions& options = {});

/// Percentile interval of the median of `log_ratios`, ln(one model's speed / another's) of each turn, by a bootstrap of
/// the turns. Deterministic in `options.seed`. Source: as paired_bootstrap.
IntervalOutcome log_ratio_bootstrap(const std::vector<double>& log_ratios, const BootstrapOptions& options = {});

/// Quantile of sorted values with linear interpolation between the order statistics (type 7 of Hyndman and Fan).
/// `sorted` holds at least one value; 0 <= probability <= 1.
double sorted_quantile(std::span<const double> sorted, double probability);

}  // namespace bitnet
