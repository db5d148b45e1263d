#include "framework/data/catalog.h"

#include <cstdlib>
#include <optional>
#include <system_error>

#include "framework/config/document.h"
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

// Whether the file is what is expected; an expectation of 0 bytes or of no digest holds for every file.
bool is_whole(const std::filesystem::path& path, int64_t bytes, const std::string& sha256) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error || (bytes > 0 && static_cast<int64_t>(size) != bytes)) return false;
  return sha256.empty() || sha256_file(path) == sha256;
}

bool is_pinned(const CatalogEntry& entry) { return !entry.sha256.empty(); }

// Where the digest of an entry that is not pinned is kept.
std::filesystem::path record_path(const CatalogEntry& entry) { return cached_path(entry).string() + ".sha256"; }

// Keeps the digest of a file that was accepted without one.
void record_first_use(const CatalogEntry& entry, ProgressReporter& progress) {
  if (!expected_sha256(entry).empty()) return;
  const std::string digest = sha256_file(cached_path(entry));
  write_file_atomic(record_path(entry), digest + "\n");
  progress.warning("data: the catalog knows no digest of " + entry.name +
                   ": trusted on first use, from now on only sha256 " + digest + " is accepted");
}

// The entry's path in the mirror; nothing where no mirror is set.
std::optional<std::filesystem::path> mirror_file(const CatalogEntry& entry) {
  const char* root = std::getenv(kMirrorVariable);
  if (root == nullptr || *root == '\0') return std::nullopt;
  return std::filesystem::path(root) / entry.mirror_path;
}

std::string identity(const CatalogEntry& entry) {
  const std::string sha256 = expected_sha256(entry);
  if (sha256.empty()) return "of which no digest is known: whatever comes first is trusted";
  return (entry.bytes > 0 ? std::to_string(entry.bytes) + " bytes, " : "") + "sha256 " + sha256;
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
    return download_any(entry.urls, cached, entry.bytes, expected_sha256(entry), progress);
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

std::vector<const CatalogEntry*> catalog_folder(const std::string& name) {
  std::vector<const CatalogEntry*> entries;
  for (const CatalogEntry& entry : catalog()) {
    if (entry.name.starts_with(name + "/")) entries.push_back(&entry);
  }
  return entries;
}

bool catalog_has(const std::string& name) {
  return find_catalog_entry(name) != nullptr || !catalog_folder(name).empty();
}

std::filesystem::path cached_path(const CatalogEntry& entry) { return cache_folder() / "data" / entry.name; }

std::string expected_sha256(const CatalogEntry& entry) {
  if (is_pinned(entry) || !is_file(record_path(entry))) return entry.sha256;
  const std::string record = read_file(record_path(entry));
  return record.substr(0, record.find('\n'));
}

DataState data_state(const CatalogEntry& entry) {
  const std::string sha256 = expected_sha256(entry);
  if (is_whole(cached_path(entry), entry.bytes, sha256)) return DataState::kCached;
  const auto mirrored = mirror_file(entry);
  return mirrored && is_whole(*mirrored, entry.bytes, sha256) ? DataState::kInMirror : DataState::kAbsent;
}

std::filesystem::path fetch_data(const CatalogEntry& entry, ProgressReporter& progress) {
  const std::filesystem::path cached = cached_path(entry);
  const std::string sha256 = expected_sha256(entry);
  if (is_whole(cached, entry.bytes, sha256)) {
    record_first_use(entry, progress);
    return cached;
  }
  if (is_file(cached)) {
    progress.warning(cached.string() + " is not the file of the catalog (" + identity(entry) + "): replacing it");
  }
  const auto mirrored = mirror_file(entry);
  if (mirrored && is_file(*mirrored)) {
    const MappedFile content(*mirrored);
    if (const std::string found = sha256_hex(content.text()); !sha256.empty() && found != sha256) {
      throw DataError("data: " + mirrored->string() + " must be " + entry.name + " (" + identity(entry) +
                      "), but has " + std::to_string(content.text().size()) + " bytes and sha256 " + found +
                      ". Replace the file in the mirror, or unset " + kMirrorVariable + ".");
    }
    write_file_atomic(cached, content.text());
    record_first_use(entry, progress);
    return cached;
  }
  const std::string reasons = fetch_public(entry, cached, progress);
  if (!reasons.empty()) {
    throw DataError(
        "data: " + entry.name + " must be in the cache, in the mirror or to be downloaded, but is in none (" + reasons +
        "). Put the file (" + identity(entry) + ") at " + cached.string() + ", or at " +
        (mirrored ? mirrored->string() : entry.mirror_path + " in a folder that " + kMirrorVariable + " names") + ".");
  }
  record_first_use(entry, progress);
  return cached;
}

std::filesystem::path fetch_data(const std::string& name, ProgressReporter& progress) {
  if (const CatalogEntry* const entry = find_catalog_entry(name)) return fetch_data(*entry, progress);
  const std::vector<const CatalogEntry*> entries = catalog_folder(name);
  if (entries.empty()) {
    std::vector<std::string_view> names;
    for (const CatalogEntry& known : catalog()) names.push_back(known.name);
    throw ConfigError("data: the name must be one that `bitnet data list` shows, or a folder of these, but is '" +
                      name + "'." + suggestion(name, names));
  }
  for (const CatalogEntry* const entry : entries) fetch_data(*entry, progress);
  return cache_folder() / "data" / name;
}

std::filesystem::path find_data(const std::string& name, const std::string& where, ProgressReporter& progress) {
  if (catalog_has(name)) return fetch_data(name, progress);
  std::error_code error;
  if (std::filesystem::exists(name, error)) return name;
  std::string known;
  for (const CatalogEntry& entry : catalog()) known += (known.empty() ? "" : ", ") + entry.name;
  throw DataError(where + ": the file must be a catalog entry (" + known + ") or an existing file, but is '" + name +
                  "'. Check the name.");
}

}  // namespace bitnet
