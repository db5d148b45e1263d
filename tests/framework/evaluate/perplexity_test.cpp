#include "framework/evaluate/perplexity.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/data/documents.h"
#include "framework/evaluate/evaluator.h"
#include "tests/framework/evaluate/fakes.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using testing::FakeDataset;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::NoGenerator;
using testing::PieceTokenizer;
using testing::TableScorer;
using testing::UniformScorer;

constexpr int32_t kBos = 256;  // of the byte tokenizer

EvaluatorConfig windows_config(int64_t window, PerplexityText text) {
  EvaluatorConfig config;
  config.convention = PerplexityConvention::kWindows;
  config.window = window;
  config.text = text;
  return config;
}

EvaluatorConfig word_config(bool detokenize) {
  EvaluatorConfig config;
  config.convention = PerplexityConvention::kWord;
  config.detokenize = detokenize;
  return config;
}

Evaluation evaluate_with(const EvaluatorConfig& config, const Dataset& dataset, const Tokenizer& tokenizer,
                         Scorer& scorer) {
  ProgressReporter silent;
  NoGenerator generator;
  return make_evaluator({"perplexity", config}, dataset, tokenizer, {}, silent)
      ->evaluate({scorer, generator, "weights", {}, {}}, silent);
}

std::map<std::string, double> values_of(const Evaluation& evaluation) {
  std::map<std::string, double> values;
  for (const Metric& metric : evaluation.metrics) {
    EXPECT_TRUE(metric.lower_is_better) << metric.name;
    EXPECT_TRUE(values.emplace(metric.name, metric.value).second) << metric.name << " is there twice";
  }
  return values;
}

// BOS a b c | d e f f, and g that fills no window. By the bigram table 0.25 * ((previous + 3 * next) mod 7):
// 0.25 + 1.5 + 0.75 = 2.5 nats, and 1 + 0.25 + 0.5 = 1.75.
TEST(PerplexityWindows, EqualsTheValuesByHand) {
  const FakeDataset dataset({"abcd", "effg"});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(8);
  const Evaluation evaluation = evaluate_with(windows_config(4, PerplexityText::kStored), dataset, *tokenizer, scorer);

  ASSERT_EQ(scorer.requests().size(), 2u);
  EXPECT_THAT(scorer.requests()[0].tokens, ElementsAre(kBos, 'a', 'b', 'c'));
  EXPECT_THAT(scorer.requests()[1].tokens, ElementsAre('d', 'e', 'f', 'f'));
  ASSERT_EQ(evaluation.items.size(), 2u);
  EXPECT_EQ(evaluation.items[0].id, "window-0");
  EXPECT_EQ(evaluation.items[1].id, "window-1");
  EXPECT_EQ(evaluation.items[0].nats, 2.5);
  EXPECT_EQ(evaluation.items[1].nats, 1.75);
  for (const EvaluationItem& item : evaluation.items) {
    EXPECT_EQ(item.tokens, 3);
    EXPECT_EQ(item.bytes, 3);
    EXPECT_EQ(item.words, 0);
  }
  const auto values = values_of(evaluation);
  EXPECT_EQ(values.size(), 3u);
  EXPECT_DOUBLE_EQ(values.at("perplexity"), std::exp((2.5 / 3 + 1.75 / 3) / 2));
  EXPECT_DOUBLE_EQ(values.at("nats_per_token"), 4.25 / 6);
  EXPECT_DOUBLE_EQ(values.at("bits_per_byte"), 4.25 / std::log(2.0) / 6);

  EXPECT_EQ(evaluation.evaluator, "perplexity");
  EXPECT_EQ(evaluation.version, 1);
  EXPECT_EQ(evaluation.convention, "windows (text as stored), 4 tokens");
  EXPECT_EQ(evaluation.data_sha256, "digest");
  EXPECT_EQ(evaluation.split, "test");
  EXPECT_THAT(evaluation.floor, IsEmpty());
}

