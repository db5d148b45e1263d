#include "framework/core/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/strict_json.h"

namespace bitnet {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;
// The limit of the safetensors library. A header beyond it is a damaged length.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::string_view kMetadataKey = "__metadata__";

[[noreturn]] void fail_damaged(const std::string& where, const std::string& thing, const std::string& expected,
                               const std::string& found) {
  throw DataError(where + ": " + thing + " must be " + expected + ", but is " + found +
                  ". The file is truncated, damaged or of another format: make or fetch it again.");
}

std::string_view find_header(std::span<const std::byte> bytes, const std::string& where) {
  if (bytes.size() < kLengthBytes) {
    fail_damaged(where, "file", "at least 8 bytes long", std::to_string(bytes.size()) + " bytes long");
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<uint64_t>(bytes[i]) << (8 * i);
  const uint64_t most = std::min<uint64_t>(kMaxHeaderBytes, bytes.size() - kLengthBytes);
  if (length > most) {
    fail_damaged(where, "header length", "at most " + std::to_string(most) + " bytes", std::to_string(length));
  }
  return {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, static_cast<size_t>(length)};
}

std::map<std::string, std::string> read_metadata(const json& header, const std::string& where) {
  std::map<std::string, std::string> metadata;
  const auto entry = header.find(kMetadataKey);
  if (entry == header.end()) return metadata;
  if (!entry->is_object()) fail_damaged(where, std::string(kMetadataKey), "an object", "something else");
  for (const auto& [key, value] : entry->items()) {
    if (!value.is_string()) fail_damaged(where, "metadata '" + key + "'", "text", "something else");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

bool read_integers(const json& value, std::vector<int64_t>* numbers) {
  if (!value.is_array()) return false;
  for (const json& number : value) {
    if (!number.is_number_unsigned() || number.get<uint64_t>() > INT64_MAX) return false;
    numbers->push_back(number.get<int64_t>());
  }
  return true;
}

/// One tensor's entry; `begin` receives where it begins in the data.
TensorView read_entry(const json& value, const std::string& thing, std::span<const std::byte> data,
                      const std::string& where, uint64_t* begin) {
  TensorView view;
  std::vector<int64_t> offsets;
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value["dtype"].is_string() ||
      !value.contains("shape") || !read_integers(value["shape"], &view.shape) || !value.contains("data_offsets") ||
      !read_integers(value["data_offsets"], &offsets) || offsets.size() != 2) {
    fail_damaged(where, thing, "described by dtype, shape and data_offsets", "described otherwise");
  }
  view.dtype = value["dtype"].get<std::string>();
  *begin = static_cast<uint64_t>(offsets[0]);
  const auto end = static_cast<uint64_t>(offsets[1]);
  uint64_t bytes = 0;
  if (!tensor_bytes(view.dtype, view.shape, &bytes)) {
    fail_damaged(where, thing, "of a known type and size", "of type '" + view.dtype + "' or too large");
  }
  if (*begin > end || end - *begin != bytes || end > data.size()) {
    fail_damaged(where, thing, std::to_string(bytes) + " bytes of the data's " + std::to_string(data.size()),
                 "at " + std::to_string(*begin) + " to " + std::to_string(end));
  }
  view.bytes = data.subspan(*begin, bytes);
  return view;
}

std::map<std::string, TensorView> read_tensors(const json& header, std::span<const std::byte> data,
                                               const std::string& where) {
  std::map<std::string, TensorView> tensors;
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadataKey) continue;
    uint64_t begin = 0;
    const TensorView& view =
        tensors.emplace(name, read_entry(value, "tensor '" + name + "'", data, where, &begin)).first->second;
    ranges.emplace_back(begin, begin + view.bytes.size());
  }
  std::sort(ranges.begin(), ranges.end());
  uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != covered) fail_damaged(where, "data", "without gaps or overlaps", "not at " + std::to_string(begin));
    covered = end;
  }
  if (covered != data.size()) {
    fail_damaged(where, "data", std::to_string(covered) + " bytes long", std::to_string(data.size()));
  }
  return tensors;
}

}  // namespace

uint64_t element_bytes(std::string_view dtype) {
  if (dtype == "I64" || dtype == "F64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "F16" || dtype == "BF16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

bool tensor_bytes(std::string_view dtype, const std::vector<int64_t>& shape, uint64_t* bytes) {
  *bytes = element_bytes(dtype);
  if (*bytes == 0) return false;
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(*bytes, static_cast<uint64_t>(size), bytes)) return false;
  }
  return *bytes <= INT64_MAX;
}

std::string shown_type(std::string_view dtype, const std::vector<int64_t>& shape) {
  std::string text = std::string(dtype) + " [";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

Safetensors read_safetensors(std::span<const std::byte> bytes, const std::string& where) {
  Safetensors content;
  content.header = find_header(bytes, where);
  const json header = parse_strict_json(content.header, where, "header");
  if (!header.is_object()) fail_damaged(where, "header", "a JSON object", "something else");
  content.metadata = read_metadata(header, where);
  content.tensors = read_tensors(header, bytes.subspan(kLengthBytes + content.header.size()), where);
  return content;
}

}  // namespace bitnet
