#include "framework/experiment/svg_draw.h"

#include <algorithm>
#include <cmath>

#include "framework/core/utf8.h"
#include "framework/experiment/report_format.h"

namespace bitnet::svg {
namespace {

std::string attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + coordinate(value) + "\"";
}

std::string text_element(double x, double y, const char* anchor, const std::string& css_class,
                         const std::string& attributes, const std::string& content) {
  return "<text class=\"" + css_class + "\"" + attribute("x", x) + attribute("y", y) + " text-anchor=\"" + anchor +
         "\"" + attributes + ">" + escape_markup(content) + "</text>";
}

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

}  // namespace

double Axis::operator()(double value) const {
  const double share = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return begin + share * (end - begin);
}

void Range::add(double value) {
  low = std::min(low, value);
  high = std::max(high, value);
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

bool drawable(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

std::string coordinate(double value) {
  // The minus of the formatting is for readers.
  const std::string text = format_fixed(std::fabs(value), 1);
  return value < 0 && text != "0.0" ? "-" + text : text;
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
  return text_element(x, y, anchor, css_class, "", content);
}

std::string outlined_text(double x, double y, const char* anchor, const std::string& content) {
  // An attribute, because validators of style sheets do not know this property.
  return text_element(x, y, anchor, "reference-name", " paint-order=\"stroke\"", content);
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

std::string clipped(std::string_view label, size_t most) {
  size_t end = 0;
  size_t before_last = 0;
  for (size_t count = 0; end < label.size(); ++count) {
    if (count == most) return std::string(label.substr(0, before_last)) + "\u2026";
    before_last = end;
    end += std::max<size_t>(utf8_character_length(label, end), 1);
  }
  return std::string(label);
}

size_t characters_in(double width, double font) { return static_cast<size_t>(std::max(width / (0.54 * font), 4.0)); }

}  // namespace bitnet::svg
