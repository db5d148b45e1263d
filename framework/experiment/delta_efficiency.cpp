#include "framework/experiment/delta_efficiency.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "framework/core/error.h"
#include "framework/experiment/efficiency.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/statistics.h"

namespace bitnet {
namespace {

void add_speed(DeltaRow& row, const std::vector<double>& candidate, const std::vector<double>& baseline) {
  std::vector<double> log_ratios(baseline.size());
  for (size_t i = 0; i < log_ratios.size(); ++i) log_ratios[i] = std::log(candidate[i] / baseline[i]);
  const auto percent = [](double log_ratio) { return 100 * std::expm1(log_ratio); };
  row.delta_percent = percent(median(log_ratios));
  const IntervalOutcome outcome = log_ratio_interval(log_ratios);
  row.items = outcome.items;
  row.method = outcome.method;
  if (!outcome.interval) return;
  row.percent_limits = mapped_limits(outcome.limits, percent);
  row.interval_percent = row.percent_limits(kTail);
}

double spread_percent(const std::vector<double>& samples) {
  const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
  return 100 * (*most / *least - 1);
}

void add_memory(DeltaRow& row, const std::vector<double>& candidate, const std::vector<double>& baseline) {
  const double spread = std::max(spread_percent(candidate), spread_percent(baseline));
  row.items = static_cast<int64_t>(baseline.size());
  row.exact = spread <= kMemoryAgreementPercent;
  row.method = "no interval: " + std::to_string(row.items) + " processes of each model " +
               (row.exact ? "agree to within " : "differ by up to ") + format_fixed(spread, 2) + "\u00A0%";
}

}  // namespace

bool is_of_first_seed(const Evaluation& evaluation) {
  return std::any_of(evaluation.items.begin(), evaluation.items.end(),
                     [](const EvaluationItem& item) { return item.seconds > 0; });
}

bool measurements_give_metric(const Evaluation& evaluation, const Metric& metric) {
  const std::vector<double> samples = efficiency_samples(evaluation, metric.name);
  if (samples.empty()) return false;
  return std::fabs(efficiency_value(metric.name, samples) - metric.value) <= 1e-9 * std::fabs(metric.value);
}

void add_measurement_statistics(DeltaRow& row, const Evaluation& candidate, const Evaluation& baseline) {
  const std::vector<double> first = efficiency_samples(candidate, row.metric);
  const std::vector<double> second = efficiency_samples(baseline, row.metric);
  if (first.size() != second.size()) {
    throw DataError("comparison: the measurements of " + row.metric + " of '" + row.evaluator + "' must be " +
                    std::to_string(second.size()) + ", as for the baseline, but are " + std::to_string(first.size()) +
                    ". Evaluate both models anew.");
  }
  if (row.metric == kModelMemory) {
    add_memory(row, first, second);
    const bool alike = row.exact && std::fabs(row.delta_percent) <= kMemoryAgreementPercent;
    row.band = alike ? Band::kParity : band_of(row.delta_percent, std::nullopt, row.exact);
  } else {
    add_speed(row, first, second);
    row.band = band_of(row.delta_percent, row.interval_percent, false);
  }
}

}  // namespace bitnet
