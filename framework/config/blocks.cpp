#include "framework/config/blocks.h"

#include <algorithm>
#include <system_error>

#include "framework/config/check.h"
#include "framework/config/read.h"
#include "framework/config/resolve.h"
#include "framework/core/error.h"
#include "framework/core/file.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;

/// The path as messages show it: relative where it lies below the current directory.
fs::path shown_path(const fs::path& path) {
  const fs::path relative = fs::absolute(path).lexically_normal().lexically_relative(fs::current_path());
  return relative.empty() || *relative.begin() == ".." ? path : relative;
}

/// One block by itself, checked by `check(config, node, unknown, path, problems)`.
template <typename Config, typename Check>
Config resolve_block(const std::string& family, const std::string& name, const std::string& path,
                     const fs::path& configs_folder, const Check& check) {
  const fs::path folder = configs_folder.empty() ? find_configs_folder(fs::current_path()) : configs_folder;
  Problems problems;
  Node node;
  Config config;
  const Place place{family + " " + name, 0, 0, 0};
  if (read_block(folder, family, name, place, "name", path, &node, &problems)) {
    check(config, node, read_section(node, path, &config, &problems), path, &problems);
  }
  problems.throw_if_any();
  return config;
}

}  // namespace

fs::path find_configs_folder(const fs::path& start) {
  for (const fs::path& first : {fs::absolute(start).lexically_normal(), fs::current_path()}) {
    for (fs::path folder = first;; folder = folder.parent_path()) {
      std::error_code error;
      if (fs::is_directory(folder / "configs", error)) return shown_path(folder / "configs");
      if (folder == folder.parent_path()) break;
    }
  }
  throw ConfigError(start.string() +
                    ": folder 'configs' with the building blocks must be beside or above the file or " +
                    "the current directory, but is not. Run in the project's folder.");
}

std::string read_config_file(const fs::path& path, std::string_view what) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const std::string subject = path.string() + ": " + std::string(what) + " must be a YAML file, but is ";
  if (status.type() == fs::file_type::not_found) throw ConfigError(subject + "not there. Check the path.");
  if (!fs::exists(status)) throw ConfigError(subject + "out of reach (" + error.message() + "). Check the path.");
  if (fs::is_directory(status)) throw ConfigError(subject + "a folder. Name the file in it.");
  try {
    return read_file(path);
  } catch (const DataError& data_error) {
    throw ConfigError(data_error.what());
  }
}

std::vector<std::string> block_names(const fs::path& configs_folder, std::string_view family) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(configs_folder / family, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".yaml") names.push_back(it->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool read_block(const fs::path& configs_folder, std::string_view family, const std::string& name,
                const Place& name_place, const std::string& name_path, const std::string& path, Node* block,
                Problems* problems) {
  const std::vector<std::string> names = block_names(configs_folder, family);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string near = suggestion(name, views);
    problems->add(name_place, name_path + " must be a block of " + (configs_folder / family).string() + ", but is '" +
                                  name + "'." + (near.empty() ? " Blocks there: " + listed(views) + "." : near));
    return false;
  }
  const fs::path file = configs_folder / family / (name + ".yaml");
  const size_t problems_before = problems->count();
  *block = parse_document(read_config_file(file, "block"), file.string(), path, /*layer=*/0, problems);
  if (block->kind == Node::Kind::kMap) return true;
  if (problems->count() == problems_before) {
    problems->add(block->place, path + " must be a map of keys and values, but is " + block->shown() + ".");
  }
  return false;
}

EvaluatorConfig resolve_evaluator(const std::string& name, const fs::path& configs_folder) {
  return resolve_block<EvaluatorConfig>("evaluator", name, "evaluators." + name, configs_folder, check_evaluator);
}

DatasetConfig resolve_dataset(const std::string& name, const fs::path& configs_folder) {
  const auto check = [](const DatasetConfig& config, const Node& node, const UnknownKeys& unknown,
                        const std::string& path,
                        Problems* problems) { check_dataset(config, /*trains=*/false, node, unknown, path, problems); };
  return resolve_block<DatasetConfig>("dataset", name, "dataset", configs_folder, check);
}

ModelConfig resolve_model(const std::string& name, const fs::path& configs_folder) {
  return resolve_block<ModelConfig>("model", name, "model", configs_folder, check_model);
}

ModelConfig read_model_text(std::string_view text, std::string_view where) {
  Problems problems;
  const Node node = parse_document(text, std::string(where), "model", /*layer=*/0, &problems);
  if (node.kind == Node::Kind::kNull) problems.throw_if_any();
  ModelConfig config;
  const UnknownKeys unknown = read_section(node, "model", &config, &problems);
  check_model(config, node, unknown, "model", &problems);
  problems.throw_if_any();
  return config;
}

}  // namespace bitnet
