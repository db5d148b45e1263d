#include "framework/core/tensor_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"

namespace bitnet {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;
// The limit of the safetensors library. A header beyond it is a damaged length.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::string_view kMetadataKey = "__metadata__";
constexpr std::string_view kDigestKey = "sha256";
constexpr size_t kDigestDigits = 64;

/// Bytes of one element, 0 for an unknown type.
uint64_t element_bytes(std::string_view dtype) {
  if (dtype == "I64" || dtype == "F64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "F16" || dtype == "BF16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

/// Bytes of a tensor; false where the type is unknown or the size does not fit into 63 bits.
bool tensor_bytes(std::string_view dtype, const std::vector<int64_t>& shape, uint64_t* bytes) {
  *bytes = element_bytes(dtype);
  if (*bytes == 0) return false;
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(*bytes, static_cast<uint64_t>(size), bytes)) return false;
  }
  return *bytes <= INT64_MAX;
}

std::array<char, kLengthBytes> length_bytes(uint64_t length) {
  std::array<char, kLengthBytes> bytes{};
  for (size_t i = 0; i < kLengthBytes; ++i) bytes[i] = static_cast<char>((length >> (8 * i)) & 0xff);
  return bytes;
}

[[noreturn]] void fail_damaged(const std::filesystem::path& path, const std::string& thing, const std::string& expected,
                               const std::string& found) {
  throw DataError(path.string() + ": " + thing + " must be " + expected + ", but is " + found +
                  ". The file is truncated, damaged or of another format: delete it and make it again.");
}

/// Where the digest's digits stand in the header. `header` holds `"sha256":"<digest>"` once, as write_tensor_file wrote
/// it.
size_t find_digest(const std::string& header, const std::string& digest) {
  const std::string entry = "\"" + std::string(kDigestKey) + "\":\"" + digest + "\"";
  const size_t at = header.find(entry);
  if (at == std::string::npos) return at;
  return at + entry.size() - 1 - digest.size();
}

/// The digest of a file: of all its bytes, with zeros in the place of the digest's own digits.
class FileDigest {
 public:
  explicit FileDigest(std::string header, size_t digest_at) {
    header.replace(digest_at, kDigestDigits, kDigestDigits, '0');
    hash_.update(length_bytes(header.size()).data(), kLengthBytes);
    hash_.update(header);
  }
  void add(std::span<const std::byte> data) { hash_.update(data.data(), data.size()); }
  std::string hex() { return hash_.hex(); }

 private:
  Sha256 hash_;
};

/// Parses the header, strictly: JSON in UTF-8, an object, no key twice.
json parse_header(const std::filesystem::path& path, std::string_view text) {
  std::vector<std::set<std::string>> keys_of_open_objects;
  const auto note_keys = [&](int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) {
      keys_of_open_objects.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      keys_of_open_objects.pop_back();
    } else if (event == json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (!keys_of_open_objects.back().insert(key).second) {
        fail_damaged(path, "header", "without duplicate names", "one with '" + key + "' twice");
      }
    }
    return true;
  };
  const json header = json::parse(text.begin(), text.end(), note_keys, /*allow_exceptions=*/false);
  if (!header.is_object()) fail_damaged(path, "header", "a JSON object", "something else");
  return header;
}

bool read_integers(const json& value, std::vector<int64_t>* numbers) {
  if (!value.is_array()) return false;
  for (const json& number : value) {
    if (!number.is_number_unsigned() || number.get<uint64_t>() > INT64_MAX) return false;
    numbers->push_back(number.get<int64_t>());
  }
  return true;
}

}  // namespace

struct TensorFile::State {
  std::filesystem::path path;
  MappedFile file;
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorView> tensors;

  explicit State(const std::filesystem::path& file_path) : path(file_path), file(file_path) {}
  std::string read_header() const;
  std::string read_metadata(const json& header);
  void read_tensors(const json& header, std::span<const std::byte> data);
};

