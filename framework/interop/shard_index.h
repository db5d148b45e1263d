#pragma once

#include <map>
#include <string>
#include <string_view>

namespace bitnet {

/// Reads a `model.safetensors.index.json`: the name of the file in the same folder that holds each tensor. Errors:
/// DataError, also for a file name that leads out of the folder.
std::map<std::string, std::string> parse_shard_index(std::string_view text, const std::string& where);

}  // namespace bitnet
