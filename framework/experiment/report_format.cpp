#include "framework/experiment/report_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace bitnet {
namespace {

constexpr std::string_view kMinus = "\u2212";
constexpr std::string_view kNoBreak = "\u00A0";
constexpr std::string_view kNotFinite = "not finite";

/// std::to_chars, because printf takes the decimal point from the locale.
std::string number_text(double value, std::chars_format format, int precision) {
  std::array<char, 400> buffer;  // the longest double in fixed form: 309 digits, point, and at most 20 decimals
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format, precision);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string(kNotFinite);
}

std::string with_true_minus(std::string text) {
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  if (text.starts_with('-')) text = zero ? text.substr(1) : std::string(kMinus) + text.substr(1);
  return text;
}

}  // namespace

std::string format_fixed(double value, int decimals) {
  if (!std::isfinite(value)) return std::string(kNotFinite);
  return with_true_minus(number_text(value, std::chars_format::fixed, decimals));
}

std::string format_signed(double value, int decimals) {
  const std::string text = format_fixed(value, decimals);
  const bool positive = value > 0 && std::isfinite(value) && text.find_first_of("123456789") != std::string::npos;
  return positive ? "+" + text : text;
}

std::string format_significant(double value, int digits) {
  if (!std::isfinite(value)) return std::string(kNotFinite);
  if (value == 0) return "0";
  // The exponent after rounding: 9.9996 with four digits is 10.00, not 10.000.
  const std::string rounded = number_text(std::fabs(value), std::chars_format::scientific, digits - 1);
  const size_t mark = rounded.find('e');
  int exponent = 0;
  const char* first = rounded.data() + mark + (rounded[mark + 1] == '+' ? 2 : 1);
  std::from_chars(first, rounded.data() + rounded.size(), exponent);
  if (exponent < -4 || exponent >= 9) {
    return with_true_minus(number_text(value, std::chars_format::scientific, digits - 1));
  }
  return format_fixed(value, std::max(0, digits - 1 - exponent));
}

std::string format_count(int64_t value) {
  std::string digits = std::to_string(value);
  std::string sign;
  if (digits.starts_with('-')) {
    sign = kMinus;
    digits.erase(0, 1);
  }
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), ",");
  return sign + digits;
}

std::string format_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (unit + 1 < kUnits.size() && bytes >= 999.5) {
    bytes /= 1000;
    ++unit;
  }
  return (unit == 0 ? format_fixed(bytes, 0) : format_significant(bytes, 3)) + std::string(kNoBreak) +
         std::string(kUnits[unit]);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 99.5) return format_significant(seconds, 3) + " s";
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return format_count(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

std::string format_metric(double value, std::string_view unit) {
  if (!std::isfinite(value)) return std::string(kNotFinite);
  if (unit == "bytes") return format_bytes(value);
  if (unit == "accuracy") return format_fixed(100 * value, 2) + std::string(kNoBreak) + "%";
  if (unit == "tokens/s")
    return format_count(static_cast<int64_t>(std::llround(value))) + std::string(kNoBreak) + "tokens/s";
  return format_significant(value, 4);
}

int delta_decimals(double percent) { return std::fabs(percent) < 1 ? 2 : 1; }

std::string format_percent_delta(double percent) {
  return format_signed(percent, delta_decimals(percent)) + std::string(kNoBreak) + "%";
}

std::string escape_markup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    // U+FFFE and U+FFFF are no characters of XML.
    if (const std::string_view three = text.substr(i, 3); three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {
      out += "\uFFFD";
      i += 2;
      continue;
    }
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (byte < 0x20 && c != '\n' && c != '\t') {
          out += "\uFFFD";
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string escape_markdown(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '@') {
      out += "@\u2060";  // a word joiner, so that nobody is mentioned
    } else {
      const bool starts_a_list = out.empty() && (c == '-' || c == '+');
      if (starts_a_list || std::string_view("\\`*_[]|#~$").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace bitnet
