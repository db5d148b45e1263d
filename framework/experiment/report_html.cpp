#include <array>
#include <string>
#include <utility>

#include "framework/experiment/report.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

constexpr std::string_view kHead = R"html(<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';
 style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
)html";

/// A part of the report, with its entry among the links at the top.
struct Part {
  const char* id;
  const char* name;
  std::string (*render)(const ReportView& view);
  bool training = false;  ///< there only where something was trained
};

constexpr std::array kParts = {
    Part{"deltas", "Deltas", delta_part},
    Part{"findings", "Strengths and deficiencies", findings_part},
    Part{"forest", "Overview", forest_part},
    Part{"evaluators", "Evaluators", evaluators_part},
    Part{"efficiency", "Speed and memory", efficiency_part},
    Part{"curves", "Training", curves_part, true},
    Part{"ternary", "Ternary weights", ternary_part, true},
    Part{"facts", "Run facts", facts_part},
    Part{"provenance", "Provenance", provenance_part},
    Part{"limits", "Known limits", limits_part},
};

}  // namespace

std::string render_report_html(const Results& results, const std::vector<DeltaBound>& bounds) {
  const ReportView view{results, compare_variants(results), bounds};
  const std::string name = escape_markup(results.experiment);
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n" + std::string(kHead) + "<title>" + name +
                     " \u2013 BitNet Lab report</title>\n<style>" + std::string(report_style()) +
                     "</style>\n</head>\n<body>\n";
  html += "<header><p class=\"eyebrow\">BitNet Lab report</p><h1>" + name + "</h1><p class=\"lead\">" +
          escape_markup(results.description) + "</p></header>\n<main>\n" + verdict_part(view);
  const bool trained = was_trained(results);
  html += "\n<nav aria-label=\"Sections\"><ul>";
  for (const Part& part : kParts) {
    if (part.training && !trained) continue;
    html += std::string("<li><a href=\"#") + part.id + "\">" + part.name + "</a></li>";
  }
  html += "<li><a href=\"#raw\">Raw results</a></li></ul></nav>\n";
  for (const Part& part : kParts) {
    if (!part.training || trained) html += part.render(view) + "\n";
  }
  return html + "</main>\n<footer><p>Made by <code>bitnet report</code> from results.json, schema " +
         std::to_string(Results::kSchemaVersion) +
         ". This file loads nothing from a network and runs no script.</p></footer>\n</body>\n</html>\n";
}

}  // namespace bitnet
