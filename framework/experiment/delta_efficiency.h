#pragma once

#include <vector>

#include "framework/experiment/delta.h"

namespace bitnet {

/// Processes of one model whose peaks differ by no more than this (in percent of the least) have one figure of memory,
/// which then needs no interval; and models whose figures differ by no more are at parity.
inline constexpr double kMemoryAgreementPercent = 1.0;

/// Whether an evaluation measured the first seed's models alone: it holds times.
bool is_of_first_seed(const Evaluation& evaluation);

/// Whether the items hold measurements of speed or memory and give the metric's value.
bool measurements_give_metric(const Evaluation& evaluation, const Metric& metric);

/// Fills a row of a metric of speed or memory from the measurements of both models, which give it. Speed: the delta is
/// that of the median ratio of two turns that stood beside each other, its interval log_ratio_interval. Memory: exact
/// where the processes of each model agree to within kMemoryAgreementPercent, else without an interval.
void add_measurement_statistics(DeltaRow& row, const Evaluation& candidate, const Evaluation& baseline);

}  // namespace bitnet
