#include <gtest/gtest.h>

#include "framework/core/file.h"
#include "framework/data/sentencepiece_train.h"
#include "framework/data/tokenizer.h"
#include "tests/framework/data/tokenizer_support.h"

namespace bitnet {
namespace {

constexpr const char* kSplits[] = {"wikitext-2/train.reordered.txt",
                                   "wikitext-2/valid.txt",
                                   "wikitext-2/test.txt",
                                   "wikitext-2-raw/wiki.train.first50articles.raw",
                                   "wikitext-2-raw/wiki.valid.raw",
                                   "wikitext-2-raw/wiki.test.raw"};

// Every line of every split, tokenized and raw, gives the ids that spm_encode gives; whole texts survive.
void expect_equal_on_all_splits(const std::filesystem::path& mirror, const std::filesystem::path& model) {
  const auto tokenizer = read_sentencepiece(model);
  for (const char* split : kSplits) {
    SCOPED_TRACE(split);
    const std::string text = read_file(mirror / split);
    const std::vector<std::string> lines = test::split_lines(text);
    const std::vector<std::string> expected = test::spm_encode(model, lines);
    ASSERT_EQ(expected.size(), lines.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      ASSERT_EQ(test::id_line(tokenizer->encode(lines[i])), expected[i]) << "line " << i + 1;
    }
    ASSERT_TRUE(tokenizer->decode(tokenizer->encode(text)) == text);
  }
}

class SentencePieceOnWikiText2 : public testing::Test {
 protected:
  void SetUp() override {
    const char* mirror = std::getenv("BITNET_DATA_MIRROR");
    if (mirror == nullptr) GTEST_SKIP() << "needs BITNET_DATA_MIRROR";
    if (!test::has_sentencepiece_tools()) GTEST_SKIP() << "needs the package sentencepiece";
    mirror_ = mirror;
  }
  std::filesystem::path mirror_;
};

TEST_F(SentencePieceOnWikiText2, AVocabularyOfTheTrainingSplitEqualsSpmEncode) {
  const test::ScratchFolder folder;
  const std::string text = read_file(mirror_ / kSplits[0]);
  const std::string bytes = train_sentencepiece(text, TokenizerConfig{});
  EXPECT_TRUE(train_sentencepiece(text, TokenizerConfig{}) == bytes) << "training is not deterministic";
  test::write_plain(folder / "m.model", bytes);
  expect_equal_on_all_splits(mirror_, folder / "m.model");
}

TEST_F(SentencePieceOnWikiText2, Llama2EqualsSpmEncode) {
  expect_equal_on_all_splits(mirror_, mirror_ / "tokenizers" / "llama2" / "tokenizer.model");
}

}  // namespace
}  // namespace bitnet
