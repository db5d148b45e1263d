#include "framework/core/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "framework/core/error.h"

namespace bitnet {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& expected, const std::string& found) {
  throw DataError(where + ": the file must be " + expected + ", but " + found + ". Remove it and fetch it again.");
}

/// zlib's state of one member after the other.
class Inflater {
 public:
  explicit Inflater(const std::string& where) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) fail(where, "unpacked", "zlib could not be started");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

std::string gunzip(std::string_view bytes, const std::string& where, int64_t most_bytes) {
  Inflater inflater(where);
  z_stream& stream = inflater.stream();
  std::string content;
  std::array<char, 1 << 16> buffer;
  bool ended = false;
  size_t given = 0;
  while (!ended || given - stream.avail_in < bytes.size()) {
    if (ended && inflateReset(&stream) != Z_OK) fail(where, "a whole gzip file", "a member could not be started");
    if (stream.avail_in == 0) {
      const size_t count = std::min<size_t>(bytes.size() - given, std::numeric_limits<uInt>::max());
      // zlib reads only, but its interface is older than const.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + given));
      stream.avail_in = static_cast<uInt>(count);
      given += count;
    }
    if (stream.avail_in == 0) fail(where, "a whole gzip file", "it is cut short");
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      fail(where, "a whole gzip file", std::string("it is damaged (") + (stream.msg ? stream.msg : "checksum") + ")");
    }
    const size_t count = buffer.size() - stream.avail_out;
    if (static_cast<int64_t>(content.size() + count) > most_bytes) {
      fail(where, "at most " + std::to_string(most_bytes) + " bytes unpacked", "it holds more");
    }
    content.append(buffer.data(), count);
    ended = status == Z_STREAM_END;
  }
  return content;
}

}  // namespace bitnet
