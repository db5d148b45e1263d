#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What all charts are drawn with: SVG elements, axes and their labels. Only the svg_*.cpp files use it.

namespace bitnet::svg {

/// A drawing area in SVG units; the texts are `font` units high.
struct Frame {
  const char* css_class;
  double width, height;
  double left, right, top, bottom;  // margins
  double font;
  double plot_width() const { return width - left - right; }
  double plot_height() const { return height - top - bottom; }
};

/// A map from values to positions, linear or logarithmic.
struct Axis {
  double low, high;   // values
  double begin, end;  // positions
  bool logarithmic = false;
  double operator()(double value) const;
};

/// The least and the greatest of what was added.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  bool empty() const { return !(low <= high); }
  void add(double value);
};

/// Room around the values: a factor on a logarithmic axis, else a part of the range; `zero_based` reaches to 0.
void widen(Range& range, bool logarithmic, bool zero_based);

/// Whether both coordinates are finite.
bool drawable(const std::pair<double, double>& point);

/// A coordinate as a plain SVG number.
std::string coordinate(double value);
std::string line(double x1, double y1, double x2, double y2, const std::string& css_class);
std::string rectangle(double x, double y, double width, double height, const std::string& css_class);
/// `content` is escaped; `anchor` is start, middle or end.
std::string text(double x, double y, const char* anchor, const std::string& css_class, const std::string& content);
/// A text of class "reference-name" that stays readable over lines and dots: its outline has the paper's color.
std::string outlined_text(double x, double y, const char* anchor, const std::string& content);
/// A circle, square or triangle: the shape of series `style`.
std::string marker(double x, double y, int style, double size, const std::string& css_class);
/// The opening tag with title and description.
std::string open_svg(const Frame& frame, const std::string& id, const std::string& title,
                     const std::string& description);

/// Labels to the same number of decimals, as a column of numbers should have.
std::vector<std::string> tick_labels(const std::vector<double>& ticks);

/// `label` in at most so many characters, the last of them an ellipsis where some are missing.
std::string clipped(std::string_view label, size_t most);
/// About how many characters fit into `width`.
size_t characters_in(double width, double font);

}  // namespace bitnet::svg
