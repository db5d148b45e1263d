#include "framework/experiment/svg_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

LineChart sample_chart() {
  LineChart chart;
  chart.id = "c";
  chart.title = "A <title>";
  chart.description = "5 & 6";
  chart.x_label = "step";
  chart.y_label = "nats";
  chart.series = {{0, true, false, false, {{0, 1}, {10, 2}, {20, 4}}}, {1, false, true, false, {{20, 3}}}};
  return chart;
}

size_t occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(SvgChart, LinearTicksAreRoundNumbers) {
  EXPECT_THAT(linear_ticks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(linear_ticks(0.12, 0.31, 4), ElementsAre(0.15, 0.2, 0.25, 0.3));
  EXPECT_THAT(linear_ticks(-3, 3, 3), ElementsAre(-2, 0, 2));
}

TEST(SvgChart, LogTicksAreRoundNumbersAndFew) {
  EXPECT_THAT(log_ticks(0.9, 6, 7), ElementsAre(1, 1.5, 2, 3, 4, 5));
  EXPECT_THAT(log_ticks(0.5, 2000, 5), ElementsAre(1, 10, 100, 1000));
  EXPECT_LE(log_ticks(1e-6, 1e9, 5).size(), 5u);
  EXPECT_FALSE(log_ticks(2.1, 2.9, 4).empty());
}

TEST(SvgChart, EveryChartIsNamedAndDescribedInBothShapes) {
  const std::string svg = render_line_chart(sample_chart());
  EXPECT_EQ(occurrences(svg, "<svg "), 2u);
  EXPECT_EQ(occurrences(svg, "role=\"img\""), 2u);
  EXPECT_THAT(svg, HasSubstr("aria-labelledby=\"c-wide-t c-wide-d\"><title id=\"c-wide-t\">A &lt;title&gt;</title>"
                             "<desc id=\"c-wide-d\">5 &amp; 6</desc>"));
  EXPECT_THAT(svg, HasSubstr("id=\"c-narrow-t\""));
}

TEST(SvgChart, PointsStandWhereTheirValuesSay) {
  LineChart chart = sample_chart();
  chart.zero_based = true;
  const std::string svg = render_line_chart(chart);
  // Wide: x from 62 to 944; y from 334 (0) to 26 (4 and 6 % above it, 4.24).
  const auto y = [](double value) {
    std::string text = std::to_string(std::round((334 - value / 4.24 * 308) * 10) / 10);
    return text.substr(0, text.find('.') + 2);
  };
  EXPECT_THAT(svg, HasSubstr("d=\"M62.0 " + y(1) + "L503.0 " + y(2) + "L944.0 " + y(4) + "\""));
}

TEST(SvgChart, LogarithmicAxesPutEqualRatiosAtEqualDistances) {
  LineChart chart = sample_chart();
  chart.log_y = true;
  const std::string svg = render_line_chart(chart);
  const size_t path = svg.find("d=\"M62.0 ");
  ASSERT_NE(path, std::string::npos);
  double y[3];
  ASSERT_EQ(std::sscanf(svg.c_str() + path, "d=\"M62.0 %lfL503.0 %lfL944.0 %lf\"", &y[0], &y[1], &y[2]), 3);
  EXPECT_NEAR(y[0] - y[1], y[1] - y[2], 0.11);
  EXPECT_THAT(svg, HasSubstr("nats (logarithmic)"));
}

TEST(SvgChart, PointsThatAreNotFiniteAreLeftOut) {
  LineChart chart = sample_chart();
  chart.series[0].points.insert(chart.series[0].points.begin() + 1, {5, std::nan("")});
  chart.series[0].points.push_back({30, HUGE_VAL});
  EXPECT_EQ(render_line_chart(chart), render_line_chart(sample_chart()));
  chart.series = {{0, true, false, false, {{1, std::nan("")}}}};
  EXPECT_THAT(render_line_chart(chart), HasSubstr("no points were recorded"));
}

TEST(SvgChart, DegenerateRangesStillDraw) {
  LineChart chart = sample_chart();
  for (const double value : {0.0, 5.0, -1e300, 1e-300}) {
    chart.series = {{0, true, true, false, {{3, value}}}};
    const std::string svg = render_line_chart(chart);
    EXPECT_THAT(svg, HasSubstr("<circle"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
  chart.series = {{0, true, true, false, {{0, 1e17}, {1, std::nextafter(1e17, 2e17)}}}};
  EXPECT_THAT(render_line_chart(chart), HasSubstr("<circle"));
}

TEST(SvgChart, ForestMarksTellBetterFromWorseByShape) {
  ForestChart chart;
  chart.id = "f";
  chart.band_limits = {5, 20};
  chart.rows = {
      {"wins & more", "note", 12, std::nullopt, 1}, {"loses", "", -3, {{-4, -2}}, -1}, {"even", "", 0.1, {{-1, 1}}, 0}};
  const std::string svg = render_forest(chart);
  EXPECT_THAT(svg, HasSubstr("<path class=\"mark better\""));
  EXPECT_THAT(svg, HasSubstr("<path class=\"mark worse\""));
  EXPECT_THAT(svg, HasSubstr("<circle class=\"mark neither\""));
  EXPECT_EQ(occurrences(svg, "whisker worse"), 6u);  // three strokes in each of two shapes
  EXPECT_EQ(occurrences(svg, "whisker better"), 0u);
  EXPECT_THAT(svg, HasSubstr("wins &amp; more"));
  EXPECT_THAT(render_forest(ForestChart{}), HasSubstr("nothing to compare"));
}

TEST(SvgChart, SharesFillTheBar) {
  ShareChart chart;
  chart.id = "s";
  chart.expected_zero = 0.31;
  chart.rows = {{"epoch 1", 0.25, 0.5, 0.25}};
  const std::string svg = render_shares(chart);
  // Wide: the bar is 414 units long from 74 on.
  EXPECT_THAT(svg, HasSubstr("<rect class=\"share minus\" x=\"74.0\" y=\"33.0\" width=\"103.5\""));
  EXPECT_THAT(svg, HasSubstr("<rect class=\"share none\" x=\"177.5\" y=\"33.0\" width=\"207.0\""));
  EXPECT_THAT(svg, HasSubstr("<rect class=\"share plus\" x=\"384.5\" y=\"33.0\" width=\"103.5\""));
}

}  // namespace
}  // namespace bitnet
