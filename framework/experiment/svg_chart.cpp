#include "framework/experiment/svg_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "framework/experiment/report_format.h"

namespace bitnet {
namespace {

/// A drawing area in SVG units; the texts are `font` units high.
struct Frame {
  const char* css_class;
  double width, height;
  double left, right, top, bottom;  // margins
  double font;
  double plot_width() const { return width - left - right; }
  double plot_height() const { return height - top - bottom; }
};

constexpr Frame kFullFrame = {"wide", 960, 380, 62, 16, 26, 46, 13};
constexpr Frame kHalfFrame = {"wide", 500, 300, 58, 12, 26, 44, 12};
constexpr Frame kNarrowFrame = {"narrow", 360, 300, 48, 8, 26, 42, 12};

std::string at(double value) { return format_fixed(value, 1); }

/// Coordinates are plain SVG numbers: the minus of the formatting is for readers.
std::string coordinate(double value) {
  std::string text = at(std::fabs(value));
  return value < 0 && text != "0.0" ? "-" + text : text;
}

std::string attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + coordinate(value) + "\"";
}

std::string line(double x1, double y1, double x2, double y2, const std::string& css_class) {
  return "<line class=\"" + css_class + "\"" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) +
         attribute("y2", y2) + "/>";
}

std::string rectangle(double x, double y, double width, double height, const std::string& css_class) {
  return "<rect class=\"" + css_class + "\"" + attribute("x", x) + attribute("y", y) + attribute("width", width) +
         attribute("height", height) + "/>";
}

std::string text(double x, double y, const char* anchor, const std::string& css_class, const std::string& content) {
  return "<text class=\"" + css_class + "\"" + attribute("x", x) + attribute("y", y) + " text-anchor=\"" + anchor +
         "\">" + escape_markup(content) + "</text>";
}

std::string marker(double x, double y, int style, double size, const std::string& css_class) {
  switch (style % 3) {
    case 0:
      return "<circle class=\"" + css_class + "\"" + attribute("cx", x) + attribute("cy", y) + attribute("r", size) +
             "/>";
    case 1:
      return rectangle(x - size, y - size, 2 * size, 2 * size, css_class);
    default:
      return "<path class=\"" + css_class + "\" d=\"M" + coordinate(x) + " " + coordinate(y - size) + "l" +
             coordinate(size) + " " + coordinate(2 * size) + "h" + coordinate(-2 * size) + "z\"/>";
  }
}

std::string open_svg(const Frame& frame, const std::string& id, const std::string& title,
                     const std::string& description) {
  const std::string own = id + "-" + frame.css_class;
  return "<svg class=\"" + std::string(frame.css_class) + "\" viewBox=\"0 0 " + format_fixed(frame.width, 0) + " " +
         format_fixed(frame.height, 0) + "\" font-size=\"" + format_fixed(frame.font, 0) +
         "\" role=\"img\" aria-labelledby=\"" + own + "-t " + own + "-d\"><title id=\"" + own + "-t\">" +
         escape_markup(title) + "</title><desc id=\"" + own + "-d\">" + escape_markup(description) + "</desc>";
}

/// A map from values to positions, linear or logarithmic.
struct Axis {
  double low, high;   // values
  double begin, end;  // positions
  bool logarithmic = false;
  double operator()(double value) const {
    const double share = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return begin + share * (end - begin);
  }
};

/// The fewest significant digits, up to six, that give every tick a label of its own value.
std::string tick_label(double value) {
  for (int digits = 1; digits < 6; ++digits) {
    const double scale = std::pow(10.0, digits - 1 - std::floor(std::log10(std::fabs(value))));
    if (value == 0 || std::fabs(std::round(value * scale) / scale - value) < 1e-9 * std::fabs(value)) {
      if (std::fabs(value) >= 10000 && std::fabs(value) < 1e9) return format_count(std::llround(value));
      return format_significant(value, digits);
    }
  }
  return format_significant(value, 6);
}

