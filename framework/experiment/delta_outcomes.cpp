#include "framework/experiment/delta_outcomes.h"

#include <algorithm>
#include <cmath>

#include "framework/experiment/proportions.h"

namespace bitnet {
namespace {

using Evaluations = std::vector<const Evaluation*>;

std::vector<double> outcomes_of(const Evaluation& evaluation, const std::string& metric) {
  std::vector<double> outcomes;
  for (const EvaluationItem& item : evaluation.items) outcomes.push_back(item.outcomes.at(metric));
  return outcomes;
}

bool is_yes_or_no(const std::vector<double>& outcomes) {
  return std::all_of(outcomes.begin(), outcomes.end(), [](double outcome) { return outcome == 0 || outcome == 1; });
}

PairedOutcomes paired(const std::vector<double>& candidate, const std::vector<double>& baseline) {
  PairedOutcomes counts;
  for (size_t i = 0; i < candidate.size(); ++i) {
    int64_t& count = candidate[i] == 1 ? (baseline[i] == 1 ? counts.both : counts.candidate_only)
                                       : (baseline[i] == 1 ? counts.baseline_only : counts.neither);
    ++count;
  }
  return counts;
}

void add_proportion_statistics(DeltaRow& row, const std::vector<double>& candidate,
                               const std::vector<double>& baseline) {
  const PairedOutcomes counts = paired(candidate, baseline);
  const auto items = static_cast<int64_t>(candidate.size());
  row.items = items;
  row.method = "Newcombe's paired score interval";
  row.points_limits = [counts](double tail) { return paired_difference_interval(counts, tail); };
  row.p_value = mcnemar_p_value(counts);
  row.candidate_interval = wilson_interval(counts.both + counts.candidate_only, items);
  row.baseline_interval = wilson_interval(counts.both + counts.baseline_only, items);
}

void add_paired_interval(DeltaRow& row, const Evaluations& candidate, const Evaluations& baseline) {
  PairedLosses losses;
  losses.weights.assign(baseline.front()->items.size(), 1.0);
  for (const Evaluation* evaluation : candidate) losses.candidate_nats.push_back(outcomes_of(*evaluation, row.metric));
  for (const Evaluation* evaluation : baseline) losses.baseline_nats.push_back(outcomes_of(*evaluation, row.metric));
  const IntervalOutcome outcome = paired_interval(losses, kRateDifference);
  row.items = outcome.items;
  row.method = outcome.method;
  row.points_limits = outcome.limits;
}

}  // namespace

bool outcomes_give_metric(const Evaluation& evaluation, const Metric& metric) {
  double sum = 0;
  for (const EvaluationItem& item : evaluation.items) {
    const auto outcome = item.outcomes.find(metric.name);
    if (outcome == item.outcomes.end()) return false;
    sum += outcome->second;
  }
  const auto items = static_cast<double>(evaluation.items.size());
  return items > 0 && std::fabs(sum / items - metric.value) <= 1e-9;
}

void add_outcome_statistics(DeltaRow& row, const Evaluations& candidate, const Evaluations& baseline) {
  const std::vector<double> first = outcomes_of(*candidate.front(), row.metric);
  const std::vector<double> second = outcomes_of(*baseline.front(), row.metric);
  if (candidate.size() == 1 && is_yes_or_no(first) && is_yes_or_no(second)) {
    add_proportion_statistics(row, first, second);
  } else {
    add_paired_interval(row, candidate, baseline);
  }
  // From parts of one to points, with + for better.
  const double sign = row.lower_is_better ? -100 : 100;
  row.points = sign * (row.candidate - row.baseline);
  if (!row.points_limits) return;
  row.points_limits = mapped_limits(row.points_limits, [sign](double difference) { return sign * difference; });
  row.points_interval = row.points_limits(kTail);
  if (row.baseline == 0) {
    row.method += ", in points only: the baseline's figure is 0";
    return;
  }
  const double size = std::fabs(row.baseline);
  row.percent_limits = mapped_limits(row.points_limits, [size](double points) { return points / size; });
  row.interval_percent = row.percent_limits(kTail);
}

}  // namespace bitnet
