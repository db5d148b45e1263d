#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace bitnet {

/// An object of a JSON file with its place in it ("tokenizer.json: pre_tokenizer"): fields are read by type, and every
/// mistake names file, field and what was found.
class JsonObject {
 public:
  /// Errors: DataError where `value` is no object.
  JsonObject(const nlohmann::json& value, std::string place);

  const std::string& place() const { return place_; }
  /// The field, or nullptr where it is missing or null.
  const nlohmann::json* find(const std::string& name) const;
  /// Errors: DataError where the field is missing or null.
  const nlohmann::json& at(const std::string& name) const;
  std::string text(const std::string& name) const;
  /// The value, or `otherwise` where the field is missing or null.
  std::string text_or(const std::string& name, const std::string& otherwise) const;
  bool flag_or(const std::string& name, bool otherwise) const;
  int64_t number_or(const std::string& name, int64_t otherwise) const;
  /// A whole number from 0 to INT32_MAX. Errors: DataError where the field is another.
  int32_t id(const std::string& name) const;
  /// Errors: DataError for a field of another name, which would not be understood.
  void allow_only(std::initializer_list<std::string_view> names) const;

  /// `<place>: <name> must be <expected>, but is <found>. <What to do.>`
  [[noreturn]] void fail(const std::string& name, const std::string& expected, const std::string& found) const;
  /// For what the format knows and this reader does not.
  [[noreturn]] void fail_unsupported(const std::string& name, const std::string& expected,
                                     const std::string& found) const;

 private:
  const nlohmann::json& value_;
  std::string place_;
};

/// "a list", "the text 'abc'", for errors.
std::string describe_json(const nlohmann::json& value);

}  // namespace bitnet
