#include "framework/data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "framework/core/error.h"

namespace bitnet {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;

[[noreturn]] void fail(const std::string& where, const std::string& found) {
  throw DataError(where + ": the file must be a whole gzip file, but " + found + ". Remove it and fetch it again.");
}

struct Inflater {
  explicit Inflater(const std::string& where) {
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) fail(where, "zlib could not start");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream stream = {};
};

}  // namespace

std::string gunzip(std::string_view bytes, const std::string& where, int64_t most_bytes) {
  if (bytes.empty()) fail(where, "it is empty");
  Inflater inflater(where);
  z_stream& stream = inflater.stream;
  std::string content;
  std::array<char, 1 << 16> buffer;
  bool is_at_end = false;  // of a member
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  size_t behind = bytes.size();  // bytes that zlib has not been given yet
  while (!is_at_end || stream.avail_in > 0 || behind > 0) {
    if (stream.avail_in == 0) {
      stream.avail_in = static_cast<uInt>(std::min<size_t>(behind, std::numeric_limits<uInt>::max()));
      behind -= stream.avail_in;
    }
    if (is_at_end) inflateReset(&stream);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_BUF_ERROR) fail(where, "it is cut short");
    if (status != Z_OK && status != Z_STREAM_END) fail(where, "it is damaged");
    is_at_end = status == Z_STREAM_END;
    const size_t count = buffer.size() - stream.avail_out;
    if (content.size() + count > static_cast<uint64_t>(most_bytes)) {
      throw DataError(where + ": the file must unpack to at most " + std::to_string(most_bytes) +
                      " bytes, but unpacks to more. It is damaged or not the file that is meant: fetch it again.");
    }
    content.append(buffer.data(), count);
  }
  return content;
}

}  // namespace bitnet