/// Labels to the same number of decimals, as a column of numbers should have.
std::vector<std::string> tick_labels(const std::vector<double>& ticks) {
  size_t decimals = 0;
  bool plain = true;
  std::vector<std::string> labels;
  for (const double tick : ticks) {
    labels.push_back(tick_label(tick));
    const size_t point = labels.back().find('.');
    plain = plain && labels.back().find('e') == std::string::npos && std::fabs(tick) < 10000;
    if (point != std::string::npos) decimals = std::max(decimals, labels.back().size() - point - 1);
  }
  for (size_t i = 0; plain && i < ticks.size(); ++i) labels[i] = format_fixed(ticks[i], static_cast<int>(decimals));
  return labels;
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  bool empty() const { return !(low <= high); }
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

bool drawable(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

void widen(Range& range, bool logarithmic, bool zero_based) {
  if (logarithmic) {
    range.low /= 1.06, range.high *= 1.06;
    return;
  }
  if (zero_based) range.low = std::min(range.low, 0.0);
  const double span = range.high > range.low ? range.high - range.low : std::max(std::fabs(range.high), 1.0) * 0.1;
  if (!(zero_based && range.low == 0)) range.low -= 0.06 * span;
  range.high += 0.06 * span;
}

std::string draw_series(const ChartSeries& series, const Axis& x, const Axis& y) {
  std::string css_class = "s" + std::to_string(series.style);
  std::string out;
  if (series.line) {
    std::string path;
    for (const auto& point : series.points) {
      if (!drawable(point)) continue;
      path += (path.empty() ? "M" : "L") + coordinate(x(point.first)) + " " + coordinate(y(point.second));
    }
    out += "<path class=\"curve " + css_class + (series.faint ? " faint" : "") + "\" d=\"" + path + "\"/>";
  }
  for (const auto& point : series.points) {
    if (!series.markers || !drawable(point)) continue;
    out += marker(x(point.first), y(point.second), series.style, 4.5, "marker " + css_class);
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
    out += text(reference.label_left ? frame.left + 6 : right - 4, baseline, reference.label_left ? "start" : "end",
                "reference-name", reference.label);
  }
  return out + "</svg>";
}

double stretched(double percent) { return std::asinh(percent / 4.0); }

/// A long label in at most two lines.
std::vector<std::string> wrap_label(const std::string& label, size_t most) {
  if (label.size() <= most) return {label};
  const size_t space = label.rfind(' ', most);
  if (space == std::string::npos) return {label};
  return {label.substr(0, space), label.substr(space + 1)};
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
    if (position - last_label < 2.6 * frame.font) continue;
    out += text(position, bottom + 4 + frame.font, "middle", "tick", label);
    last_label = position;
  }
  out += text(frame.left, frame.top - 9, "start", "axis-name", "\u25C0 worse");
  out += text(frame.width - frame.right, frame.top - 9, "end", "axis-name", "better \u25B6");
  out += text(frame.left + frame.plot_width() / 2, frame.height - 4, "middle", "axis-name", "delta in %");
  const auto most = static_cast<size_t>((frame.left - 10) / (0.5 * frame.font));
  for (size_t i = 0; i < chart.rows.size(); ++i) {
    const ForestRow& row = chart.rows[i];
    const double y = frame.top + (static_cast<double>(i) + 0.5) * row_height;
    const std::vector<std::string> label = wrap_label(row.label, most);
    double label_y =
        y + 0.35 * frame.font - 0.58 * frame.font * static_cast<double>(label.size() - (row.note.empty() ? 1 : 0));
    for (const std::string& part : label) {
      out += text(4, label_y, "start", "row-name", part);
      label_y += 1.16 * frame.font;
    }
    if (!row.note.empty()) out += text(4, label_y, "start", "row-note", row.note);
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
      out += marker(position, y, 0, 5, "mark " + css_class);
    } else {
      // A triangle that points to the better or the worse side.
      const double tip = row.sign > 0 ? 7.0 : -7.0;
      out += "<path class=\"mark " + css_class + "\" d=\"M" + coordinate(position + tip) + " " + coordinate(y) + "L" +
             coordinate(position - 0.7 * tip) + " " + coordinate(y - 6) + "V" + coordinate(y + 6) + "z\"/>";
    }
  }
  return out + "</svg>";
}

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
  out += text(x(0.5), frame.top - 10, "middle", "reference-name",
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

std::string render_forest(const ForestChart& chart) {
  if (chart.rows.empty()) return "<p class=\"note\">" + escape_markup(chart.title) + ": nothing to compare.</p>";
  return draw_forest(chart, {"wide", 960, 0, 250, 24, 30, 44, 13}, 40) +
         draw_forest(chart, {"narrow", 360, 0, 122, 12, 30, 42, 12}, 52);
}

std::string render_shares(const ShareChart& chart) {
  if (chart.rows.empty()) return "<p class=\"note\">" + escape_markup(chart.title) + ": no codes were recorded.</p>";
  return draw_shares(chart, {"wide", 500, 0, 74, 12, 30, 28, 12}) +
         draw_shares(chart, {"narrow", 360, 0, 62, 8, 30, 28, 12});
}

}  // namespace bitnet
