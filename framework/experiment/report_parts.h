#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/experiment/delta.h"
#include "framework/experiment/results.h"

// The parts of the HTML report. Each function gives the HTML of one part, escaped and complete; report_html.cpp puts
// them in order.

namespace bitnet {

/// What the parts are made from.
struct ReportView {
  const Results& results;
  std::vector<Comparison> comparisons;
};

/// The style sheet, for screens of all widths, both themes and print.
std::string_view report_style();

std::string verdict_part(const ReportView& view);
std::string delta_part(const ReportView& view);
std::string findings_part(const ReportView& view);
std::string forest_part(const ReportView& view);
std::string curves_part(const ReportView& view);
std::string ternary_part(const ReportView& view);
std::string facts_part(const ReportView& view);
std::string provenance_part(const ReportView& view);
std::string limits_part(const ReportView& view);

/// What the run did not measure or can not tell, as plain sentences; never empty.
std::vector<std::string> known_limits(const ReportView& view);

/// A table whose first column heads its rows. Headers and cells are HTML.
struct HtmlTable {
  std::string caption;  ///< plain text; also names the scrolling region
  std::vector<std::string> headers;
  std::vector<std::vector<std::string>> rows;
  bool numeric = true;  ///< all columns but the first are numbers, aligned to the right
};
std::string html_table(const HtmlTable& table);

/// The classes of a variant's curves and chips: its position among the results' variants.
int variant_style(const Results& results, std::string_view variant);
/// A small colored mark with the series' marker and the variant's name.
std::string variant_chip(const Results& results, std::string_view variant);

}  // namespace bitnet
