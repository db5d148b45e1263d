#include "framework/data/catalog.h"

#include <cstdlib>
#include <optional>
#include <system_error>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/data/download.h"
#include "framework/data/zip.h"

namespace bitnet {
namespace {

constexpr const char* kMirrorVariable = "BITNET_DATA_MIRROR";

bool is_file(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

bool is_whole(const std::filesystem::path& path, int64_t bytes, const std::string& sha256) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return !error && static_cast<int64_t>(size) == bytes && sha256_file(path) == sha256;
}

// The entry's path in the mirror; nothing where no mirror is set.
std::optional<std::filesystem::path> mirror_file(const CatalogEntry& entry) {
  const char* root = std::getenv(kMirrorVariable);
  if (root == nullptr || *root == '\0') return std::nullopt;
  return std::filesystem::path(root) / entry.mirror_path;
}

std::string identity(const CatalogEntry& entry) {
  return std::to_string(entry.bytes) + " bytes, sha256 " + entry.sha256;
}

// Tries the addresses in order; gives the reasons why none of them worked, or nothing.
std::string download_any(const std::vector<std::string>& urls, const std::filesystem::path& destination, int64_t bytes,
                         const std::string& sha256, ProgressReporter& progress) {
  std::string reasons;
  for (const std::string& url : urls) {
    try {
      download_file({url, destination, bytes, sha256}, progress);
      return {};
    } catch (const DataError& error) {
      reasons += (reasons.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  return reasons;
}

// Gets the entry by the network; gives the reasons why it could not, or nothing.
std::string fetch_public(const CatalogEntry& entry, const std::filesystem::path& cached, ProgressReporter& progress) {
  if (entry.archive == nullptr) {
    if (entry.urls.empty()) return "it has no public address";
    return download_any(entry.urls, cached, entry.bytes, entry.sha256, progress);
  }
  const CatalogArchive& archive = *entry.archive;
  const std::filesystem::path packed = cache_folder() / "data" / "archives" / archive.file_name;
  if (!is_whole(packed, archive.bytes, archive.sha256)) {
    std::string reasons = download_any(archive.urls, packed, archive.bytes, archive.sha256, progress);
    if (!reasons.empty()) return reasons;
  }
  const std::string content = read_zip_member(packed, entry.member);
  if (const std::string found = sha256_hex(content); found != entry.sha256) {
    return "its member " + entry.member + " in " + packed.string() + " has sha256 " + found;
  }
  write_file_atomic(cached, content);
  return {};
}

}  // namespace

const CatalogEntry* find_catalog_entry(const std::string& name) {
  for (const CatalogEntry& entry : catalog()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::filesystem::path cached_path(const CatalogEntry& entry) { return cache_folder() / "data" / entry.name; }

DataState data_state(const CatalogEntry& entry) {
  if (is_whole(cached_path(entry), entry.bytes, entry.sha256)) return DataState::kCached;
  const auto mirrored = mirror_file(entry);
  return mirrored && is_whole(*mirrored, entry.bytes, entry.sha256) ? DataState::kInMirror : DataState::kAbsent;
}

std::filesystem::path fetch_data(const CatalogEntry& entry, ProgressReporter& progress) {
  const std::filesystem::path cached = cached_path(entry);
  if (is_whole(cached, entry.bytes, entry.sha256)) return cached;
  if (is_file(cached))
    progress.warning(cached.string() + " is not what the catalog names (" + identity(entry) + "): replacing it");
  const auto mirrored = mirror_file(entry);
  if (mirrored && is_file(*mirrored)) {
    const std::string content = read_file(*mirrored);
    if (const std::string found = sha256_hex(content); found != entry.sha256) {
      throw DataError("data: " + mirrored->string() + " must be " + entry.name + " (" + identity(entry) +
                      "), but has " + std::to_string(content.size()) + " bytes and sha256 " + found +
                      ". Replace the file in the mirror, or unset " + kMirrorVariable + ".");
    }
    write_file_atomic(cached, content);
    return cached;
  }
  const std::string reasons = fetch_public(entry, cached, progress);
  if (!reasons.empty()) {
    throw DataError(
        "data: " + entry.name + " must be in the cache, in the mirror or to be downloaded, but is in none (" + reasons +
        "). Put the file (" + identity(entry) + ") at " + cached.string() + ", or at " +
        (mirrored ? mirrored->string() : entry.mirror_path + " in a folder that " + kMirrorVariable + " names") + ".");
  }
  return cached;
}

std::filesystem::path fetch_data(const std::string& name, ProgressReporter& progress) {
  const CatalogEntry* entry = find_catalog_entry(name);
  if (entry == nullptr) {
    std::string names;
    for (const CatalogEntry& known : catalog()) names += (names.empty() ? "" : ", ") + known.name;
    throw ConfigError("data: the name must be one of " + names + ", but is '" + name + "'. See `bitnet data list`.");
  }
  return fetch_data(*entry, progress);
}

std::filesystem::path find_data(const std::string& name, const std::string& where, ProgressReporter& progress) {
  if (const CatalogEntry* entry = find_catalog_entry(name)) return fetch_data(*entry, progress);
  std::error_code error;
  if (std::filesystem::exists(name, error)) return name;
  std::string known;
  for (const CatalogEntry& entry : catalog()) known += (known.empty() ? "" : ", ") + entry.name;
  throw DataError(where + ": the file must be a catalog entry (" + known + ") or an existing file, but is '" + name +
                  "'. Check the name.");
}

}  // namespace bitnet
