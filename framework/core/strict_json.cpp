#include "framework/core/strict_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "framework/core/error.h"

namespace bitnet {
namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& where, const std::string& thing, const std::string& expected,
                       const std::string& found) {
  throw DataError(where + ": " + thing + " must be " + expected + ", but is " + found +
                  ". The file is truncated, damaged or of another format: make or fetch it again.");
}

}  // namespace

json parse_strict_json(std::string_view text, const std::string& where, const std::string& thing) {
  std::vector<std::set<std::string>> names_of_open_objects;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
        names_of_open_objects.emplace_back();
        [[fallthrough]];
      case json::parse_event_t::array_start:
        if (depth >= kMaxJsonDepth) {
          fail(where, thing, "at most " + std::to_string(kMaxJsonDepth) + " levels deep", "deeper");
        }
        break;
      case json::parse_event_t::object_end:
        names_of_open_objects.pop_back();
        break;
      case json::parse_event_t::key:
        if (const auto& name = parsed.get_ref<const std::string&>();
            !names_of_open_objects.back().insert(name).second) {
          fail(where, thing, "without duplicate names", "one with '" + name + "' twice");
        }
        break;
      default:
        break;
    }
    return true;
  };
  // The parser takes a zero byte for the end, and what follows for nothing.
  if (text.find('\0') != std::string_view::npos) fail(where, thing, "JSON in UTF-8", "not: it holds a zero byte");
  json parsed = json::parse(text.begin(), text.end(), check, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) fail(where, thing, "JSON in UTF-8", "not");
  return parsed;
}

}  // namespace bitnet
