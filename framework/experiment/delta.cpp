#include "framework/experiment/delta.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "framework/core/error.h"
#include "framework/experiment/delta_efficiency.h"
#include "framework/experiment/delta_outcomes.h"
#include "framework/experiment/delta_text.h"

namespace bitnet {
namespace {

/// How a metric follows from the items: rate = sum(nats) / sum(denominator), value = exp(rate) or rate * factor.
struct ItemFormula {
  int64_t EvaluationItem::* denominator;
  bool exponential;
  double factor;
};

/// The formula that a metric's name stands for: "word_perplexity", "bits_per_byte", ...; nothing for other names.
std::optional<ItemFormula> item_formula(std::string_view name) {
  const auto denominator = [](std::string_view text) -> int64_t EvaluationItem::* {
    if (text == "word") return &EvaluationItem::words;
    if (text == "byte") return &EvaluationItem::bytes;
    return text == "token" ? &EvaluationItem::tokens : nullptr;
  };
  constexpr std::string_view kPerplexity = "perplexity";
  if (name == kPerplexity) return ItemFormula{&EvaluationItem::tokens, true, 1};
  if (name.size() > kPerplexity.size() + 1 && name.ends_with(kPerplexity)) {
    const auto member = denominator(name.substr(0, name.size() - kPerplexity.size() - 1));
    if (member) return ItemFormula{member, true, 1};
  }
  for (const auto& [prefix, factor] : {std::pair("bits_per_", 1 / std::log(2.0)), std::pair("nats_per_", 1.0)}) {
    const std::string_view start = prefix;
    if (!name.starts_with(start)) continue;
    const auto member = denominator(name.substr(start.size()));
    if (member) return ItemFormula{member, false, factor};
  }
  return std::nullopt;
}

[[noreturn]] void refuse(const std::string& thing, const std::string& expected, const std::string& found) {
  throw DataError("comparison: " + thing + " must be " + expected + ", but is " + found +
                  ". Only figures of the same evaluator, version, convention and data can be compared; evaluate both " +
                  "models anew with the same program.");
}

void require_equal(const std::string& thing, const std::string& baseline, const std::string& candidate) {
  if (baseline != candidate) refuse(thing, "'" + baseline + "', as for the baseline", "'" + candidate + "'");
}

/// One side of a comparison, and what errors call it.
struct Side {
  const VariantResult& variant;
  std::string name;
};

const Evaluation& find_evaluation(const SeedResult& seed, const std::string& evaluator, const std::string& variant) {
  for (const Evaluation& evaluation : seed.evaluations) {
    if (evaluation.evaluator == evaluator) return evaluation;
  }
  refuse("the evaluator '" + evaluator + "' of " + variant + ", seed " + std::to_string(seed.seed), "there", "missing");
}

const Metric& find_metric(const Evaluation& evaluation, const std::string& name, const std::string& variant) {
  for (const Metric& metric : evaluation.metrics) {
    if (metric.name == name) return metric;
  }
  refuse("the metric '" + name + "' of " + evaluation.evaluator + " of " + variant, "there", "missing");
}

/// All evaluations of one evaluator, in the order of the seeds.
using Evaluations = std::vector<const Evaluation*>;

/// Those of `side` by the evaluator of `reference`, which is one of the first seed.
Evaluations evaluations_of(const Side& side, const Evaluation& reference) {
  Evaluations evaluations;
  for (const SeedResult& seed : side.variant.seeds) {
    evaluations.push_back(&find_evaluation(seed, reference.evaluator, side.name));
    if (is_of_first_seed(reference)) break;
  }
  return evaluations;
}

/// Everything that makes two figures comparable, for each of `evaluations` against `reference`.
void check_comparable(const Evaluation& reference, const Evaluations& evaluations, const std::string& variant) {
  for (const Evaluation* evaluation : evaluations) {
    const std::string name = reference.evaluator + "' of " + variant;
    require_equal("the version of '" + name, std::to_string(reference.version), std::to_string(evaluation->version));
    require_equal("the convention of '" + name, reference.convention, evaluation->convention);
    require_equal("the split of '" + name, reference.split, evaluation->split);
    require_equal("the data digest of '" + name, reference.data_sha256, evaluation->data_sha256);
    require_equal("the number of metrics of '" + name, std::to_string(reference.metrics.size()),
                  std::to_string(evaluation->metrics.size()));
    require_equal("the number of items of '" + name, std::to_string(reference.items.size()),
                  std::to_string(evaluation->items.size()));
    for (size_t i = 0; i < reference.items.size(); ++i) {
      const EvaluationItem& expected = reference.items[i];
      const EvaluationItem& item = evaluation->items[i];
      const std::string at = "item " + std::to_string(i) + " of '" + name;
      require_equal("the id of " + at, expected.id, item.id);
      require_equal("the tokens of " + at, std::to_string(expected.tokens), std::to_string(item.tokens));
      require_equal("the words of " + at, std::to_string(expected.words), std::to_string(item.words));
      require_equal("the bytes of " + at, std::to_string(expected.bytes), std::to_string(item.bytes));
    }
  }
}

std::vector<double> item_nats(const Evaluation& evaluation) {
  std::vector<double> nats;
  for (const EvaluationItem& item : evaluation.items) nats.push_back(item.nats);
  return nats;
}

/// Whether the items give the metric's value, so that resampled items stand for resampled metrics.
bool items_give_metric(const Evaluation& evaluation, const ItemFormula& formula, double value) {
  double nats = 0;
  double denominator = 0;
  for (const EvaluationItem& item : evaluation.items) {
    nats += item.nats;
    denominator += static_cast<double>(item.*formula.denominator);
  }
  const double rate = nats / denominator;
  const double expected = formula.exponential ? std::exp(rate) : rate * formula.factor;
  return std::fabs(expected - value) <= 1e-6 * std::fabs(value);
}

/// Several seeds in one figure: the geometric mean of perplexities (so that the ln ratio is the mean of the seeds' ln
/// ratios), the mean of everything else.
double mean_over_seeds(const std::vector<double>& values, bool geometric) {
  if (values.size() == 1) return values.front();
  double total = 0;
  for (const double value : values) total += geometric ? std::log(value) : value;
  const double mean = total / static_cast<double>(values.size());
  return geometric ? std::exp(mean) : mean;
}

/// The interval of a quality metric, in percent and, for perplexities, as ln ratio.
void add_interval(DeltaRow& row, const ItemFormula& formula, const Evaluations& candidate,
                  const Evaluations& baseline) {
  PairedLosses losses;
  for (const EvaluationItem& item : baseline.front()->items) {
    losses.weights.push_back(static_cast<double>(item.*formula.denominator));
  }
  for (const Evaluation* evaluation : candidate) losses.candidate_nats.push_back(item_nats(*evaluation));
  for (const Evaluation* evaluation : baseline) losses.baseline_nats.push_back(item_nats(*evaluation));
  const IntervalOutcome outcome = paired_interval(losses, formula.exponential ? kRateDifference : kRelativeDifference);
  row.items = outcome.items;
  row.method = outcome.method;
  if (!outcome.interval) return;
  // Percent of a perplexity is a monotone function of the ln ratio, so the ends of the one interval are those of the
  // other.
  const double sign = row.lower_is_better ? -100 : 100;
  row.percent_limits = mapped_limits(outcome.limits, [sign, exponential = formula.exponential](double value) {
    return sign * (exponential ? std::expm1(value) : value);
  });
  row.interval_percent = row.percent_limits(kTail);
  if (!formula.exponential) return;
  row.ln_ratio_limits = outcome.limits;
  row.ln_ratio_interval = outcome.interval;
}

std::string category_of(const std::string& unit) {
  if (unit == "bytes") return "Memory";
  return unit == "tokens/s" ? "Speed" : "Quality";
}

constexpr const char* kCounted = "exact: counted, not measured";

DeltaRow metric_row(const Metric& metric, const Side& candidate, const Side& baseline,
                    const Evaluations& candidate_evaluations, const Evaluations& baseline_evaluations) {
  const Evaluation& reference = *baseline_evaluations.front();
  DeltaRow row;
  row.category = category_of(metric.unit);
  row.metric = metric.name;
  row.label = metric_label(metric.name);
  row.unit = metric.unit;
  row.evaluator = reference.evaluator;
  row.convention = reference.convention;
  row.split = reference.split;
  row.lower_is_better = metric.lower_is_better;
  row.seeds = static_cast<int64_t>(baseline_evaluations.size());
  const std::optional<ItemFormula> formula = item_formula(metric.name);
  const bool perplexity = formula && formula->exponential;
  bool from_items = formula && !reference.items.empty();
  bool from_outcomes = !reference.items.empty();
  bool from_measurements = true;
  const auto values = [&](const Evaluations& evaluations, const std::string& variant) {
    std::vector<double> found;
    for (const Evaluation* evaluation : evaluations) {
      const Metric& other = find_metric(*evaluation, metric.name, variant);
      require_equal("the unit of " + metric.name + " of " + variant, metric.unit, other.unit);
      require_equal("the direction of " + metric.name + " of " + variant,
                    metric.lower_is_better ? "lower is better" : "higher is better",
                    other.lower_is_better ? "lower is better" : "higher is better");
      found.push_back(other.value);
      from_items = from_items && items_give_metric(*evaluation, *formula, other.value);
      from_outcomes = from_outcomes && outcomes_give_metric(*evaluation, other);
      from_measurements = from_measurements && measurements_give_metric(*evaluation, other);
    }
    return mean_over_seeds(found, perplexity);
  };
  row.candidate = values(candidate_evaluations, candidate.name);
  row.baseline = values(baseline_evaluations, baseline.name);
  if (const auto floor = reference.floor.find(metric.name); floor != reference.floor.end()) row.floor = floor->second;
  if (const auto chance = reference.chance.find(metric.name); chance != reference.chance.end()) {
    row.chance = chance->second;
  }
  row.delta_percent = delta_percent(row.candidate, row.baseline, row.lower_is_better);
  if (perplexity) row.ln_ratio = std::log(row.candidate / row.baseline);
  if (from_measurements) {
    add_measurement_statistics(row, *candidate_evaluations.front(), *baseline_evaluations.front());
    return row;
  }
  if (from_items) {
    add_interval(row, *formula, candidate_evaluations, baseline_evaluations);
  } else if (from_outcomes) {
    add_outcome_statistics(row, candidate_evaluations, baseline_evaluations);
  } else if (!std::isfinite(row.candidate) || !std::isfinite(row.baseline)) {
    row.method = "no interval: a value is not finite";
  } else if (metric.name == "weight_bytes" || metric.name == "cache_bytes") {
    row.exact = true;
    row.method = kCounted;
  } else {
    row.items = static_cast<int64_t>(reference.items.size());
    row.method = reference.items.empty() ? "no interval: no items were kept"
                                         : "no interval: the metric is not a function of the items kept";
  }
  row.band = band_of(row.delta_percent, row.points_interval ? row.points_interval : row.interval_percent, row.exact,
                     row.p_value);
  return row;
}

DeltaRow memory_row(const VariantResult& candidate, const VariantResult& baseline) {
  DeltaRow row;
  row.category = "Memory";
  row.metric = "weight_bytes";
  row.label = "Weights as served";
  row.unit = "bytes";
  row.exact = true;
  row.candidate = static_cast<double>(candidate.weight_bytes);
  row.baseline = static_cast<double>(baseline.weight_bytes);
  row.delta_percent = delta_percent(row.candidate, row.baseline, true);
  row.seeds = static_cast<int64_t>(baseline.seeds.size());
  row.method = kCounted;
  row.convention = "ternary weights packed in 2 bits, all others in float32; the baseline all in float32";
  row.band = band_of(row.delta_percent, std::nullopt, true);
  return row;
}

DeltaRow training_speed_row(double candidate, double baseline, int64_t seeds) {
  DeltaRow row;
  row.category = "Speed";
  row.metric = "training_tokens_per_second";
  row.label = "Training speed";
  row.unit = "tokens/s";
  row.lower_is_better = false;
  row.candidate = candidate;
  row.baseline = baseline;
  row.delta_percent = delta_percent(candidate, baseline, false);
  row.seeds = seeds;
  row.method = seeds > 1 ? "no interval: one measurement over all " + std::to_string(seeds) + " seeds"
                         : "no interval: one measurement";
  row.band = band_of(row.delta_percent, std::nullopt, false);
  return row;
}

/// Both sides measured the same number of seeds with the same number of evaluators.
void check_seed_counts(const Side& candidate, const Side& baseline) {
  const std::vector<SeedResult>& seeds = candidate.variant.seeds;
  const std::vector<SeedResult>& expected = baseline.variant.seeds;
  require_equal("the number of seeds of " + candidate.name, std::to_string(expected.size()),
                std::to_string(seeds.size()));
  for (size_t i = 0; i < expected.size(); ++i) {
    require_equal("the number of evaluators of " + candidate.name, std::to_string(expected[i].evaluations.size()),
                  std::to_string(seeds[i].evaluations.size()));
  }
}

constexpr std::string_view kWordPerplexity = "word_perplexity";

/// Of the rows from `begin` on, which are one evaluator's, marks all losses but one as restated: all but the word
/// perplexity, or else the first.
void mark_restated(std::vector<DeltaRow>& rows, size_t begin) {
  DeltaRow* kept = nullptr;
  for (size_t i = begin; i < rows.size(); ++i) {
    if (!item_formula(rows[i].metric)) continue;
    rows[i].restated = true;
    if (kept == nullptr || (rows[i].metric == kWordPerplexity && kept->metric != kWordPerplexity)) kept = &rows[i];
  }
  if (kept != nullptr) kept->restated = false;
}

/// The rows of all metrics of the evaluators that `wanted` takes, in the order of the baseline's first seed.
std::vector<DeltaRow> evaluator_rows(const Side& candidate, const Side& baseline,
                                     const std::function<bool(const Evaluation&)>& wanted) {
  std::vector<DeltaRow> rows;
  if (baseline.variant.seeds.empty()) return rows;
  for (const Evaluation& reference : baseline.variant.seeds.front().evaluations) {
    if (!wanted(reference)) continue;
    const Evaluations candidate_evaluations = evaluations_of(candidate, reference);
    const Evaluations baseline_evaluations = evaluations_of(baseline, reference);
    check_comparable(reference, candidate_evaluations, candidate.name);
    check_comparable(reference, baseline_evaluations, baseline.name);
    const size_t begin = rows.size();
    for (const Metric& metric : reference.metrics) {
      rows.push_back(metric_row(metric, candidate, baseline, candidate_evaluations, baseline_evaluations));
    }
    mark_restated(rows, begin);
  }
  return rows;
}

Comparison compare(const VariantResult& candidate, const VariantResult& baseline) {
  const Side candidate_side{candidate, candidate.name};
  const Side baseline_side{baseline, baseline.name};
  check_seed_counts(candidate_side, baseline_side);
  for (size_t i = 0; i < baseline.seeds.size(); ++i) {
    require_equal("seed " + std::to_string(i + 1) + " of " + candidate.name, std::to_string(baseline.seeds[i].seed),
                  std::to_string(candidate.seeds[i].seed));
  }
  Comparison comparison;
  comparison.candidate = candidate.name;
  comparison.baseline = baseline.name;
  comparison.rows = evaluator_rows(candidate_side, baseline_side, [](const Evaluation&) { return true; });
  if (candidate.weight_bytes > 0 && baseline.weight_bytes > 0) {
    comparison.rows.push_back(memory_row(candidate, baseline));
  }
  const std::optional<double> candidate_speed = training_tokens_per_second(candidate);
  const std::optional<double> baseline_speed = training_tokens_per_second(baseline);
  if (candidate_speed && baseline_speed) {
    comparison.rows.push_back(
        training_speed_row(*candidate_speed, *baseline_speed, static_cast<int64_t>(baseline.seeds.size())));
  }
  constexpr std::string_view kOrder = "Quality, Memory, Speed";
  std::stable_sort(comparison.rows.begin(), comparison.rows.end(), [&](const DeltaRow& a, const DeltaRow& b) {
    return kOrder.find(a.category) < kOrder.find(b.category);
  });
  describe_comparison(comparison);
  return comparison;
}

}  // namespace

double delta_percent(double candidate, double baseline, bool lower_is_better) {
  if (candidate == baseline) return 0;
  return (lower_is_better ? -100 : 100) * (candidate - baseline) / std::fabs(baseline);
}

Band band_of(double delta, const std::optional<Interval>& interval, bool exact, const std::optional<double>& p_value) {
  if (std::isnan(delta)) return Band::kNotFinite;
  if (p_value && *p_value > kSignificance) return Band::kParity;
  if (interval && (std::isnan(interval->low) || std::isnan(interval->high))) return Band::kUnresolved;
  if (interval && interval->low <= 0 && interval->high >= 0) return Band::kParity;
  if (delta == 0 && exact) return Band::kParity;
  if (!interval && !exact) return Band::kUnresolved;
  const double size = std::fabs(delta);
  if (size >= kMajorPercent) return delta > 0 ? Band::kMajorWin : Band::kSignificantDeficiency;
  if (size >= kClearPercent) return delta > 0 ? Band::kClearWin : Band::kNeedsImprovement;
  return delta > 0 ? Band::kMinorWin : Band::kMinorDeficiency;
}

Standing standing_of(const Comparison& comparison, std::string_view category) {
  Standing standing;
  const auto name = [](const DeltaRow*& named, const DeltaRow& row) {
    if (named == nullptr || (row.metric == kWordPerplexity && named->metric != kWordPerplexity)) named = &row;
  };
  for (const DeltaRow& row : comparison.rows) {
    if (row.category != category || row.restated) continue;
    const int sign = band_sign(row.band);
    ++standing.all;
    standing.better += sign > 0 ? 1 : 0;
    standing.worse += sign < 0 ? 1 : 0;
    standing.not_finite += row.band == Band::kNotFinite ? 1 : 0;
    standing.judged = standing.judged || (row.band != Band::kUnresolved && row.band != Band::kNotFinite);
    if (sign > 0) name(standing.best, row);
    if (sign < 0) name(standing.worst, row);
    name(standing.first, row);
  }
  for (const DeltaRow* decided : {standing.worst, standing.best}) {
    if (decided != nullptr && band_sign(standing.first->band) == 0) standing.first = decided;
  }
  return standing;
}

std::string_view band_name(Band band) {
  switch (band) {
    case Band::kParity:
      return "parity";
    case Band::kUnresolved:
      return "not judged";
    case Band::kNotFinite:
      return "not a number";
    case Band::kMinorWin:
      return "minor win";
    case Band::kClearWin:
      return "clear win";
    case Band::kMajorWin:
      return "major win";
    case Band::kMinorDeficiency:
      return "minor deficiency";
    case Band::kNeedsImprovement:
      return "needs improvement";
    case Band::kSignificantDeficiency:
      return "significant deficiency";
  }
  return "";
}

int band_sign(Band band) {
  switch (band) {
    case Band::kParity:
    case Band::kUnresolved:
    case Band::kNotFinite:
      return 0;
    case Band::kMinorWin:
    case Band::kClearWin:
    case Band::kMajorWin:
      return 1;
    case Band::kMinorDeficiency:
    case Band::kNeedsImprovement:
    case Band::kSignificantDeficiency:
      return -1;
  }
  return 0;
}

std::optional<double> training_tokens_per_second(const VariantResult& variant) {
  double tokens = 0;
  double seconds = 0;
  for (const SeedResult& seed : variant.seeds) {
    tokens += static_cast<double>(seed.tokens_seen);
    seconds += seed.train_seconds;
  }
  if (!(seconds > 0) || !(tokens > 0)) return std::nullopt;
  return tokens / seconds;
}

std::vector<DeltaRow> compare_runs(const VariantResult& candidate, const VariantResult& baseline) {
  const Side candidate_side{candidate, candidate.name + " of the candidate run"};
  const Side baseline_side{baseline, baseline.name + " of the baseline run"};
  check_seed_counts(candidate_side, baseline_side);
  return evaluator_rows(candidate_side, baseline_side,
                        [](const Evaluation& evaluation) { return !is_of_first_seed(evaluation); });
}

std::vector<Comparison> compare_variants(const Results& results) {
  const auto baseline = std::find_if(results.variants.begin(), results.variants.end(),
                                     [&](const VariantResult& variant) { return variant.name == results.baseline; });
  if (baseline == results.variants.end()) {
    throw DataError("comparison: the baseline '" + results.baseline + "' must be one of the variants, but is not. " +
                    "Name one of them under `baseline:` in the experiment file.");
  }
  std::vector<Comparison> comparisons;
  for (const VariantResult& variant : results.variants) {
    if (variant.name != results.baseline) comparisons.push_back(compare(variant, *baseline));
  }
  return comparisons;
}

}  // namespace bitnet