std::string TensorFile::State::read_header() const {
  const auto bytes = file.bytes();
  if (bytes.size() < kLengthBytes) {
    fail_damaged(path, "file", "at least 8 bytes long", std::to_string(bytes.size()) + " bytes long");
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<uint64_t>(bytes[i]) << (8 * i);
  const uint64_t most = std::min<uint64_t>(kMaxHeaderBytes, bytes.size() - kLengthBytes);
  if (length > most) {
    fail_damaged(path, "header length", "at most " + std::to_string(most) + " bytes", std::to_string(length));
  }
  return std::string(file.text().substr(kLengthBytes, length));
}

/// Fills `metadata` and gives the stored digest, which is not kept in it.
std::string TensorFile::State::read_metadata(const json& header) {
  const auto entry = header.find(kMetadataKey);
  if (entry == header.end() || !entry->is_object()) {
    fail_damaged(path, std::string(kMetadataKey), "an object in the header", "missing or something else");
  }
  std::string digest;
  for (const auto& [key, value] : entry->items()) {
    if (!value.is_string()) fail_damaged(path, "metadata '" + key + "'", "text", "something else");
    if (key == kDigestKey) {
      digest = value.get<std::string>();
    } else {
      metadata[key] = value.get<std::string>();
    }
  }
  if (digest.size() != kDigestDigits) {
    fail_damaged(path, "metadata 'sha256'", "a digest of 64 digits", digest.empty() ? "missing" : "something else");
  }
  return digest;
}

void TensorFile::State::read_tensors(const json& header, std::span<const std::byte> data) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadataKey) continue;
    TensorView view;
    std::vector<int64_t> offsets;
    const std::string thing = "tensor '" + name + "'";
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value["dtype"].is_string() ||
        !value.contains("shape") || !read_integers(value["shape"], &view.shape) || !value.contains("data_offsets") ||
        !read_integers(value["data_offsets"], &offsets) || offsets.size() != 2) {
      fail_damaged(path, thing, "described by dtype, shape and data_offsets", "described otherwise");
    }
    view.dtype = value["dtype"].get<std::string>();
    const auto begin = static_cast<uint64_t>(offsets[0]);
    const auto end = static_cast<uint64_t>(offsets[1]);
    uint64_t bytes = 0;
    if (!tensor_bytes(view.dtype, view.shape, &bytes)) {
      fail_damaged(path, thing, "of a known type and size", "of type '" + view.dtype + "' or too large");
    }
    if (begin > end || end - begin != bytes || end > data.size()) {
      fail_damaged(path, thing, std::to_string(bytes) + " bytes of the data's " + std::to_string(data.size()),
                   "at " + std::to_string(begin) + " to " + std::to_string(end));
    }
    view.bytes = data.subspan(begin, bytes);
    tensors.emplace(name, std::move(view));
    ranges.emplace_back(begin, end);
  }
  std::sort(ranges.begin(), ranges.end());
  uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != covered) fail_damaged(path, "data", "without gaps or overlaps", "not at " + std::to_string(begin));
    covered = end;
  }
  if (covered != data.size()) {
    fail_damaged(path, "data", std::to_string(covered) + " bytes long", std::to_string(data.size()));
  }
}

TensorFile::TensorFile(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {
  const std::string text = state_->read_header();
  const json header = parse_header(path, text);
  const auto data = state_->file.bytes().subspan(kLengthBytes + text.size());
  const std::string stored = state_->read_metadata(header);
  const size_t digest_at = find_digest(text, stored);
  if (digest_at == std::string::npos) fail_damaged(path, "metadata 'sha256'", "written as such", "spelt otherwise");
  FileDigest digest(text, digest_at);
  digest.add(data);
  const std::string actual = digest.hex();
  if (actual != stored) fail_damaged(path, "SHA-256", stored, actual);
  state_->read_tensors(header, data);
}

TensorFile::~TensorFile() = default;
TensorFile::TensorFile(TensorFile&&) noexcept = default;

const std::map<std::string, std::string>& TensorFile::metadata() const { return state_->metadata; }
const std::map<std::string, TensorView>& TensorFile::tensors() const { return state_->tensors; }

void TensorFile::release_pages() const { state_->file.release_pages(); }

const TensorView& TensorFile::at(std::string_view name) const {
  const auto found = state_->tensors.find(std::string(name));
  if (found != state_->tensors.end()) return found->second;
  throw DataError(state_->path.string() + ": tensor '" + std::string(name) +
                  "' must be in the file, but is missing. The file was written for something else.");
}

const std::string& TensorFile::metadata_at(const std::string& key) const {
  const auto found = state_->metadata.find(key);
  if (found != state_->metadata.end()) return found->second;
  throw DataError(state_->path.string() + ": metadata '" + key +
                  "' must be in the file, but is missing. The file was written for something else.");
}

void write_tensor_file(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                       const std::map<std::string, TensorView>& tensors) {
  // Wide types first: as the header's length is a multiple of 8, every tensor is then aligned to its elements.
  std::vector<std::pair<std::string_view, const TensorView*>> order;
  for (const auto& [name, view] : tensors) order.emplace_back(name, &view);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return element_bytes(a.second->dtype) > element_bytes(b.second->dtype);
  });

  const std::string no_digest(kDigestDigits, '0');
  json header;
  header[std::string(kMetadataKey)] = metadata;
  header[std::string(kMetadataKey)][std::string(kDigestKey)] = no_digest;
  uint64_t offset = 0;
  for (const auto& [name, view] : order) {
    uint64_t bytes = 0;
    if (name == kMetadataKey || !tensor_bytes(view->dtype, view->shape, &bytes) || bytes != view->bytes.size()) {
      throw Error(ExitCode::kInternal, path.string() + ": tensor '" + std::string(name) +
                                           "' must have the bytes of its type and shape, but has " +
                                           std::to_string(view->bytes.size()) + ".");
    }
    header[std::string(name)] = {
        {"dtype", view->dtype}, {"shape", view->shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception& error) {
    throw DataError(path.string() + ": names and metadata must be UTF-8, but are not (" + error.what() + ").");
  }
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');

  const size_t digest_at = find_digest(text, no_digest);
  FileDigest digest(text, digest_at);
  for (const auto& [name, view] : order) digest.add(view->bytes);
  text.replace(digest_at, kDigestDigits, digest.hex());
  write_file_atomic(path, [&](const ByteSink& sink) {
    sink(length_bytes(text.size()).data(), kLengthBytes);
    sink(text.data(), text.size());
    for (const auto& [name, view] : order) sink(view->bytes.data(), view->bytes.size());
  });
}

}  // namespace bitnet
