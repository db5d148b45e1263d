#include <algorithm>
#include <optional>

#include "framework/experiment/delta_efficiency.h"
#include "framework/experiment/delta_text.h"
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

std::string sign_class(int sign) { return sign > 0 ? "better" : sign < 0 ? "worse" : "neither"; }

std::string small(const std::string& escaped) { return "<span class=\"small\">" + escaped + "</span>"; }

/// "+1.3 % better" with its glyph; the word stands beside the sign so that color is never alone.
std::string delta_html(const DeltaRow& row) {
  const int sign = row.delta_percent > 0 ? 1 : row.delta_percent < 0 ? -1 : 0;
  const char* glyph = sign > 0 ? "\u25B2" : sign < 0 ? "\u25BC" : "\u25CF";
  const char* word = sign > 0 ? "better" : sign < 0 ? "worse" : "equal";
  if (row.band == Band::kNotFinite) return "<span class=\"delta neither\">not a number</span>";
  std::string html = "<span class=\"delta " + sign_class(band_sign(row.band)) + "\"><span aria-hidden=\"true\">" +
                     glyph + "</span> " + escape_markup(format_percent_delta(row.delta_percent)) + " " + word +
                     "</span>";
  if (row.points) html += small(escape_markup(points_text(*row.points)));
  if (row.ln_ratio) html += small(escape_markup("ln ratio " + format_signed(*row.ln_ratio, 4)));
  for (const std::string& times : {times_smaller(row), times_as_fast(row)}) {
    if (!times.empty()) html += small(escape_markup(times));
  }
  return html;
}

std::string interval_html(const DeltaRow& row) {
  if (interval_text(row).empty()) return small(escape_markup(row.method));
  std::string ln;
  if (row.ln_ratio_interval) {
    ln = "<span class=\"small range\">ln " + format_signed(row.ln_ratio_interval->low, 4) + " to " +
         format_signed(row.ln_ratio_interval->high, 4) + "</span>";
  }
  const std::string about = "n = " + format_count(row.items) +
                            (row.seeds > 1 ? ", " + format_count(row.seeds) + " seeds" : "") + "; " + row.method +
                            (row.p_value ? "; McNemar's exact test: " + p_value_text(*row.p_value) : "");
  return "<span class=\"range\">" + escape_markup(interval_text(row)) + "</span>" + ln + small(escape_markup(about));
}

/// A cell of the delta table; on narrow pages it becomes a line with its column's name before it.
std::string cell(const char* tag, const char* role, const std::string& label, const std::string& css_class,
                 const std::string& html) {
  return std::string("<") + tag + (std::string_view(tag) == "th" ? " scope=\"row\"" : "") + " role=\"" + role + "\"" +
         (css_class.empty() ? "" : " class=\"" + css_class + "\"") + "><span class=\"label\" aria-hidden=\"true\">" +
         label + "</span><span class=\"cell\">" + html + "</span></" + tag + ">";
}

std::string value_html(const DeltaRow& row, double value, const std::optional<Interval>& interval) {
  std::string html = escape_markup(format_metric(value, row.unit));
  if (interval) {
    html += small("<span class=\"range\">95\u00A0%: " + format_fixed(100 * interval->low, 1) + " to " +
                  format_fixed(100 * interval->high, 1) + "</span>");
  }
  if (row.chance) html += small(escape_markup(points_text(100 * (value - *row.chance)) + " against chance"));
  if (row.floor && *row.floor > 0) html += small(format_significant(value / *row.floor, 3) + "\u00D7 the floor");
  return html;
}

/// What a value is to be read against: the entropy floor, or what guessing gives.
std::string reference_html(const DeltaRow& row) {
  if (row.floor) return escape_markup(format_metric(*row.floor, row.unit));
  if (row.chance) return escape_markup(format_metric(*row.chance, row.unit)) + small("chance");
  return "\u2013";
}

