#include "framework/data/sentencepiece_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "framework/core/error.h"
#include "framework/data/tokenizer.h"
#include "tests/framework/data/tokenizer_support.h"

namespace bitnet {
namespace {

using test::MessageWriter;
using test::piece_message;

// <unk> <s> </s>, the 256 byte pieces, then `ordinary` with falling scores.
std::string pieces_message(const std::vector<std::pair<std::string, int>>& ordinary, bool with_bytes = true) {
  MessageWriter model;
  model.bytes(1, piece_message("<unk>", 0, 2));
  model.bytes(1, piece_message("<s>", 0, 3));
  model.bytes(1, piece_message("</s>", 0, 3));
  for (int byte = 0; with_bytes && byte < 256; ++byte) {
    model.bytes(1, piece_message(byte_piece_name(static_cast<uint8_t>(byte)), 0, 6));
  }
  float score = 0;
  for (const auto& [text, type] : ordinary) model.bytes(1, piece_message(text, score -= 1, type));
  return model.text();
}

std::string lossless_normalizer() { return MessageWriter().number(3, 0).number(4, 0).text(); }

// The trainer section stands last and the model's type last in it, so that no part of the file is a whole model.
std::string small_model() {
  return pieces_message({{"ab", 1},
                         {"\xE2\x96\x81"
                          "ab",
                          1},
                         {"\xE2\x96\x81", 1},
                         {"a", 1},
                         {"b", 1},
                         {"[sep]", 4}}) +
         MessageWriter()
             .bytes(3, lossless_normalizer())
             .bytes(2, MessageWriter().number(35, 1).number(3, 2).text())
             .text();
}

std::string model_error(const std::string& bytes) {
  try {
    parse_sentencepiece_model(bytes, "some.model");
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

std::string with_trainer(const std::string& pieces, const MessageWriter& trainer) {
  return pieces + MessageWriter().bytes(2, trainer.text()).text();
}

TEST(SentencePieceModel, ReadsPiecesAndOptions) {
  const SentencePieceModel model = parse_sentencepiece_model(small_model(), "some.model");
  ASSERT_EQ(model.pieces.size(), 3u + 256u + 6u);
  EXPECT_EQ(model.pieces[259].text, "ab");
  EXPECT_EQ(model.pieces[260].score, -2.0f);
  EXPECT_EQ(model.pieces[264].type, PieceType::kUserDefined);
  EXPECT_TRUE(model.byte_fallback);
  EXPECT_FALSE(model.add_dummy_prefix);
  EXPECT_FALSE(model.remove_extra_whitespaces);
  EXPECT_TRUE(model.escape_whitespaces);
}

TEST(SentencePieceModel, EveryTruncationIsAnErrorThatNamesTheFile) {
  const std::string whole = small_model();
  ASSERT_EQ(model_error(whole), "no error");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(model_error(whole.substr(0, size)), ::testing::StartsWith("some.model: "))
        << "cut to " << size << " bytes";
  }
}

TEST(SentencePieceModel, DamagedFilesAreErrorsOrTokenizersThatWork) {
  const testing::TemporaryFolder folder;
  const std::string whole = small_model();
  Random random(7);
  int refused = 0, accepted = 0;
  for (int i = 0; i < 800; ++i) {
    std::string damaged = whole;
    // The options at the end get their share: they are 12 of some 4,700 bytes.
    const uint64_t region = i % 2 == 0 ? damaged.size() : 80;
    for (uint64_t flips = 1 + random.below(3); flips > 0; --flips) {
      damaged[damaged.size() - 1 - random.below(region)] ^= static_cast<char>(1 << random.below(8));
    }
    test::write_plain(folder / "m.model", damaged);
    try {
      const auto tokenizer = read_sentencepiece(folder / "m.model");
      const std::vector<int32_t> ids = tokenizer->encode("ab abab [sep] \xFF\xE2\x96\x81 \n日本");
      for (const int32_t id : ids) ASSERT_TRUE(id >= 0 && id < tokenizer->vocab_size());
      tokenizer->decode(ids);
      ++accepted;
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
  EXPECT_GT(accepted, 50);
}

TEST(SentencePieceModel, NamesWhatItCanNotRead) {
  const std::string pieces = pieces_message({{"a", 1}});
  const auto trainer = [](uint64_t type, uint64_t fallback) {
    return MessageWriter().number(3, type).number(35, fallback);
  };
  EXPECT_EQ(model_error(with_trainer(pieces, trainer(2, 1))), "no error");
  EXPECT_THAT(model_error(with_trainer(pieces, trainer(1, 1))),
              ::testing::HasSubstr("the model's type must be 2 (bpe), but is 1 (unigram)."));
  EXPECT_THAT(model_error(with_trainer(pieces, trainer(9, 1))), ::testing::HasSubstr("but is 9."));
  EXPECT_THAT(model_error(with_trainer(pieces, trainer(2, 0))), ::testing::HasSubstr("though byte_fallback is off"));
  EXPECT_THAT(model_error(with_trainer(pieces_message({{"a", 1}}, false), trainer(2, 1))),
              ::testing::HasSubstr("must have 256 byte pieces, since byte_fallback is on, but has 0"));
  EXPECT_THAT(model_error(with_trainer(pieces_message({{"a", 1}, {"a", 1}}), trainer(2, 1))),
              ::testing::HasSubstr("must be unique, but 'a'"));
  EXPECT_THAT(model_error(with_trainer(pieces_message({{"", 1}}), trainer(2, 1))),
              ::testing::HasSubstr("but is empty"));
  EXPECT_THAT(model_error(with_trainer(pieces_message({{"a", 7}}), trainer(2, 1))),
              ::testing::HasSubstr("must be 1 to 6, but is 7"));
  EXPECT_THAT(model_error(with_trainer(pieces_message({{"b", 2}}), trainer(2, 1))),
              ::testing::HasSubstr("must have one unknown piece, but has 2"));
  EXPECT_THAT(model_error(with_trainer(pieces_message({{"0x41", 6}}), trainer(2, 1))),
              ::testing::HasSubstr("must be named <0x00> to <0xFF>, but is '0x41'"));
  EXPECT_THAT(model_error(with_trainer(pieces, trainer(2, 1).bytes(46, "<bos>"))),
              ::testing::HasSubstr("must have the control piece '<bos>'"));
  EXPECT_THAT(model_error(with_trainer(pieces, trainer(2, 1)) +
                          MessageWriter().bytes(5, MessageWriter().bytes(2, "x").text()).text()),
              ::testing::HasSubstr("denormalizer"));
  EXPECT_THAT(model_error("= WikiText =\n"), ::testing::StartsWith("some.model: "));
  EXPECT_THAT(model_error(""), ::testing::HasSubstr("must hold pieces"));
  EXPECT_THAT(model_error(std::string(11, '\xFF')), ::testing::HasSubstr("numbers of at most 10 bytes"));
}

TEST(SentencePieceModel, ADamagedCharacterMapIsAnError) {
  const testing::TemporaryFolder folder;
  for (const std::string& map : {std::string("abc"), std::string("\xFF\xFF\xFF\xFFzzzz"),
                                 // A trie of one unit whose offset leads outside.
                                 std::string("\x04\0\0\0\0\xFF\xFF\x7F"
                                             "x\0",
                                             10)}) {
    const std::string model =
        pieces_message({{"a", 1}}) + MessageWriter()
                                         .bytes(2, MessageWriter().number(3, 2).number(35, 1).text())
                                         .bytes(3, MessageWriter().bytes(2, map).text())
                                         .text();
    test::write_plain(folder / "m.model", model);
    EXPECT_THROW(read_sentencepiece(folder / "m.model")->encode("a"), DataError);
  }
}

// Pieces of the type "unused" are merged and then fall apart again.
TEST(SentencePieceModel, UnusedPiecesFallApartAsInTheLibrary) {
  if (!test::has_sentencepiece_tools()) GTEST_SKIP() << "needs the package sentencepiece";
  const testing::TemporaryFolder folder;
  const std::string model = with_trainer(pieces_message({{"ab", 5},
                                                         {"bc", 1},
                                                         {"abc", 5},
                                                         {"cab", 1},
                                                         {"abcab", 5},
                                                         {"aa", 5},
                                                         {"aaa", 1},
                                                         {"\xE2\x96\x81"
                                                          "a",
                                                          5},
                                                         {"\xE2\x96\x81"
                                                          "ab",
                                                          1},
                                                         {"a", 1},
                                                         {"b", 1},
                                                         {"c", 1}}),
                                         MessageWriter().number(3, 2).number(35, 1));
  test::write_plain(folder / "m.model", model);
  Random random(3);
  std::vector<std::string> lines;
  for (int i = 0; i < 1000; ++i) {
    std::string line;
    for (uint64_t n = 1 + random.below(20); n > 0; --n) line += "abc "[random.below(4)];
    lines.push_back(line);
  }
  const auto tokenizer = read_sentencepiece(folder / "m.model");
  const std::vector<std::string> expected = test::spm_encode(folder / "m.model", lines);
  ASSERT_EQ(expected.size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i)
    ASSERT_EQ(test::id_line(tokenizer->encode(lines[i])), expected[i]) << lines[i];
}

}  // namespace
}  // namespace bitnet
