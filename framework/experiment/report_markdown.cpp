#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include "framework/experiment/delta_text.h"
#include "framework/experiment/report.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

std::string delta_markdown(const DeltaRow& row) {
  if (row.band == Band::kNotFinite) return "not a number";
  const char* glyph = row.delta_percent > 0 ? "\u25B2 " : row.delta_percent < 0 ? "\u25BC " : "\u25CF ";
  const char* word = row.delta_percent > 0 ? " better" : row.delta_percent < 0 ? " worse" : " equal";
  std::string text = glyph + delta_size_text(row) + word;
  if (row.points && std::isfinite(row.delta_percent)) text += ", " + points_text(*row.points);
  if (row.ln_ratio) text += ", ln ratio " + format_signed(*row.ln_ratio, 4);
  for (const std::string& times : {times_smaller(row), times_as_fast(row)}) {
    if (!times.empty()) text += ", " + times;
  }
  return text;
}

std::string reference_markdown(const DeltaRow& row) {
  const std::optional<double>& value = row.floor ? row.floor : row.chance;
  if (!value) return "\u2013";
  return escape_markdown(format_metric(*value, row.unit)) + (row.floor ? "" : " (chance)");
}

std::string table_markdown(const Comparison& comparison) {
  const std::string reference = reference_header(comparison);
  std::string text = "| Category | Metric | " + escape_markdown(display_name(comparison.candidate)) + " | " +
                     escape_markdown(display_name(comparison.baseline)) + (reference.empty() ? "" : " | " + reference) +
                     " | Delta | 95 % interval | Interpretation |\n|---|---|---:|---:|" +
                     (reference.empty() ? "" : "---:|") + "---|---|---|\n";
  for (const DeltaRow& row : comparison.rows) {
    text += "| " + row.category + " | " + escape_markdown(row.label) +
            (row.evaluator.empty()
                 ? ""
                 : " (" + escape_markdown(row.evaluator) + ", " + escape_markdown(data_phrase(row)) + ")") +
            " | " + escape_markdown(format_metric(row.candidate, row.unit)) + " | " +
            escape_markdown(format_metric(row.baseline, row.unit)) + " | ";
    if (!reference.empty()) text += reference_markdown(row) + " | ";
    text += delta_markdown(row) + " | " +
            (interval_text(row).empty() ? escape_markdown(row.method)
                                        : interval_text(row) + ", n = " + format_count(row.items)) +
            (row.p_value ? ", " + escape_markdown(p_value_text(*row.p_value)) : "") + " | " +
            std::string(band_name(row.band)) + " |\n";
  }
  return text;
}

/// What each figure of the table stands for: one entry for each evaluator and one for the weights.
std::string conventions_markdown(const Comparison& comparison) {
  std::string text;
  std::set<std::string> seen;
  for (const DeltaRow& row : comparison.rows) {
    const std::string entry = (row.evaluator.empty() ? row.label : row.evaluator) + ": " + row.convention;
    if (row.convention.empty() || !seen.insert(entry).second) continue;
    text += (text.empty() ? "Conventions: " : "; ") + escape_markdown(entry);
  }
  return text.empty() ? "" : text + ".\n\n";
}

std::string list_markdown(const std::string& title, const std::vector<std::string>& sentences,
                          const std::string& note) {
  std::string text = "**" + title + "**\n\n";
  for (const std::string& sentence : sentences) text += "- " + escape_markdown(sentence) + "\n";
  if (!note.empty()) text += "- " + escape_markdown(note) + "\n";
  return text + "\n";
}

/// A fence longer than any run of backticks inside.
std::string fenced(const std::string& content) {
  size_t longest = 0;
  size_t run = 0;
  for (const char c : content) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<size_t>(3, longest + 1), '`');
  return fence + "sh\n" + content + "\n" + fence + "\n";
}

}  // namespace

std::string render_report_markdown(const Results& results) {
  const ReportView view{results, compare_variants(results)};
  std::string text = "## " + escape_markdown(results.experiment) + "\n\n";
  if (!results.description.empty()) text += escape_markdown(results.description) + "\n\n";
  for (const std::string& note : results.notes) text += "**" + escape_markdown(note) + "**\n\n";
  if (view.comparisons.empty()) text += "The run has one variant only: there is nothing to compare it with.\n\n";
  for (const Comparison& comparison : view.comparisons) {
    text += "**" + escape_markdown(comparison.verdict) + "**\n\n" + table_markdown(comparison) + "\n" +
            conventions_markdown(comparison) +
            list_markdown("Strengths", comparison.strengths, comparison.strengths_note) +
            list_markdown("Deficiencies", comparison.deficiencies, comparison.deficiencies_note);
    if (!comparison.undecided.empty()) text += escape_markdown(comparison.undecided) + "\n\n";
  }
  if (!view.comparisons.empty()) {
    text +=
        "Delta in percent of " + escape_markdown(display_name(results.baseline)) +
        ": 0 is parity, + is better, \u2212 is worse. Intervals: paired bootstrap-t of whole items, with several seeds "
        "Student's of items and seeds; for accuracies of one seed Newcombe's, with the p of McNemar's exact test; for "
        "speeds of inference order statistics of the turns' ratios.\n\n";
  }
  return text + "Reproduce, configuration `" + escape_markdown(results.config_hash) + "`:\n\n" +
         fenced(results.command);
}

}  // namespace bitnet
