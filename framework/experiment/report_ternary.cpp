#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"
#include "framework/experiment/svg_chart.h"

namespace bitnet {
namespace {

/// |w| < gamma / 2 for a Gaussian weight, where gamma = E|w| = sigma * sqrt(2 / pi): erf(1 / (2 sqrt(pi))) = 0.310.
double gaussian_zero_fraction() { return std::erf(0.5 / std::sqrt(std::acos(-1.0))); }

/// One variant's records as [layer][epoch], layers in the order of the model.
struct TernaryHistory {
  std::vector<std::string> layers;
  std::vector<int64_t> epochs;
  std::map<std::pair<std::string, int64_t>, TernaryRecord> records;
};

TernaryHistory ternary_history(const SeedResult& seed) {
  TernaryHistory history;
  for (const TernaryRecord& record : seed.ternary) {
    if (std::find(history.layers.begin(), history.layers.end(), record.layer) == history.layers.end()) {
      history.layers.push_back(record.layer);
    }
    if (std::find(history.epochs.begin(), history.epochs.end(), record.epoch) == history.epochs.end()) {
      history.epochs.push_back(record.epoch);
    }
    history.records[{record.layer, record.epoch}] = record;
  }
  std::sort(history.epochs.begin(), history.epochs.end());
  return history;
}

using TernaryField = double TernaryRecord::*;

double layer_mean(const TernaryHistory& history, int64_t epoch, TernaryField field) {
  double total = 0;
  double count = 0;
  for (const std::string& layer : history.layers) {
    const auto record = history.records.find({layer, epoch});
    if (record == history.records.end()) continue;
    total += record->second.*field;
    count += 1;
  }
  return total / count;
}

/// Every layer as a faint line, their mean as a strong one with markers.
LineChart layer_chart(const TernaryHistory& history, int style, TernaryField field, double factor,
                      int64_t first_epoch) {
  LineChart chart;
  chart.x_label = "epoch";
  chart.size = ChartSize::kHalf;
  chart.whole_x = true;
  ChartSeries mean{style, true, true, false, {}};
  for (const std::string& layer : history.layers) {
    ChartSeries series{style, true, false, true, {}};
    for (const int64_t epoch : history.epochs) {
      const auto record = history.records.find({layer, epoch});
      if (epoch < first_epoch || record == history.records.end()) continue;
      series.points.emplace_back(static_cast<double>(epoch), factor * (record->second.*field));
    }
    chart.series.push_back(series);
  }
  for (const int64_t epoch : history.epochs) {
    if (epoch >= first_epoch)
      mean.points.emplace_back(static_cast<double>(epoch), factor * layer_mean(history, epoch, field));
  }
  if (!mean.points.empty()) {
    chart.description =
        "Mean over the layers after the last epoch: " + format_significant(mean.points.back().second, 3) + ".";
  }
  chart.series.push_back(mean);
  return chart;
}

std::string percent(double share) { return format_fixed(100 * share, 2) + "\u00A0%"; }

std::string epoch_name(int64_t epoch) { return epoch == 0 ? "start" : "epoch " + std::to_string(epoch); }

/// At most kMostEpochs of the epochs, the first and the last among them.
std::vector<int64_t> some_epochs(const std::vector<int64_t>& epochs) {
  constexpr size_t kMostEpochs = 8;
  if (epochs.size() <= kMostEpochs) return epochs;
  std::vector<int64_t> some;
  for (size_t i = 0; i < kMostEpochs; ++i) some.push_back(epochs[i * (epochs.size() - 1) / (kMostEpochs - 1)]);
  return some;
}

/// One figure of every layer, a column an epoch.
std::string layer_numbers(const TernaryHistory& history, const std::string& caption, TernaryField field, bool share,
                          int64_t first_epoch) {
  HtmlTable table;
  table.caption = caption;
  table.headers = {"Layer"};
  std::vector<int64_t> epochs = history.epochs;
  std::erase_if(epochs, [first_epoch](int64_t epoch) { return epoch < first_epoch; });
  epochs = some_epochs(epochs);
  for (const int64_t epoch : epochs) table.headers.push_back(epoch_name(epoch));
  for (const std::string& layer : history.layers) {
    std::vector<std::string> row = {html_code(layer)};
    for (const int64_t epoch : epochs) {
      const auto record = history.records.find({layer, epoch});
      if (record == history.records.end()) {
        row.push_back("\u2013");
      } else {
        const double value = record->second.*field;
        row.push_back(share ? percent(value) : format_significant(value, 3));
      }
    }
    table.rows.push_back(row);
  }
  return html_table(table);
}

std::string code_numbers(const ShareChart& shares, const std::string& caption) {
  HtmlTable table;
  table.caption = caption;
  table.headers = {"Record", "\u22121", "0", "+1"};
  for (const ShareRow& row : shares.rows) {
    table.rows.push_back({escape_markup(row.label), percent(row.minus), percent(row.zero), percent(row.plus)});
  }
  return html_table(table);
}

/// What every seed came to; nothing for one.
std::string seed_numbers(const VariantResult& variant) {
  if (variant.seeds.size() < 2) return "";
  HtmlTable table;
  table.caption = "After the last epoch, mean over the layers of " + display_name(variant.name) + ", every seed";
  table.headers = {"Seed", "zeros", "flipped in that epoch", "gamma"};
  for (const SeedResult& seed : variant.seeds) {
    const TernaryHistory history = ternary_history(seed);
    if (history.epochs.empty()) continue;
    const int64_t last = history.epochs.back();
    table.rows.push_back({std::to_string(seed.seed), percent(layer_mean(history, last, &TernaryRecord::zero)),
                          percent(layer_mean(history, last, &TernaryRecord::flipped)),
                          format_significant(layer_mean(history, last, &TernaryRecord::gamma), 3)});
  }
  return html_table(table);
}

std::string extremes(const TernaryHistory& history) {
  const TernaryRecord* least = nullptr;
  const TernaryRecord* most = nullptr;
  for (const std::string& layer : history.layers) {
    const auto record = history.records.find({layer, history.epochs.back()});
    if (record == history.records.end()) continue;
    if (least == nullptr || record->second.zero < least->zero) least = &record->second;
    if (most == nullptr || record->second.zero > most->zero) most = &record->second;
  }
  if (least == nullptr) return "";
  return "After the last epoch between " + format_fixed(100 * least->zero, 1) + " % (" + least->layer + ") and " +
         format_fixed(100 * most->zero, 1) + " % (" + most->layer + ") of a layer's codes are 0.";
}

std::string ternary_of_variant(const Results& results, const VariantResult& variant, const SeedResult& seed) {
  const TernaryHistory history = ternary_history(seed);
  const int style = variant_style(results, variant.name);
  const std::string id = "ternary" + std::to_string(&variant - results.variants.data());
  const double expected = gaussian_zero_fraction();
  ShareChart shares;
  shares.id = id + "-shares";
  shares.title = "Shares of the codes -1, 0 and +1 by epoch, mean over the layers";
  shares.expected_zero = expected;
  for (const int64_t epoch : history.epochs) {
    const double zero = layer_mean(history, epoch, &TernaryRecord::zero);
    shares.rows.push_back({epoch_name(epoch), layer_mean(history, epoch, &TernaryRecord::minus), zero,
                           layer_mean(history, epoch, &TernaryRecord::plus)});
    shares.description += shares.rows.back().label + ": " + format_fixed(100 * zero, 1) + " % zeros. ";
  }
  LineChart zeros = layer_chart(history, style, &TernaryRecord::zero, 100, 0);
  zeros.id = id + "-zeros";
  zeros.title = "Share of zeros by epoch, each layer";
  zeros.y_label = "zeros, %";
  zeros.lines.push_back({100 * expected, "Gaussian " + format_fixed(100 * expected, 0) + " %"});
  LineChart flips = layer_chart(history, style, &TernaryRecord::flipped, 100, 1);
  flips.id = id + "-flips";
  flips.title = "Share of codes that flipped in each epoch, each layer";
  flips.y_label = "flipped, %";
  flips.zero_based = true;
  LineChart gamma = layer_chart(history, style, &TernaryRecord::gamma, 1, 0);
  gamma.id = id + "-gamma";
  gamma.title = "Scale gamma by epoch, each layer";
  gamma.y_label = "gamma";
  gamma.zero_based = true;
  const std::string name = display_name(variant.name);
  std::string html = "<h3>" + variant_chip(results, variant.name) + ", seed " + std::to_string(seed.seed) + "</h3><p>" +
                     escape_markup(extremes(history)) + "</p>" + seed_numbers(variant) + "<div class=\"columns\">";
  html += html_figure("Codes",
                      "<ul class=\"legend\">" + legend_box("share minus", "\u22121, left") +
                          legend_box("share none", "0, middle") + legend_box("share plus", "+1, right") + "</ul>" +
                          render_shares(shares),
                      "Mean over the layers. The dashed lines enclose the zeros that Gaussian weights would give.",
                      code_numbers(shares, "Shares of the codes of " + name + ", mean over the layers"));
  html += html_figure(
      "Zeros by layer", render_line_chart(zeros), "Each line is a layer, the strong line with markers their mean.",
      layer_numbers(history, "Share of zeros of " + name + ", every layer", &TernaryRecord::zero, true, 0));
  html += html_figure(
      "Flips by layer", render_line_chart(flips), "Codes that differ from those at the end of the epoch before.",
      layer_numbers(history, "Share of codes of " + name + " that flipped", &TernaryRecord::flipped, true, 1));
  html += html_figure("Scale by layer", render_line_chart(gamma), "gamma is the mean absolute weight of a layer.",
                      layer_numbers(history, "Scale gamma of " + name, &TernaryRecord::gamma, false, 0));
  return html + "</div>";
}

}  // namespace

std::string ternary_part(const ReportView& view) {
  if (!was_trained(view.results)) return "";
  std::string html = "<section aria-labelledby=\"ternary\"><h2 id=\"ternary\">Ternary weights</h2>";
  bool any = false;
  for (const VariantResult& variant : view.results.variants) {
    const auto seed = std::find_if(variant.seeds.begin(), variant.seeds.end(),
                                   [](const SeedResult& candidate) { return !candidate.ternary.empty(); });
    if (seed == variant.seeds.end()) continue;
    html += ternary_of_variant(view.results, variant, *seed);
    any = true;
  }
  if (!any) html += "<p>No variant recorded ternary weights.</p>";
  return html + "</section>";
}

}  // namespace bitnet
