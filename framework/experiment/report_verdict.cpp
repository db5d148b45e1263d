#include <string>
#include <vector>

#include "framework/experiment/delta_text.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

std::string winner_text(const Standing& standing, const Comparison& comparison) {
  const std::string candidate = display_name(comparison.candidate);
  const std::string baseline = display_name(comparison.baseline);
  if (standing.not_finite > 0) return "Diverged" + of_all_text(standing.not_finite, standing.all);
  if (standing.better > 0 && standing.worse > 0) {
    return "Each wins some: " + candidate + of_all_text(standing.better, standing.all) + ", " + baseline +
           of_all_text(standing.worse, standing.all);
  }
  if (standing.better > 0) return candidate + " wins" + of_all_text(standing.better, standing.all);
  if (standing.worse > 0) return baseline + " wins" + of_all_text(standing.worse, standing.all);
  return standing.judged ? "Parity" : "Not judged";
}

/// One measurement's figures: by how much, and what they are.
std::string proof_html(const DeltaRow& row, const Comparison& comparison) {
  std::string size = delta_html(row);
  for (const std::string& times : {times_smaller(row), times_as_fast(row)}) {
    if (times.empty()) continue;
    size = "<span class=\"delta " + sign_class(band_sign(row.band)) + "\">" + sign_glyph(row.delta_percent) + " " +
           escape_markup(times) + "</span>";
  }
  return size +
         small_print(escape_markup(row.label + ": " + display_name(comparison.candidate) + " " +
                                   format_metric(row.candidate, row.unit) + ", " + display_name(comparison.baseline) +
                                   " " + format_metric(row.baseline, row.unit)));
}

/// Who wins where, one entry a category.
std::string winners_html(const Comparison& comparison) {
  std::string html;
  for (const char* category : {"Quality", "Memory", "Speed"}) {
    const Standing standing = standing_of(comparison, category);
    if (standing.first == nullptr) continue;
    const bool open = standing.not_finite > 0 || (standing.better > 0 && standing.worse > 0);
    const int sign = open ? 0 : standing.better > 0 ? 1 : standing.worse > 0 ? -1 : 0;
    html += "<li class=\"" + sign_class(sign) + "\"><span class=\"where\">" + category + "</span><strong>" +
            escape_markup(winner_text(standing, comparison)) + "</strong>" + proof_html(*standing.first, comparison) +
            "</li>";
  }
  return html.empty() ? "" : "<ul class=\"winners\">" + html + "</ul>";
}

std::string finding_card(int sign, const std::string& title, const std::vector<std::string>& sentences,
                         const std::string& note) {
  std::string html = "<div class=\"card " + sign_class(sign) + "\"><h3>" + sign_glyph(sign) + " " + title + "</h3>";
  if (!note.empty()) html += "<p>" + escape_markup(note) + "</p>";
  if (!sentences.empty()) html += "<ul>";
  for (const std::string& sentence : sentences) html += "<li>" + escape_markup(sentence) + "</li>";
  return html + (sentences.empty() ? "" : "</ul>") + "</div>";
}

std::string seeds_text(const Results& results) {
  std::string seeds;
  if (results.variants.empty()) return "none";
  for (const SeedResult& seed : results.variants.front().seeds) {
    seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed.seed);
  }
  return seeds.empty() ? "none" : seeds;
}

}  // namespace

std::string comparison_heading(const ReportView& view, const Comparison& comparison) {
  if (view.comparisons.size() < 2) return "";
  return "<h3>" + escape_markup(display_name(comparison.candidate) + " against " + display_name(comparison.baseline)) +
         "</h3>";
}

std::string verdict_part(const ReportView& view) {
  constexpr size_t kFolderDigits = 16;  // of the hash, in the run folder's name
  const Results& results = view.results;
  std::string html =
      "<section class=\"verdict\" aria-labelledby=\"verdict\"><h2 id=\"verdict\" class=\"eyebrow\">Verdict</h2>";
  for (const std::string& note : results.notes) {
    html += "<p class=\"alert\"><strong>Read this first.</strong> " + escape_markup(note) + "</p>";
  }
  html += "<div id=\"winners\">";
  for (const Comparison& comparison : view.comparisons) {
    html += comparison_heading(view, comparison) + winners_html(comparison);
  }
  html += "</div>";
  for (const Comparison& comparison : view.comparisons) {
    html += "<p class=\"say\">" + escape_markup(comparison.verdict) + "</p>";
  }
  if (view.comparisons.empty()) {
    html += "<p class=\"say\">The run has one variant only: there is nothing to compare it with.</p>";
  }
  html +=
      "<dl class=\"meta\">" +
      html_fact("Run", html_code(results.experiment + "/" + results.config_hash.substr(0, kFolderDigits))) +
      html_fact("Data", escape_markup(results.dataset)) +
      html_fact("Tokenizer", escape_markup(results.tokenizer) + ", " + format_count(results.vocab_size) + " entries") +
      html_fact("Seeds", seeds_text(results)) + "</dl>";
  return html + "<p class=\"eyebrow\">Reproduce</p><pre class=\"command\"><code>" + escape_markup(results.command) +
         "</code></pre></section>";
}

std::string findings_part(const ReportView& view) {
  std::string html =
      "<section class=\"findings\" aria-labelledby=\"findings\"><h2 id=\"findings\">Strengths and deficiencies</h2>";
  for (const Comparison& comparison : view.comparisons) {
    html += comparison_heading(view, comparison) + "<div class=\"columns\">" +
            finding_card(1, "Strengths", comparison.strengths, comparison.strengths_note) +
            finding_card(-1, "Deficiencies", comparison.deficiencies, comparison.deficiencies_note) + "</div>";
    if (!comparison.undecided.empty()) html += "<p class=\"note\">" + escape_markup(comparison.undecided) + "</p>";
  }
  if (view.comparisons.empty()) html += "<p>None, because there is no second variant.</p>";
  return html + "</section>";
}

}  // namespace bitnet