std::string delta_table(const Results& results, const Comparison& comparison) {
  const std::string reference = reference_header(comparison);
  const std::string candidate = escape_markup(display_name(comparison.candidate));
  const std::string baseline = escape_markup(display_name(comparison.baseline));
  const auto header = [](const std::string& html, const char* css_class = "") {
    return std::string("<th scope=\"col\" role=\"columnheader\"") +
           (*css_class ? std::string(" class=\"") + css_class + "\"" : "") + ">" + html + "</th>";
  };
  std::string html =
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Deltas of " + candidate + " against " +
      baseline + "\"><table class=\"deltas\" role=\"table\"><caption>Delta in percent of " + baseline +
      ": 0 is parity, + is better, \u2212 is worse.</caption><thead role=\"rowgroup\"><tr role=\"row\">" +
      header("Category") + header("Metric") + header(variant_chip(results, comparison.candidate), "num") +
      header(variant_chip(results, comparison.baseline), "num");
  if (!reference.empty()) html += header(reference, "num");
  html +=
      header("Delta") + header("95 % interval") + header("Interpretation") + "</tr></thead><tbody role=\"rowgroup\">";
  std::string evaluator;
  for (const DeltaRow& row : comparison.rows) {
    std::string about = row.evaluator;
    // The convention once for each evaluator; the rows after it belong to the same.
    if (row.evaluator != evaluator) about += ": " + row.convention + "; " + data_phrase(row);
    evaluator = row.evaluator;
    about = small(escape_markup(row.evaluator.empty() ? row.convention : about));
    html += "<tr role=\"row\">" + cell("td", "cell", "Category", "", escape_markup(row.category)) +
            cell("th", "rowheader", "Metric", "", escape_markup(row.label) + about) +
            cell("td", "cell", candidate, "num", value_html(row, row.candidate, row.candidate_interval)) +
            cell("td", "cell", baseline, "num", value_html(row, row.baseline, row.baseline_interval));
    if (!reference.empty()) html += cell("td", "cell", reference, "num", reference_html(row));
    html += cell("td", "cell", "Delta", "", delta_html(row)) +
            cell("td", "cell", "95 % interval", "interval", interval_html(row)) +
            cell("td", "cell", "Meaning", "",
                 "<span class=\"tag " + sign_class(band_sign(row.band)) + "\">" + std::string(band_name(row.band)) +
                     "</span>") +
            "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string finding_card(const char* css_class, const char* title, const std::vector<std::string>& sentences,
                         const std::string& note) {
  std::string html = std::string("<div class=\"card ") + css_class + "\"><h3>" + title + "</h3>";
  if (!note.empty()) html += "<p>" + escape_markup(note) + "</p>";
  if (!sentences.empty()) html += "<ul>";
  for (const std::string& sentence : sentences) html += "<li>" + escape_markup(sentence) + "</li>";
  return html + (sentences.empty() ? "" : "</ul>") + "</div>";
}

std::string comparison_heading(const ReportView& view, const Comparison& comparison) {
  if (view.comparisons.size() < 2) return "";
  return "<h3>" + escape_markup(display_name(comparison.candidate) + " against " + display_name(comparison.baseline)) +
         "</h3>";
}

std::string band_legend() {
  const std::string clear = format_fixed(kClearPercent, 0);
  const std::string major = format_fixed(kMajorPercent, 0);
  return "<p class=\"note\">Interpretation: parity where the interval contains 0; otherwise by size, below " + clear +
         " % minor, below " + major + " % clear win or needs improvement, from " + major +
         " % on major win or significant deficiency. A measured difference without an interval is "
         "not judged. Figures over several seeds are means, perplexities "
         "geometric means. Intervals: bootstrap-t by " +
         format_count(kBootstrapResamples) +
         " resamples of whole items (windows "
         "or pages) that keep the two models' losses on an item together; with several seeds, Student's of items and "
         "seeds. Accuracies of one seed: Wilson's interval "
         "for each, Newcombe's for the difference of the pairs, and parity also where McNemar's exact test gives a p "
         "above " +
         format_significant(kSignificance, 1) +
         ". Speeds of inference: the median ratio of turns that stood beside each other, with order "
         "statistics of these ratios. Memory of "
         "several processes that agree to within " +
         format_fixed(kMemoryAgreementPercent, 0) + " % is judged without an interval.</p>";
}

std::string fact(const char* name, const std::string& html) {
  return std::string("<div><dt>") + name + "</dt><dd>" + html + "</dd></div>";
}

}  // namespace

std::string verdict_part(const ReportView& view) {
  const Results& results = view.results;
  std::string html =
      "<section class=\"verdict\" aria-labelledby=\"verdict\"><h2 id=\"verdict\" class=\"eyebrow\">Verdict</h2>";
  for (const std::string& note : results.notes) html += "<p class=\"say\">" + escape_markup(note) + "</p>";
  for (const Comparison& comparison : view.comparisons) {
    html += "<p class=\"say\">" + escape_markup(comparison.verdict) + "</p>";
  }
  if (view.comparisons.empty()) {
    html += "<p class=\"say\">The run has one variant only: there is nothing to compare it with.</p>";
  }
  std::string seeds;
  if (!results.variants.empty()) {
    for (const SeedResult& seed : results.variants.front().seeds) {
      seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed.seed);
    }
  }
  html += "<dl class=\"meta\">" + fact("Data", escape_markup(results.dataset)) +
          fact("Tokenizer", escape_markup(results.tokenizer) + ", " + format_count(results.vocab_size) + " entries") +
          fact("Seeds", seeds.empty() ? "none" : seeds) +
          fact("Configuration hash", "<code>" + escape_markup(results.config_hash) + "</code>") + "</dl>";
  return html + "<p class=\"eyebrow\">Reproduce</p><pre class=\"command\"><code>" + escape_markup(results.command) +
         "</code></pre></section>";
}

