#include "framework/experiment/delta.h"
#include "framework/experiment/junit_text.h"
#include "framework/experiment/report.h"
#include "framework/experiment/report_format.h"

namespace bitnet {
namespace {

std::string test_case(const Results& results, const Comparison& comparison, const DeltaRow& row) {
  const std::string source = row.evaluator.empty() ? "training" : row.evaluator;
  std::string xml = "    <testcase classname=\"" +
                    escape_markup(results.experiment + "." + comparison.candidate + "." + source) + "\" name=\"" +
                    escape_markup(row.metric) + "\">\n      <properties>\n";
  xml += junit_property("candidate", exact_number(row.candidate)) +
         junit_property("baseline", exact_number(row.baseline)) +
         junit_property("baseline_variant", comparison.baseline) + junit_property("unit", row.unit) +
         junit_property("better", row.lower_is_better ? "lower" : "higher") +
         junit_property("delta_percent", exact_number(row.delta_percent));
  if (row.ln_ratio) xml += junit_property("ln_ratio", exact_number(*row.ln_ratio));
  if (row.points) xml += junit_property("delta_points", exact_number(*row.points));
  if (row.points_interval) {
    xml += junit_property("interval_low_points", exact_number(row.points_interval->low)) +
           junit_property("interval_high_points", exact_number(row.points_interval->high));
  }
  if (row.p_value) xml += junit_property("mcnemar_p_value", exact_number(*row.p_value));
  if (row.interval_percent) {
    xml += junit_property("interval_low_percent", exact_number(row.interval_percent->low)) +
           junit_property("interval_high_percent", exact_number(row.interval_percent->high));
  }
  xml += junit_property("interval_method", row.method) + junit_property("items", std::to_string(row.items)) +
         junit_property("seeds", std::to_string(row.seeds));
  if (row.floor) xml += junit_property("floor", exact_number(*row.floor));
  if (row.chance) xml += junit_property("chance", exact_number(*row.chance));
  if (!row.convention.empty()) xml += junit_property("convention", row.convention) + junit_property("split", row.split);
  xml += junit_property("interpretation", std::string(band_name(row.band)));
  return xml + "      </properties>\n    </testcase>\n";
}

}  // namespace

std::string render_junit(const Results& results) {
  const std::vector<Comparison> comparisons = compare_variants(results);
  size_t tests = 0;
  std::string cases;
  for (const Comparison& comparison : comparisons) {
    tests += comparison.rows.size();
    for (const DeltaRow& row : comparison.rows) cases += test_case(results, comparison, row);
  }
  return junit_file(results.experiment, {.tests = tests},
                    junit_property("config_hash", results.config_hash) + junit_property("command", results.command),
                    cases);
}

}  // namespace bitnet
