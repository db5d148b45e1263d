#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/experiment/report_format.h"
#include "framework/experiment/svg_chart.h"
#include "framework/experiment/svg_draw.h"

namespace bitnet {
namespace {

using svg::Axis;
using svg::coordinate;
using svg::Frame;
using svg::line;
using svg::open_svg;
using svg::Range;
using svg::text;

double stretched(double percent) { return std::asinh(percent / 4.0); }

/// A long label in at most two lines of at most so many characters.
std::vector<std::string> wrap_label(const std::string& label, size_t most) {
  if (label.size() <= most) return {label};
  const size_t space = label.rfind(' ', most);
  if (space == std::string::npos) return {svg::clipped(label, most)};
  return {label.substr(0, space), svg::clipped(label.substr(space + 1), most)};
}

std::string draw_forest(const ForestChart& chart, const Frame& shape, double row_height) {
  Frame frame = shape;
  frame.height = frame.top + row_height * static_cast<double>(chart.rows.size()) + frame.bottom;
  std::string out = open_svg(frame, chart.id, chart.title, chart.description);
  Range range;
  for (const double limit : chart.band_limits) range.add(limit), range.add(-limit);
  for (const ForestRow& row : chart.rows) {
    if (std::isfinite(row.value)) range.add(row.value);
    if (row.interval) range.add(row.interval->first), range.add(row.interval->second);
    if (row.bound) range.add(*row.bound);
  }
  if (range.empty()) range.add(0);
  const double reach = std::max(std::fabs(range.low), std::fabs(range.high)) * 1.15;
  const Axis x{stretched(-reach), stretched(reach), frame.left, frame.width - frame.right};
  const double bottom = frame.height - frame.bottom;
  double last_label = -std::numeric_limits<double>::infinity();
  for (const double tick : {-500.0, -100.0, -50.0, -20.0, -5.0, -2.0, 0.0, 2.0, 5.0, 20.0, 50.0, 100.0, 500.0}) {
    if (std::fabs(tick) > reach) continue;
    const double position = x(stretched(tick));
    const bool limit = std::any_of(chart.band_limits.begin(), chart.band_limits.end(),
                                   [&](double value) { return value == std::fabs(tick); });
    out += line(position, frame.top, position, bottom, tick == 0 ? "zero" : limit ? "band" : "grid");
    const std::string label = format_signed(tick, 0);
    if (position - last_label < 3.2 * frame.font) continue;
    out += text(position, bottom + 4 + frame.font, "middle", "tick", label);
    last_label = position;
  }
  out += text(frame.left, frame.top - 9, "start", "axis-name", "\u25C0 worse");
  out += text(frame.width - frame.right, frame.top - 9, "end", "axis-name", "better \u25B6");
  out += text(frame.left + frame.plot_width() / 2, frame.height - 4, "middle", "axis-name", "delta in %");
  const size_t most = svg::characters_in(frame.left - 10, frame.font);
  for (size_t i = 0; i < chart.rows.size(); ++i) {
    const ForestRow& row = chart.rows[i];
    const double y = frame.top + (static_cast<double>(i) + 0.5) * row_height;
    if (row.bound) {
      const double bound = x(stretched(*row.bound));
      out += line(bound, y - 0.4 * row_height, bound, y + 0.4 * row_height, "bound");
    }
    const std::vector<std::string> label = wrap_label(row.label, most);
    double label_y =
        y + 0.35 * frame.font - 0.58 * frame.font * static_cast<double>(label.size() - (row.note.empty() ? 1 : 0));
    for (const std::string& part : label) {
      out += text(4, label_y, "start", "row-name", part);
      label_y += 1.16 * frame.font;
    }
    if (!row.note.empty()) {
      out += text(4, label_y, "start", "row-note",
                  svg::clipped(row.note, svg::characters_in(frame.left - 10, 0.87 * frame.font)));
    }
    if (!std::isfinite(row.value)) {
      out += text(x(0), y + 4, "middle", "tick", "not finite");
      continue;
    }
    const std::string css_class = row.sign > 0 ? "better" : row.sign < 0 ? "worse" : "neither";
    if (row.interval) {
      const double from = x(stretched(row.interval->first));
      const double to = x(stretched(row.interval->second));
      out += line(from, y, to, y, "whisker " + css_class);
      out +=
          line(from, y - 5, from, y + 5, "whisker " + css_class) + line(to, y - 5, to, y + 5, "whisker " + css_class);
    }
    const double position = x(stretched(row.value));
    if (row.sign == 0) {
      out += svg::marker(position, y, 0, 5, "mark " + css_class);
    } else {
      // A triangle that points to the better or the worse side.
      const double tip = row.sign > 0 ? 7.0 : -7.0;
      out += "<path class=\"mark " + css_class + "\" d=\"M" + coordinate(position + tip) + " " + coordinate(y) + "L" +
             coordinate(position - 0.7 * tip) + " " + coordinate(y - 6) + "V" + coordinate(y + 6) + "z\"/>";
    }
  }
  return out + "</svg>";
}

}  // namespace

std::string render_forest(const ForestChart& chart) {
  if (chart.rows.empty()) return "<p class=\"note\">" + escape_markup(chart.title) + ": nothing to compare.</p>";
  return draw_forest(chart, {"wide", 960, 0, 250, 24, 30, 44, 13}, 40) +
         draw_forest(chart, {"narrow", 360, 0, 122, 20, 30, 42, 12}, 52);
}

}  // namespace bitnet
