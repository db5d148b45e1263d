#include <algorithm>
#include <string>
#include <vector>

#include "framework/experiment/delta_efficiency.h"
#include "framework/experiment/delta_text.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

const VariantResult* find_variant(const Results& results, const std::string& name) {
  const auto found = std::find_if(results.variants.begin(), results.variants.end(),
                                  [&](const VariantResult& variant) { return variant.name == name; });
  return found == results.variants.end() ? nullptr : &*found;
}

/// The first seed's evaluation by `evaluator`.
const Evaluation* find_evaluation(const VariantResult& variant, const std::string& evaluator) {
  if (variant.seeds.empty()) return nullptr;
  for (const Evaluation& evaluation : variant.seeds.front().evaluations) {
    if (evaluation.evaluator == evaluator) return &evaluation;
  }
  return nullptr;
}

/// What the evaluator did, and to what.
std::string convention_html(const ReportView& view, const Evaluation& evaluation) {
  constexpr size_t kDigits = 16;
  DeltaRow row;
  row.split = evaluation.split;
  std::string times;
  for (const VariantResult& variant : view.results.variants) {
    const Evaluation* const other = find_evaluation(variant, evaluation.evaluator);
    if (other == nullptr) continue;
    times += (times.empty() ? "" : ", ") + display_name(variant.name) + " " + format_duration(other->seconds);
  }
  return "<dl class=\"meta\">" + html_fact("Convention", escape_markup(evaluation.convention)) +
         html_fact("Data", escape_markup(data_phrase(row)) + ", SHA-256 " +
                               html_code(evaluation.data_sha256.substr(0, kDigits)) + "\u2026") +
         html_fact("Items", format_count(static_cast<int64_t>(evaluation.items.size()))) +
         html_fact("Version", std::to_string(evaluation.version)) + html_fact("Time", escape_markup(times)) + "</dl>";
}

std::string items_html(const ReportView& view, const Evaluation& reference, size_t number) {
  std::string html;
  for (size_t i = 0; i < view.comparisons.size(); ++i) {
    const Comparison& comparison = view.comparisons[i];
    const VariantResult* const variant = find_variant(view.results, comparison.candidate);
    const Evaluation* const candidate = variant == nullptr ? nullptr : find_evaluation(*variant, reference.evaluator);
    if (candidate == nullptr) continue;
    const ItemPairs pairs{view.results,
                          reference.evaluator,
                          comparison.candidate,
                          comparison.baseline,
                          candidate->items,
                          reference.items,
                          "items" + std::to_string(number) + "-" + std::to_string(i)};
    const std::string views = losses_view(pairs) + questions_view(pairs) + programs_view(pairs);
    html += views.empty() ? "" : comparison_heading(view, comparison) + views;
  }
  return html.empty() ? "<p class=\"note\">No items were kept that could be shown one by one.</p>" : html;
}

}  // namespace

std::string evaluators_part(const ReportView& view) {
  const std::string open = "<section aria-labelledby=\"evaluators\"><h2 id=\"evaluators\">Evaluators</h2>";
  const VariantResult* baseline = find_variant(view.results, view.results.baseline);
  std::string html;
  if (baseline != nullptr && !baseline->seeds.empty()) {
    const std::vector<Evaluation>& evaluations = baseline->seeds.front().evaluations;
    for (size_t i = 0; i < evaluations.size(); ++i) {
      html += "<div class=\"evaluator\"><h3>" + escape_markup(evaluations[i].evaluator) + "</h3>" +
              convention_html(view, evaluations[i]);
      if (is_of_first_seed(evaluations[i])) {
        html += "<p class=\"note\">Its repetitions are under <a href=\"#efficiency\">Speed and memory</a>.</p>";
      } else {
        html += items_html(view, evaluations[i], i);
      }
      html += "</div>";
    }
  }
  if (html.empty()) html = "<p>Nothing was evaluated.</p>";
  const bool seeds = baseline != nullptr && baseline->seeds.size() > 1;
  return open + (seeds ? "<p class=\"note\">Items are those of the first seed.</p>" : "") + html + "</section>";
}

}  // namespace bitnet
