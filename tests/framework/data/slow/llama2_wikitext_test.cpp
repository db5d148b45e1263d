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

// The rows of the data set are the lines with their newlines, an empty one being a lone " \n" in the file; GPTQ joins
// them by two newlines.
std::string joined_rows(const std::string& text) {
  std::string joined;
  for (const std::string& line : test::split_lines(text)) {
    if (!joined.empty()) joined += "\n\n";
    joined += line == " " ? "" : line + "\n";
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

}  // namespace
}  // namespace bitnet
