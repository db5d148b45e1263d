#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Numbers for readers. Between a number and its unit stands a no-break space (U+00A0), the minus is U+2212; nothing
// here depends on the locale.

namespace bitnet {

/// `value` with so many significant digits, never in exponent form between 1e-4 and 1e9; "not finite" for NaN and
/// infinities.
std::string format_significant(double value, int digits);
/// `value` with so many digits after the point.
std::string format_fixed(double value, int decimals);
/// The same with a sign always, except for what rounds to zero.
std::string format_signed(double value, int decimals);
/// A count with a comma between thousands.
std::string format_count(int64_t value);
/// Bytes in decimal units: "2.63 MB".
std::string format_bytes(double bytes);
/// Seconds as "42.1 s", "12 min 5 s" or "1 h 12 min".
std::string format_duration(double seconds);
/// A metric's value in its unit's usual digits, with the unit where it is not said by the name.
std::string format_metric(double value, std::string_view unit);
/// A delta in percent with its sign: "+82.2 %".
std::string format_percent_delta(double percent);
/// How many decimals a delta of this size is given with.
int delta_decimals(double percent);

/// Text for HTML and XML content and attributes: & < > " ' are escaped, control characters that XML forbids replaced.
std::string escape_markup(std::string_view text);
/// Text for a Markdown table cell or paragraph.
std::string escape_markdown(std::string_view text);

}  // namespace bitnet
