#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "framework/core/utf8.h"
#include "framework/experiment/gate.h"
#include "framework/experiment/junit_text.h"
#include "framework/experiment/report_format.h"

namespace bitnet {
namespace {

const std::vector<std::string> kHeaders = {"Verdict", "Figure",   "This run", "Other",
                                           "Change",  "Interval", "Bound",    "p (Holm)"};
constexpr size_t kFirstNumber = 2;
constexpr size_t kFirstText = 4;

/// Digits that show the difference between a value and its bound, of a number about this large.
int decimals_for(GateUnit unit, double size) {
  if (unit == GateUnit::kLnRatio) return 4;
  if (unit == GateUnit::kTimes) return 2;
  return unit == GateUnit::kPoints ? 1 : delta_decimals(size);
}

std::string unit_text(GateUnit unit) {
  switch (unit) {
    case GateUnit::kPercent:
      return "\u00A0%";
    case GateUnit::kPoints:
      return "\u00A0points";
    case GateUnit::kLnRatio:
      return " ln";
    case GateUnit::kTimes:
      return "\u00D7";
  }
  return "";
}

std::string number_text(double value, GateUnit unit, int decimals) {
  if (!std::isfinite(value)) return std::isnan(value) ? "not a number" : value > 0 ? "+\u221E" : "\u2212\u221E";
  return unit == GateUnit::kTimes ? format_fixed(value, decimals) : format_signed(value, decimals);
}

std::string value_text(const GateCheck& check) {
  return number_text(check.value, check.unit, decimals_for(check.unit, check.value)) + unit_text(check.unit);
}

std::string interval_text(const GateCheck& check) {
  if (!check.interval) return check.exact ? "exact" : "none";
  const auto [low, high] = *check.interval;
  const auto size = [](double end) { return std::isfinite(end) ? std::fabs(end) : 0; };
  const int decimals = decimals_for(check.unit, std::max(size(low), size(high)));
  return number_text(low, check.unit, decimals) + " to " + number_text(high, check.unit, decimals) +
         unit_text(check.unit);
}

std::string bound_text(const GateCheck& check) {
  return std::string(check.bound == GateBound::kAtLeast ? "\u2265 " : "\u2264 ") +
         number_text(check.limit, check.unit, decimals_for(check.unit, check.limit)) + unit_text(check.unit);
}

std::string verdict_text(const GateCheck& check) {
  std::string text(verdict_name(check.verdict));
  if (check.counts_as != check.verdict) text += " (" + std::string(verdict_name(check.counts_as)) + ")";
  return text;
}

std::string figure_text(double value, const std::string& unit) {
  return unit == "times" ? format_significant(value, 3) + "\u00D7" : format_metric(value, unit);
}

std::string name_text(const GateCheck& check) {
  return check.variant + ": " + check.metric + (check.evaluator.empty() ? "" : " (" + check.evaluator + ")") +
         (check.rule.starts_with("targets.") ? ", target" : "");
}

std::vector<std::string> cells_of(const GateCheck& check) {
  return {verdict_text(check),
          name_text(check),
          figure_text(check.candidate, check.metric_unit),
          figure_text(check.other, check.metric_unit),
          value_text(check),
          interval_text(check),
          bound_text(check),
          check.p_value ? (*check.p_value < 0.0001 ? "< 0.0001" : format_fixed(*check.p_value, 4)) : "\u2013"};
}

size_t count_of(const GateOutcome& outcome, GateVerdict verdict) {
  return static_cast<size_t>(std::count_if(outcome.checks.begin(), outcome.checks.end(),
                                           [verdict](const GateCheck& check) { return check.counts_as == verdict; }));
}

/// "FAIL: of 5 checks 3 passed, 1 failed, 1 is inconclusive (1 counts as passed)."
std::string summary(const GateOutcome& outcome) {
  const size_t all = outcome.checks.size();
  const size_t failed = count_of(outcome, GateVerdict::kFail);
  const size_t open = count_of(outcome, GateVerdict::kInconclusive);
  const auto tolerated =
      static_cast<size_t>(std::count_if(outcome.checks.begin(), outcome.checks.end(), [](const GateCheck& check) {
        return check.verdict == GateVerdict::kInconclusive && check.counts_as == GateVerdict::kPass;
      }));
  const size_t inconclusive = open + tolerated;
  return std::string(verdict_name(outcome.verdict)) + ": of " + std::to_string(all) +
         (all == 1 ? " check " : " checks ") + std::to_string(all - failed - inconclusive) + " passed, " +
         std::to_string(failed) + " failed, " + std::to_string(inconclusive) +
         (inconclusive == 1 ? " is inconclusive" : " are inconclusive") +
         (tolerated == 0 ? ""
                         : " (" + std::to_string(tolerated) + (tolerated == 1 ? " counts" : " count") + " as passed)") +
         ".";
}

/// What the columns mean, and why a figure could not be judged.
std::vector<std::string> notes_of(const GateOutcome& outcome) {
  std::vector<std::string> notes = {
      "Other: the baseline run; of targets, the run's own baseline variant. Figures in \u00D7 are ratios to that "
      "variant.",
      "Change, and its interval (" + fmt::format("{:g}", 100 * outcome.confidence) +
          "\u00A0%, of each figure by itself): in percent, points and \u00D7 more is better; as ln ratio less is "
          "better.",
      "PASS: the interval lies within the bound. FAIL: it is beyond, with p (after Holm over all checks) at most " +
          format_significant((1 - outcome.confidence) / 2, 3) + ". INCONCLUSIVE: neither."};
  for (const GateCheck& check : outcome.checks) {
    if (check.interval || check.exact) continue;
    notes.push_back(name_text(check) + ": " + check.method + ".");
  }
  notes.insert(notes.end(), outcome.notes.begin(), outcome.notes.end());
  return notes;
}

std::string padded(const std::string& text, size_t width, bool right) {
  const size_t length = code_points(text);
  const std::string space(width - std::min(width, length), ' ');
  return right ? space + text : text + space;
}

}  // namespace

std::string render_gate_text(const GateOutcome& outcome) {
  std::vector<std::vector<std::string>> rows = {kHeaders};
  for (const GateCheck& check : outcome.checks) rows.push_back(cells_of(check));
  std::vector<size_t> widths(kHeaders.size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], code_points(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += (i > 0 ? "  " : "") + padded(row[i], widths[i], i >= kFirstNumber && i < kFirstText);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  text += "\n";
  for (const std::string& note : notes_of(outcome)) text += note + "\n";
  return text + summary(outcome) + "\n";
}

std::string render_gate_markdown(const GateOutcome& outcome) {
  const char* glyph = outcome.verdict == GateVerdict::kPass   ? "\u2705"
                      : outcome.verdict == GateVerdict::kFail ? "\u274C"
                                                              : "\u2753";
  std::string text = "## Gate of " + escape_markdown(outcome.experiment) + "\n\n" + glyph + " **" +
                     escape_markdown(summary(outcome)) + "**\n\n|";
  for (const std::string& header : kHeaders) text += " " + header + " |";
  text += "\n|";
  for (size_t i = 0; i < kHeaders.size(); ++i) text += i >= kFirstNumber && i < kFirstText ? "---:|" : "---|";
  text += "\n";
  for (const GateCheck& check : outcome.checks) {
    text += "|";
    for (const std::string& cell : cells_of(check)) text += " " + escape_markdown(cell) + " |";
    text += "\n";
  }
  text += "\n";
  for (const std::string& note : notes_of(outcome)) text += "- " + escape_markdown(note) + "\n";
  return text + "\nConfiguration `" + escape_markdown(outcome.config_hash) + "`.\n";
}

std::string render_gate_junit(const GateOutcome& outcome) {
  std::string cases;
  for (const GateCheck& check : outcome.checks) {
    const std::string source = check.evaluator.empty() ? "run" : check.evaluator;
    cases += "    <testcase classname=\"" + escape_markup(outcome.experiment + "." + check.variant + "." + source) +
             "\" name=\"" + escape_markup(check.metric + " (" + check.rule + ")") + "\">\n      <properties>\n";
    cases += junit_property("candidate", exact_number(check.candidate)) +
             junit_property("compared_with", exact_number(check.other)) +
             junit_property("value", exact_number(check.value));
    if (check.interval) {
      cases += junit_property("interval_low", exact_number(check.interval->low)) +
               junit_property("interval_high", exact_number(check.interval->high));
    }
    if (check.p_value) cases += junit_property("p_value_holm", exact_number(*check.p_value));
    cases += junit_property(check.bound == GateBound::kAtLeast ? "at_least" : "at_most", exact_number(check.limit)) +
             junit_property("interval_method", check.method) + junit_property("items", std::to_string(check.items)) +
             junit_property("seeds", std::to_string(check.seeds)) +
             junit_property("verdict", std::string(verdict_name(check.verdict))) + "      </properties>\n";
    const std::string message =
        "message=\"" + escape_markup(verdict_text(check) + ": " + value_text(check) + ", " + bound_text(check)) + "\"";
    if (check.counts_as == GateVerdict::kFail) cases += "      <failure " + message + "/>\n";
    if (check.counts_as == GateVerdict::kInconclusive) cases += "      <skipped " + message + "/>\n";
    cases += "    </testcase>\n";
  }
  return junit_file("gate of " + outcome.experiment,
                    {.tests = outcome.checks.size(),
                     .failures = count_of(outcome, GateVerdict::kFail),
                     .skipped = count_of(outcome, GateVerdict::kInconclusive)},
                    junit_property("config_hash", outcome.config_hash), cases);
}

}  // namespace bitnet
