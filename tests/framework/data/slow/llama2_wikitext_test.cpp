#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "framework/core/file.h"
#include "framework/data/tokenizer.h"
#include "tests/framework/data/tokenizer_support.h"

namespace bitnet {
namespace {

class Llama2OnWikiText2 : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* mirror = std::getenv("BITNET_DATA_MIRROR");
    if (mirror == nullptr) GTEST_SKIP() << "needs BITNET_DATA_MIRROR";
    const std::filesystem::path folder = std::filesystem::path(mirror) / "tokenizers" / "llama2";
    sentencepiece_ = read_sentencepiece(folder / "tokenizer.model");
    huggingface_ = read_tokenizer_json(folder / "tinyllama.tokenizer.json");
    text_ = read_file(std::filesystem::path(mirror) / "wikitext-2-raw" / "wiki.test.raw");
  }
  std::unique_ptr<Tokenizer> sentencepiece_, huggingface_;
  std::string text_;
};

// Joins the rows by two newlines, as GPTQ does. A row is a line with its newline; a blank line's row is empty.
std::string joined_rows(const std::string& text) {
  std::string joined, separator;
  for (const std::string& line : test::split_lines(text)) {
    joined += separator + (line == " " ? "" : line + "\n");
    separator = "\n\n";
  }
  return joined;
}

TEST_F(Llama2OnWikiText2, BothFilesGiveTheSameIds) {
  for (const std::string& text : {text_, joined_rows(text_)}) {
    const std::vector<int32_t> ids = sentencepiece_->encode(text);
    EXPECT_TRUE(huggingface_->encode(text) == ids);
    EXPECT_TRUE(huggingface_->decode(ids) == text);
  }
  for (const std::string& line : test::split_lines(text_)) {
    ASSERT_EQ(huggingface_->encode(line), sentencepiece_->encode(line)) << line;
  }
}

// 341,469 ids are what the literature's figures rest on: 166 windows of 2,048. 655 chunks of 512 are llama.cpp's.
TEST_F(Llama2OnWikiText2, TheTestSplitHasThePublishedNumbersOfWindowsAndChunks) {
  EXPECT_EQ(1 + huggingface_->encode(joined_rows(text_)).size(), 341469u);
  EXPECT_EQ((1 + huggingface_->encode(text_).size()) / 512, 655u);
}

}  // namespace
}  // namespace bitnet
