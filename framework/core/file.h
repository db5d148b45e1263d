#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

namespace bitnet {

/// The whole file as bytes. Errors: DataError that names the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Replaces `path` by `bytes` so that a reader, or a kill at any moment, sees the old file or the new one, never a
/// part: writes a sibling temporary file, fsyncs it, renames it, fsyncs the folder. Creates missing parent folders.
/// Errors: DataError with the path and the system's reason (full disk, no permission); the temporary file is removed.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

/// The same for content too large to hold in one string: `write` is called with a sink that appends bytes.
using ByteSink = std::function<void(const void* bytes, size_t count)>;
void write_file_atomic(const std::filesystem::path& path, const std::function<void(const ByteSink&)>& write);

/// A read-only memory mapping of a file. Movable; unmapped on destruction.
class MappedFile {
 public:
  /// Errors: DataError where the file is missing, a directory, or can not be mapped. An empty file maps to an empty
  /// span.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  std::span<const std::byte> bytes() const { return bytes_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  /// Takes the pages read so far out of this process's resident memory; a page touched again comes from the system's
  /// cache or the disk.
  void release_pages() const;

 private:
  std::span<const std::byte> bytes_;
};

/// An exclusive advisory lock (flock) on a file that is created when missing; released on destruction or process death.
class FileLock {
 public:
  /// Errors: DataError where another process holds the lock, with what to do, or where the file can not be created.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Where downloaded data, trained tokenizers and token files are kept: $BITNET_CACHE, else $XDG_CACHE_HOME/bitnet-lab,
/// else $HOME/.cache/bitnet-lab. Errors: ConfigError where none of them is set.
std::filesystem::path cache_folder();

}  // namespace bitnet
