#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "framework/evaluate/descriptors.h"

namespace bitnet {

/// A file of JSON objects, one a line, to which finished pieces of long work are added, so that a killed run goes on
/// after the last of them. Each line names the work it belongs to under the key "run".
class WorkLog {
 public:
  /// Opens the file at `path`, or keeps nothing where that is empty. A last line that was cut off by a kill is dropped;
  /// lines of another run make the file start anew. Errors: DataError where it is damaged or can not be written.
  WorkLog(std::filesystem::path path, std::string run);

  /// The lines that were there already: objects with the texts `text_keys` and the whole numbers `number_keys`.
  /// Errors: DataError for a line without one.
  std::vector<nlohmann::json> kept(const std::vector<std::string>& text_keys,
                                   const std::vector<std::string>& number_keys) const;
  /// Adds `line`, an object, and the run's name; it is there also after a kill.
  void add(const nlohmann::ordered_json& line);
  /// Replaces the whole file.
  void replace(const std::vector<nlohmann::ordered_json>& lines);

 private:
  std::filesystem::path path_;
  std::string run_;
  std::vector<std::string> lines_;
  Descriptor file_;
};

}  // namespace bitnet
