#include "framework/core/base64.h"

#include <gtest/gtest.h>

#include <string>

#include "framework/core/error.h"
#include "framework/core/random.h"

namespace bitnet {
namespace {

// RFC 4648, section 10.
TEST(Base64, GivesTheVectorsOfTheStandard) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode(std::string("\0\xff\xfe\xfb", 4)), "AP/++w==");
}

TEST(Base64, PiecesMakeOneTextWithoutPaddingBetweenThem) {
  std::string bytes;
  for (int i = 0; i < (3 << 20) + 4; ++i) bytes += static_cast<char>(i * 31 % 251);
  const std::string text = base64_encode(bytes);
  ASSERT_EQ(text.size(), (bytes.size() + 2) / 3 * 4);
  EXPECT_EQ(text.find('='), text.size() - 2);
  // A group of three bytes stands for itself, wherever it lies.
  EXPECT_EQ(text.substr(0, 4), base64_encode(bytes.substr(0, 3)));
  EXPECT_EQ(text.substr(4 << 20), base64_encode(bytes.substr(3 << 20)));
}

TEST(Base64, EverythingComesBack) {
  Random random(1);
  for (size_t size = 0; size < 300; ++size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(random.below(256));
    EXPECT_EQ(base64_decode(base64_encode(bytes), "test"), bytes);
  }
  const std::string large((3 << 20) + 5, 'x');
  EXPECT_EQ(base64_decode(base64_encode(large), "test"), large);
}

TEST(Base64, OtherTextsAreRefused) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "====", "=", "Zg==Zg==", "Z=g=", "Zm9v\n", " Zm9", "Zm9-", "Zm9_",
                           "Zm\0v", "Zm9vYg==\n", "Z\xC3\xA9="}) {
    EXPECT_THROW(base64_decode(text, "test"), DataError) << text;
  }
}

}  // namespace
}  // namespace bitnet
