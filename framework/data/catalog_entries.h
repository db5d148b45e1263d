#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "framework/data/catalog.h"

namespace bitnet {

/// One file of a folder of the catalog.
struct CatalogFile {
  const char* name;         ///< behind the folder's
  const char* description;  ///< empty: the folder's
  int64_t bytes;
  const char* sha256;       ///< empty: not known
  const char* mirror_path;  ///< relative to the mirror's root
  const char* source;       ///< behind the folder's address
};

/// Appends an entry for each of `files`, under the name `folder`/name and the address `address` + source.
void add_catalog_folder(std::vector<CatalogEntry>& entries, const std::string& folder, const std::string& description,
                        const std::string& license, const std::string& address,
                        std::initializer_list<CatalogFile> files);

/// The parts of the catalog; each appends its entries.
void add_benchmark_entries(std::vector<CatalogEntry>& entries);
void add_model_entries(std::vector<CatalogEntry>& entries);

}  // namespace bitnet
