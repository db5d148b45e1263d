#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "framework/core/progress.h"

namespace bitnet {

/// What a download must be.
struct Download {
  std::string url;
  std::filesystem::path destination;
  int64_t bytes = 0;   ///< 0: what the server says
  std::string sha256;  ///< empty: any
};

/// Downloads a file. The bytes go to `<destination>.part`, which a later call (or,
/// after a broken connection, this one) continues where it ends; only a whole file of the right digest gets the
/// destination's name, by an atomic rename. Servers that ignore the request for the rest start anew. Certificates are
/// verified. Units: progress in bytes. Errors: DataError that names the address and the reason: no connection, HTTP
/// status, wrong size or digest (the part is then removed), connection broken (the part is kept), another process
/// downloads the same file, folder not writable, or a server
/// that does not say how long the file is where that is not known.
void download_file(const Download& wanted, ProgressReporter& progress);

}  // namespace bitnet
