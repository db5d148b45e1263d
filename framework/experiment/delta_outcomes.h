#pragma once

#include <string>
#include <vector>

#include "framework/experiment/delta.h"

namespace bitnet {

/// Whether every item has an outcome of this name and the metric's value is their mean.
bool outcomes_give_metric(const Evaluation& evaluation, const Metric& metric);

/// Fills what a row of a metric that is the mean of outcomes (accuracy, pass@k) has beside its values: the difference
/// in points, its interval, and the same in percent of the baseline's figure. With one seed and outcomes of 0 and 1
/// alone these are paired_difference_interval, mcnemar_p_value and, for each of the two figures, wilson_interval; else
/// paired_interval. The evaluations are comparable, and their outcomes give the metric.
void add_outcome_statistics(DeltaRow& row, const std::vector<const Evaluation*>& candidate,
                            const std::vector<const Evaluation*>& baseline);

}  // namespace bitnet
