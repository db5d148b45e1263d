#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/data/sentencepiece_train.h"
#include "framework/data/tokenizer.h"
#include "tests/framework/data/tokenizer_support.h"

namespace bitnet {
namespace {

using test::Alphabet;

// Text that has all the random lines' characters, so that merges and rare characters both occur.
std::string training_text() { return test::join_lines(test::random_lines(99, 3000, Alphabet::kValid)); }

std::filesystem::path train_small(const testing::TemporaryFolder& folder, const std::string& options) {
  test::write_plain(folder / "text", training_text());
  EXPECT_EQ(test::run_in(folder.path(),
                         "spm_train --input=text --model_prefix=m --model_type=bpe --vocab_size=420 " + options),
            0);
  return folder / "m.model";
}

void expect_equal_ids(const std::filesystem::path& model, const std::vector<std::string>& lines) {
  const auto tokenizer = read_sentencepiece(model);
  const std::vector<std::string> expected = test::spm_encode(model, lines);
  ASSERT_EQ(expected.size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    ASSERT_EQ(test::id_line(tokenizer->encode(lines[i])), expected[i]) << "line " << i << ": " << lines[i];
  }
}

// Decoding gives raw bytes where the library would put U+FFFD, so ids that were encoded are compared.
void expect_equal_text(const std::filesystem::path& model, const std::vector<std::string>& lines) {
  const auto tokenizer = read_sentencepiece(model);
  std::vector<std::string> ids;
  for (const std::string& line : lines) ids.push_back(test::id_line(tokenizer->encode(line)));
  const std::vector<std::string> expected = test::spm_decode(model, ids);
  ASSERT_EQ(expected.size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    ASSERT_EQ(tokenizer->decode(tokenizer->encode(lines[i])), expected[i]) << "line " << i << ": " << lines[i];
  }
}

class SentencePieceOptions : public ::testing::TestWithParam<const char*> {};

TEST_P(SentencePieceOptions, EncodesAndDecodesAsTheProgramsDo) {
  if (!test::has_sentencepiece_tools()) GTEST_SKIP() << "needs the package sentencepiece";
  const testing::TemporaryFolder folder;
  const std::filesystem::path model = train_small(folder, GetParam());
  expect_equal_ids(model, test::random_lines(1, 2000, Alphabet::kAnyBytes));
  expect_equal_text(model, test::random_lines(2, 1000, Alphabet::kValidAndSpaceMark));
}

INSTANTIATE_TEST_SUITE_P(
    All, SentencePieceOptions,
    ::testing::Values(
        "", "--byte_fallback=true --normalization_rule_name=identity --remove_extra_whitespaces=false",
        "--byte_fallback=true --user_defined_symbols='[sep],<unk>s,ss,the' --unk_piece='<x>' --split_digits=true",
        "--treat_whitespace_as_suffix=true --normalization_rule_name=nfkc_cf",
        "--normalization_rule_name=identity --remove_extra_whitespaces=false "
        "--allow_whitespace_only_pieces=true --user_defined_symbols=sep --split_by_whitespace=false"));

class TrainedSentencePiece : public ::testing::Test {
 protected:
  // Trained once for all tests: a training takes a third of a second.
  static void SetUpTestSuite() {
    if (!test::has_sentencepiece_tools()) return;
    config_.kind = TokenizerKind::kSentencepiece;
    config_.vocab_size = 420;
    trained_ = new std::string(train_sentencepiece(training_text(), config_));
  }
  static void TearDownTestSuite() {
    delete trained_;
    trained_ = nullptr;
  }
  void SetUp() override {
    if (trained_ == nullptr) GTEST_SKIP() << "needs the package sentencepiece";
    model_ = folder_ / "m.model";
    test::write_plain(model_, *trained_);
  }
  static inline TokenizerConfig config_;
  static inline std::string* trained_ = nullptr;
  testing::TemporaryFolder folder_;
  std::filesystem::path model_;
};

TEST_F(TrainedSentencePiece, EncodesAsSpmEncode) {
  expect_equal_ids(model_, test::random_lines(1, 2000, Alphabet::kValid));
}

TEST_F(TrainedSentencePiece, EveryTextSurvives) {
  const auto tokenizer = read_sentencepiece(model_);
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string text = test::random_line(random, Alphabet::kAnyBytes) + "\n" + std::string(1, '\0') + " ";
    for (uint64_t n = random.below(8); n > 0; --n) text += static_cast<char>(random.below(256));
    ASSERT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
  EXPECT_TRUE(tokenizer->encode("").empty());
}

TEST_F(TrainedSentencePiece, ANewlineIsOneToken) {
  const auto tokenizer = read_sentencepiece(model_);
  EXPECT_EQ(tokenizer->encode("\n\n"), (std::vector<int32_t>{13, 13}));  // ids 3 to 258 are the bytes, 3 + 10 is '\n'
}

TEST_F(TrainedSentencePiece, TheNameOfASpecialPieceIsOrdinaryText) {
  const auto tokenizer = read_sentencepiece(model_);
  for (const std::string text : {"<unk>", "<s>", "</s>", "<0x0A>", "<|unknown|>"}) {
    const std::vector<int32_t> ids = tokenizer->encode(text);
    for (const int32_t id : ids) EXPECT_GT(id, 2) << text;
    EXPECT_EQ(tokenizer->decode(ids), text);
  }
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{tokenizer->bos_id(), tokenizer->eos_id()}), "");
  EXPECT_EQ(tokenizer->bos_id(), 1);
  EXPECT_EQ(tokenizer->eos_id(), 2);
  EXPECT_EQ(tokenizer->vocab_size(), 420);
  EXPECT_EQ(tokenizer->name(), "sentencepiece-420");
}

