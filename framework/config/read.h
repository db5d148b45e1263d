#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "framework/config/describe.h"
#include "framework/config/document.h"
#include "framework/config/enum_names.h"
#include "framework/config/values.h"

namespace bitnet {

template <typename T>
inline constexpr bool kIsText = std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<std::string>>;

/// Reads a section from a map: every key known, every value legal, mandatory keys there, no key that another key makes
/// unused (unless a lower layer gave it, which the other key then overrode). `more_keys` are known but not read here.
/// False where problems were added.
template <Described Section>
bool read_section(const Node& node, const std::string& path, Section* section, Problems* problems,
                  const std::vector<std::string_view>& more_keys = {}) {
  const size_t problems_before = problems->count();
  if (node.kind != Node::Kind::kMap) {
    problems->add(node.place,
                  (path.empty() ? "file" : path) + " must be a map of keys and values, but is " + node.shown() + ".");
    return false;
  }
  std::vector<std::string_view> keys;
  Description<Section>::fields([&](const auto& field) {
    keys.push_back(field.key);
    const Entry* const entry = node.find(field.key);
    if (entry == nullptr) {
      if (field.required) problems->add(node.place, join_path(path, field.key) + " must be given, but is missing.");
      return;
    }
    auto* const value = &(section->*field.member);
    using Value = std::remove_pointer_t<decltype(value)>;
    if constexpr (Described<Value>) {
      read_section(entry->value, entry->path, value, problems);
    } else if constexpr (std::is_enum_v<Value>) {
      const size_t index = read_choice(entry->value, entry->path, enum_names<Value>(), problems);
      if (index < EnumNames<Value>::kNames.size()) *value = EnumNames<Value>::kNames[index].second;
    } else if constexpr (std::is_same_v<Value, bool>) {
      read_value(entry->value, entry->path, value, problems);
    } else if constexpr (kIsText<Value>) {
      read_value(entry->value, entry->path, field.text, value, problems);
    } else {
      read_value(entry->value, entry->path, field.range, value, problems);
    }
  });
  keys.insert(keys.end(), more_keys.begin(), more_keys.end());
  for (const Entry& entry : node.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    const std::string near = suggestion(entry.key, keys);
    problems->add(entry.place, entry.path + " must be a known key, but is unknown." +
                                   (near.empty() ? " Known here: " + listed(keys) + "." : near));
  }
  if (problems->count() > problems_before) return false;

  Description<Section>::fields([&](const auto& field) {
    if (field.unused_by == nullptr) return;
    const Entry* const entry = node.find(field.key);
    const std::string_view decider = field.unused_by(*section);
    if (entry == nullptr || decider.empty()) return;
    const Entry* const decision = node.find(decider);
    if (decision != nullptr && decision->place.layer > entry->place.layer) return;
    problems->add(entry->place, entry->path + " must be left out where " + std::string(decider) + " is " +
                                    (decision == nullptr ? "its default" : decision->value.shown()) +
                                    ", but is given.");
  });
  return problems->count() == problems_before;
}

}  // namespace bitnet
