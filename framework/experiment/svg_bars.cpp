#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "framework/experiment/report_format.h"
#include "framework/experiment/svg_chart.h"
#include "framework/experiment/svg_draw.h"

namespace bitnet {
namespace {

using svg::Axis;
using svg::Frame;
using svg::line;
using svg::open_svg;
using svg::Range;
using svg::rectangle;
using svg::text;

std::string draw_shares(const ShareChart& chart, const Frame& shape) {
  constexpr double kRowHeight = 26;
  Frame frame = shape;
  frame.height = frame.top + kRowHeight * static_cast<double>(chart.rows.size()) + frame.bottom;
  std::string out = open_svg(frame, chart.id, chart.title, chart.description);
  const Axis x{0, 1, frame.left, frame.width - frame.right};
  const double bottom = frame.height - frame.bottom;
  for (size_t i = 0; i < chart.rows.size(); ++i) {
    const ShareRow& row = chart.rows[i];
    const double y = frame.top + kRowHeight * static_cast<double>(i) + 3;
    out += text(frame.left - 8, y + 14, "end", "row-name", row.label);
    double from = 0;
    const std::array<std::pair<double, const char*>, 3> parts = {
        std::pair(row.minus, "minus"), std::pair(row.zero, "none"), std::pair(row.plus, "plus")};
    for (const auto& [share, css_class] : parts) {
      if (!std::isfinite(share) || share < 0 || from + share > 1.001) break;
      out += rectangle(x(from), y, x(from + share) - x(from), kRowHeight - 6, std::string("share ") + css_class);
      out += text(x(from + share / 2), y + 14, "middle", std::string("share-name ") + css_class,
                  format_fixed(100 * share, 1) + " %");
      from += share;
    }
  }
  for (const double side : {-0.5, 0.5}) {
    const double position = x(0.5 + side * chart.expected_zero);
    out += line(position, frame.top - 4, position, bottom + 4, "reference");
  }
  out += svg::outlined_text(x(0.5), frame.top - 10, "middle",
                            "0 in " + format_fixed(100 * chart.expected_zero, 0) + " % of Gaussian weights");
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    out += text(x(tick), bottom + 4 + frame.font,
                tick == 1   ? "end"
                : tick == 0 ? "start"
                            : "middle",
                "tick", format_fixed(100 * tick, 0) + " %");
  }
  return out + "</svg>";
}

/// A row of a chart whose labels stand above what they name.
constexpr double kLabeledRow = 46;

/// Ticks of an axis that begins at 0, with `label` as their text.
template <typename Label>
std::string zero_based_axis(const Frame& frame, const Axis& x, const std::string& name, const Label& label) {
  std::string out;
  const double bottom = frame.height - frame.bottom;
  for (const double tick : linear_ticks(0, x.high, static_cast<int>(frame.plot_width() / (6.5 * frame.font)))) {
    out += line(x(tick), frame.top, x(tick), bottom, tick == 0 ? "axis" : "grid");
    const std::string content = label(tick);
    const double half = 0.28 * frame.font * static_cast<double>(content.size());
    const bool at_start = x(tick) - half < 0;
    const bool at_end = x(tick) + half > frame.width;
    out += text(at_start ? x(tick)
                : at_end ? frame.width
                         : x(tick),
                bottom + 4 + frame.font,
                at_start ? "start"
                : at_end ? "end"
                         : "middle",
                "tick", content);
  }
  return out + text(frame.left + frame.plot_width() / 2, frame.height - 4, "middle", "axis-name", name);
}

Frame rows_frame(Frame frame, size_t rows) {
  frame.height = frame.top + kLabeledRow * static_cast<double>(rows) + frame.bottom;
  return frame;
}

std::string draw_dots(const DotChart& chart, const Frame& shape, double high) {
  const Frame frame = rows_frame(shape, chart.rows.size());
  std::string out = open_svg(frame, chart.id, chart.title, chart.description);
  const Axis x{0, high, frame.left, frame.width - frame.right};
  out += zero_based_axis(frame, x, chart.x_label, [](double tick) { return format_count(std::llround(tick)); });
  for (size_t i = 0; i < chart.rows.size(); ++i) {
    const DotRow& row = chart.rows[i];
    const std::string series = " s" + std::to_string(row.style);
    const double top = frame.top + kLabeledRow * static_cast<double>(i);
    out += text(frame.left + 4, top + frame.font, "start", "row-name",
                svg::clipped(row.label, svg::characters_in(frame.plot_width(), frame.font)));
    // From top to bottom in the order in which they were measured, so that a drift shows.
    const double step = row.values.size() > 1 ? 16.0 / static_cast<double>(row.values.size() - 1) : 0;
    for (size_t turn = 0; turn < row.values.size(); ++turn) {
      if (!std::isfinite(row.values[turn])) continue;
      out +=
          svg::marker(x(row.values[turn]), top + 20 + step * static_cast<double>(turn), row.style, 3, "dot" + series);
    }
    if (std::isfinite(row.middle)) {
      out += line(x(row.middle), top + 16, x(row.middle), top + 41, "middle" + series);
    }
  }
  return out + "</svg>";
}

std::string draw_stacks(const StackChart& chart, const Frame& shape, double high) {
  const Frame frame = rows_frame(shape, chart.rows.size());
  std::string out = open_svg(frame, chart.id, chart.title, chart.description);
  const Axis x{0, high, frame.left, frame.width - frame.right};
  out += zero_based_axis(frame, x, chart.x_label, [](double tick) { return format_bytes(tick); });
  for (size_t i = 0; i < chart.rows.size(); ++i) {
    const StackRow& row = chart.rows[i];
    const double top = frame.top + kLabeledRow * static_cast<double>(i);
    out += text(frame.left + 4, top + frame.font, "start", "row-name",
                svg::clipped(row.label, svg::characters_in(frame.plot_width(), frame.font)));
    double from = 0;
    for (size_t part = 0; part < row.sizes.size(); ++part) {
      if (!(row.sizes[part] > 0) || !std::isfinite(row.sizes[part])) continue;
      out += rectangle(x(from), top + 18, x(from + row.sizes[part]) - x(from), 20, "stack p" + std::to_string(part));
      from += row.sizes[part];
    }
  }
  return out + "</svg>";
}

}  // namespace