TEST(Perplexity, TakesTheFirstItemsWhereALimitIsSetAndSaysSo) {
  const FakeDataset dataset({"abcd", "effg"});
  const auto tokenizer = make_byte_tokenizer();
  const auto limited = [&](EvaluatorConfig config) {
    TableScorer scorer(8);
    const Evaluation whole = evaluate_with(config, dataset, *tokenizer, scorer);
    config.limit = 1;
    const Evaluation part = evaluate_with(config, dataset, *tokenizer, scorer);
    ASSERT_GT(whole.items.size(), 1u) << whole.convention;
    ASSERT_EQ(part.items.size(), 1u) << whole.convention;
    EXPECT_EQ(part.items[0].nats, whole.items[0].nats);
    EXPECT_EQ(part.convention, whole.convention + ", the first 1 only");
    config.limit = 1000;
    EXPECT_EQ(evaluate_with(config, dataset, *tokenizer, scorer).items.size(), whole.items.size());
  };
  EvaluatorConfig config = windows_config(3, PerplexityText::kStored);
  config.stride = 2;
  for (const PerplexityConvention convention : {PerplexityConvention::kWindows, PerplexityConvention::kWord,
                                                PerplexityConvention::kSliding, PerplexityConvention::kChunks}) {
    config.convention = convention;
    limited(config);
  }
}

TEST(PerplexityWindows, ScoresTheRowsJoinedByTwoNewlines) {
  const FakeDataset dataset({"ab\n \nc\n"});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(5);
  const Evaluation evaluation =
      evaluate_with(windows_config(0, PerplexityText::kRowsJoined), dataset, *tokenizer, scorer);
  EXPECT_EQ(evaluation.convention, "windows (rows joined by two newlines), 5 tokens");
  ASSERT_EQ(scorer.requests().size(), 2u);
  EXPECT_THAT(scorer.requests()[0].tokens, ElementsAre(kBos, 'a', 'b', '\n', '\n'));
  EXPECT_THAT(scorer.requests()[1].tokens, ElementsAre('\n', '\n', '\n', 'c', '\n'));
}

TEST(PerplexityWindows, CountsBytesWhereAWindowSplitsACharacter) {
  const FakeDataset dataset({"the cat\xc3\xa9 the"});
  const PieceTokenizer tokenizer;
  TableScorer scorer(3);
  const Evaluation evaluation = evaluate_with(windows_config(0, PerplexityText::kStored), dataset, tokenizer, scorer);
  // BOS the cat | C3 A9 the: scored are 3 + 4 bytes, then 1 + 4.
  ASSERT_EQ(evaluation.items.size(), 2u);
  EXPECT_EQ(evaluation.items[0].bytes, 7);
  EXPECT_EQ(evaluation.items[1].bytes, 5);
}

TEST(PerplexityWindows, OfAUniformModelIsTheVocabularySize) {
  const FakeDataset dataset({std::string(1000, 'x')});
  const auto tokenizer = make_byte_tokenizer();
  UniformScorer scorer(16, 258);
  const auto values = values_of(evaluate_with(windows_config(0, PerplexityText::kStored), dataset, *tokenizer, scorer));
  EXPECT_NEAR(values.at("perplexity"), 258, 1e-9);
  EXPECT_NEAR(values.at("bits_per_byte"), std::log2(258), 1e-12);
}

TEST(PerplexityWindows, GivesTheFloorOfTheStoredTextOnly) {
  const FakeDataset dataset({"abcd", "effg"}, EntropyFloor{6.0});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(4);
  const Evaluation stored = evaluate_with(windows_config(0, PerplexityText::kStored), dataset, *tokenizer, scorer);
  EXPECT_EQ(stored.floor.size(), stored.metrics.size());
  EXPECT_DOUBLE_EQ(stored.floor.at("perplexity"), std::exp(6.0 / 8));
  EXPECT_DOUBLE_EQ(stored.floor.at("bits_per_byte"), 6.0 / 8 / std::log(2.0));
  EXPECT_DOUBLE_EQ(stored.floor.at("nats_per_token"), 6.0 / 8);
  const Evaluation joined = evaluate_with(windows_config(0, PerplexityText::kRowsJoined), dataset, *tokenizer, scorer);
  EXPECT_THAT(joined.floor, IsEmpty());
}

