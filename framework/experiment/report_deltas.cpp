#include <algorithm>
#include <cmath>
#include <optional>

#include "framework/experiment/delta_efficiency.h"
#include "framework/experiment/delta_text.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"
#include "framework/experiment/svg_chart.h"

namespace bitnet {
namespace {

/// The delta, and the same in the metric's other forms.
std::string forms_html(const DeltaRow& row) {
  std::string html = delta_html(row);
  if (row.band == Band::kNotFinite) return html;
  if (row.points && std::isfinite(row.delta_percent)) html += small_print(escape_markup(points_text(*row.points)));
  if (row.ln_ratio) html += small_print(escape_markup("ln ratio " + format_signed(*row.ln_ratio, 4)));
  for (const std::string& times : {times_smaller(row), times_as_fast(row)}) {
    if (!times.empty()) html += small_print(escape_markup(times));
  }
  return html;
}

std::string interval_html(const DeltaRow& row) {
  if (interval_text(row).empty()) return small_print(escape_markup(row.method));
  std::string ln;
  if (row.ln_ratio_interval) {
    ln = "<span class=\"small range\">ln " + format_signed(row.ln_ratio_interval->low, 4) + " to " +
         format_signed(row.ln_ratio_interval->high, 4) + "</span>";
  }
  const std::string about = "n = " + format_count(row.items) +
                            (row.seeds > 1 ? ", " + format_count(row.seeds) + " seeds" : "") + "; " + row.method +
                            (row.p_value ? "; McNemar's exact test: " + p_value_text(*row.p_value) : "");
  return "<span class=\"range\">" + escape_markup(interval_text(row)) + "</span>" + ln +
         small_print(escape_markup(about));
}

std::string value_html(const DeltaRow& row, double value, const std::optional<Interval>& interval) {
  std::string html = escape_markup(format_metric(value, row.unit));
  if (interval) {
    html += small_print("<span class=\"range\">95\u00A0%: " + format_fixed(100 * interval->low, 1) + " to " +
                        format_fixed(100 * interval->high, 1) + "</span>");
  }
  if (row.chance) html += small_print(escape_markup(points_text(100 * (value - *row.chance)) + " against chance"));
  if (row.floor && *row.floor > 0) html += small_print(format_significant(value / *row.floor, 3) + "\u00D7 the floor");
  return html;
}

/// What a value is to be read against: the entropy floor, or what guessing gives.
std::string reference_html(const DeltaRow& row) {
  if (row.floor) return escape_markup(format_metric(*row.floor, row.unit));
  if (row.chance) return escape_markup(format_metric(*row.chance, row.unit)) + small_print("chance");
  return "\u2013";
}

std::string delta_table(const Results& results, const Comparison& comparison) {
  const std::string reference = reference_header(comparison);
  const std::string candidate = display_name(comparison.candidate);
  const std::string baseline = display_name(comparison.baseline);
  CardTable table;
  table.region = "Deltas of " + candidate + " against " + baseline;
  table.caption = "Delta in percent of " + baseline + ": 0 is parity, + is better, \u2212 is worse.";
  table.css_class = "deltas";
  table.head = 1;
  table.columns = {{"Category", "Category", ""},
                   {"Metric", "Metric", ""},
                   {candidate, variant_chip(results, comparison.candidate), "num"},
                   {baseline, variant_chip(results, comparison.baseline), "num"}};
  if (!reference.empty()) table.columns.push_back({reference, reference, "num"});
  table.columns.insert(
      table.columns.end(),
      {{"Delta", "Delta", ""}, {"95 % interval", "95 % interval", "interval"}, {"Meaning", "Interpretation", ""}});
  std::string evaluator;
  for (const DeltaRow& row : comparison.rows) {
    std::string about = row.evaluator;
    // The convention once for each evaluator; the rows after it belong to the same. Of a long one the first part: all
    // of it stands with the evaluator.
    if (row.evaluator != evaluator) {
      about += ": " + row.convention.substr(0, row.convention.find(';')) + "; " + data_phrase(row);
    }
    evaluator = row.evaluator;
    if (row.restated) about += "; the same losses in another unit";
    about = small_print(escape_markup(row.evaluator.empty() ? row.convention : about));
    std::vector<std::string> cells = {escape_markup(row.category), escape_markup(row.label) + about,
                                      value_html(row, row.candidate, row.candidate_interval),
                                      value_html(row, row.baseline, row.baseline_interval)};
    if (!reference.empty()) cells.push_back(reference_html(row));
    cells.insert(cells.end(), {forms_html(row), interval_html(row),
                               "<span class=\"tag " + sign_class(band_sign(row.band)) + "\">" +
                                   std::string(band_name(row.band)) + "</span>"});
    table.rows.push_back(std::move(cells));
  }
  return card_table(table);
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

/// What a gate asks of this delta, if anything; the strictest where it asks several times.
std::optional<double> bound_of(const ReportView& view, const Comparison& comparison, const DeltaRow& row) {
  std::optional<double> strictest;
  for (const DeltaBound& bound : view.bounds) {
    if (bound.variant != comparison.candidate || bound.evaluator != row.evaluator || bound.metric != row.metric) {
      continue;
    }
    strictest = std::max(bound.percent, strictest.value_or(bound.percent));
  }
  return strictest;
}

std::string forest_numbers(const ReportView& view, const Comparison& comparison) {
  const std::string dash = "\u2013";
  HtmlTable table;
  table.caption = "Deltas of " + display_name(comparison.candidate) + " in percent, as drawn";
  table.headers = {"Metric", "Delta", "Low", "High"};
  if (!view.bounds.empty()) table.headers.push_back("The gate asks for");
  for (const DeltaRow& row : comparison.rows) {
    std::vector<std::string> cells = {
        escape_markup(row.label) + (row.evaluator.empty() ? "" : small_print(escape_markup(row.evaluator))),
        format_signed(row.delta_percent, 2), row.interval_percent ? format_signed(row.interval_percent->low, 2) : dash,
        row.interval_percent ? format_signed(row.interval_percent->high, 2) : dash};
    const std::optional<double> bound = bound_of(view, comparison, row);
    if (!view.bounds.empty()) cells.push_back(bound ? format_signed(*bound, 2) : dash);
    table.rows.push_back(cells);
  }
  return html_table(table);
}

std::string forest_caption(const ReportView& view) {
  return "Triangles point to the better or the worse side, circles are parity or not judged; whiskers are 95 % "
         "intervals. The axis is stretched near 0; the dotted lines are the limits of the interpretation, " +
         format_fixed(kClearPercent, 0) + " % and " + format_fixed(kMajorPercent, 0) + " %." +
         (view.bounds.empty()
              ? ""
              : " The upright bars are the least that the gate's targets ask for; whether a metric passes is decided "
                "by `bitnet gate`, at its policy's confidence and for all of them together.");
}

}  // namespace

std::string delta_part(const ReportView& view) {
  std::string html = "<section aria-labelledby=\"deltas\"><h2 id=\"deltas\">Deltas</h2>";
  for (const Comparison& comparison : view.comparisons) {
    html += comparison_heading(view, comparison) + delta_table(view.results, comparison);
  }
  html += view.comparisons.empty() ? "<p>Nothing to compare.</p>" : band_legend();
  return html + "</section>";
}

std::string forest_part(const ReportView& view) {
  std::string html = "<section aria-labelledby=\"forest\"><h2 id=\"forest\">Overview of the deltas</h2>";
  for (size_t i = 0; i < view.comparisons.size(); ++i) {
    const Comparison& comparison = view.comparisons[i];
    ForestChart chart;
    chart.id = "forest" + std::to_string(i);
    chart.title = "Deltas of " + display_name(comparison.candidate) + " against " + display_name(comparison.baseline);
    chart.band_limits = {kClearPercent, kMajorPercent};
    for (const DeltaRow& row : comparison.rows) {
      ForestRow mark{row.label,    row.evaluator,       row.delta_percent,
                     std::nullopt, band_sign(row.band), bound_of(view, comparison, row)};
      if (row.interval_percent) mark.interval = {row.interval_percent->low, row.interval_percent->high};
      chart.rows.push_back(mark);
      chart.description += row.label + ": " + delta_size_text(row) + ", " + std::string(band_name(row.band)) + ". ";
    }
    html += html_figure(chart.title, render_forest(chart), forest_caption(view), forest_numbers(view, comparison));
  }
  if (view.comparisons.empty()) html += "<p>Nothing to compare.</p>";
  return html + "</section>";
}

}  // namespace bitnet