std::string delta_part(const ReportView& view) {
  std::string html = "<section aria-labelledby=\"deltas\"><h2 id=\"deltas\">Deltas</h2>";
  for (const Comparison& comparison : view.comparisons) {
    html += comparison_heading(view, comparison) + delta_table(view.results, comparison);
  }
  html += view.comparisons.empty() ? "<p>Nothing to compare.</p>" : band_legend();
  return html + "</section>";
}

std::string findings_part(const ReportView& view) {
  std::string html =
      "<section class=\"findings\" aria-labelledby=\"findings\"><h2 id=\"findings\">Strengths and deficiencies</h2>";
  for (const Comparison& comparison : view.comparisons) {
    html += comparison_heading(view, comparison) + "<div class=\"columns\">" +
            finding_card("better", "<span aria-hidden=\"true\">\u25B2</span> Strengths", comparison.strengths,
                         comparison.strengths_note) +
            finding_card("worse", "<span aria-hidden=\"true\">\u25BC</span> Deficiencies", comparison.deficiencies,
                         comparison.deficiencies_note) +
            "</div>";
    if (!comparison.undecided.empty()) html += "<p class=\"note\">" + escape_markup(comparison.undecided) + "</p>";
  }
  if (view.comparisons.empty()) html += "<p>None, because there is no second variant.</p>";
  return html + "</section>";
}

std::string html_table(const HtmlTable& table) {
  const std::string caption = escape_markup(table.caption);
  std::string html = "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" + caption + "\"><table" +
                     (table.numeric ? " class=\"numeric\"" : "") + "><caption>" + caption + "</caption><thead><tr>";
  for (const std::string& header : table.headers) html += "<th scope=\"col\">" + header + "</th>";
  html += "</tr></thead><tbody>";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) {
      html += i == 0 ? "<th scope=\"row\">" + row[i] + "</th>" : "<td>" + row[i] + "</td>";
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

int variant_style(const Results& results, std::string_view variant) {
  constexpr int kStyles = 6;  // s0 to s5 of the style sheet
  for (size_t i = 0; i < results.variants.size(); ++i) {
    if (results.variants[i].name == variant) return static_cast<int>(i % kStyles);
  }
  return 0;
}

std::string variant_chip(const Results& results, std::string_view variant) {
  const int style = variant_style(results, variant);
  const std::string css_class = "marker s" + std::to_string(style);
  std::string shape;
  if (style % 3 == 0) {
    shape = "<circle class=\"" + css_class + "\" cx=\"6\" cy=\"6\" r=\"4.5\"/>";
  } else if (style % 3 == 1) {
    shape = "<rect class=\"" + css_class + "\" x=\"1.5\" y=\"1.5\" width=\"9\" height=\"9\"/>";
  } else {
    shape = "<path class=\"" + css_class + "\" d=\"M6 1.5l4.5 9h-9z\"/>";
  }
  return "<span class=\"chip\"><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">" + shape + "</svg>" +
         escape_markup(display_name(variant)) + "</span>";
}

std::string render_report_html(const Results& results) {
  const ReportView view{results, compare_variants(results)};
  const std::string name = escape_markup(results.experiment);
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n" + std::string(kHead) + "<title>" + name +
                     " \u2013 BitNet Lab report</title>\n<style>" + std::string(report_style()) +
                     "</style>\n</head>\n<body>\n";
  html += "<header><p class=\"eyebrow\">BitNet Lab report</p><h1>" + name + "</h1><p class=\"lead\">" +
          escape_markup(results.description) + "</p></header>\n<main>\n";
  html += verdict_part(view);
  const std::string training =
      was_trained(results)
          ? "<li><a href=\"#curves\">Training</a></li><li><a href=\"#ternary\">Ternary weights</a></li>"
          : "";
  html +=
      "\n<nav aria-label=\"Sections\"><ul><li><a href=\"#deltas\">Deltas</a></li><li><a href=\"#findings\">Strengths "
      "and deficiencies</a></li><li><a href=\"#forest\">Overview</a></li>" +
      training +
      "<li><a href=\"#facts\">Run facts</a></li><li><a href=\"#provenance\">Provenance</a></li><li><a "
      "href=\"#limits\">Known limits</a></li></ul></nav>\n";
  for (const auto part :
       {delta_part, findings_part, forest_part, curves_part, ternary_part, facts_part, provenance_part, limits_part}) {
    html += part(view) + "\n";
  }
  return html + "</main>\n<footer><p>Made by <code>bitnet report</code> from results.json, schema " +
         std::to_string(Results::kSchemaVersion) +
         ". This file loads nothing from a network.</p></footer>\n</body>\n</html>\n";
}

}  // namespace bitnet
