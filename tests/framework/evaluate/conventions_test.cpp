#include "framework/evaluate/conventions.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "tests/framework/evaluate/fakes.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int32_t> counted_ids(int64_t count) {
  std::vector<int32_t> ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(JoinRows, KeepsNewlinesAndEmptiesBlankLines) {
  EXPECT_EQ(join_rows(""), "");
  EXPECT_EQ(join_rows("one"), "one");
  EXPECT_EQ(join_rows("one\n"), "one\n");
  EXPECT_EQ(join_rows("one\ntwo\n"), "one\n\n\ntwo\n");
  // The start of WikiText's test split: rows "", " = A = \n", "", " b \n".
  EXPECT_EQ(join_rows(" \n = A = \n \n b \n"), "\n\n = A = \n\n\n\n\n b \n");
  EXPECT_EQ(join_rows("a\n\n\nb"), "a\n\n\n\n\n\n\nb");
}

TEST(JoinRows, TakesWhiteSpaceForWhatPythonTakesItFor) {
  EXPECT_EQ(join_rows("a\n\t \x1c\xc2\xa0\xe3\x80\x80\nb"), "a\n\n\n\n\nb");
  EXPECT_EQ(join_rows("\xe2\x80\x8b\nb"), "\xe2\x80\x8b\n\n\nb");  // the zero-width space is none
}

