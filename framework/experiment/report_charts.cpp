#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "framework/experiment/delta_text.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_parts.h"
#include "framework/experiment/svg_chart.h"

namespace bitnet {
namespace {

constexpr size_t kMostCurvePoints = 250;  // more than one point in four pixels shows nothing
constexpr double kLogAxisFrom = 3;        // losses that span this factor are drawn on a logarithmic axis

/// |w| < gamma / 2 for a Gaussian weight, where gamma = E|w| = sigma * sqrt(2 / pi): erf(1 / (2 sqrt(pi))) = 0.310.
double gaussian_zero_fraction() { return std::erf(0.5 / std::sqrt(std::acos(-1.0))); }

using Points = std::vector<std::pair<double, double>>;

/// Neighboring points averaged so that at most kMostCurvePoints are left; each stands at its last step.
Points thin_out(const Points& points) {
  const size_t bucket = (points.size() + kMostCurvePoints - 1) / kMostCurvePoints;
  if (bucket <= 1) return points;
  Points thin;
  for (size_t begin = 0; begin < points.size(); begin += bucket) {
    const size_t end = std::min(begin + bucket, points.size());
    double total = 0;
    for (size_t i = begin; i < end; ++i) total += points[i].second;
    thin.emplace_back(points[end - 1].first, total / static_cast<double>(end - begin));
  }
  return thin;
}

Points training_points(const SeedResult& seed) {
  Points points;
  for (const TrainPoint& point : seed.curve) points.emplace_back(static_cast<double>(point.step), point.nats_per_token);
  return points;
}

/// Validation losses stand at the step that ended their epoch.
Points validation_points(const SeedResult& seed) {
  Points points;
  if (seed.curve.empty() || !(seed.curve.back().epoch > 0)) return points;
  const double steps_per_epoch = static_cast<double>(seed.curve.back().step) / seed.curve.back().epoch;
  for (const EpochRecord& epoch : seed.epochs) {
    // The last epoch may have been cut short (trainer.max_steps).
    const double step = std::min(static_cast<double>(epoch.epoch) * steps_per_epoch, static_cast<double>(seed.steps));
    points.emplace_back(step, epoch.validation_nats_per_token);
  }
  return points;
}

std::string legend_entry(int style, bool marker, const std::string& name) {
  const std::string css_class = "s" + std::to_string(style);
  std::string shape = "<path class=\"curve " + css_class + "\" d=\"M0 6H30\"/>";
  if (marker && style % 3 == 1)
    shape = "<rect class=\"marker " + css_class + "\" x=\"10.5\" y=\"1.5\" width=\"9\" height=\"9\"/>";
  if (marker && style % 3 == 0) shape = "<circle class=\"marker " + css_class + "\" cx=\"15\" cy=\"6\" r=\"4.5\"/>";
  if (marker && style % 3 == 2) shape = "<path class=\"marker " + css_class + "\" d=\"M15 1.5l4.5 9h-9z\"/>";
  return "<li><svg viewBox=\"0 0 30 12\" aria-hidden=\"true\">" + shape + "</svg>" + escape_markup(name) + "</li>";
}

std::string figure(const std::string& title, const std::string& content, const std::string& caption) {
  return "<figure><h3>" + escape_markup(title) + "</h3>" + content + "<figcaption>" + escape_markup(caption) +
         "</figcaption></figure>";
}

std::string last_loss(const SeedResult& seed) {
  return seed.curve.empty() ? "no points" : format_significant(seed.curve.back().nats_per_token, 4);
}

std::string loss_figure(const Results& results) {
  LineChart chart;
  chart.id = "loss";
  chart.title = "Loss by training step";
  chart.x_label = "training step";
  chart.y_label = "nats per token";
  std::string legend = "<ul class=\"legend\">";
  double low = HUGE_VAL;
  double high = 0;
  for (const VariantResult& variant : results.variants) {
    const int style = variant_style(results, variant.name);
    const std::string name = display_name(variant.name);
    for (const SeedResult& seed : variant.seeds) {
      chart.series.push_back({style, true, false, variant.seeds.size() > 1, thin_out(training_points(seed))});
      chart.series.push_back({style, false, true, false, validation_points(seed)});
      chart.description +=
          name + ", seed " + std::to_string(seed.seed) + ": last training loss " + last_loss(seed) +
          (seed.epochs.empty()
               ? ""
               : ", last validation loss " + format_significant(seed.epochs.back().validation_nats_per_token, 4)) +
          ". ";
    }
    legend += legend_entry(style, false, name + ", training") + legend_entry(style, true, name + ", validation");
  }
  for (const ChartSeries& series : chart.series) {
    for (const auto& point : series.points) {
      if (std::isfinite(point.second)) low = std::min(low, point.second), high = std::max(high, point.second);
    }
  }
  if (results.floor_nats_per_token && std::isfinite(*results.floor_nats_per_token)) {
    chart.lines.push_back(
        {*results.floor_nats_per_token, "entropy floor " + format_significant(*results.floor_nats_per_token, 4), true});
    chart.description += "The entropy floor is " + format_significant(*results.floor_nats_per_token, 4) + ".";
    low = std::min(low, *results.floor_nats_per_token);
  }
  chart.log_y = low > 0 && high > kLogAxisFrom * low;
  return figure(
      "Loss by step", legend + "</ul>" + render_line_chart(chart),
      "Training loss is the mean since the point before; validation loss is measured at the end of each epoch. "
      "All seeds are drawn; curves of more than " +
          std::to_string(kMostCurvePoints) + " points are averaged to at most that many.");
}

/// The candidate's training loss minus the baseline's at the same steps: same seed, same batches.
std::string gap_figure(const ReportView& view) {
  const Results& results = view.results;
  LineChart chart;
  chart.id = "gap";
  chart.title = "Loss gap by training step";
  chart.x_label = "training step";
  chart.y_label = "nats per token";
  chart.size = ChartSize::kHalf;
  chart.lines.push_back({0, "parity"});
  const auto baseline = std::find_if(results.variants.begin(), results.variants.end(),
                                     [&](const VariantResult& variant) { return variant.name == results.baseline; });
  for (const VariantResult& variant : results.variants) {
    if (baseline == results.variants.end() || &variant == &*baseline) continue;
    for (size_t i = 0; i < std::min(variant.seeds.size(), baseline->seeds.size()); ++i) {
      std::map<int64_t, double> losses;
      for (const TrainPoint& point : baseline->seeds[i].curve) losses[point.step] = point.nats_per_token;
      Points points;
      for (const TrainPoint& point : variant.seeds[i].curve) {
        const auto other = losses.find(point.step);
        if (other == losses.end()) continue;
        points.emplace_back(static_cast<double>(point.step), point.nats_per_token - other->second);
      }
      points = thin_out(points);
      if (!points.empty()) {
        chart.description += display_name(variant.name) + ", seed " + std::to_string(variant.seeds[i].seed) +
                             ": last gap " + format_signed(points.back().second, 4) + ". ";
      }
      chart.series.push_back({variant_style(results, variant.name), true, false, variant.seeds.size() > 1, points});
    }
  }
  return figure("Loss gap to " + display_name(results.baseline), render_line_chart(chart),
                "Training loss minus " + display_name(results.baseline) +
                    "'s at the same step of the same seed, on the same batches; below 0 is better.");
}

std::string epoch_table(const Results& results) {
  HtmlTable table;
  table.caption = "Loss by epoch in nats per token, mean over the seeds";
  table.headers = {"Epoch"};
  std::map<int64_t, std::vector<std::string>> rows;
  for (const VariantResult& variant : results.variants) {
    const std::string chip = variant_chip(results, variant.name);
    table.headers.push_back(chip + "<br>training");
    table.headers.push_back(chip + "<br>validation");
    std::map<int64_t, std::array<double, 3>> sums;  // training, validation, seeds
    for (const SeedResult& seed : variant.seeds) {
      for (const EpochRecord& epoch : seed.epochs) {
        std::array<double, 3>& sum = sums[epoch.epoch];
        sum[0] += epoch.train_nats_per_token;
        sum[1] += epoch.validation_nats_per_token;
        sum[2] += 1;
      }
    }
    for (const auto& [epoch, sum] : sums) {
      std::vector<std::string>& row = rows[epoch];
      if (row.empty()) row.push_back(std::to_string(epoch));
      row.resize(table.headers.size() - 2, "\u2013");  // an epoch that an earlier variant does not have
      row.push_back(format_fixed(sum[0] / sum[2], 4));
      row.push_back(format_fixed(sum[1] / sum[2], 4));
    }
  }
  for (auto& [epoch, row] : rows) {
    row.resize(table.headers.size(), "\u2013");
    table.rows.push_back(row);
  }
  return "<figure><h3>Epochs</h3>" + html_table(table) + "</figure>";
}

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

std::string layer_table(const TernaryHistory& history) {
  HtmlTable table;
  table.caption = "Layers: codes and scale after the last epoch, and the share of codes that changed in each epoch";
  table.headers = {"Layer", "\u22121", "0", "+1", "gamma at the start", "gamma at the end"};
  for (const int64_t epoch : history.epochs) {
    if (epoch > 0) table.headers.push_back("flipped, epoch " + std::to_string(epoch));
  }
  const auto percent = [](double share) { return format_fixed(100 * share, 2) + " %"; };
  for (const std::string& layer : history.layers) {
    std::vector<std::string> row = {"<code>" + escape_markup(layer) + "</code>"};
    const auto first = history.records.find({layer, history.epochs.front()});
    const auto last = history.records.find({layer, history.epochs.back()});
    const bool both = first != history.records.end() && last != history.records.end();
    if (both) {
      const TernaryRecord& record = last->second;
      row.insert(row.end(), {percent(record.minus), percent(record.zero), percent(record.plus),
                             format_significant(first->second.gamma, 3), format_significant(record.gamma, 3)});
    } else {
      row.resize(6, "\u2013");
    }
    for (const int64_t epoch : history.epochs) {
      if (epoch == 0) continue;
      const auto record = history.records.find({layer, epoch});
      row.push_back(record == history.records.end() ? "\u2013" : percent(record->second.flipped));
    }
    table.rows.push_back(row);
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
    shares.rows.push_back({epoch == 0 ? "start" : "epoch " + std::to_string(epoch),
                           layer_mean(history, epoch, &TernaryRecord::minus), zero,
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
  std::string html = "<h3>" + variant_chip(results, variant.name) + ", seed " + std::to_string(seed.seed) + "</h3><p>" +
                     escape_markup(extremes(history)) + "</p><div class=\"columns\">";
  html += figure("Codes",
                 "<ul class=\"legend\"><li><svg viewBox=\"0 0 30 12\" aria-hidden=\"true\"><rect class=\"share minus\" "
                 "width=\"30\" height=\"12\"/></svg>\u22121, left</li><li><svg viewBox=\"0 0 30 12\" "
                 "aria-hidden=\"true\"><rect class=\"share none\" width=\"30\" height=\"12\"/></svg>0, middle</li><li>"
                 "<svg viewBox=\"0 0 30 12\" aria-hidden=\"true\"><rect class=\"share plus\" width=\"30\" "
                 "height=\"12\"/></svg>+1, right</li></ul>" +
                     render_shares(shares),
                 "Mean over the layers. The dashed lines enclose the zeros that Gaussian weights would give.");
  html += figure("Zeros by layer", render_line_chart(zeros),
                 "Each line is a layer, the strong line with markers their mean.");
  html += figure("Flips by layer", render_line_chart(flips),
                 "Codes that differ from those at the end of the epoch before.");
  html += figure("Scale by layer", render_line_chart(gamma), "gamma is the mean absolute weight of a layer.");
  return html + "</div><details><summary>All " + std::to_string(history.layers.size()) + " layers</summary>" +
         layer_table(history) + "</details>";
}

}  // namespace

std::string forest_part(const ReportView& view) {
  std::string html = "<section aria-labelledby=\"forest\"><h2 id=\"forest\">Overview of the deltas</h2>";
  for (size_t i = 0; i < view.comparisons.size(); ++i) {
    const Comparison& comparison = view.comparisons[i];
    ForestChart chart;
    chart.id = "forest" + std::to_string(i);
    chart.title = "Deltas of " + display_name(comparison.candidate) + " against " + display_name(comparison.baseline);
    chart.band_limits = {kClearPercent, kMajorPercent};
    for (const DeltaRow& row : comparison.rows) {
      ForestRow mark{row.label, row.evaluator, row.delta_percent, std::nullopt, band_sign(row.band)};
      if (row.interval_percent) mark.interval = {row.interval_percent->low, row.interval_percent->high};
      chart.rows.push_back(mark);
      chart.description +=
          row.label + ": " + format_percent_delta(row.delta_percent) + ", " + std::string(band_name(row.band)) + ". ";
    }
    if (view.comparisons.size() > 1) html += "<h3>" + escape_markup(chart.title) + "</h3>";
    html +=
        "<figure>" + render_forest(chart) +
        "<figcaption>Triangles point to the better or the worse side, circles are parity or not judged; "
        "whiskers "
        "are 95 % intervals. The axis is stretched near 0; the dotted lines are the limits of the interpretation, " +
        format_fixed(kClearPercent, 0) + " % and " + format_fixed(kMajorPercent, 0) + " %.</figcaption></figure>";
  }
  if (view.comparisons.empty()) html += "<p>Nothing to compare.</p>";
  return html + "</section>";
}

std::string curves_part(const ReportView& view) {
  if (!was_trained(view.results)) return "";
  std::string html = "<section aria-labelledby=\"curves\"><h2 id=\"curves\">Training</h2>" + loss_figure(view.results) +
                     "<div class=\"columns\">";
  if (!view.comparisons.empty()) html += gap_figure(view);
  return html + epoch_table(view.results) + "</div></section>";
}

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
