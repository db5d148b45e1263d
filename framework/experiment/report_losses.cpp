#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "framework/experiment/delta_text.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"
#include "framework/experiment/svg_chart.h"

namespace bitnet {
namespace {

constexpr size_t kMostDots = 800;    // of one scatter chart
constexpr size_t kMostExtremes = 5;  // items that differ most, on either side

/// An item's mean losses under both models.
struct LossPair {
  std::string id;
  double candidate = 0;  // nats per token
  double baseline = 0;
  double gap() const { return candidate - baseline; }
};

std::vector<LossPair> loss_pairs(const ItemPairs& pairs) {
  std::vector<LossPair> found;
  for (size_t i = 0; i < std::min(pairs.candidate_items.size(), pairs.baseline_items.size()); ++i) {
    const EvaluationItem& candidate = pairs.candidate_items[i];
    const EvaluationItem& baseline = pairs.baseline_items[i];
    // Questions and programs have outcomes; tests of speed have times.
    if (candidate.tokens <= 0 || baseline.tokens <= 0 || !candidate.outcomes.empty() || candidate.seconds > 0) continue;
    const LossPair pair{candidate.id, candidate.nats / static_cast<double>(candidate.tokens),
                        baseline.nats / static_cast<double>(baseline.tokens)};
    if (std::isfinite(pair.candidate) && std::isfinite(pair.baseline)) found.push_back(pair);
  }
  return found;
}

std::vector<std::string> number_row(const std::string& name_html, const LossPair& pair) {
  return {name_html, format_fixed(pair.candidate, 4), format_fixed(pair.baseline, 4), format_signed(pair.gap(), 4)};
}

/// The quantiles of the gap, and the items at its ends. `sorted` is so by the gap.
std::string loss_numbers(const ItemPairs& pairs, const std::vector<LossPair>& sorted) {
  HtmlTable table;
  table.caption =
      "Items by their loss gap, nats per token, " + pairs.evaluator + " of " + display_name(pairs.candidate);
  table.headers = {"Item", variant_chip(pairs.results, pairs.candidate), variant_chip(pairs.results, pairs.baseline),
                   "Gap"};
  const size_t count = sorted.size();
  const size_t extremes = std::min(kMostExtremes, count / 3);
  for (size_t i = 0; i < extremes; ++i) table.rows.push_back(number_row(html_code(sorted[i].id), sorted[i]));
  for (const auto& [name, quantile] :
       {std::pair("first quartile", 0.25), std::pair("median", 0.5), std::pair("third quartile", 0.75)}) {
    const LossPair& pair = sorted[static_cast<size_t>(std::llround(quantile * static_cast<double>(count - 1)))];
    table.rows.push_back(number_row(std::string(name) + ": " + html_code(pair.id), pair));
  }
  for (size_t i = count - extremes; i < count; ++i)
    table.rows.push_back(number_row(html_code(sorted[i].id), sorted[i]));
  return html_table(table);
}

}  // namespace

std::string losses_view(const ItemPairs& pairs) {
  std::vector<LossPair> losses = loss_pairs(pairs);
  if (losses.empty()) return "";
  const std::string candidate = display_name(pairs.candidate);
  const std::string baseline = display_name(pairs.baseline);
  ScatterChart chart;
  chart.id = pairs.id;
  chart.title = "Loss of every item: " + candidate + " against " + baseline;
  chart.x_label = baseline + ", nats per token";
  chart.y_label = candidate + ", nats per token";
  chart.above_label = baseline + " better";
  chart.below_label = candidate + " better";
  chart.style = variant_style(pairs.results, pairs.candidate);
  const size_t stride = (losses.size() + kMostDots - 1) / kMostDots;
  for (size_t i = 0; i < losses.size(); i += stride) chart.points.emplace_back(losses[i].baseline, losses[i].candidate);
  const auto better = std::count_if(losses.begin(), losses.end(), [](const LossPair& pair) { return pair.gap() < 0; });
  chart.description = candidate + "'s loss is the lower one in " + format_count(better) + " of " +
                      format_count(static_cast<int64_t>(losses.size())) + " items.";
  std::stable_sort(losses.begin(), losses.end(),
                   [](const LossPair& a, const LossPair& b) { return a.gap() < b.gap(); });
  return html_figure(chart.title, render_scatter(chart),
                     chart.description + " Each dot is a window or page; on the dashed line both are equal." +
                         (stride > 1 ? " One dot in " + std::to_string(stride) + " is drawn." : ""),
                     loss_numbers(pairs, losses));
}

}  // namespace bitnet