std::string render_dots(const DotChart& chart) {
  Range range;
  for (const DotRow& row : chart.rows) {
    for (const double value : row.values) {
      if (std::isfinite(value)) range.add(value);
    }
  }
  if (range.empty()) return "<p class=\"note\">" + escape_markup(chart.title) + ": nothing was measured.</p>";
  const double high = range.high > 0 ? 1.06 * range.high : 1;
  return draw_dots(chart, {"wide", 500, 0, 8, 12, 8, 42, 12}, high) +
         draw_dots(chart, {"narrow", 360, 0, 4, 8, 8, 42, 12}, high);
}

std::string render_stacks(const StackChart& chart) {
  Range range;
  for (const StackRow& row : chart.rows) {
    const double total = std::accumulate(row.sizes.begin(), row.sizes.end(), 0.0);
    if (std::isfinite(total)) range.add(total);
  }
  if (range.empty()) return "<p class=\"note\">" + escape_markup(chart.title) + ": nothing was measured.</p>";
  const double high = range.high > 0 ? 1.06 * range.high : 1;
  return draw_stacks(chart, {"wide", 500, 0, 8, 12, 8, 42, 12}, high) +
         draw_stacks(chart, {"narrow", 360, 0, 4, 8, 8, 42, 12}, high);
}

std::string render_shares(const ShareChart& chart) {
  if (chart.rows.empty()) return "<p class=\"note\">" + escape_markup(chart.title) + ": no codes were recorded.</p>";
  return draw_shares(chart, {"wide", 500, 0, 74, 12, 30, 28, 12}) +
         draw_shares(chart, {"narrow", 360, 0, 62, 8, 30, 28, 12});
}

}  // namespace bitnet
