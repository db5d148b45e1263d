#include "framework/data/tokenizer_json_fields.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/core/error.h"

namespace bitnet {

using nlohmann::json;

std::string describe_json(const json& value) {
  constexpr size_t kMostBytes = 60;
  switch (value.type()) {
    case json::value_t::null:
      return "missing";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "a list";
    case json::value_t::string:
      return "'" + value.get<std::string>().substr(0, kMostBytes) + "'";
    default:
      return value.dump();
  }
}

JsonObject::JsonObject(const json& value, std::string place) : value_(value), place_(std::move(place)) {
  if (!value.is_object()) {
    throw DataError(place_ + " must be an object, but is " + describe_json(value) +
                    ". Copy or download the file again.");
  }
}

void JsonObject::fail(const std::string& name, const std::string& expected, const std::string& found) const {
  throw DataError(place_ + ": " + name + " must be " + expected + ", but is " + found +
                  ". Copy or download the file again.");
}

void JsonObject::fail_unsupported(const std::string& name, const std::string& expected,
                                  const std::string& found) const {
  throw DataError(place_ + ": " + name + " must be " + expected + ", but is " + found +
                  ", which is not supported. Use the model's SentencePiece file, if it has one.");
}

const json* JsonObject::find(const std::string& name) const {
  const auto found = value_.find(name);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

const json& JsonObject::at(const std::string& name) const {
  const json* const found = find(name);
  if (found == nullptr) fail(name, "given", "missing");
  return *found;
}

std::string JsonObject::text(const std::string& name) const {
  const json& value = at(name);
  if (!value.is_string()) fail(name, "a text", describe_json(value));
  return value.get<std::string>();
}

std::string JsonObject::text_or(const std::string& name, const std::string& otherwise) const {
  return find(name) == nullptr ? otherwise : text(name);
}

bool JsonObject::flag_or(const std::string& name, bool otherwise) const {
  const json* const value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) fail(name, "true or false", describe_json(*value));
  return value->get<bool>();
}

int64_t JsonObject::number_or(const std::string& name, int64_t otherwise) const {
  const json* const value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_number_unsigned() || value->get<uint64_t>() > INT32_MAX) {
    fail(name, "a whole number from 0 to " + std::to_string(INT32_MAX), describe_json(*value));
  }
  return value->get<int64_t>();
}

int32_t JsonObject::id(const std::string& name) const {
  at(name);
  return static_cast<int32_t>(number_or(name, 0));
}

void JsonObject::allow_only(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : value_.items()) {
    if (std::ranges::find(names, name) == names.end()) {
      fail_unsupported("a field", "a known one", "'" + name.substr(0, 60) + "' (" + describe_json(value) + ")");
    }
  }
}

}  // namespace bitnet
