#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace bitnet {

/// Incremental SHA-256 (FIPS 180-4, by OpenSSL).
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(const void* bytes, size_t count);
  void update(std::string_view text) { update(text.data(), text.size()); }
  /// The digest as 64 lowercase hexadecimal digits. Call once, last.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// SHA-256 of a text, as 64 lowercase hexadecimal digits.
std::string sha256_hex(std::string_view text);

/// SHA-256 of a file's bytes, as 64 lowercase hexadecimal digits. Errors: DataError where the file can not be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace bitnet
