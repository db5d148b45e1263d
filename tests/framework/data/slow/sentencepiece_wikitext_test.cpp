#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "framework/core/file.h"
#include "framework/data/sentencepiece_train.h"
#include "framework/data/tokenizer.h"
#include "tests/framework/data/tokenizer_support.h"

namespace bitnet {
namespace {

constexpr const char* kTrainingSplit = "wikitext-2/train.reordered.txt";
constexpr const char* kOtherSplits[] = {"wikitext-2/valid.txt", "wikitext-2/test.txt", "wikitext-2-raw/wiki.valid.raw",
                                        "wikitext-2-raw/wiki.test.raw"};
// The raw training split, or the part of it that a mirror without it may hold.
constexpr const char* kRawTrainingSplits[] = {"wikitext-2-raw/wiki.train.raw",
                                              "wikitext-2-raw/wiki.train.first50articles.raw"};

// Every split, tokenized and raw, but the raw training split only as far as the mirror holds it; says so where it is
// left out.
std::vector<std::string> splits_of(const std::filesystem::path& mirror) {
  std::vector<std::string> splits = {kTrainingSplit};
  splits.insert(splits.end(), std::begin(kOtherSplits), std::end(kOtherSplits));
  const auto* const found = std::find_if(std::begin(kRawTrainingSplits), std::end(kRawTrainingSplits),
                                         [&](const char* name) { return std::filesystem::exists(mirror / name); });
  const bool is_held = found != std::end(kRawTrainingSplits);
  if (is_held) splits.emplace_back(*found);
  ::testing::Test::RecordProperty("raw_training_split", is_held ? *found : "left out");
  if (!is_held) std::cout << "left out: " << kRawTrainingSplits[0] << ", which the mirror does not hold\n";
  return splits;
}

// Every line of these splits gives the ids that spm_encode gives; whole texts survive.
void expect_equal_on_all_splits(const std::filesystem::path& mirror, const std::filesystem::path& model) {
  const auto tokenizer = read_sentencepiece(model);
  for (const std::string& split : splits_of(mirror)) {
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

class SentencePieceOnWikiText2 : public ::testing::Test {
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
  const testing::TemporaryFolder folder;
  const std::string text = read_file(mirror_ / kTrainingSplit);
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