TEST(PerplexityWindows, RefusesWhatItCanNotScore) {
  const auto tokenizer = make_byte_tokenizer();
  const FakeDataset short_text({"ab"});
  TableScorer scorer(4);
  try {
    evaluate_with(windows_config(0, PerplexityText::kStored), short_text, *tokenizer, scorer);
    FAIL() << "a text of 3 tokens has no window of 4";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("at least one window of 4 tokens, but holds 3"));
  }
  const FakeDataset dataset({"abcdefgh"});
  EXPECT_THROW(evaluate_with(windows_config(5, PerplexityText::kStored), dataset, *tokenizer, scorer), ConfigError);
  EXPECT_THROW(evaluate_with(windows_config(1, PerplexityText::kStored), dataset, *tokenizer, scorer), ConfigError);
  EXPECT_EQ(evaluate_with(windows_config(4, PerplexityText::kStored), dataset, *tokenizer, scorer).items.size(), 2u);
}

TEST(PerplexityWindows, RefusesAModelThatDiverged) {
  struct Diverged : TableScorer {
    using TableScorer::TableScorer;
    double cost(int32_t, int32_t next) const override {
      return next == 'c' ? std::numeric_limits<double>::quiet_NaN() : 1.0;
    }
  };
  const auto tokenizer = make_byte_tokenizer();
  Diverged scorer(2);
  EXPECT_NO_THROW(evaluate_with(windows_config(0, PerplexityText::kStored), FakeDataset({"abb"}), *tokenizer, scorer));
  EXPECT_THROW(evaluate_with(windows_config(0, PerplexityText::kStored), FakeDataset({"abc"}), *tokenizer, scorer),
               DataError);
}

// Pages "ab\ncd " and "xyz" with a context of 2: windows [BOS a b] [b \n c] [c d space] [BOS x y] [x y z], the last
// with one scored token. By the bigram table 0.25 + 1.5 + 0.5 + 1.5 + 0 + 0 = 3.75 nats, and 0 + 0 + 1 = 1.
TEST(PerplexityWord, EqualsTheValuesByHand) {
  const FakeDataset dataset({"ab\ncd ", "xyz"});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(2);
  const Evaluation evaluation = evaluate_with(word_config(false), dataset, *tokenizer, scorer);

  ASSERT_EQ(scorer.requests().size(), 5u);
  EXPECT_THAT(scorer.requests()[0].tokens, ElementsAre(kBos, 'a', 'b'));
  EXPECT_THAT(scorer.requests()[1].tokens, ElementsAre('b', '\n', 'c'));
  EXPECT_THAT(scorer.requests()[2].tokens, ElementsAre('c', 'd', ' '));
  EXPECT_THAT(scorer.requests()[3].tokens, ElementsAre(kBos, 'x', 'y'));
  EXPECT_THAT(scorer.requests()[4].tokens, ElementsAre('x', 'y', 'z'));
  EXPECT_EQ(scorer.requests()[4].scored_from, 2);

  ASSERT_EQ(evaluation.items.size(), 2u);
  EXPECT_EQ(evaluation.items[0].id, "page-0");
  EXPECT_EQ(evaluation.items[0].nats, 3.75);
  EXPECT_EQ(evaluation.items[0].tokens, 6);
  EXPECT_EQ(evaluation.items[0].words, 3);  // Python's re.split(r"\s+", page) gives "ab", "cd" and ""
  EXPECT_EQ(evaluation.items[0].bytes, 6);
  EXPECT_EQ(evaluation.items[1].id, "page-1");
  EXPECT_EQ(evaluation.items[1].nats, 1.0);
  EXPECT_EQ(evaluation.items[1].tokens, 3);
  EXPECT_EQ(evaluation.items[1].words, 1);
  EXPECT_EQ(evaluation.items[1].bytes, 3);

  const auto values = values_of(evaluation);
  EXPECT_EQ(values.size(), 4u);
  EXPECT_DOUBLE_EQ(values.at("word_perplexity"), std::exp(4.75 / 4));
  EXPECT_DOUBLE_EQ(values.at("byte_perplexity"), std::exp(4.75 / 9));
  EXPECT_DOUBLE_EQ(values.at("bits_per_byte"), 4.75 / 9 / std::log(2.0));
  EXPECT_DOUBLE_EQ(values.at("nats_per_token"), 4.75 / 9);
  EXPECT_EQ(evaluation.convention, "word (lm-eval, text as stored), context 2");
}

