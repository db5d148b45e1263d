#include "framework/data/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>

#include "framework/core/error.h"
#include "framework/core/file.h"

namespace bitnet {
namespace {

constexpr std::string_view kEndSignature("PK\5\6", 4);
constexpr std::string_view kDirectorySignature("PK\1\2", 4);
constexpr std::string_view kLocalSignature("PK\3\4", 4);
constexpr size_t kEndBytes = 22;
constexpr size_t kDirectoryBytes = 46;
constexpr size_t kLocalBytes = 30;
constexpr unsigned kEncryptedFlag = 1;
constexpr unsigned kStored = 0;
constexpr unsigned kDeflated = 8;

[[noreturn]] void fail_zip(const std::string& where, const std::string& what) {
  throw DataError(where + ": the file must be a whole zip archive, but " + what + ". Remove it and fetch it again.");
}

class ZipReader {
 public:
  ZipReader(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  std::string member(std::string_view name) const {
    size_t at = number(directory_end() + 16, 4);
    const size_t count = number(directory_end() + 10, 2);
    for (size_t i = 0; i < count; ++i) {
      if (slice(at, 4) != kDirectorySignature) fail_zip(where_, "its directory is damaged");
      const size_t name_bytes = number(at + 28, 2);
      if (slice(at + kDirectoryBytes, name_bytes) == name) return extract(at);
      at += kDirectoryBytes + name_bytes + number(at + 30, 2) + number(at + 32, 2);
    }
    throw DataError(where_ + ": the archive must have a member '" + std::string(name) +
                    "', but has none. Remove it and fetch it again.");
  }

 private:
  std::string_view slice(size_t begin, size_t count) const {
    if (begin > bytes_.size() || count > bytes_.size() - begin) fail_zip(where_, "it is cut short or damaged");
    return bytes_.substr(begin, count);
  }

  // Little-endian number of 2 or 4 bytes.
  size_t number(size_t begin, size_t count) const {
    size_t value = 0;
    const std::string_view digits = slice(begin, count);
    for (size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(digits[i]);
    return value;
  }

  // The record of the directory's end is followed by a comment of at most 65,535 bytes, so search it from the back.
  size_t directory_end() const {
    const size_t at = bytes_.rfind(kEndSignature);
    if (at == std::string_view::npos || bytes_.size() - at < kEndBytes) fail_zip(where_, "it has no directory");
    return at;
  }

  std::string extract(size_t entry) const {
    const size_t flags = number(entry + 8, 2);
    const size_t method = number(entry + 10, 2);
    const size_t crc = number(entry + 16, 4);
    const size_t packed_bytes = number(entry + 20, 4);
    const size_t bytes = number(entry + 24, 4);
    const size_t local = number(entry + 42, 4);
    if (slice(local, 4) != kLocalSignature) fail_zip(where_, "its directory is damaged");
    const std::string_view packed =
        slice(local + kLocalBytes + number(local + 26, 2) + number(local + 28, 2), packed_bytes);
    if ((flags & kEncryptedFlag) != 0 || (method != kStored && method != kDeflated)) {
      fail_zip(where_, "a member is encrypted or packed by method " + std::to_string(method));
    }
    std::string content = method == kStored ? std::string(packed) : inflate_all(packed, bytes);
    const auto found = crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
    if (content.size() != bytes || found != crc) fail_zip(where_, "the checksum of a member differs");
    return content;
  }

  std::string inflate_all(std::string_view packed, size_t bytes) const {
    // Deflate packs at most 1032 : 1; a larger claim is damage, and is not worth the memory.
    if (bytes / 1032 > packed.size() + 1) fail_zip(where_, "a member's size is damaged");
    std::string content(bytes, '\0');
    z_stream stream = {};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail_zip(where_, "zlib could not start");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(content.data());
    stream.avail_out = static_cast<uInt>(content.size());
    const int status = inflate(&stream, Z_FINISH);
    const bool is_whole = status == Z_STREAM_END && stream.total_out == bytes;
    inflateEnd(&stream);
    if (!is_whole) fail_zip(where_, "a member can not be unpacked");
    return content;
  }

  std::string_view bytes_;
  const std::string& where_;
};

}  // namespace

std::string read_zip_member(const std::filesystem::path& archive, std::string_view member) {
  const MappedFile file(archive);
  return read_zip_member(file.text(), archive.string(), member);
}

std::string read_zip_member(std::string_view bytes, const std::string& where, std::string_view member) {
  return ZipReader(bytes, where).member(member);
}

}  // namespace bitnet
