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
template <typename T>
inline constexpr bool kIsList = std::is_same_v<T, std::vector<int64_t>> || std::is_same_v<T, std::vector<std::string>>;

template <typename Section, typename Value>
const auto& rule_of(const Field<Section, Value>& field) {
  if constexpr (kIsText<Value>) {
    return field.text;
  } else {
    return field.range;
  }
}

/// Reads a section from a map: every key known, every value legal, mandatory keys there, no key that another key makes
/// unused (unless a lower layer gave it, which the other key then overrode). `more_keys` are known but not read here.
/// Gives the keys whose values are not known because of a mistake; a misspelt key hides the key that it resembles.
template <Described Section>
UnknownKeys read_section(const Node& node, const std::string& path, Section* section, Problems* problems,
                         const std::vector<std::string_view>& more_keys = {}) {
  UnknownKeys unknown;
  if (node.kind != Node::Kind::kMap) {
    unknown.add_all();
    if (node.unknown) return unknown;
    problems->add(node.place,
                  (path.empty() ? "file" : path) + " must be a map of keys and values, but is " + node.shown() + ".");
    return unknown;
  }
  std::vector<std::string_view> keys;
  Description<Section>::fields([&](const auto& field) {
    keys.push_back(field.key);
    const std::string key(field.key);
    const Entry* const entry = node.find(field.key);
    if (entry == nullptr) {
      if (node.unknown) unknown.add(key);
      return;
    }
    auto* const value = &(section->*field.member);
    using Value = std::remove_pointer_t<decltype(value)>;
    if constexpr (Described<Value>) {
      unknown.add_within(key, read_section(entry->value, entry->path, value, problems));
    } else if (entry->value.unknown) {
      unknown.add(key);
    } else if constexpr (std::is_enum_v<Value>) {
      const size_t index = read_choice(entry->value, entry->path, enum_names<Value>(), problems);
      if (index < EnumNames<Value>::kNames.size()) {
        *value = EnumNames<Value>::kNames[index].second;
      } else {
        unknown.add(key);
      }
    } else if constexpr (std::is_same_v<Value, bool>) {
      if (!read_value(entry->value, entry->path, value, problems)) unknown.add(key);
    } else if constexpr (kIsList<Value>) {
      std::vector<size_t> wrong_items;
      const bool all_read = read_value(entry->value, entry->path, rule_of(field), value, &wrong_items, problems);
      for (const size_t i : wrong_items) unknown.add(key + "[" + std::to_string(i) + "]");
      if (!all_read && wrong_items.empty()) unknown.add(key);
    } else {
      if (!read_value(entry->value, entry->path, rule_of(field), value, problems)) unknown.add(key);
    }
  });
  keys.insert(keys.end(), more_keys.begin(), more_keys.end());
  for (const Entry& entry : node.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    const std::string_view near = nearest_name(entry.key, keys);
    if (!near.empty()) unknown.add(std::string(near));
    problems->add(entry.place, entry.path + " must be a known key, but is unknown." +
                                   (near.empty() ? " Known here: " + listed(keys) + "." : suggestion(entry.key, keys)));
  }

  Description<Section>::fields([&](const auto& field) {
    const Entry* const entry = node.find(field.key);
    if (field.required && entry == nullptr && !unknown.has(field.key)) {
      problems->add(node.place, join_path(path, field.key) + " must be given, but is missing.");
    }
    if (field.unused_by == nullptr) return;
    const std::string_view decider = field.unused_by(*section);
    if (entry == nullptr || decider.empty() || unknown.has(decider)) return;
    const Entry* const decision = node.find(decider);
    if (decision != nullptr && decision->place.layer > entry->place.layer) return;
    problems->add(entry->place, entry->path + " must be left out where " + std::string(decider) + " is " +
                                    (decision == nullptr ? "its default" : decision->value.shown()) +
                                    ", but is given.");
  });
  return unknown;
}

}  // namespace bitnet