TEST_F(TrainedSentencePiece, TextWithoutASpaceIsEncodedWithoutSlowingDown) {
  const auto tokenizer = read_sentencepiece(model_);
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "theing";
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
}

TEST_F(TrainedSentencePiece, TrainingTwiceGivesTheSameBytes) {
  EXPECT_EQ(train_sentencepiece(training_text(), config_), read_file(model_));
}

TEST_F(TrainedSentencePiece, ASpaceIsAPieceEvenWhereTheTextHasNone) {
  std::string text;
  Random random(11);
  for (int i = 0; i < 2000; ++i) text += i % 40 == 39 ? '\n' : "abcdefgh"[random.below(8)];
  TokenizerConfig config = config_;
  config.vocab_size = 280;
  test::write_plain(model_, train_sentencepiece(text, config));
  const auto tokenizer = read_sentencepiece(model_);
  EXPECT_EQ(tokenizer->encode(" ").size(), 1u);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(" a \xE2\x96\x81")), " a \xE2\x96\x81");
}

TEST_F(TrainedSentencePiece, DifferentVocabulariesHaveDifferentFingerprints) {
  const std::string first = read_sentencepiece(model_)->fingerprint();
  EXPECT_EQ(first, read_sentencepiece(model_)->fingerprint());
  TokenizerConfig config = config_;
  config.vocab_size = 421;
  test::write_plain(model_, train_sentencepiece(training_text(), config));
  EXPECT_NE(first, read_sentencepiece(model_)->fingerprint());
}

TEST_F(TrainedSentencePiece, RefusesIdsOutsideTheVocabulary) {
  const auto tokenizer = read_sentencepiece(model_);
  EXPECT_THROW(tokenizer->decode(std::vector<int32_t>{420}), DataError);
  EXPECT_THROW(tokenizer->decode(std::vector<int32_t>{-1}), DataError);
}

TEST_F(TrainedSentencePiece, AnImpossibleVocabularyIsAnErrorWithTheProgramsLastLines) {
  TokenizerConfig config = config_;
  config.vocab_size = 100000;
  try {
    train_sentencepiece("a small text\nof two lines\n", config);
    FAIL() << "trained";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith("tokenizer: spm_train must end with exit code 0, but ended with "));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("tokenizer.vocab_size"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("bpe_model_trainer.cc"));
  }
}

TEST(SentencePiece, AMissingTrainerIsAnErrorThatNamesThePackage) {
  const testing::TemporaryFolder folder;
  const testing::ScopedVariable path("PATH", folder.path().string());
  try {
    train_sentencepiece("text", TokenizerConfig{});
    FAIL() << "trained";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("Install the package 'sentencepiece'"));
  }
}

TEST(OpenTokenizer, TrainsOnceAndKeepsTheVocabulary) {
  if (!test::has_sentencepiece_tools()) GTEST_SKIP() << "needs the package sentencepiece";
  const testing::TemporaryFolder folder;
  const testing::ScopedVariable cache("BITNET_CACHE", folder.path().string());
  const test::TextDataset dataset({training_text()});
  TokenizerConfig config;
  config.kind = TokenizerKind::kSentencepiece;
  config.vocab_size = 400;
  test::RecordingReporter first, second, other;
  const auto tokenizer = open_tokenizer(config, dataset, first);
  EXPECT_EQ(tokenizer->vocab_size(), 400);
  EXPECT_EQ(first.messages.size(), 2u);
  EXPECT_EQ(open_tokenizer(config, dataset, second)->fingerprint(), tokenizer->fingerprint());
  EXPECT_TRUE(second.messages.empty());
  config.vocab_size = 401;
  EXPECT_EQ(open_tokenizer(config, dataset, other)->vocab_size(), 401);
  EXPECT_EQ(other.messages.size(), 2u);
}

TEST(OpenTokenizer, OpensTheByteTokenizerAndNamedModels) {
  const test::TextDataset dataset({"text"});
  ProgressReporter silent;
  TokenizerConfig config;
  EXPECT_EQ(open_tokenizer(config, dataset, silent)->name(), "byte");
  config.kind = TokenizerKind::kSentencepiece;
  config.model = "no/such/file.model";
  EXPECT_THROW(open_tokenizer(config, dataset, silent), DataError);
}

// The file holds texts and, line by line, the ids that Llama-2 gives them.
TEST(SentencePiece, ReproducesTheLlama2Vectors) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "needs BITNET_DATA_MIRROR";
  const std::filesystem::path folder = std::filesystem::path(mirror) / "tokenizers" / "llama2";
  const auto tokenizer = read_sentencepiece(folder / "tokenizer.model");
  EXPECT_EQ(tokenizer->vocab_size(), 32000);
  test::expect_vectors(*tokenizer, folder / "ggml-vocab-llama-spm.gguf");
}

TEST(SentencePiece, EqualsSpmEncodeOnWikiText2Validation) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "needs BITNET_DATA_MIRROR";
  if (!test::has_sentencepiece_tools()) GTEST_SKIP() << "needs the package sentencepiece";
  // A third of the split; the slow tests take all of all splits.
  const std::string text = read_file(std::filesystem::path(mirror) / "wikitext-2" / "valid.txt").substr(0, 400000);
  const testing::TemporaryFolder folder;
  TokenizerConfig config;
  config.vocab_size = 2048;
  test::write_plain(folder / "m.model", train_sentencepiece(text, config));
  expect_equal_ids(folder / "m.model", test::split_lines(text));
  const auto tokenizer = read_sentencepiece(folder / "m.model");
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
}

}  // namespace
}  // namespace bitnet
