#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "framework/core/progress.h"

namespace bitnet {

/// A zip archive that some entries are members of.
struct CatalogArchive {
  std::string file_name;
  int64_t bytes = 0;
  std::string sha256;
  std::vector<std::string> urls;  ///< tried in order
};

/// One data file that the program can get.
///
/// A name is `<folder>/<file>`, and the files of a folder come to lie in one folder of the cache: a model with its
/// configuration and tokenizer is such a folder.
///
/// An entry whose digest is not known has neither `bytes` nor `sha256`. It is trusted on first use: whatever comes
/// first is taken, with a warning; its digest is recorded in the cache, and from then on nothing else is accepted.
struct CatalogEntry {
  std::string name;         ///< how an experiment refers to it, for example "wikitext-2/train"
  std::string description;  ///< one line
  std::string license;
  int64_t bytes = 0;
  std::string sha256;
  std::string mirror_path;                  ///< relative to the mirror's root
  std::vector<std::string> urls;            ///< tried in order; empty: no public address
  const CatalogArchive* archive = nullptr;  ///< when set, the file is its member `member`, and `urls` is empty
  std::string member;
};

/// All entries, in the order in which they are listed.
std::span<const CatalogEntry> catalog();

/// The entry of that name, or nullptr.
const CatalogEntry* find_catalog_entry(const std::string& name);

/// The entries of the folder of that name, in order; none where there is no such folder.
std::vector<const CatalogEntry*> catalog_folder(const std::string& name);

/// Whether an entry or a folder has that name.
bool catalog_has(const std::string& name);

/// Where an entry's file is to be had without the network.
enum class DataState { kCached, kInMirror, kAbsent };

/// Whether a file of the entry's size and digest is in the cache, or else in the mirror.
DataState data_state(const CatalogEntry& entry);

/// Where the entry's file lies in the cache.
std::filesystem::path cached_path(const CatalogEntry& entry);

/// The digest that the entry's file must have: the catalog's, or the one recorded at first use; empty before that.
std::string expected_sha256(const CatalogEntry& entry);

/// The entry's file: from the cache (its digest is checked each time; a file that differs is replaced), else copied
/// from the mirror, the folder that BITNET_DATA_MIRROR names, else downloaded. Whatever way, it appears whole or not at
/// all. Errors: DataError that says what to put where, or which digest differs.
std::filesystem::path fetch_data(const CatalogEntry& entry, ProgressReporter& progress);

/// The same for the entry of that name; for a folder's name, all its files are fetched, and the folder in the cache
/// that holds them is given. Errors: ConfigError that lists the names where there is none.
std::filesystem::path fetch_data(const std::string& name, ProgressReporter& progress);

/// A file or folder that the configuration names: that of the catalog (fetch_data), or else a path. `where` names what
/// asked for it in errors. Errors: DataError that lists the entries where it is neither.
std::filesystem::path find_data(const std::string& name, const std::string& where, ProgressReporter& progress);

}  // namespace bitnet
