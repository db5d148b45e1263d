#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "framework/experiment/delta.h"
#include "framework/experiment/results.h"

// Pieces of HTML that several parts of the report are made of. Arguments called html are HTML already; all other texts
// are escaped here.

namespace bitnet {

/// A table whose first column heads its rows. Headers and cells are HTML.
struct HtmlTable {
  std::string caption;  ///< plain text, unique on the page: it also names the scrolling region
  std::vector<std::string> headers;
  std::vector<std::vector<std::string>> rows;
  bool numeric = true;  ///< all columns but the first are numbers, aligned to the right
};
std::string html_table(const HtmlTable& table);

/// A column of a card table.
struct CardColumn {
  std::string label;      ///< plain text, before each cell on narrow pages
  std::string header;     ///< HTML
  std::string css_class;  ///< of its cells; may be empty
};

/// A table that on narrow pages becomes a card a row, each cell a line behind its column's label.
struct CardTable {
  std::string region;   ///< plain text, unique on the page, names the scrolling region
  std::string caption;  ///< plain text
  std::string css_class;
  std::vector<CardColumn> columns;
  std::vector<std::vector<std::string>> rows;  ///< HTML
  size_t head = 0;                             ///< the column that heads its row
};
std::string card_table(const CardTable& table);

/// Content that is shown when asked for, and on paper.
std::string html_details(const std::string& summary, const std::string& html);
/// A chart under its title, with `caption` and, folded, the numbers that it shows.
std::string html_figure(const std::string& title, const std::string& html, const std::string& caption,
                        const std::string& numbers_html);
std::string html_code(const std::string& text);
/// A line in small print.
std::string small_print(const std::string& html);
/// A term and what it stands for, in a list of facts.
std::string html_fact(const std::string& term, const std::string& html);

/// "better", "worse" or "neither": the class of a sign's color.
std::string sign_class(int sign);
/// The triangle or circle that says the same without color.
std::string sign_glyph(double sign);
/// "+1.3 % better" with its glyph; the word stands beside the sign so that color is never alone.
std::string delta_html(const DeltaRow& row);

/// The classes of a variant's curves and chips: its position among the results' variants.
int variant_style(const Results& results, std::string_view variant);
/// A small colored mark with the series' marker and the variant's name.
std::string variant_chip(const Results& results, std::string_view variant);
/// An entry of a chart's legend: a line, a line with the series' marker, or a box of class `box`.
std::string legend_line(int style, bool marker, const std::string& name);
std::string legend_box(const std::string& box, const std::string& name);

}  // namespace bitnet
