#pragma once

#include <string>

#include "framework/experiment/results.h"

namespace bitnet {

/// The report as one self-contained HTML file: no scripts, no network, light and dark. Pure: the same results give the
/// same bytes. Errors, of all three: DataError where the variants are not comparable (compare_variants).
std::string render_report_html(const Results& results);

/// The report as Markdown, short enough for a pull-request comment.
std::string render_report_markdown(const Results& results);

/// JUnit XML with one test case a metric.
std::string render_junit(const Results& results);

}  // namespace bitnet
