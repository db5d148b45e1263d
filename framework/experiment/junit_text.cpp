#include "framework/experiment/junit_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "framework/experiment/report_format.h"

namespace bitnet {

std::string exact_number(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value > 0 ? "INF" : "-INF";
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string();
}

std::string junit_property(const char* name, const std::string& value) {
  return std::string("        <property name=\"") + name + "\" value=\"" + escape_markup(value) + "\"/>\n";
}

std::string junit_file(const std::string& name, const JunitCounts& counts, const std::string& properties,
                       const std::string& cases) {
  const std::string numbers = "tests=\"" + std::to_string(counts.tests) + "\" failures=\"" +
                              std::to_string(counts.failures) + "\" errors=\"0\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + numbers + ">\n  <testsuite name=\"" +
         escape_markup(name) + "\" " + numbers + " skipped=\"" + std::to_string(counts.skipped) +
         "\">\n    <properties>\n" + properties + "    </properties>\n" + cases + "  </testsuite>\n</testsuites>\n";
}

}  // namespace bitnet