TEST(PerplexityWord, ScoresDetokenizedTextAndCountsTheStoredOne) {
  const FakeDataset dataset({"a @-@ b"});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(8);
  const Evaluation evaluation = evaluate_with(word_config(true), dataset, *tokenizer, scorer);
  ASSERT_EQ(scorer.requests().size(), 1u);
  EXPECT_THAT(scorer.requests()[0].tokens, ElementsAre(kBos, 'a', '-', 'b'));
  ASSERT_EQ(evaluation.items.size(), 1u);
  EXPECT_EQ(evaluation.items[0].tokens, 3);
  EXPECT_EQ(evaluation.items[0].words, 3);
  EXPECT_EQ(evaluation.items[0].bytes, 7);
  EXPECT_EQ(evaluation.convention, "word (lm-eval, detokenized), context 8");
}

TEST(PerplexityWord, TakesThePagesOfWikitextWithoutWhatSeparatesThem) {
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(32);
  const FakeDataset wikitext({" \n = A = \n b \n", " = C = \n = = D = = \n e \n"});
  const Evaluation evaluation = evaluate_with(word_config(false), wikitext, *tokenizer, scorer);
  ASSERT_EQ(evaluation.items.size(), 2u);
  EXPECT_EQ(evaluation.items[0].bytes, 11);  // " = A = \n b "
  EXPECT_EQ(evaluation.items[0].words, 6);   // "", "=", "A", "=", "b", ""
  EXPECT_EQ(evaluation.items[0].tokens, 11);
  EXPECT_EQ(evaluation.items[1].bytes, 24);  // to the end, its newline included
  // Documents that are something else are scored as they are.
  const FakeDataset lines({" \n", " = A = \n", " b \n"});
  const Evaluation whole = evaluate_with(word_config(false), lines, *tokenizer, scorer);
  ASSERT_EQ(whole.items.size(), 3u);
  EXPECT_EQ(whole.items[1].bytes, 8);
}

// Constants of lm-evaluation-harness' task on the raw test split (62 pages of 60 articles).
TEST(PerplexityWord, CountsTheKnownWordsAndBytesOfWikitext2) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const std::string text = read_file(std::filesystem::path(mirror) / "wikitext-2-raw/wiki.test.raw");
  std::vector<std::string> documents;
  for (const std::string_view document : split_documents(text, DocumentSplit::kWikitext)) {
    documents.emplace_back(document);
  }
  const auto tokenizer = make_byte_tokenizer();
  UniformScorer scorer(2048, 258);
  const Evaluation evaluation = evaluate_with(word_config(false), FakeDataset(documents), *tokenizer, scorer);
  EXPECT_EQ(evaluation.items.size(), 62u);
  const auto values = values_of(evaluation);
  EXPECT_NEAR(values.at("byte_perplexity"), 258, 1e-9);  // one byte a token
  EXPECT_NEAR(std::log(values.at("word_perplexity")), std::log(258) * 1290527 / 241335, 1e-9);
}

