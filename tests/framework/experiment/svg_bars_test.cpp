#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "framework/experiment/svg_chart.h"
#include "framework/experiment/svg_draw.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SvgBars, PartsOfAStackFollowEachOther) {
  StackChart chart;
  chart.id = "m";
  chart.rows = {{"model", {300, 0, 100}}};
  const std::string svg = render_stacks(chart);
  // Wide: 480 units stand for 1.06 * 400 bytes, from 8 on; an empty part is not drawn.
  EXPECT_THAT(svg, HasSubstr("<rect class=\"stack p0\" x=\"8.0\" y=\"26.0\" width=\"339.6\""));
  EXPECT_THAT(svg, HasSubstr("<rect class=\"stack p2\" x=\"347.6\" y=\"26.0\" width=\"113.2\""));
  EXPECT_THAT(svg, Not(HasSubstr("stack p1")));
  EXPECT_THAT(svg, HasSubstr(">200\u00A0B</text>"));
  EXPECT_THAT(render_stacks(StackChart{}), HasSubstr("nothing was measured"));
}

TEST(SvgBars, DotsStandAtTheirValuesInTurn) {
  DotChart chart;
  chart.id = "d";
  chart.rows = {{"model", 0, {100, 50, std::nan("")}, 75}};
  const std::string svg = render_dots(chart);
  // Wide: 480 units stand for 106, from 8 on; the turns go down in steps of 8.
  EXPECT_THAT(svg, HasSubstr("<circle class=\"dot s0\" cx=\"460.8\" cy=\"28.0\" r=\"3.0\"/>"));
  EXPECT_THAT(svg, HasSubstr("<circle class=\"dot s0\" cx=\"234.4\" cy=\"36.0\" r=\"3.0\"/>"));
  EXPECT_THAT(svg, HasSubstr("<line class=\"middle s0\" x1=\"347.6\""));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  chart.rows[0].values = {std::nan("")};
  EXPECT_THAT(render_dots(chart), HasSubstr("nothing was measured"));
}

TEST(SvgScatter, HasTheSameScaleOnBothAxes) {
  ScatterChart chart;
  chart.id = "s";
  chart.x_label = "x";
  chart.y_label = "y";
  chart.points = {{1, 2}, {2, 1}, {HUGE_VAL, 1}};
  const std::string svg = render_scatter(chart);
  // Wide: both axes run from 0.94 to 2.06; x from 58 to 488, y from 416 to 26.
  EXPECT_THAT(svg, HasSubstr("cx=\"81.0\" cy=\"46.9\""));
  EXPECT_THAT(svg, HasSubstr("cx=\"465.0\" cy=\"395.1\""));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_THAT(render_scatter(ScatterChart{}), HasSubstr("no points were recorded"));
}

TEST(SvgForest, WhatAGateAsksForIsABar) {
  ForestChart chart;
  chart.id = "f";
  chart.rows = {{"metric", "", 1, std::nullopt, 1, 5}};
  const std::string svg = render_forest(chart);
  EXPECT_THAT(svg, HasSubstr("<line class=\"bound\""));
  chart.rows[0].bound.reset();
  EXPECT_THAT(render_forest(chart), Not(HasSubstr("bound")));
}

TEST(SvgDraw, ClippedLabelsKeepWholeCharacters) {
  EXPECT_EQ(svg::clipped("abcd", 4), "abcd");
  EXPECT_EQ(svg::clipped("abcde", 4), "abc\u2026");
  EXPECT_EQ(svg::clipped("\u00E4\u00F6\u00FC\u00DF", 3), "\u00E4\u00F6\u2026");
}

}  // namespace
}  // namespace bitnet
