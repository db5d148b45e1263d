#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/document.h"

namespace bitnet {

/// The folder of building blocks: `configs/` beside or above `start`, else at or above the current directory.
/// Errors: ConfigError where there is none.
std::filesystem::path find_configs_folder(const std::filesystem::path& start);

/// Reads an experiment or block file. Errors: ConfigError where it is missing, a folder or unreadable.
std::string read_config_file(const std::filesystem::path& path, std::string_view what);

/// Names of the blocks of one family: of the files configs/FAMILY/NAME.yaml, sorted.
std::vector<std::string> block_names(const std::filesystem::path& configs_folder, std::string_view family);

/// Reads the block `name` into `block`, with `path` before the paths of its entries. False, with a problem at
/// `name_place`, where there is none, or with problems in its file where that holds no map.
bool read_block(const std::filesystem::path& configs_folder, std::string_view family, const std::string& name,
                const Place& name_place, const std::string& name_path, const std::string& path, Node* block,
                Problems* problems);

}  // namespace bitnet