TEST(PerplexityWord, GivesTheFloorOfTheStoredTextOnly) {
  const FakeDataset dataset({"ab\ncd ", "xyz"}, EntropyFloor{3.0});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(4);
  const Evaluation stored = evaluate_with(word_config(false), dataset, *tokenizer, scorer);
  EXPECT_EQ(stored.floor.size(), stored.metrics.size());
  EXPECT_DOUBLE_EQ(stored.floor.at("word_perplexity"), std::exp(3.0 / 4));
  EXPECT_DOUBLE_EQ(stored.floor.at("byte_perplexity"), std::exp(3.0 / 9));
  EXPECT_DOUBLE_EQ(stored.floor.at("bits_per_byte"), 3.0 / 9 / std::log(2.0));
  EXPECT_DOUBLE_EQ(stored.floor.at("nats_per_token"), 3.0 / 9);
  EXPECT_THAT(evaluate_with(word_config(true), dataset, *tokenizer, scorer).floor, IsEmpty());
}

TEST(PerplexityWord, RefusesAnEmptySplit) {
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(4);
  EXPECT_THROW(evaluate_with(word_config(false), FakeDataset({}), *tokenizer, scorer), DataError);
}

EvaluatorConfig config_of(PerplexityConvention convention, int64_t window) {
  EvaluatorConfig config;
  config.convention = convention;
  config.window = window;
  return config;
}

// Lines "ab", "cd" and "k" with EOS behind each; "efghij" and EOS are seven tokens and do not fit into six. By the
// bigram table: BOS a b EOS = 0.25 + 1.5 + 0.25 = 2 nats; BOS c d EOS k EOS = 0 + 0 + 0.75 + 1 + 0.75 = 2.5 nats.
TEST(PerplexityBitnet, EqualsTheValuesByHand) {
  constexpr int32_t kEos = 257;
  const FakeDataset dataset({"ab\n \ncd\nefghij\nk\n"}, EntropyFloor{6.0});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(8);
  const Evaluation evaluation = evaluate_with(config_of(PerplexityConvention::kBitnet, 6), dataset, *tokenizer, scorer);
  ASSERT_EQ(scorer.requests().size(), 2u);
  EXPECT_THAT(scorer.requests()[0].tokens, ElementsAre(kBos, 'a', 'b', kEos));
  EXPECT_THAT(scorer.requests()[1].tokens, ElementsAre(kBos, 'c', 'd', kEos, 'k', kEos));
  ASSERT_EQ(evaluation.items.size(), 2u);
  EXPECT_EQ(evaluation.items[0].nats, 2.0);
  EXPECT_EQ(evaluation.items[0].tokens, 3);
  EXPECT_EQ(evaluation.items[0].bytes, 3);  // the newline too
  EXPECT_EQ(evaluation.items[1].nats, 2.5);
  EXPECT_EQ(evaluation.items[1].tokens, 5);
  EXPECT_EQ(evaluation.items[1].bytes, 5);
  const auto values = values_of(evaluation);
  EXPECT_DOUBLE_EQ(values.at("perplexity"), std::exp(4.5 / 8));
  EXPECT_DOUBLE_EQ(values.at("nats_per_token"), 4.5 / 8);
  EXPECT_DOUBLE_EQ(values.at("bits_per_byte"), 4.5 / 8 / std::log(2.0));
  EXPECT_EQ(evaluation.convention, "bitnet (BitNet b1.58, lines packed), 6 tokens");
  EXPECT_THAT(evaluation.floor, IsEmpty());  // the lines left out carry some of the text's entropy
}

