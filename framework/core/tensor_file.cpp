#include "framework/core/tensor_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"

namespace bitnet {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;
constexpr std::string_view kMetadataKey = "__metadata__";
constexpr std::string_view kDigestKey = "sha256";
constexpr size_t kDigestDigits = 64;
/// Data that is digested at once; then its pages go, or a whole file would count as this process's memory.
constexpr size_t kDigestPiece = size_t{64} << 20;

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

/// Takes the stored digest out of the metadata.
std::string take_digest(std::map<std::string, std::string>& metadata, const std::filesystem::path& path) {
  const auto entry = metadata.find(std::string(kDigestKey));
  const std::string digest = entry == metadata.end() ? "" : entry->second;
  if (digest.size() != kDigestDigits) {
    fail_damaged(path, "entry 'sha256' of " + std::string(kMetadataKey), "a digest of 64 digits",
                 digest.empty() ? "missing" : "something else");
  }
  metadata.erase(entry);
  return digest;
}

}  // namespace

struct TensorFile::State {
  std::filesystem::path path;
  MappedFile file;
  Safetensors content;

  explicit State(const std::filesystem::path& file_path)
      : path(file_path), file(file_path), content(read_safetensors(file.bytes(), path.string())) {}
};

TensorFile::TensorFile(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {
  const std::string header(state_->content.header);
  const std::string stored = take_digest(state_->content.metadata, path);
  const size_t digest_at = find_digest(header, stored);
  if (digest_at == std::string::npos) fail_damaged(path, "metadata 'sha256'", "written as such", "spelt otherwise");
  FileDigest digest(header, digest_at);
  for (auto data = state_->file.bytes().subspan(kLengthBytes + header.size()); !data.empty();) {
    const size_t piece = std::min(kDigestPiece, data.size());
    digest.add(data.first(piece));
    data = data.subspan(piece);
    if (!data.empty()) state_->file.release_pages();
  }
  const std::string actual = digest.hex();
  if (actual != stored) fail_damaged(path, "SHA-256", stored, actual);
}

TensorFile::~TensorFile() = default;
TensorFile::TensorFile(TensorFile&&) noexcept = default;

const std::map<std::string, std::string>& TensorFile::metadata() const { return state_->content.metadata; }
const std::map<std::string, TensorView>& TensorFile::tensors() const { return state_->content.tensors; }

void TensorFile::release_pages() const { state_->file.release_pages(); }

const TensorView& TensorFile::at(std::string_view name) const {
  const auto found = state_->content.tensors.find(std::string(name));
  if (found != state_->content.tensors.end()) return found->second;
  throw DataError(state_->path.string() + ": tensor '" + std::string(name) +
                  "' must be in the file, but is missing. The file was written for something else.");
}

const std::string& TensorFile::metadata_at(const std::string& key) const {
  const auto found = state_->content.metadata.find(key);
  if (found != state_->content.metadata.end()) return found->second;
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
