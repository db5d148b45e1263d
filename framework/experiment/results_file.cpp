#include "framework/experiment/results_file.h"

#include "framework/core/base64.h"
#include "framework/core/error.h"

namespace bitnet {
namespace {

constexpr std::string_view kEmbeddedStart =
    "<a id=\"results-json\" download=\"results.json\" href=\"data:application/json;base64,";

std::string embedded_results(std::string_view html, const std::string& where) {
  const size_t start = html.find(kEmbeddedStart);
  const size_t begin = start + kEmbeddedStart.size();
  const size_t end = start == std::string_view::npos ? start : html.find('"', begin);
  if (end == std::string_view::npos || html.find(kEmbeddedStart, end) != std::string_view::npos) {
    throw DataError(where +
                    ": the report must hold its results once, for download, but does not. Take a report that this "
                    "version of the program wrote, or the results.json beside it.");
  }
  return base64_decode(html.substr(begin, end - begin), where);
}

bool is_page(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '<';
}

}  // namespace

Results published_results(std::string_view text, const std::string& where) {
  if (!is_page(text)) return results_from_json(text, where);
  return results_from_json(embedded_results(text, where), where + ", embedded results");
}

}  // namespace bitnet
