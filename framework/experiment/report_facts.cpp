#include <algorithm>
#include <functional>
#include <optional>

#include "framework/experiment/delta_text.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

double mean_of_seeds(const VariantResult& variant, const std::function<double(const SeedResult&)>& value) {
  double total = 0;
  for (const SeedResult& seed : variant.seeds) total += value(seed);
  return total / static_cast<double>(variant.seeds.size());
}

std::string facts_table(const Results& results) {
  HtmlTable table;
  table.caption = "The variants side by side; times are means over the seeds";
  table.headers = {"Fact"};
  for (const VariantResult& variant : results.variants) table.headers.push_back(variant_chip(results, variant.name));
  const auto add = [&](const char* name, const std::function<std::string(const VariantResult&)>& value) {
    std::vector<std::string> row = {name};
    for (const VariantResult& variant : results.variants) row.push_back(value(variant));
    table.rows.push_back(row);
  };
  const auto seeded = [](const std::function<std::string(const VariantResult&)>& value) {
    return [value](const VariantResult& variant) {
      return variant.seeds.empty() ? std::string("\u2013") : value(variant);
    };
  };
  add("Linear layers", [](const VariantResult& variant) { return escape_markup(variant.linear); });
  add("Parameters", [](const VariantResult& variant) { return format_count(variant.parameters); });
  add("Ternary parameters", [](const VariantResult& variant) {
    if (variant.ternary_parameters == 0) return std::string("none");
    const double share = static_cast<double>(variant.ternary_parameters) / static_cast<double>(variant.parameters);
    return format_count(variant.ternary_parameters) + "<span class=\"small\">" + format_fixed(100 * share, 1) +
           "\u00A0% of all</span>";
  });
  add("Weights as served", [](const VariantResult& variant) {
    return format_bytes(static_cast<double>(variant.weight_bytes)) + "<span class=\"small\">" +
           format_count(variant.weight_bytes) + " bytes</span>";
  });
  add("Bits per parameter as served", [](const VariantResult& variant) {
    if (variant.parameters == 0) return std::string("\u2013");
    return format_significant(8 * static_cast<double>(variant.weight_bytes) / static_cast<double>(variant.parameters),
                              3);
  });
  add("Seeds", [](const VariantResult& variant) { return std::to_string(variant.seeds.size()); });
  add("Training steps a seed",
      seeded([](const VariantResult& variant) { return format_count(variant.seeds.front().steps); }));
  add("Tokens seen a seed",
      seeded([](const VariantResult& variant) { return format_count(variant.seeds.front().tokens_seen); }));
  add("Training time a seed", seeded([](const VariantResult& variant) {
        return format_duration(mean_of_seeds(variant, [](const SeedResult& seed) { return seed.train_seconds; }));
      }));
  add("Training speed", [](const VariantResult& variant) {
    const std::optional<double> speed = training_tokens_per_second(variant);
    return speed ? format_metric(*speed, "tokens/s") : std::string("\u2013");
  });
  add("Evaluation time a seed", seeded([](const VariantResult& variant) {
        return format_duration(mean_of_seeds(variant, [](const SeedResult& seed) { return seed.evaluate_seconds; }));
      }));
  add("Starts from the baseline's weights", [&](const VariantResult& variant) { return same_start(results, variant); });
  return html_table(table);
}

/// Every metric of every seed: what the deltas were made from.
std::string metrics_table(const Results& results) {
  HtmlTable table;
  table.caption = "Metrics of every seed";
  table.headers = {"Metric", "Seed"};
  for (const VariantResult& variant : results.variants) table.headers.push_back(variant_chip(results, variant.name));
  if (results.variants.empty()) return "";
  for (size_t s = 0; s < results.variants.front().seeds.size(); ++s) {
    const SeedResult& seed = results.variants.front().seeds[s];
    for (const Evaluation& evaluation : seed.evaluations) {
      for (const Metric& metric : evaluation.metrics) {
        std::vector<std::string> row = {escape_markup(metric_label(metric.name) + " (" + evaluation.evaluator + ")"),
                                        std::to_string(seed.seed)};
        for (const VariantResult& variant : results.variants) {
          std::string value = "\u2013";
          for (const Evaluation& other :
               s < variant.seeds.size() ? variant.seeds[s].evaluations : std::vector<Evaluation>()) {
            for (const Metric& found : other.metrics) {
              if (other.evaluator == evaluation.evaluator && found.name == metric.name) {
                value = escape_markup(format_metric(found.value, found.unit));
              }
            }
          }
          row.push_back(value);
        }
        table.rows.push_back(row);
      }
    }
  }
  return table.rows.empty() ? "<p>Nothing was evaluated.</p>" : html_table(table);
}

}  // namespace

std::string same_start(const Results& results, const VariantResult& variant) {
  const auto baseline = std::find_if(results.variants.begin(), results.variants.end(),
                                     [&](const VariantResult& other) { return other.name == results.baseline; });
  if (baseline == results.variants.end() || baseline->seeds.size() != variant.seeds.size()) return "unknown";
  if (&*baseline == &variant) return "baseline";
  for (size_t i = 0; i < variant.seeds.size(); ++i) {
    if (variant.seeds[i].initial_weights_sha256 != baseline->seeds[i].initial_weights_sha256) return "no";
  }
  return "yes";
}

std::string facts_part(const ReportView& view) {
  return "<section aria-labelledby=\"facts\"><h2 id=\"facts\">Run facts</h2>" + facts_table(view.results) +
         "<h3>Metrics by seed</h3>" + metrics_table(view.results) + "</section>";
}

}  // namespace bitnet
