#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bitnet {

struct Interval {
  double low = 0;
  double high = 0;
};

/// Limits of an estimate: for a tail probability in (0, 0.5], the interval that leaves out this much at each end.
using Limits = std::function<Interval(double tail)>;

/// The tail of a 95 % interval.
inline constexpr double kTail = 0.025;

/// An interval, or why there is none.
struct IntervalOutcome {
  std::optional<Interval> interval;  ///< 95 %
  Limits limits;                     ///< the same at any tail; empty where there is no interval
  int64_t items = 0;
  int64_t seeds = 0;
  std::string method;  ///< how the interval was made, or why there is none; a phrase for readers
};

/// One-sided p-value of "the true value is at least `threshold`": the least tail whose upper limit lies below the
/// threshold, by inverting the limits; 1 where even the estimate does not, never less than 1e-12.
double p_value_below(const Limits& limits, double threshold);

/// `limits` of a value that `change` maps to another, where `change` is monotone (rising or falling).
Limits mapped_limits(const Limits& limits, const std::function<double(double)>& change);

/// How much of MOVER's arms a difference of two medians keeps: whole, they cover 95.7 to 97.4 % in place of 95 %, so
/// 94.7 to 96.8 % (found by simulation, for 10 to 40 turns each of equal or other spread; a test).
inline constexpr double kMedianArms = 0.95;

/// Limits of `first - second`, the medians of two independent samples with limits of their own (MOVER, its arms times
/// kMedianArms). Source: Zou and Donner, "Construction of confidence limits about effect measures: a general approach",
/// Statistics in Medicine 27, 2008.
Limits median_difference_limits(double first, const Limits& of_first, double second, const Limits& of_second);

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

/// What an interval is about: a function of the rates, and its partial derivatives.
struct RateStatistic {
  double (*value)(const PairedRates&);
  PairedRates (*slopes)(const PairedRates&);
};

/// candidate - baseline: of losses, ln(perplexity of the candidate / perplexity of the baseline); of outcomes, the
/// difference of the accuracies.
extern const RateStatistic kRateDifference;

/// (candidate - baseline) / baseline, for metrics that are proportional to the rate (bits per byte).
extern const RateStatistic kRelativeDifference;

inline constexpr int64_t kBootstrapResamples = 2000;

struct IntervalOptions {
  int64_t resamples = kBootstrapResamples;
  uint64_t seed = 1;
  int64_t fewest_items = 10;  ///< with fewer items no interval is to be trusted
};

/// Interval of a statistic of two models' losses on the same items.
///
/// With one seed, a paired bootstrap-t of whole items: each resample draws items with replacement and keeps what the
/// two models lost on an item together; its difference from the statistic is measured in standard errors of its own,
/// which makes up for few items and for skewed ones. Where a tail holds fewer than 5 resamples, its quantiles are
/// continued as Student's. Deterministic in `options.seed`.
///
/// With several seeds, a model with random effects of items and of seeds, because all seeds saw the same items, and no
/// resampling of two or three seeds can show what a further one would change: the statistic's linear part of each item
/// and seed is split into the two, each counts with Student's quantiles of its own, and the two are added as Howe does.
/// Howe's sum is too wide where items matter more than seeds, most of all for two seeds (it covers up to 98.8 %): it is
/// multiplied by `1 - (share of the items in the variance)^2 / seeds`, which brings the coverage into 93 to 97 % for
/// any share (found and tested by simulation), and is never less than Student's of the items alone would be.
///
/// Errors: DataError where the shapes of the losses differ.
/// Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 12 and 13; Howe, "Approximate
/// confidence limits on the mean of X + Y where X and Y are two tabled independent random variables", JASA 69, 1974;
/// the split into seeds and items is that of readers and cases in Hillis, "A comparison of denominator degrees of
/// freedom methods for multiple observer ROC analysis", Statistics in Medicine 26, 2007.
IntervalOutcome paired_interval(const PairedLosses& losses, const RateStatistic& statistic,
                                const IntervalOptions& options = {});

/// Interval of the median of `log_ratios`, ln(one model's speed / another's) of each turn, by interpolated order
/// statistics. Source: Hettmansperger and Sheather, "Confidence intervals based on interpolated order statistics",
/// Statistics & Probability Letters 4, 1986.
IntervalOutcome log_ratio_interval(const std::vector<double>& log_ratios, const IntervalOptions& options = {});

/// Quantile of sorted values with linear interpolation between the order statistics (type 7 of Hyndman and Fan).
/// `sorted` holds at least one value; 0 <= probability <= 1.
double sorted_quantile(std::span<const double> sorted, double probability);

}  // namespace bitnet
