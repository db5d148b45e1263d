#pragma once

#include <string>
#include <vector>

#include "framework/config/describe.h"
#include "framework/config/values.h"

namespace bitnet {

/// The section's used fields as YAML, one line each, in the order of the description. `full`: also those that do not
/// identify a run.
template <Described Section>
std::string section_text(const Section& section, bool full, const std::string& indent = "") {
  std::string text;
  Description<Section>::fields([&](const auto& field) {
    if ((!full && !field.identity) || (field.unused_by != nullptr && !field.unused_by(section).empty())) return;
    const auto& value = section.*field.member;
    using Value = std::remove_cvref_t<decltype(value)>;
    text += indent + std::string(field.key) + ":";
    if constexpr (Described<Value>) {
      text += "\n" + section_text(value, full, indent + "  ");
    } else if constexpr (std::is_enum_v<Value>) {
      text += " " + std::string(enum_name(value)) + "\n";
    } else {
      text += " " + value_text(value) + "\n";
    }
  });
  return text;
}

/// Adds the dotted paths of the used fields in which `section` differs from `base`.
template <Described Section>
void add_differences(const Section& base, const Section& section, const std::string& path,
                     std::vector<std::string>* paths) {
  Description<Section>::fields([&](const auto& field) {
    if (field.unused_by != nullptr && !field.unused_by(section).empty()) return;
    const auto& value = section.*field.member;
    using Value = std::remove_cvref_t<decltype(value)>;
    const std::string field_path = path + "." + std::string(field.key);
    if constexpr (Described<Value>) {
      add_differences(base.*field.member, value, field_path, paths);
    } else {
      if (base.*field.member != value) paths->push_back(field_path);
    }
  });
}

/// The flattened experiment: plain fields, shared sections, then evaluators and variants by name.
std::string experiment_text(const ExperimentConfig& config, bool full);

}  // namespace bitnet
