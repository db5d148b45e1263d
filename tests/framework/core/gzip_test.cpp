#include "framework/core/gzip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "framework/core/error.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;

std::string gzipped(const std::string& content) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string error_of(const std::string& bytes, int64_t most = 1 << 20) {
  try {
    gunzip(bytes, "file.gz", most);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Gunzip, GivesTheContentOfOneOrMoreMembers) {
  std::string content;
  for (int i = 0; i < 50'000; ++i) content += std::to_string(i) + "\n";
  for (const std::string& text : {std::string(), std::string("a"), content}) {
    EXPECT_TRUE(is_gzip(gzipped(text)));
    EXPECT_EQ(gunzip(gzipped(text), "file.gz", 1 << 20), text);
  }
  EXPECT_EQ(gunzip(gzipped("one ") + gzipped("") + gzipped("two"), "file.gz", 7), "one two");
  EXPECT_FALSE(is_gzip("PK"));
  EXPECT_FALSE(is_gzip(""));
}

TEST(Gunzip, RefusesEveryCut) {
  const std::string packed = gzipped("some text, long enough for a few bytes, some text, long enough");
  for (size_t size = 0; size < packed.size(); ++size) {
    EXPECT_THAT(error_of(packed.substr(0, size)), HasSubstr("cut short")) << size;
  }
}

TEST(Gunzip, RefusesDamageWhatFollowsAndTooMuch) {
  const std::string packed = gzipped("some text");
  std::string wrong_checksum = packed;
  wrong_checksum[packed.size() - 5] ^= 1;
  EXPECT_THAT(error_of(wrong_checksum), HasSubstr("it is damaged"));
  EXPECT_THAT(error_of("no gzip file at all"),
              HasSubstr("file.gz: the file must be a whole gzip file, but it is damaged"));
  EXPECT_THAT(error_of(packed + "trailing"), HasSubstr("it is damaged"));
  EXPECT_THAT(error_of(packed, 8), HasSubstr("must be at most 8 bytes unpacked, but it holds more"));
  EXPECT_EQ(error_of(packed, 9), "no error");
}

}  // namespace
}  // namespace bitnet