TEST(PerplexityBitnet, ReadsTheOneWindowThatIsLongerThanItsLength) {
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(4);
  const Evaluation evaluation =
      evaluate_with(config_of(PerplexityConvention::kBitnet, 0), FakeDataset({"abc\nd\n"}), *tokenizer, scorer);
  ASSERT_EQ(scorer.requests().size(), 2u);
  EXPECT_EQ(scorer.requests()[0].tokens.size(), 5u);  // BOS a b c EOS: four of them are inputs
  EXPECT_EQ(evaluation.items[0].tokens, 4);
  EXPECT_THROW(evaluate_with(config_of(PerplexityConvention::kBitnet, 0), FakeDataset({"abcd\n"}), *tokenizer, scorer),
               DataError);
}

// BOS a b c d e f g, windows of 4 with stride 2. By the bigram table: BOS a b c = 0.25 + 1.5 + 0.75 = 2.5 nats of
// weight 3; b c (d e) = 0 + 1, mean 0.5 of weight 1; d e (f g) = 0.25 + 1.25, mean 0.75 of weight 1.
TEST(PerplexitySliding, EqualsTheValuesByHand) {
  const FakeDataset dataset({"abcd", "efg"}, EntropyFloor{3.5});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(8);
  EvaluatorConfig config = config_of(PerplexityConvention::kSliding, 4);
  config.stride = 2;
  config.text = PerplexityText::kStored;
  const Evaluation evaluation = evaluate_with(config, dataset, *tokenizer, scorer);
  ASSERT_EQ(evaluation.items.size(), 3u);
  EXPECT_DOUBLE_EQ(evaluation.items[0].nats, 2.5);
  EXPECT_EQ(evaluation.items[0].tokens, 3);
  EXPECT_DOUBLE_EQ(evaluation.items[1].nats, 0.5);
  EXPECT_EQ(evaluation.items[1].tokens, 1);
  EXPECT_DOUBLE_EQ(evaluation.items[2].nats, 0.75);
  const auto values = values_of(evaluation);
  EXPECT_EQ(values.size(), 2u);
  EXPECT_DOUBLE_EQ(values.at("perplexity"), std::exp(3.75 / 5));
  EXPECT_DOUBLE_EQ(values.at("nats_per_token"), 3.75 / 5);
  EXPECT_EQ(evaluation.convention, "sliding (Hugging Face, text as stored), 4 tokens, stride 2");
  EXPECT_EQ(evaluation.floor.size(), 2u);
  EXPECT_DOUBLE_EQ(evaluation.floor.at("perplexity"), std::exp(0.5));

  config.bos = false;  // a b c d, c d (e f), and a last window with g alone, of weight 0
  const Evaluation without = evaluate_with(config, dataset, *tokenizer, scorer);
  EXPECT_EQ(without.items.size(), 2u);
  EXPECT_EQ(without.convention, "sliding (Hugging Face, text as stored, no BOS), 4 tokens, stride 2");
  EXPECT_DOUBLE_EQ(without.floor.at("nats_per_token"), 0.5);
}

TEST(PerplexitySliding, RefusesWhatItCanNotScore) {
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(4);
  EvaluatorConfig config = config_of(PerplexityConvention::kSliding, 0);
  config.stride = 5;
  EXPECT_THROW(evaluate_with(config, FakeDataset({"abcdefgh"}), *tokenizer, scorer), ConfigError);
  config.stride = 4;
  EXPECT_NO_THROW(evaluate_with(config, FakeDataset({"a"}), *tokenizer, scorer));
  config.bos = false;
  EXPECT_THROW(evaluate_with(config, FakeDataset({"a"}), *tokenizer, scorer), DataError);
}

