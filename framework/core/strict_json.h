#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace bitnet {

/// Objects and lists in one another that parse_strict_json follows at most.
inline constexpr int kMaxJsonDepth = 64;

/// Parses JSON of unknown origin: well-formed, in UTF-8, no name twice in an object, at most kMaxJsonDepth levels deep.
/// `where` names the file in errors, `thing` the part of it that is parsed ("header"). Errors: DataError.
nlohmann::json parse_strict_json(std::string_view text, const std::string& where, const std::string& thing);

}  // namespace bitnet
