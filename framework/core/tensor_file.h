#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "framework/core/safetensors.h"

namespace bitnet {

/// A file of named tensors with text metadata that this project wrote, in the safetensors format (safetensors.h), so
/// that Python reads it too. The metadata entry `sha256` holds the digest of everything else: the
/// other metadata, the names, types, shapes and all data, so that a flipped bit anywhere is found. Source:
/// https://github.com/huggingface/safetensors, "Format".
class TensorFile {
 public:
  /// Maps the file, checks the header, every offset, and the digest. Errors: DataError that names the file, what is
  /// wrong (truncated, not of this format, digest differs) and what to do.
  explicit TensorFile(const std::filesystem::path& path);
  ~TensorFile();
  TensorFile(TensorFile&&) noexcept;

  const std::map<std::string, std::string>& metadata() const;
  const std::map<std::string, TensorView>& tensors() const;
  /// Errors: DataError where the name is missing.
  const TensorView& at(std::string_view name) const;
  /// Takes the file's pages out of this process's resident memory (MappedFile::release_pages).
  void release_pages() const;
  /// Errors: DataError where the key is missing.
  const std::string& metadata_at(const std::string& key) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes such a file atomically (write_file_atomic); adds the metadata entry `sha256`.
void write_tensor_file(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                       const std::map<std::string, TensorView>& tensors);

}  // namespace bitnet
