#pragma once

#include <string_view>

namespace bitnet {

/// The legal numbers of a field.
struct Range {
  double low = 0;
  double high = 0;
  bool low_open = false;   ///< `low` itself is not legal
  bool high_open = false;  ///< `high` itself is not legal
};

/// The legal texts of a field.
struct TextRule {
  std::string_view expected;                    ///< for messages: "a folder name ..."
  bool (*accepts)(std::string_view) = nullptr;  ///< null: any text
};

/// Lowercase letters, digits and hyphens, at most 64, not starting with a hyphen: safe as a folder name and in a path.
bool is_name(std::string_view text);

/// The same, with dots inside (a size, "1.1b"): safe as a folder name.
bool is_folder_name(std::string_view text);

/// One field of a section.
template <typename Section, typename Value>
struct Field {
  std::string_view key;
  Value Section::* member;
  std::string_view help;
  Range range;
  TextRule text;
  bool identity = true;
  bool required = false;
  std::string_view (*unused_by)(const Section&) = nullptr;

  Field in(double low, double high) const {
    return with([&](Field& f) { f.range = {low, high, false, false}; });
  }
  /// Above `low` and at most `high`.
  Field above(double low, double high) const {
    return with([&](Field& f) { f.range = {low, high, true, false}; });
  }
  /// At least `low` and below `high`.
  Field below(double low, double high) const {
    return with([&](Field& f) { f.range = {low, high, false, true}; });
  }
  /// Above `low` and below `high`.
  Field between(double low, double high) const {
    return with([&](Field& f) { f.range = {low, high, true, true}; });
  }
  /// Must be the name of a folder (is_folder_name).
  Field folder_name() const {
    return with([](Field& f) {
      f.text = {"a name of lowercase letters, digits, hyphens and dots inside, at most 64", is_folder_name};
    });
  }
  /// Changes nothing in the results: not in the canonical text.
  Field not_identity() const {
    return with([](Field& f) { f.identity = false; });
  }
  /// Has no default.
  Field mandatory() const {
    return with([](Field& f) { f.required = true; });
  }
  /// `key_of` gives the key whose value makes this field unused, or an empty text where it is used.
  Field unless(std::string_view (*key_of)(const Section&)) const {
    return with([&](Field& f) { f.unused_by = key_of; });
  }

 private:
  template <typename Change>
  Field with(const Change& change) const {
    Field changed = *this;
    change(changed);
    return changed;
  }
};

template <typename Section, typename Value>
Field<Section, Value> field(std::string_view key, Value Section::* member, std::string_view help) {
  return {key, member, help, {}, {}, true, false, nullptr};
}

/// Specialized for every section: `kTitle` and `fields(visit)`, which calls `visit` with each Field in order.
template <typename Section>
struct Description;

template <typename T>
concept Described = requires { Description<T>::kTitle; };

}  // namespace bitnet
