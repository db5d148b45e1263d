#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "framework/core/error.h"
#include "framework/data/tokenizer.h"

namespace bitnet {
namespace {

TEST(ByteTokenizer, KeepsEveryByte) {
  std::string text;
  for (int byte = 0; byte < 256; ++byte) text += static_cast<char>(byte);
  const auto tokenizer = make_byte_tokenizer();
  const std::vector<int32_t> ids = tokenizer->encode(text);
  ASSERT_EQ(ids.size(), 256u);
  for (int byte = 0; byte < 256; ++byte) EXPECT_EQ(ids[static_cast<size_t>(byte)], byte);
  EXPECT_EQ(tokenizer->decode(ids), text);
}

TEST(ByteTokenizer, ControlIdsDecodeToNothing) {
  const auto tokenizer = make_byte_tokenizer();
  EXPECT_EQ(tokenizer->bos_id(), 256);
  EXPECT_EQ(tokenizer->eos_id(), 257);
  EXPECT_EQ(tokenizer->vocab_size(), 258);
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{256, 'a', 257, 'b'}), "ab");
}

TEST(ByteTokenizer, RefusesIdsOutsideTheVocabulary) {
  const auto tokenizer = make_byte_tokenizer();
  for (const int32_t id : {-1, 258}) {
    try {
      tokenizer->decode(std::vector<int32_t>{id});
      FAIL() << id << " was accepted";
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("must be 0 to 257, but is " + std::to_string(id)));
    }
  }
}

}  // namespace
}  // namespace bitnet
