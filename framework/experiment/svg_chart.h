#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

// Charts as inline SVG for the HTML report: colors, line styles and fonts are classes of the report's style sheet
// (report_style.cpp). Every chart comes in two shapes, one for wide and one for narrow pages, so that its text stays
// legible at any width; the style sheet shows one of them. All functions are pure.

namespace bitnet {

/// A curve or a set of points. Style 0, 1, ... are the report's series: color, dash and marker belong together.
struct ChartSeries {
  int style = 0;
  bool line = true;
  bool markers = false;
  bool faint = false;                             ///< one of many, behind the others
  std::vector<std::pair<double, double>> points;  ///< points that are not finite are left out
};

/// A horizontal line with a short label.
struct ReferenceLine {
  double value = 0;
  std::string label;
  bool label_left = false;  ///< the label stands at the left end, where the curves are elsewhere
};

enum class ChartSize { kFull, kHalf };

struct LineChart {
  std::string id;  ///< unique on the page, for the title and description
  std::string title;
  std::string description;  ///< what a reader who does not see the chart should know
  std::string x_label;
  std::string y_label;
  ChartSize size = ChartSize::kFull;
  bool log_y = false;       ///< ignored where a value is not above 0
  bool whole_x = false;     ///< ticks at whole numbers only
  bool zero_based = false;  ///< the y axis starts at 0
  std::vector<ChartSeries> series;
  std::vector<ReferenceLine> lines;
};

/// Two SVG elements, class "wide" and "narrow". A chart without a finite point is a paragraph that says so.
std::string render_line_chart(const LineChart& chart);

/// One row of a forest plot: a delta and its interval.
struct ForestRow {
  std::string label;
  std::string note;  ///< smaller, under the label
  double value = 0;
  std::optional<std::pair<double, double>> interval;
  int sign = 0;                                ///< +1 better, -1 worse, 0 neither: the marker's shape and color
  std::optional<double> bound = std::nullopt;  ///< what a gate asks for: an upright bar
};

struct ForestChart {
  std::string id;
  std::string title;
  std::string description;
  std::vector<ForestRow> rows;
  std::vector<double> band_limits;  ///< |delta| where a band ends, drawn as light lines on both sides
};

/// Deltas in percent around 0 on an axis that is stretched near 0 (inverse hyperbolic sine).
std::string render_forest(const ForestChart& chart);

/// Shares that add up to 1, one bar a row.
struct ShareRow {
  std::string label;
  double minus = 0, zero = 0, plus = 0;
};

struct ShareChart {
  std::string id;
  std::string title;
  std::string description;
  std::vector<ShareRow> rows;
  double expected_zero = 0;  ///< marked by two lines around the middle of a balanced bar
};

/// Stacked bars of the fractions of -1, 0 and +1.
std::string render_shares(const ShareChart& chart);

/// Points of two values of the same kind, and the diagonal on which they are equal.
struct ScatterChart {
  std::string id;
  std::string title;
  std::string description;
  std::string x_label;
  std::string y_label;
  std::string above_label;  ///< what a point above the diagonal means
  std::string below_label;
  int style = 0;
  std::vector<std::pair<double, double>> points;  ///< points that are not finite are left out
};
std::string render_scatter(const ScatterChart& chart);

/// Repetitions of one measurement, each a dot, and their middle as a line.
struct DotRow {
  std::string label;
  int style = 0;
  std::vector<double> values;  ///< in the order in which they were measured
  double middle = 0;
};

struct DotChart {
  std::string id;
  std::string title;
  std::string description;
  std::string x_label;
  std::vector<DotRow> rows;
};
std::string render_dots(const DotChart& chart);

/// A bar of parts, the first to the left; sizes in bytes.
struct StackRow {
  std::string label;
  std::vector<double> sizes;  ///< the part with index i has the style sheet's class "stack p<i>"
};

struct StackChart {
  std::string id;
  std::string title;
  std::string description;
  std::string x_label;
  std::vector<StackRow> rows;
};
std::string render_stacks(const StackChart& chart);

/// Ticks at 1, 2 or 5 times a power of ten inside [low, high], at most `most` (>= 2) of them. low < high.
std::vector<double> linear_ticks(double low, double high, int most);
/// Round numbers inside [low, high] for a logarithmic axis, at most `most` of them, at least one where there is any.
/// 0 < low < high.
std::vector<double> log_ticks(double low, double high, int most);

}  // namespace bitnet
