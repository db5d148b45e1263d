#pragma once

#include <string>
#include <vector>

#include "framework/experiment/results.h"

namespace bitnet {

/// The least delta that a gate asks of a variant's metric.
struct DeltaBound {
  std::string variant;
  std::string evaluator;  ///< empty for what no evaluator measures
  std::string metric;
  double percent = 0;
};

/// The report as one self-contained HTML file: no scripts, no network, light and dark. `bounds` are drawn beside the
/// deltas; they change nothing else. Pure: the same results give the same bytes. Errors, of all three: DataError where
/// the variants are not comparable (compare_variants).
std::string render_report_html(const Results& results, const std::vector<DeltaBound>& bounds = {});

/// The report as Markdown, short enough for a pull-request comment.
std::string render_report_markdown(const Results& results);

/// JUnit XML with one test case a metric.
std::string render_junit(const Results& results);

}  // namespace bitnet
