#include <array>
#include <charconv>
#include <cmath>

#include "framework/experiment/delta.h"
#include "framework/experiment/report.h"
#include "framework/experiment/report_format.h"

namespace bitnet {
namespace {

/// The shortest text that reads back to the same double; programs read it, so the minus is ASCII.
std::string exact_number(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value > 0 ? "INF" : "-INF";
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string();
}

std::string property(const char* name, const std::string& value) {
  return std::string("        <property name=\"") + name + "\" value=\"" + escape_markup(value) + "\"/>\n";
}

std::string test_case(const Results& results, const Comparison& comparison, const DeltaRow& row) {
  const std::string source = row.evaluator.empty() ? "training" : row.evaluator;
  std::string xml = "    <testcase classname=\"" +
                    escape_markup(results.experiment + "." + comparison.candidate + "." + source) + "\" name=\"" +
                    escape_markup(row.metric) + "\">\n      <properties>\n";
  xml += property("candidate", exact_number(row.candidate)) + property("baseline", exact_number(row.baseline)) +
         property("baseline_variant", comparison.baseline) + property("unit", row.unit) +
         property("better", row.lower_is_better ? "lower" : "higher") +
         property("delta_percent", exact_number(row.delta_percent));
  if (row.ln_ratio) xml += property("ln_ratio", exact_number(*row.ln_ratio));
  if (row.points) xml += property("delta_points", exact_number(*row.points));
  if (row.points_interval) {
    xml += property("interval_low_points", exact_number(row.points_interval->low)) +
           property("interval_high_points", exact_number(row.points_interval->high));
  }
  if (row.p_value) xml += property("mcnemar_p_value", exact_number(*row.p_value));
  if (row.interval_percent) {
    xml += property("interval_low_percent", exact_number(row.interval_percent->low)) +
           property("interval_high_percent", exact_number(row.interval_percent->high));
  }
  xml += property("interval_method", row.method) + property("items", std::to_string(row.items)) +
         property("seeds", std::to_string(row.seeds));
  if (row.floor) xml += property("floor", exact_number(*row.floor));
  if (row.chance) xml += property("chance", exact_number(*row.chance));
  if (!row.convention.empty()) xml += property("convention", row.convention) + property("split", row.split);
  xml += property("interpretation", std::string(band_name(row.band)));
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
  const std::string counts = "tests=\"" + std::to_string(tests) + "\" failures=\"0\" errors=\"0\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + counts + ">\n  <testsuite name=\"" +
         escape_markup(results.experiment) + "\" " + counts + " skipped=\"0\">\n    <properties>\n" +
         property("config_hash", results.config_hash) + property("command", results.command) + "    </properties>\n" +
         cases + "  </testsuite>\n</testsuites>\n";
}

}  // namespace bitnet
