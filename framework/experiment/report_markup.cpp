#include "framework/experiment/report_markup.h"

#include "framework/experiment/delta_text.h"
#include "framework/experiment/report_format.h"

namespace bitnet {
namespace {

/// A region that scrolls where its table is wider than the page.
std::string open_region(const std::string& name) {
  return "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" + escape_markup(name) + "\">";
}

/// The shape of a series, in the middle of a box of this width and 12 units of height.
std::string series_shape(int style, double width) {
  const std::string css_class = "class=\"marker s" + std::to_string(style) + "\"";
  const std::string left = format_fixed(width / 2 - 4.5, 1);
  if (style % 3 == 0) return "<circle " + css_class + " cx=\"" + format_fixed(width / 2, 1) + "\" cy=\"6\" r=\"4.5\"/>";
  if (style % 3 == 1) return "<rect " + css_class + " x=\"" + left + "\" y=\"1.5\" width=\"9\" height=\"9\"/>";
  return "<path " + css_class + " d=\"M" + format_fixed(width / 2, 1) + " 1.5l4.5 9h-9z\"/>";
}

std::string legend_entry(const std::string& shape, const std::string& name) {
  return "<li><svg viewBox=\"0 0 30 12\" aria-hidden=\"true\">" + shape + "</svg>" + escape_markup(name) + "</li>";
}

}  // namespace

std::string html_table(const HtmlTable& table) {
  std::string html = open_region(table.caption) + "<table" + (table.numeric ? " class=\"numeric\"" : "") +
                     "><caption>" + escape_markup(table.caption) + "</caption><thead><tr>";
  for (const std::string& header : table.headers) html += "<th scope=\"col\">" + header + "</th>";
  html += "</tr></thead><tbody>";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) {
      html += i == 0 ? "<th scope=\"row\">" + row[i] + "</th>" : "<td>" + row[i] + "</td>";
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string card_table(const CardTable& table) {
  std::string html = open_region(table.region) + "<table class=\"cards" +
                     (table.css_class.empty() ? "" : " " + table.css_class) + "\"><caption>" +
                     escape_markup(table.caption) + "</caption><thead><tr>";
  const auto class_of = [](const CardColumn& column) {
    return column.css_class.empty() ? "" : " class=\"" + column.css_class + "\"";
  };
  for (const CardColumn& column : table.columns) {
    html += "<th scope=\"col\"" + class_of(column) + ">" + column.header + "</th>";
  }
  html += "</tr></thead><tbody>";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string tag = i == table.head ? "th" : "td";
      html += "<" + tag + (i == table.head ? " scope=\"row\"" : "") + class_of(table.columns[i]) +
              "><span class=\"label\" aria-hidden=\"true\">" + escape_markup(table.columns[i].label) +
              "</span><div class=\"cell\">" + row[i] + "</div></" + tag + ">";
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string html_details(const std::string& summary, const std::string& html) {
  return "<details><summary>" + escape_markup(summary) + "</summary>" + html + "</details>";
}

std::string html_figure(const std::string& title, const std::string& html, const std::string& caption,
                        const std::string& numbers_html) {
  return "<div class=\"chart\"><figure><h3>" + escape_markup(title) + "</h3>" + html + "<figcaption>" +
         escape_markup(caption) + "</figcaption></figure>" + html_details("Numbers", numbers_html) + "</div>";
}

std::string html_code(const std::string& text) { return "<code>" + escape_markup(text) + "</code>"; }

std::string small_print(const std::string& html) { return "<span class=\"small\">" + html + "</span>"; }

std::string html_fact(const std::string& term, const std::string& html) {
  return "<div><dt>" + escape_markup(term) + "</dt><dd>" + html + "</dd></div>";
}

std::string sign_class(int sign) { return sign > 0 ? "better" : sign < 0 ? "worse" : "neither"; }

std::string sign_glyph(double sign) {
  return std::string("<span aria-hidden=\"true\">") +
         (sign > 0   ? "\u25B2"
          : sign < 0 ? "\u25BC"
                     : "\u25CF") +
         "</span>";
}

std::string delta_html(const DeltaRow& row) {
  if (row.band == Band::kNotFinite) return "<span class=\"delta neither\">not a number</span>";
  const char* word = row.delta_percent > 0 ? "better" : row.delta_percent < 0 ? "worse" : "equal";
  return "<span class=\"delta " + sign_class(band_sign(row.band)) + "\">" + sign_glyph(row.delta_percent) + " " +
         escape_markup(delta_size_text(row)) + " " + word + "</span>";
}

int variant_style(const Results& results, std::string_view variant) {
  constexpr int kStyles = 6;  // s0 to s5 of the style sheet
  for (size_t i = 0; i < results.variants.size(); ++i) {
    if (results.variants[i].name == variant) return static_cast<int>(i % kStyles);
  }
  return 0;
}

std::string variant_chip(const Results& results, std::string_view variant) {
  return "<span class=\"chip\"><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">" +
         series_shape(variant_style(results, variant), 12) + "</svg>" + escape_markup(display_name(variant)) +
         "</span>";
}

std::string legend_line(int style, bool marker, const std::string& name) {
  if (marker) return legend_entry(series_shape(style, 30), name);
  return legend_entry("<path class=\"curve s" + std::to_string(style) + "\" d=\"M0 6H30\"/>", name);
}

std::string legend_box(const std::string& box, const std::string& name) {
  return legend_entry("<rect class=\"" + box + "\" width=\"30\" height=\"12\"/>", name);
}

}  // namespace bitnet