// BOS a b c | d e f g | h without the last newline, d overwritten by BOS; of four tokens only the last is scored:
// b c = 0.75 and f g = 1.25 nats.
TEST(PerplexityChunks, EqualsTheValuesByHand) {
  const FakeDataset dataset({"abcdefgh\n"});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(8);
  const Evaluation evaluation = evaluate_with(config_of(PerplexityConvention::kChunks, 4), dataset, *tokenizer, scorer);
  ASSERT_EQ(scorer.requests().size(), 2u);
  EXPECT_THAT(scorer.requests()[0].tokens, ElementsAre(kBos, 'a', 'b', 'c'));
  EXPECT_THAT(scorer.requests()[1].tokens, ElementsAre(kBos, 'e', 'f', 'g'));
  ASSERT_EQ(evaluation.items.size(), 2u);
  EXPECT_EQ(evaluation.items[0].nats, 0.75);
  EXPECT_EQ(evaluation.items[1].nats, 1.25);
  EXPECT_EQ(evaluation.items[1].tokens, 1);
  EXPECT_EQ(evaluation.items[1].bytes, 1);
  const auto values = values_of(evaluation);
  EXPECT_DOUBLE_EQ(values.at("perplexity"), std::exp(1.0));
  EXPECT_DOUBLE_EQ(values.at("bits_per_byte"), 1 / std::log(2.0));
  EXPECT_EQ(evaluation.convention,
            "chunks (llama.cpp, text as stored without its last newline), 4 tokens, the last 1 scored");
}

TEST(PerplexityChunks, RefusesATextOfFewerThanTwoChunks) {
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(4);
  EXPECT_THROW(evaluate_with(config_of(PerplexityConvention::kChunks, 0), FakeDataset({"abcdef"}), *tokenizer, scorer),
               DataError);  // seven ids
  EXPECT_NO_THROW(
      evaluate_with(config_of(PerplexityConvention::kChunks, 0), FakeDataset({"abcdefg"}), *tokenizer, scorer));
  EXPECT_THROW(evaluate_with(config_of(PerplexityConvention::kChunks, 2), FakeDataset({"abcdefg"}), *tokenizer, scorer),
               ConfigError);
}

// llama.cpp prints 655 chunks of 512 for WikiText-2's raw test split with the vocabulary of Llama 2.
TEST(PerplexityChunks, OfWikitext2AreTheKnown655) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const std::filesystem::path root = mirror;
  const auto tokenizer = read_sentencepiece(root / "tokenizers/llama2/tokenizer.model");
  UniformScorer scorer(512, tokenizer->vocab_size());
  const FakeDataset dataset({read_file(root / "wikitext-2-raw/wiki.test.raw")});
  const Evaluation evaluation =
      evaluate_with(config_of(PerplexityConvention::kChunks, 512), dataset, *tokenizer, scorer);
  EXPECT_EQ(evaluation.items.size(), 655u);
  for (const EvaluationItem& item : evaluation.items) ASSERT_EQ(item.tokens, 255);
}

TEST(Perplexity, ReportsProgressOverAllWindows) {
  struct Recorder : ProgressReporter {
    void start(std::string_view, int64_t total, std::string_view, int64_t) override { total_ = total; }
    void update(int64_t done, std::string_view) override { done_.push_back(done); }
    void finish() override { ++finished_; }
    int64_t total_ = 0;
    int finished_ = 0;
    std::vector<int64_t> done_;
  };
  const FakeDataset dataset({std::string(39999, 'x')});
  const auto tokenizer = make_byte_tokenizer();
  TableScorer scorer(4);
  Recorder recorder;
  NoGenerator generator;
  make_evaluator({"perplexity", windows_config(0, PerplexityText::kStored)}, dataset, *tokenizer, {}, recorder)
      ->evaluate({scorer, generator, "weights", {}, {}}, recorder);
  EXPECT_EQ(recorder.total_, 10000);
  EXPECT_EQ(recorder.finished_, 1);
  ASSERT_GT(recorder.done_.size(), 1u);
  EXPECT_TRUE(std::is_sorted(recorder.done_.begin(), recorder.done_.end()));
  EXPECT_EQ(recorder.done_.back(), 10000);
  EXPECT_EQ(scorer.requests().size(), 10000u);
}

}  // namespace
}  // namespace bitnet
