#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "framework/experiment/delta_efficiency.h"
#include "framework/experiment/delta_text.h"
#include "framework/experiment/efficiency.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"
#include "framework/experiment/svg_chart.h"

namespace bitnet {
namespace {

constexpr double kFloatBytes = 4;

/// One variant as one evaluator of speed and memory measured it.
struct Measured {
  const VariantResult* variant = nullptr;
  const Evaluation* evaluation = nullptr;
};

/// The evaluations by `evaluator`, in the order of the variants.
std::vector<Measured> measured_by(const Results& results, const std::string& evaluator) {
  std::vector<Measured> all;
  for (const VariantResult& variant : results.variants) {
    if (variant.seeds.empty()) continue;
    for (const Evaluation& evaluation : variant.seeds.front().evaluations) {
      if (evaluation.evaluator == evaluator) all.push_back({&variant, &evaluation});
    }
  }
  return all;
}

std::vector<std::string> measuring_evaluators(const Results& results) {
  std::vector<std::string> names;
  if (results.variants.empty() || results.variants.front().seeds.empty()) return names;
  for (const Evaluation& evaluation : results.variants.front().seeds.front().evaluations) {
    if (is_of_first_seed(evaluation)) names.push_back(evaluation.evaluator);
  }
  return names;
}

double metric_value(const Evaluation& evaluation, const std::string& name) {
  for (const Metric& metric : evaluation.metrics) {
    if (metric.name == name) return metric.value;
  }
  return 0;
}

std::string speed_numbers(const Results& results, const std::vector<Measured>& all, const std::string& metric,
                          const std::string& caption) {
  HtmlTable table;
  table.caption = caption;
  table.headers = {"Turn"};
  std::vector<std::vector<double>> samples;
  size_t turns = 0;
  for (const Measured& one : all) {
    table.headers.push_back(variant_chip(results, one.variant->name));
    samples.push_back(efficiency_samples(*one.evaluation, metric));
    turns = std::max(turns, samples.back().size());
  }
  const auto add = [&](const std::string& name, const auto& value) {
    std::vector<std::string> row = {name};
    for (const std::vector<double>& of_variant : samples) row.push_back(value(of_variant));
    table.rows.push_back(row);
  };
  const auto speed = [](double value) { return format_count(std::llround(value)); };
  for (size_t turn = 0; turn < turns; ++turn) {
    add(std::to_string(turn + 1), [&](const std::vector<double>& values) {
      return turn < values.size() ? speed(values[turn]) : std::string("\u2013");
    });
  }
  add("median", [&](const std::vector<double>& values) {
    return values.empty() ? std::string("\u2013") : speed(efficiency_value(metric, values));
  });
  return html_table(table);
}

/// Every repetition of one test as a dot.
std::string speed_figure(const Results& results, const std::string& evaluator, const std::string& metric,
                         const std::string& id) {
  const std::vector<Measured> all = measured_by(results, evaluator);
  DotChart chart;
  chart.id = id;
  chart.title = metric_label(metric) + " (" + evaluator + ")";
  chart.x_label = "tokens per second";
  bool any = false;
  for (const Measured& one : all) {
    DotRow row{display_name(one.variant->name), variant_style(results, one.variant->name),
               efficiency_samples(*one.evaluation, metric), 0};
    if (row.values.empty()) continue;
    any = true;
    row.middle = efficiency_value(metric, row.values);
    chart.description += row.label + ": median of " + std::to_string(row.values.size()) + " turns " +
                         format_count(std::llround(row.middle)) + " tokens per second. ";
    chart.rows.push_back(row);
  }
  if (!any) return "";
  return html_figure(chart.title, render_dots(chart),
                     "Each mark is a turn, the first at the top; the line is the median. The models took turns.",
                     speed_numbers(results, all, metric, chart.title + ", every turn, tokens per second"));
}

/// What a model's bytes are made of.
struct MemoryParts {
  std::string label;
  double ternary = 0, other = 0, cache = 0, rest = 0;
  double total() const { return ternary + other + cache + rest; }
};

/// Packed ternary weights of a variant: what is not kept in float32.
double ternary_bytes(const VariantResult& variant) {
  if (variant.ternary_parameters == 0) return 0;
  const double other = kFloatBytes * static_cast<double>(variant.parameters - variant.ternary_parameters);
  return std::max(static_cast<double>(variant.weight_bytes) - other, 0.0);
}

std::string memory_figure(const Results& results, const std::string& id, const std::string& title,
                          const std::vector<std::pair<const VariantResult*, MemoryParts>>& rows, bool measured,
                          const std::string& caption) {
  StackChart chart;
  chart.id = id;
  chart.title = title;
  chart.x_label = "bytes";
  HtmlTable table;
  table.caption = title + ", parts";
  table.headers = {"Model", "Ternary weights", "Other weights"};
  if (measured) table.headers.insert(table.headers.end(), {"Cache", "Everything else"});
  table.headers.push_back("Together");
  for (const auto& [variant, parts] : rows) {
    chart.rows.push_back({parts.label, {parts.ternary, parts.other, parts.cache, parts.rest}});
    chart.description += parts.label + ". ";
    std::vector<std::string> cells = {variant_chip(results, variant->name), format_bytes(parts.ternary),
                                      format_bytes(parts.other)};
    if (measured) cells.insert(cells.end(), {format_bytes(parts.cache), format_bytes(parts.rest)});
    cells.push_back(format_bytes(parts.total()));
    table.rows.push_back(cells);
  }
  std::string legend = legend_box("stack p0", "ternary weights") + legend_box("stack p1", "other weights");
  if (measured) legend += legend_box("stack p2", "cache") + legend_box("stack p3", "everything else");
  return html_figure(title, "<ul class=\"legend\">" + legend + "</ul>" + render_stacks(chart), caption,
                     html_table(table));
}

std::string served_memory(const Results& results) {
  std::vector<std::pair<const VariantResult*, MemoryParts>> rows;
  for (const VariantResult& variant : results.variants) {
    if (variant.weight_bytes <= 0) continue;
    const auto all = static_cast<double>(variant.weight_bytes);
    const double ternary = ternary_bytes(variant);
    rows.push_back({&variant, {display_name(variant.name) + ": " + format_bytes(all), ternary, all - ternary}});
  }
  if (rows.empty()) return "";
  return memory_figure(results, "served", "Weights as served", rows, false,
                       "Counted: ternary weights packed, all others in float32.");
}

std::string measured_memory(const Results& results, const std::string& evaluator, const std::string& id) {
  std::vector<std::pair<const VariantResult*, MemoryParts>> rows;
  for (const Measured& one : measured_by(results, evaluator)) {
    const double peak = metric_value(*one.evaluation, kModelMemory);
    if (!(peak > 0)) continue;
    const double weights = metric_value(*one.evaluation, "weight_bytes");
    MemoryParts parts{display_name(one.variant->name) + ": " + format_bytes(peak)};
    parts.ternary = std::min(ternary_bytes(*one.variant), weights);
    parts.other = weights - parts.ternary;
    parts.cache = metric_value(*one.evaluation, "cache_bytes");
    // Pages of a file that nothing has touched yet are not resident, so the parts can be more than the peak.
    parts.rest = std::max(peak - weights - parts.cache, 0.0);
    rows.push_back({one.variant, parts});
  }
  if (rows.empty()) return "";
  return memory_figure(results, id, "Memory of the model's process (" + evaluator + ")", rows, true,
                       "The peak of a process less what it had before the model, split by what is counted: weights "
                       "and cache; everything else is buffers and what reading the model took.");
}

}  // namespace

std::string efficiency_part(const ReportView& view) {
  const Results& results = view.results;
  const std::vector<std::string> evaluators = measuring_evaluators(results);
  std::string figures;
  for (size_t i = 0; i < evaluators.size(); ++i) {
    const std::string id = "speed" + std::to_string(i);
    figures += speed_figure(results, evaluators[i], kGenerationSpeed, id + "-generation") +
               speed_figure(results, evaluators[i], kPromptSpeed, id + "-prompt");
  }
  figures += served_memory(results);
  for (size_t i = 0; i < evaluators.size(); ++i) {
    figures += measured_memory(results, evaluators[i], "memory" + std::to_string(i));
  }
  std::string html = "<section aria-labelledby=\"efficiency\"><h2 id=\"efficiency\">Speed and memory</h2>";
  if (evaluators.empty()) {
    html += "<p class=\"note\">Speed and peak memory of inference were not measured in this run.</p>";
  }
  return html + (figures.empty() ? "" : "<div class=\"columns\">" + figures + "</div>") + "</section>";
}

}  // namespace bitnet