TEST(FixedWindows, DoNotOverlapAndDropTheTail) {
  const std::vector<ScoreRequest> windows = fixed_windows(counted_ids(11), 4);
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_THAT(windows[0].tokens, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(windows[1].tokens, ElementsAre(4, 5, 6, 7));
  EXPECT_EQ(windows[0].scored_from, 1);
  EXPECT_EQ(windows[1].scored_from, 1);
  EXPECT_EQ(fixed_windows(counted_ids(12), 4).size(), 3u);
  EXPECT_THAT(fixed_windows(counted_ids(3), 4), IsEmpty());
}

// The published test vector of lm-evaluation-harness: 34 tokens, max_seq_len 10, context_len 1, prefix -100. Its
// windows are (inputs, predictions); the request is the inputs and the last prediction.
TEST(RollingWindows, EqualThoseOfLmEval) {
  const std::vector<ScoreRequest> windows = rolling_windows(counted_ids(34), -100, 10);
  ASSERT_EQ(windows.size(), 4u);
  EXPECT_THAT(windows[0].tokens, ElementsAre(-100, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(windows[1].tokens, ElementsAre(9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19));
  EXPECT_THAT(windows[2].tokens, ElementsAre(19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29));
  EXPECT_THAT(windows[3].tokens, ElementsAre(23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33));
  EXPECT_EQ(windows[0].scored_from, 1);
  EXPECT_EQ(windows[1].scored_from, 1);
  EXPECT_EQ(windows[2].scored_from, 1);
  EXPECT_EQ(windows[3].scored_from, 7);  // the first prediction is 30
}

TEST(RollingWindows, ScoreEveryTokenExactlyOnce) {
  for (const int64_t length : {1, 2, 3, 4, 7, 16}) {
    for (int64_t count = 0; count <= 70; ++count) {
      std::vector<int32_t> scored;
      for (const ScoreRequest& window : rolling_windows(counted_ids(count), -1, length)) {
        ASSERT_LE(static_cast<int64_t>(window.tokens.size()), length + 1);
        ASSERT_GE(window.scored_from, 1);
        ASSERT_LT(window.scored_from, static_cast<int64_t>(window.tokens.size()));
        scored.insert(scored.end(), window.tokens.begin() + window.scored_from, window.tokens.end());
        // What comes before the first scored token is what comes before it in the text; before the text, the prefix.
        for (size_t i = 1; i < window.tokens.size(); ++i) ASSERT_EQ(window.tokens[i], window.tokens[i - 1] + 1);
      }
      EXPECT_EQ(scored, counted_ids(count)) << "length " << length << ", " << count << " tokens";
    }
  }
}

TEST(TextLines, LeaveOutBlankOnes) {
  EXPECT_THAT(text_lines(""), IsEmpty());
  EXPECT_THAT(text_lines(" \n = A = \n\n b \n\t\n c"), ElementsAre(" = A = ", " b ", " c"));
}

using Lines = std::vector<std::vector<int32_t>>;

std::vector<std::vector<int32_t>> tokens_of(const std::vector<PackedWindow>& windows) {
  std::vector<std::vector<int32_t>> tokens;
  for (const PackedWindow& window : windows) {
    EXPECT_EQ(window.request.scored_from, 1);
    tokens.push_back(window.request.tokens);
  }
  return tokens;
}

TEST(PackedWindows, TakeWholeLinesInTheirOrder) {
  const Lines lines = {{1, 2}, {3, 4, 5}, {6}, {7, 8, 9, 10, 11, 12, 13}, {14, 15}};
  const auto windows = packed_windows(lines, 0, 6);
  EXPECT_THAT(tokens_of(windows), ElementsAre(ElementsAre(0, 1, 2, 3, 4, 5), ElementsAre(0, 6, 14, 15)));
  EXPECT_THAT(windows[0].lines, ElementsAre(0, 1));
  EXPECT_THAT(windows[1].lines, ElementsAre(2, 4));  // the line of seven does not fit into six
  EXPECT_THAT(packed_windows(Lines{}, 0, 6), IsEmpty());
  EXPECT_THAT(packed_windows(Lines{{1, 2, 3}}, 0, 2), IsEmpty());
}

// get_test_dataset tests a line alone against the length, BOS not counted, and the open window only at its end.
TEST(PackedWindows, HoldOneTokenMoreThanTheLengthWhereTheReferenceDoes) {
  EXPECT_THAT(tokens_of(packed_windows(Lines{{1}, {2, 3, 4}, {5}}, 0, 3)),
              ElementsAre(ElementsAre(0, 1), ElementsAre(0, 2, 3, 4), ElementsAre(0, 5)));
  EXPECT_THAT(tokens_of(packed_windows(Lines{{1, 2, 3}, {4}}, 0, 3)),
              ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(0, 4)));
  EXPECT_THAT(tokens_of(packed_windows(Lines{{1}, {2, 3, 4}}, 0, 3)), ElementsAre(ElementsAre(0, 1)));
}

// The guide's loop by hand: 10 tokens, windows of 4, stride 2.
TEST(SlidingWindows, ScoreOnlyNewTokensAndWeighThemAsTheGuideDoes) {
  const auto windows = sliding_windows(counted_ids(10), 4, 2);
  ASSERT_EQ(windows.size(), 4u);
  EXPECT_THAT(windows[0].request.tokens, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(windows[1].request.tokens, ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(windows[3].request.tokens, ElementsAre(6, 7, 8, 9));
  EXPECT_EQ(windows[0].request.scored_from, 1);
  EXPECT_EQ(windows[0].weight, 3);  // 4 new tokens, 3 of them predicted
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(windows[i].request.scored_from, 2);
    EXPECT_EQ(windows[i].weight, 1);  // 2 new tokens, both predicted, counted as one
    EXPECT_EQ(windows[i].begin, static_cast<int64_t>(2 * i));
  }
}

TEST(SlidingWindows, EndWithTheTextAndLeaveOutALastWindowOfWeightZero) {
  const auto short_last = sliding_windows(counted_ids(9), 4, 3);
  // [0..4) [3..7) and [6..9) with the two new tokens 7 and 8.
  ASSERT_EQ(short_last.size(), 3u);
  EXPECT_THAT(short_last[2].request.tokens, ElementsAre(6, 7, 8));
  EXPECT_EQ(short_last[2].request.scored_from, 1);
  EXPECT_EQ(short_last[2].weight, 1);
  EXPECT_EQ(sliding_windows(counted_ids(8), 4, 3).size(), 2u);  // one new token: (1 - 1) times its loss
  const auto apart = sliding_windows(counted_ids(8), 4, 4);     // no overlap: as fixed_windows
  ASSERT_EQ(apart.size(), 2u);
  EXPECT_THAT(apart[1].request.tokens, ElementsAre(4, 5, 6, 7));
  EXPECT_EQ(apart[1].request.scored_from, 1);
  EXPECT_EQ(apart[1].weight, 3);
  EXPECT_EQ(sliding_windows(counted_ids(3), 4, 2).size(), 1u);
  EXPECT_THAT(sliding_windows(counted_ids(1), 4, 2), IsEmpty());
  EXPECT_THAT(sliding_windows(counted_ids(0), 4, 2), IsEmpty());
}

TEST(SlidingWindows, ScoreEveryTokenButTheFirstAtMostOnce) {
  for (int64_t length = 2; length <= 6; ++length) {
    for (int64_t stride = 2; stride <= length; ++stride) {
      for (int64_t count = 0; count <= 30; ++count) {
        int64_t next = 1;
        for (const SlidingWindow& window : sliding_windows(counted_ids(count), length, stride)) {
          const auto& tokens = window.request.tokens;
          ASSERT_LE(static_cast<int64_t>(tokens.size()), length);
          const int64_t first = tokens.at(static_cast<size_t>(window.request.scored_from));
          ASSERT_GE(first, next);
          ASSERT_LE(first, next + (stride == length ? 1 : 0));  // without overlap a window's first token is lost
          next = tokens.back() + 1;
        }
        ASSERT_GE(next, count - 1);
      }
    }
  }
}

TEST(HalfScoredWindows, OverwriteTheFirstTokenAndScoreTheSecondHalf) {
  const auto windows = half_scored_windows(counted_ids(20), 99, 8);
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_THAT(windows[0].tokens, ElementsAre(99, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(windows[1].tokens, ElementsAre(99, 9, 10, 11, 12, 13, 14, 15));
  EXPECT_EQ(windows[0].scored_from, 5);  // the logits 4 to 6 predict the tokens 5 to 7
  EXPECT_THAT(half_scored_windows(counted_ids(8), std::nullopt, 8)[0].tokens, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(half_scored_windows(counted_ids(512), 0, 512)[0].scored_from, 512 - 255);
  EXPECT_EQ(half_scored_windows(counted_ids(7), 0, 7)[0].scored_from, 4);  // first = 3: the logits 3 to 5
}

TEST(TokenBytes, CountTheSpaceThatTheDecoderTakesAwayOnceOnly) {
  const testing::PieceTokenizer tokenizer;
  const std::vector<int32_t> ids = tokenizer.encode("the the cats\xc3\xa9 the");
  ASSERT_THAT(ids, ElementsAre(2, 2, 3, 4, 5, 6, 2));
  EXPECT_THAT(token_bytes(tokenizer, ids), ElementsAre(3, 4, 4, 1, 1, 1, 4));
  EXPECT_THAT(token_bytes(tokenizer, tokenizer.encode("")), IsEmpty());
  // The text begins with a space of its own: the first piece is the added one and stands for nothing.
  EXPECT_THAT(token_bytes(tokenizer, tokenizer.encode(" the")), ElementsAre(0, 4));
}

TEST(TokenBytes, RefuseATokenizerWhosePiecesDoNotAddUp) {
  struct Collapsing : testing::PieceTokenizer {
    std::string decode(std::span<const int32_t> ids) const override {
      return ids.size() > 3 ? "one" : testing::PieceTokenizer::decode(ids);
    }
  };
  const Collapsing tokenizer;
  EXPECT_THROW(token_bytes(tokenizer, tokenizer.encode("the cats the cats")), DataError);
}

// A vocabulary that strips every space at the start of a text, and whose first piece here is such a space alone.
TEST(TokenBytes, AddUpWhereTheFirstPieceStandsForNothing) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const auto tokenizer = read_sentencepiece(std::filesystem::path(mirror) / "checkpoints/stories260K/tok512.model");
  const std::string text = "Zoe is here. She likes Mira.\nMira is big.";
  const std::vector<int32_t> ids = tokenizer->encode(text);
  ASSERT_EQ(tokenizer->decode(std::span(ids).first(1)), "");
  const std::vector<int64_t> bytes = token_bytes(*tokenizer, ids);
  EXPECT_EQ(std::accumulate(bytes.begin(), bytes.end(), int64_t{0}), static_cast<int64_t>(text.size()));
}

// Counts that users of GPTQ's evaluation know: with the vocabulary of Llama 2 and BOS, WikiText-2's raw test split is
// 341,469 tokens, which are 166 windows of 2,048.
TEST(JoinRows, GiveLlama2sKnownTokenCountOfWikitext2) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const std::filesystem::path root = mirror;
  const auto tokenizer = read_sentencepiece(root / "tokenizers/llama2/tokenizer.model");
  const std::string stored = read_file(root / "wikitext-2-raw/wiki.test.raw");
  std::vector<int32_t> ids = tokenizer->encode(join_rows(stored));
  const std::vector<int64_t> bytes = token_bytes(*tokenizer, ids);
  EXPECT_EQ(std::accumulate(bytes.begin(), bytes.end(), int64_t{0}), static_cast<int64_t>(join_rows(stored).size()));
  ids.insert(ids.begin(), tokenizer->bos_id());
  EXPECT_EQ(ids.size(), 341469u);
  EXPECT_EQ(fixed_windows(ids, 2048).size(), 166u);
}

}  // namespace
}  // namespace bitnet
