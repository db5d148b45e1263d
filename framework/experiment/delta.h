#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/experiment/results.h"
#include "framework/experiment/statistics.h"

namespace bitnet {

/// What a delta means. The bands' limits are in delta.cpp and nowhere else.
enum class Band {
  kParity,      ///< the interval contains 0, the test finds no difference, or two exact figures are equal
  kUnresolved,  ///< measured without an interval: noise and difference can not be told apart
  kNotFinite,   ///< a value is not a number: the training diverged
  kMinorWin,
  kClearWin,
  kMajorWin,
  kMinorDeficiency,
  kNeedsImprovement,
  kSignificantDeficiency,
};

/// |delta %| from which a difference is more than minor, and from which it is major or significant.
inline constexpr double kClearPercent = 5.0;
inline constexpr double kMajorPercent = 20.0;

/// p-value above which a test finds no difference, as outside a 95 % interval.
inline constexpr double kSignificance = 0.05;

/// One metric of a candidate against the same metric of the baseline.
struct DeltaRow {
  std::string category;  ///< "Quality", "Memory" or "Speed"
  std::string metric;    ///< the metric's name, for example "word_perplexity"
  std::string label;     ///< the same for readers: "Word perplexity"
  std::string unit;
  std::string evaluator;   ///< empty for what training itself measures
  std::string convention;  ///< how the figure comes about; empty for training speed
  std::string split;
  bool lower_is_better = true;
  bool exact = false;     ///< a count, or a measurement that comes out the same every time: needs no interval
  bool restated = false;  ///< the same losses as another row of its evaluator, in another unit
  double candidate = 0;
  double baseline = 0;
  std::optional<double> floor;               ///< the metric's value at the true entropy
  std::optional<double> chance;              ///< the metric's value where answers are guessed
  double delta_percent = 0;                  ///< + is better, - is worse
  std::optional<Interval> interval_percent;  ///< of delta_percent
  int64_t items = 0;
  int64_t seeds = 0;
  std::string method;              ///< of the interval, or why there is none
  std::optional<double> ln_ratio;  ///< perplexities: ln(candidate / baseline)
  std::optional<Interval> ln_ratio_interval;
  // Means of outcomes (accuracy, pass@k):
  std::optional<double> points;             ///< difference in percentage points, + is better
  std::optional<Interval> points_interval;  ///< of `points`
  std::optional<double> p_value;            ///< of McNemar's exact test that both are equally good
  // The intervals at any tail; empty where there is no interval:
  Limits percent_limits;
  Limits ln_ratio_limits;
  Limits points_limits;
  std::optional<Interval> candidate_interval;  ///< of `candidate` alone
  std::optional<Interval> baseline_interval;   ///< of `baseline` alone
  Band band = Band::kParity;
};

/// A candidate against the baseline.
struct Comparison {
  std::string candidate;
  std::string baseline;
  std::vector<DeltaRow> rows;
  std::vector<std::string> strengths;     ///< plain sentences
  std::vector<std::string> deficiencies;  ///< plain sentences
  std::string strengths_note;             ///< why `strengths` is empty; empty where it is not
  std::string deficiencies_note;          ///< why `deficiencies` is empty; empty where it is not
  std::string undecided;  ///< metrics that stand in neither list, where no note names them; may be empty
  std::string verdict;    ///< who wins where, in one or two sentences
};

/// `s * (candidate - baseline) / |baseline| * 100`, s = -1 where lower is better: 0 is parity, + is better, - is worse.
double delta_percent(double candidate, double baseline, bool lower_is_better);

/// The interpretation of a delta, from its size, its interval and the p-value of its test, where there are some.
Band band_of(double delta_percent, const std::optional<Interval>& interval, bool exact,
             const std::optional<double>& p_value = std::nullopt);

/// How a candidate fares in one category. Each measurement counts once, however many units it is stated in.
struct Standing {
  int64_t better = 0;
  int64_t worse = 0;
  int64_t all = 0;
  int64_t not_finite = 0;           ///< a value is not a number: a training diverged
  bool judged = false;              ///< some measurement could be judged at all
  const DeltaRow* best = nullptr;   ///< what to name of those that are better; null where none is
  const DeltaRow* worst = nullptr;  ///< what to name of those that are worse; null where none is
  const DeltaRow* first = nullptr;  ///< what to name if only one is named; null where nothing was measured
};

/// To name: the first word perplexity, which does not depend on the vocabulary, else the first measurement.
Standing standing_of(const Comparison& comparison, std::string_view category);

/// For readers: "parity", "not judged", "minor win", ..., "significant deficiency".
std::string_view band_name(Band band);
/// +1 for the wins, -1 for the deficiencies, 0 for the rest.
int band_sign(Band band);

/// "BitNet" for "bitnet", "Traditional" for "traditional", any other name as it is.
std::string display_name(std::string_view variant);

/// The variant's tokens per second in training, over all its seeds; nothing where no time was recorded.
std::optional<double> training_tokens_per_second(const VariantResult& variant);

/// What one variant scored in quality (perplexities, accuracies) against the same variant of another run: as the twins
/// are compared, with the seeds paired in their order. Errors: DataError as compare_variants.
std::vector<DeltaRow> compare_runs(const VariantResult& candidate, const VariantResult& baseline);

/// Every variant that is not the baseline against it, in the order of the results.
/// Errors: DataError where the baseline is missing, the seeds differ, or a figure is not comparable: another set of
/// evaluators, another version, convention, split, data, metric or items.
std::vector<Comparison> compare_variants(const Results& results);

}  // namespace bitnet
