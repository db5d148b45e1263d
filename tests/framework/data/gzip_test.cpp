#include "framework/data/gzip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/random.h"

namespace bitnet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kMost = 1 << 20;

std::string gzip(const std::string& content) {
  std::string packed(content.size() + 1000, '\0');
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string gunzip_error(std::string_view bytes, int64_t most_bytes = kMost) {
  try {
    gunzip(bytes, "some.gz", most_bytes);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Gzip, UnpacksWhatWasPacked) {
  Random random(1);
  for (const size_t size : {0, 1, 1000, 65535, 65536, 65537, 400000}) {
    std::string content;
    while (content.size() < size) content += static_cast<char>(random.below(size % 2 == 0 ? 256 : 3));
    EXPECT_TRUE(gunzip(gzip(content), "some.gz", kMost) == content) << size;
  }
}

TEST(Gzip, MembersBehindEachOtherAreOneContent) {
  EXPECT_EQ(gunzip(gzip("one ") + gzip("") + gzip("two"), "some.gz", kMost), "one two");
}

TEST(Gzip, EveryCutIsAnError) {
  const std::string whole = gzip("a text of some length, a text of some length, and more of it\n");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(gunzip_error(whole.substr(0, size)), AllOf(StartsWith("some.gz: "), HasSubstr("must be a whole gzip")));
  }
  EXPECT_THAT(gunzip_error(whole.substr(0, whole.size() / 2)), HasSubstr("it is cut short"));
}

TEST(Gzip, EveryFlippedBitIsFoundOrChangesNothing) {
  const std::string content = "a text of some length, a text of some length, and more of it\n";
  const std::string whole = gzip(content);
  int refused = 0;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    try {
      EXPECT_EQ(gunzip(damaged, "some.gz", kMost), content) << bit;  // time stamp, system: not part of the content
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(whole.size() * 8) / 2);
}

TEST(Gzip, BytesBehindTheEndAreAnError) {
  EXPECT_THAT(gunzip_error(gzip("text") + "x"), HasSubstr("must be a whole gzip file"));
  EXPECT_THAT(gunzip_error("no gzip file at all"), HasSubstr("it is damaged"));
}

TEST(Gzip, ABombIsStoppedAtTheLimit) {
  const std::string bomb = gzip(std::string(8 << 20, 'x'));
  EXPECT_LT(bomb.size(), 100000u);
  EXPECT_THAT(gunzip_error(bomb), AllOf(HasSubstr("at most 1048576 bytes"), HasSubstr("unpacks to more")));
  EXPECT_EQ(gunzip_error(gzip(std::string(1000, 'x')), 1000), "no error");
  EXPECT_THAT(gunzip_error(gzip(std::string(1001, 'x')), 1000), HasSubstr("unpacks to more"));
}

TEST(Gzip, HumanEvalUnpacksAndItsHalfDoesNot) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "needs BITNET_DATA_MIRROR";
  const std::string bytes = read_file(std::filesystem::path(mirror) / "human-eval" / "HumanEval.jsonl.gz");
  EXPECT_EQ(gunzip(bytes, "HumanEval.jsonl.gz", kMost).size(), 214438u);
  EXPECT_THAT(gunzip_error(bytes.substr(0, bytes.size() / 2)), HasSubstr("it is cut short"));
}

}  // namespace
}  // namespace bitnet
