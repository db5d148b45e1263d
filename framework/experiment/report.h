#pragma once

#include <string>
#include <vector>

#include "framework/experiment/results.h"

namespace bitnet {

/// How much worse than the baseline a gate lets one metric be.
struct MetricMargin {
  std::string evaluator;  ///< empty: of any evaluator, and of what training measures
  std::string metric;
  double percent = 0;  ///< of the baseline, as deltas are
};

/// The report as one self-contained HTML file: no scripts, no network, light and dark. `margins` are drawn beside the
/// deltas; they change nothing else. Pure: the same results give the same bytes. Errors, of all three: DataError where
/// the variants are not comparable (compare_variants).
std::string render_report_html(const Results& results, const std::vector<MetricMargin>& margins = {});

/// The report as Markdown, short enough for a pull-request comment.
std::string render_report_markdown(const Results& results);

/// JUnit XML with one test case a metric.
std::string render_junit(const Results& results);

}  // namespace bitnet
