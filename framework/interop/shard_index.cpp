#include "framework/interop/shard_index.h"

#include <nlohmann/json.hpp>

#include "framework/core/error.h"
#include "framework/core/strict_json.h"

namespace bitnet {

using nlohmann::json;

std::map<std::string, std::string> parse_shard_index(std::string_view text, const std::string& where) {
  constexpr std::string_view kEnding = ".safetensors";
  const json index = parse_strict_json(text, where, "file");
  const auto fail = [&](const std::string& thing, const std::string& expected, const std::string& found) {
    throw DataError(where + ": " + thing + " must be " + expected + ", but is " + found +
                    ". Take the index of the checkpoint.");
  };
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    fail("weight_map", "an object of tensor names and file names", "something else or missing");
  }
  std::map<std::string, std::string> file_of;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    const std::string thing = "the file of tensor '" + tensor + "'";
    if (!file.is_string()) fail(thing, "text", "something else");
    const auto& name = file.get_ref<const std::string&>();
    const bool in_folder = name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
    if (!in_folder || !name.ends_with(kEnding) || name.size() == kEnding.size()) {
      fail(thing, "a name that ends in .safetensors, in the folder of the index", "'" + name + "'");
    }
    file_of[tensor] = name;
  }
  return file_of;
}

}  // namespace bitnet
