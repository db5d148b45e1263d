#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"
#include "framework/experiment/svg_chart.h"

namespace bitnet {
namespace {

constexpr size_t kMostCurvePoints = 250;  // more than one point in four pixels shows nothing
constexpr size_t kMostTableRows = 25;     // of the numbers of a curve
constexpr double kLogAxisFrom = 3;        // losses that span this factor are drawn on a logarithmic axis

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

/// A table of several curves: their values at some of the steps, the last among them.
struct CurveTable {
  std::vector<std::string> headers;  ///< HTML, one a curve
  std::vector<Points> curves;
};

std::string curve_numbers(const CurveTable& numbers, const std::string& caption, bool with_sign) {
  HtmlTable table;
  table.caption = caption;
  table.headers = {"Step"};
  table.headers.insert(table.headers.end(), numbers.headers.begin(), numbers.headers.end());
  Points steps;
  for (const Points& curve : numbers.curves) {
    if (curve.size() > steps.size()) steps = curve;
  }
  const size_t stride = (steps.size() + kMostTableRows - 1) / kMostTableRows;
  for (size_t i = 0; i < steps.size(); ++i) {
    if ((steps.size() - 1 - i) % stride != 0) continue;
    std::vector<std::string> row = {format_count(std::llround(steps[i].first))};
    for (const Points& curve : numbers.curves) {
      const auto point =
          std::find_if(curve.begin(), curve.end(), [&](const auto& p) { return p.first == steps[i].first; });
      const auto text = with_sign ? format_signed : format_fixed;
      row.push_back(point == curve.end() ? "\u2013" : text(point->second, 4));
    }
    table.rows.push_back(row);
  }
  return table.rows.empty() ? "<p class=\"note\">No points were recorded.</p>" : html_table(table);
}

std::string seed_header(const Results& results, const VariantResult& variant, const SeedResult& seed) {
  return variant_chip(results, variant.name) +
         (variant.seeds.size() > 1 ? "<br>seed " + std::to_string(seed.seed) : "");
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
  CurveTable numbers;
  std::string legend = "<ul class=\"legend\">";
  double low = HUGE_VAL;
  double high = 0;
  for (const VariantResult& variant : results.variants) {
    const int style = variant_style(results, variant.name);
    const std::string name = display_name(variant.name);
    for (const SeedResult& seed : variant.seeds) {
      const Points training = thin_out(training_points(seed));
      numbers.headers.push_back(seed_header(results, variant, seed));
      numbers.curves.push_back(training);
      chart.series.push_back({style, true, false, variant.seeds.size() > 1, training});
      chart.series.push_back({style, false, true, false, validation_points(seed)});
      chart.description +=
          name + ", seed " + std::to_string(seed.seed) + ": last training loss " + last_loss(seed) +
          (seed.epochs.empty()
               ? ""
               : ", last validation loss " + format_significant(seed.epochs.back().validation_nats_per_token, 4)) +
          ". ";
    }
    legend += legend_line(style, false, name + ", training") + legend_line(style, true, name + ", validation");
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
  return html_figure("Loss by step", legend + "</ul>" + render_line_chart(chart),
                     "Training loss is the mean since the point before; validation loss is measured at the end of each "
                     "epoch (below). All seeds are drawn; curves of more than " +
                         std::to_string(kMostCurvePoints) + " points are averaged to at most that many.",
                     curve_numbers(numbers, "Training loss in nats per token, at some of the steps", false));
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
  CurveTable numbers;
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
      numbers.headers.push_back(seed_header(results, variant, variant.seeds[i]));
      numbers.curves.push_back(points);
      if (!points.empty()) {
        chart.description += display_name(variant.name) + ", seed " + std::to_string(variant.seeds[i].seed) +
                             ": last gap " + format_signed(points.back().second, 4) + ". ";
      }
      chart.series.push_back({variant_style(results, variant.name), true, false, variant.seeds.size() > 1, points});
    }
  }
  return html_figure("Loss gap to " + display_name(results.baseline), render_line_chart(chart),
                     "Training loss minus " + display_name(results.baseline) +
                         "'s at the same step of the same seed, on the same batches; below 0 is better.",
                     curve_numbers(numbers, "Gap in nats per token, at some of the steps", true));
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
  return "<div><h3>Epochs</h3>" + html_table(table) + "</div>";
}

}  // namespace

std::string curves_part(const ReportView& view) {
  if (!was_trained(view.results)) return "";
  std::string html = "<section aria-labelledby=\"curves\"><h2 id=\"curves\">Training</h2>" + loss_figure(view.results) +
                     "<div class=\"columns\">";
  if (!view.comparisons.empty()) html += gap_figure(view);
  return html + epoch_table(view.results) + "</div></section>";
}

}  // namespace bitnet
