#include "framework/experiment/svg_chart.h"

#include <algorithm>
#include <cmath>

#include "framework/experiment/report_format.h"
#include "framework/experiment/svg_draw.h"

namespace bitnet {
namespace {

using svg::Axis;
using svg::drawable;
using svg::Frame;
using svg::line;
using svg::open_svg;
using svg::Range;
using svg::text;
using svg::tick_labels;
using svg::widen;

constexpr Frame kFullFrame = {"wide", 960, 380, 62, 16, 26, 46, 13};
constexpr Frame kHalfFrame = {"wide", 500, 300, 58, 12, 26, 44, 12};
constexpr Frame kNarrowFrame = {"narrow", 360, 300, 48, 8, 26, 42, 12};
constexpr Frame kSquareFrame = {"wide", 500, 460, 58, 12, 26, 44, 12};
constexpr Frame kNarrowSquareFrame = {"narrow", 360, 350, 48, 8, 26, 42, 12};

std::string draw_series(const ChartSeries& series, const Axis& x, const Axis& y) {
  std::string css_class = "s" + std::to_string(series.style);
  std::string out;
  if (series.line) {
    std::string path;
    for (const auto& point : series.points) {
      if (!drawable(point)) continue;
      path += (path.empty() ? "M" : "L") + svg::coordinate(x(point.first)) + " " + svg::coordinate(y(point.second));
    }
    out += "<path class=\"curve " + css_class + (series.faint ? " faint" : "") + "\" d=\"" + path + "\"/>";
  }
  for (const auto& point : series.points) {
    if (!series.markers || !drawable(point)) continue;
    out += svg::marker(x(point.first), y(point.second), series.style, 4.5, "marker " + css_class);
  }
  return out;
}

std::string draw_line_chart(const LineChart& chart, const Frame& frame, Range x_range, Range y_range, bool log_y) {
  std::string out = open_svg(frame, chart.id, chart.title, chart.description);
  const double bottom = frame.height - frame.bottom;
  const double right = frame.width - frame.right;
  const Axis x{x_range.low, x_range.high, frame.left, right};
  const Axis y{y_range.low, y_range.high, bottom, frame.top, log_y};
  const int y_most = static_cast<int>(frame.plot_height() / (3 * frame.font));
  const std::vector<double> y_ticks = log_y ? log_ticks(y.low, y.high, y_most) : linear_ticks(y.low, y.high, y_most);
  const std::vector<std::string> y_labels = tick_labels(y_ticks);
  for (size_t i = 0; i < y_ticks.size(); ++i) {
    out += line(frame.left, y(y_ticks[i]), right, y(y_ticks[i]), "grid");
    out += text(frame.left - 7, y(y_ticks[i]) + 0.35 * frame.font, "end", "tick", y_labels[i]);
  }
  std::vector<double> x_ticks = linear_ticks(x.low, x.high, static_cast<int>(frame.plot_width() / (4.5 * frame.font)));
  if (chart.whole_x) std::erase_if(x_ticks, [](double tick) { return tick != std::round(tick); });
  const std::vector<std::string> x_labels = tick_labels(x_ticks);
  for (size_t i = 0; i < x_ticks.size(); ++i) {
    out += line(x(x_ticks[i]), bottom, x(x_ticks[i]), bottom + 5, "axis");
    // A label at the right end must not leave the picture.
    const bool at_end = x(x_ticks[i]) + 0.32 * frame.font * static_cast<double>(x_labels[i].size()) > frame.width;
    out +=
        text(at_end ? right : x(x_ticks[i]), bottom + 6 + frame.font, at_end ? "end" : "middle", "tick", x_labels[i]);
  }
  out += line(frame.left, bottom, right, bottom, "axis");
  out += text(frame.left + frame.plot_width() / 2, frame.height - 5, "middle", "axis-name", chart.x_label);
  out += text(4, frame.top - 12, "start", "axis-name", chart.y_label + (log_y ? " (logarithmic)" : ""));
  for (const ReferenceLine& reference : chart.lines) {
    out += line(frame.left, y(reference.value), right, y(reference.value), "reference");
  }
  for (const bool faint : {true, false}) {
    for (const ChartSeries& series : chart.series) {
      if (series.faint == faint) out += draw_series(series, x, y);
    }
  }
  for (const ReferenceLine& reference : chart.lines) {
    // Above its line, or below it where the line is at the top.
    const double position = y(reference.value);
    const double baseline = position - 5 > frame.top + frame.font ? position - 5 : position + frame.font + 3;
    out += svg::outlined_text(reference.label_left ? frame.left + 6 : right - 4, baseline,
                              reference.label_left ? "start" : "end", reference.label);
  }
  return out + "</svg>";
}

/// Both axes have the same range, so that the diagonal is where both are equal.
std::string draw_scatter(const ScatterChart& chart, const Frame& frame, const Range& range) {
  std::string out = open_svg(frame, chart.id, chart.title, chart.description);
  const double bottom = frame.height - frame.bottom;
  const double right = frame.width - frame.right;
  const Axis x{range.low, range.high, frame.left, right};
  const Axis y{range.low, range.high, bottom, frame.top};
  const std::vector<double> ticks =
      linear_ticks(range.low, range.high, static_cast<int>(frame.plot_width() / (4.5 * frame.font)));
  const std::vector<std::string> labels = tick_labels(ticks);
  for (size_t i = 0; i < ticks.size(); ++i) {
    out += line(frame.left, y(ticks[i]), right, y(ticks[i]), "grid");
    out += line(x(ticks[i]), frame.top, x(ticks[i]), bottom, "grid");
    out += text(frame.left - 7, y(ticks[i]) + 0.35 * frame.font, "end", "tick", labels[i]);
    const bool at_end = x(ticks[i]) + 0.32 * frame.font * static_cast<double>(labels[i].size()) > frame.width;
    out += text(at_end ? right : x(ticks[i]), bottom + 6 + frame.font, at_end ? "end" : "middle", "tick", labels[i]);
  }
  out += line(frame.left, bottom, right, bottom, "axis") + line(frame.left, frame.top, frame.left, bottom, "axis");
  out += line(frame.left, bottom, right, frame.top, "reference");
  for (const auto& point : chart.points) {
    if (!drawable(point)) continue;
    out += svg::marker(x(point.first), y(point.second), chart.style, 2.6, "dot s" + std::to_string(chart.style));
  }
  const size_t most = svg::characters_in(frame.width - 8, frame.font);
  out += text(frame.left + frame.plot_width() / 2, frame.height - 5, "middle", "axis-name",
              svg::clipped(chart.x_label, svg::characters_in(frame.plot_width(), frame.font)));
  out += text(4, frame.top - 12, "start", "axis-name", svg::clipped(chart.y_label, most));
  out += svg::outlined_text(right - 6, bottom - 8, "end", svg::clipped(chart.below_label, most / 2));
  return out +
         svg::outlined_text(frame.left + 8, frame.top + frame.font + 2, "start",
                            svg::clipped(chart.above_label, most / 2)) +
         "</svg>";
}

}  // namespace

std::vector<double> linear_ticks(double low, double high, int most) {
  const double rough = (high - low) / std::max(most, 2);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  // From whole multiples, so that no rounding error adds up; one more division clears 0.30000000000000004.
  for (double multiple = std::ceil(low / step - 1e-9); multiple * step <= high + 1e-9 * step; ++multiple) {
    if (static_cast<int>(ticks.size()) > most) break;  // the range is narrower than the doubles around it can tell
    const double tick = step < 1 ? multiple / std::round(1 / step) : multiple * step;
    ticks.push_back(tick == 0 ? 0 : tick);
  }
  return ticks;
}

std::vector<double> log_ticks(double low, double high, int most) {
  static const std::vector<std::vector<double>> kMantissas = {
      {1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9},
      {1, 1.5, 2, 3, 4, 5, 7},
      {1, 2, 3, 5},
      {1, 3},
      {1}};
  std::vector<double> ticks;
  for (const std::vector<double>& mantissas : kMantissas) {
    std::vector<double> found;
    for (int power = static_cast<int>(std::floor(std::log10(low))); std::pow(10.0, power) <= high; ++power) {
      for (const double mantissa : mantissas) {
        const double tick = power < 0 ? mantissa / std::pow(10.0, -power) : mantissa * std::pow(10.0, power);
        if (tick >= low && tick <= high) found.push_back(tick);
      }
    }
    if (ticks.empty() || !found.empty()) ticks = found;
    if (static_cast<int>(ticks.size()) <= std::max(most, 1)) break;
  }
  while (static_cast<int>(ticks.size()) > std::max(most, 1)) {
    // More decades than ticks: every second of them, until they fit.
    std::vector<double> fewer;
    for (size_t i = 0; i < ticks.size(); i += 2) fewer.push_back(ticks[i]);
    ticks = fewer;
  }
  return ticks;
}

std::string render_line_chart(const LineChart& chart) {
  Range x;
  Range y;
  for (const ChartSeries& series : chart.series) {
    for (const auto& point : series.points) {
      if (drawable(point)) x.add(point.first), y.add(point.second);
    }
  }
  if (x.empty()) return "<p class=\"note\">" + escape_markup(chart.title) + ": no points were recorded.</p>";
  for (const ReferenceLine& reference : chart.lines) y.add(reference.value);
  const bool log_y = chart.log_y && y.low > 0;
  widen(y, log_y, chart.zero_based);
  if (x.low == x.high) x.low -= 0.5, x.high += 0.5;
  return draw_line_chart(chart, chart.size == ChartSize::kFull ? kFullFrame : kHalfFrame, x, y, log_y) +
         draw_line_chart(chart, kNarrowFrame, x, y, log_y);
}

std::string render_scatter(const ScatterChart& chart) {
  Range range;
  for (const auto& point : chart.points) {
    if (drawable(point)) range.add(point.first), range.add(point.second);
  }
  if (range.empty()) return "<p class=\"note\">" + escape_markup(chart.title) + ": no points were recorded.</p>";
  widen(range, /*logarithmic=*/false, /*zero_based=*/false);
  return draw_scatter(chart, kSquareFrame, range) + draw_scatter(chart, kNarrowSquareFrame, range);
}

}  // namespace bitnet
