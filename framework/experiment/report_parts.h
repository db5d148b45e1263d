#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/experiment/delta.h"
#include "framework/experiment/report.h"
#include "framework/experiment/results.h"

// The parts of the HTML report. Each function gives the HTML of one part, escaped and complete; report_html.cpp puts
// them in order.

namespace bitnet {

/// What the parts are made from.
struct ReportView {
  const Results& results;
  std::vector<Comparison> comparisons;
  std::vector<DeltaBound> bounds = {};  ///< what a gate asks for, where one was given
};

/// The style sheet, for screens of all widths, both themes and print.
std::string_view report_style();

std::string verdict_part(const ReportView& view);
std::string delta_part(const ReportView& view);
std::string findings_part(const ReportView& view);
std::string forest_part(const ReportView& view);
std::string evaluators_part(const ReportView& view);
std::string efficiency_part(const ReportView& view);
std::string curves_part(const ReportView& view);
std::string ternary_part(const ReportView& view);
std::string facts_part(const ReportView& view);
std::string provenance_part(const ReportView& view);
std::string limits_part(const ReportView& view);

/// The heading of a comparison, where there are several.
std::string comparison_heading(const ReportView& view, const Comparison& comparison);

/// What the run did not measure or can not tell, as plain sentences; never empty.
std::vector<std::string> known_limits(const ReportView& view);

/// Whether a variant started from the baseline's weights, for every seed: "yes", "no", "baseline" or "unknown".
std::string same_start(const Results& results, const VariantResult& variant);

/// One evaluator's items of the first seed, for a candidate and the baseline.
struct ItemPairs {
  const Results& results;
  std::string evaluator;
  std::string candidate;  ///< variants' names
  std::string baseline;
  const std::vector<EvaluationItem>& candidate_items;
  const std::vector<EvaluationItem>& baseline_items;
  std::string id;  ///< unique on the page
};

/// Both models' losses of every window or page, against each other; empty where the items have no losses.
std::string losses_view(const ItemPairs& pairs);
/// Questions that only one of the models answers rightly; empty where the items are no questions.
std::string questions_view(const ItemPairs& pairs);
/// What became of the programs that the models wrote; empty where the items are no programming problems.
std::string programs_view(const ItemPairs& pairs);

}  // namespace bitnet
