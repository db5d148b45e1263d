#include "framework/evaluate/multiple_choice.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "framework/core/error.h"
#include "framework/core/sha256.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/evaluate/fakes.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using testing::FakeDataset;
using ::testing::HasSubstr;
using testing::NoGenerator;
using testing::PieceTokenizer;
using testing::TableScorer;
using testing::TemporaryFolder;

constexpr int32_t kByteBos = 256;  // of the byte tokenizer

/// A dataset that asks.
class AskingDataset : public FakeDataset {
 public:
  explicit AskingDataset(std::vector<ChoiceQuestion> questions)
      : FakeDataset({"x"}), questions_(std::move(questions)) {}
  std::vector<ChoiceQuestion> questions() const override { return questions_; }

 private:
  std::vector<ChoiceQuestion> questions_;
};

EvaluatorConfig choice_config() {
  EvaluatorConfig config;
  config.kind = EvaluatorKind::kMultipleChoice;
  config.continuation = "{choice}";
  return config;
}

Evaluation ask(const EvaluatorConfig& config, const Dataset& dataset, Scorer& scorer) {
  const auto tokenizer = make_byte_tokenizer();
  ProgressReporter silent;
  NoGenerator generator;
  return make_evaluator({"choices", config}, dataset, *tokenizer, {}, silent)
      ->evaluate({scorer, generator, "weights", {}, {}}, silent);
}

std::map<std::string, double> accuracies_of(const Evaluation& evaluation) {
  std::map<std::string, double> values;
  for (const Metric& metric : evaluation.metrics) {
    EXPECT_FALSE(metric.lower_is_better) << metric.name;
    EXPECT_EQ(metric.unit, "accuracy");
    values[metric.name] = metric.value;
  }
  return values;
}

EncodedChoice encoded(std::string_view prompt, std::string_view continuation, bool bos = true, int64_t context = 100) {
  return encode_choice(*make_byte_tokenizer(), prompt, continuation, bos, context, "test");
}

TEST(EncodeChoice, SplitsBehindTheIdsOfThePromptAlone) {
  const EncodedChoice choice = encoded("ab", "cd");
  EXPECT_THAT(choice.request.tokens, ElementsAre(kByteBos, 'a', 'b', 'c', 'd'));
  EXPECT_EQ(choice.request.scored_from, 3);
  EXPECT_FALSE(choice.truncated);
  EXPECT_THAT(encoded("ab", "cd", false).request.tokens, ElementsAre('a', 'b', 'c', 'd'));
  EXPECT_EQ(encoded("ab", "cd", false).request.scored_from, 2);
  // " the cats" is " the", " cat", "s"; the prompt "the cat" alone has two ids.
  const PieceTokenizer pieces;
  EXPECT_THAT(encode_choice(pieces, "the cat", "s the", true, 100, "test").request.tokens, ElementsAre(0, 2, 3, 4, 2));
}

TEST(EncodeChoice, MovesWhiteSpaceAtThePromptsEndToTheContinuation) {
  const EncodedChoice choice = encoded("a \xc2\xa0\n", "b");
  EXPECT_THAT(choice.request.tokens, ElementsAre(kByteBos, 'a', ' ', 0xc2, 0xa0, '\n', 'b'));
  EXPECT_EQ(choice.request.scored_from, 2);
  const EncodedChoice empty = encoded(" ", "b", false);  // nothing is left: BOS stands before what is scored
  EXPECT_THAT(empty.request.tokens, ElementsAre(kByteBos, ' ', 'b'));
  EXPECT_EQ(empty.request.scored_from, 1);
}

TEST(EncodeChoice, KeepsTheLastTokensWhereAllDoNotFit) {
  const EncodedChoice fits = encoded("abc", "de", true, 5);
  EXPECT_EQ(fits.request.tokens.size(), 6u);  // five inputs
  EXPECT_FALSE(fits.truncated);
  const EncodedChoice cut = encoded("abcd", "ef", true, 4);
  EXPECT_THAT(cut.request.tokens, ElementsAre('b', 'c', 'd', 'e', 'f'));
  EXPECT_EQ(cut.request.scored_from, 3);
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(encoded("abcd", "efgh", true, 4).request.scored_from, 1);
  EXPECT_THROW(encoded("abcd", "efghi", true, 4), DataError);
  EXPECT_THROW(encoded("ab", ""), DataError);
}

// By the bigram table 0.25 * ((previous + 3 * next) mod 7): b c = 0.75; b d e = 1.5 + 1 = 2.5, 1.25 a code point;
// b d = 1.5; b e e = 0.5 + 1.25 = 1.75, 0.875 a code point.
TEST(MultipleChoice, EqualsTheValuesByHand) {
  const AskingDataset dataset({{"first", "ab", {"c", "de"}, 0}, {"second", "b", {"d", "ee"}, 1}});
  TableScorer scorer(8);
  const Evaluation evaluation = ask(choice_config(), dataset, scorer);
  ASSERT_EQ(scorer.requests().size(), 4u);
  EXPECT_THAT(scorer.requests()[1].tokens, ElementsAre(kByteBos, 'a', 'b', 'd', 'e'));
  EXPECT_THAT(scorer.requests()[2].tokens, ElementsAre(kByteBos, 'b', 'd'));

  ASSERT_EQ(evaluation.items.size(), 2u);
  const EvaluationItem& first = evaluation.items[0];
  EXPECT_EQ(first.id, "first");
  EXPECT_EQ(first.nats, 0.75);
  EXPECT_EQ(first.tokens, 1);
  EXPECT_EQ(first.outcomes, (std::map<std::string, double>{{"acc", 1}, {"acc_norm", 1}}));
  const EvaluationItem& second = evaluation.items[1];
  EXPECT_EQ(second.nats, 1.75);
  EXPECT_EQ(second.tokens, 2);
  EXPECT_EQ(second.outcomes, (std::map<std::string, double>{{"acc", 0}, {"acc_norm", 1}}));
  const auto details = nlohmann::json::parse(second.details);
  EXPECT_EQ(details.at("question"), "b");
  EXPECT_EQ(details.at("choices")[1].at("text"), "ee");
  EXPECT_EQ(details.at("gold"), 1);
  EXPECT_EQ(details.at("chosen"), 0);
  EXPECT_EQ(details.at("chosen_norm"), 1);
  EXPECT_EQ(details.at("truncated_choices"), 0);
  EXPECT_EQ(details.at("choices")[0].at("nats"), 1.5);
  EXPECT_EQ(details.at("choices")[1].at("code_points"), 2);

  const auto values = accuracies_of(evaluation);
  EXPECT_EQ(values.at("acc"), 0.5);
  EXPECT_EQ(values.at("acc_norm"), 1.0);
  EXPECT_EQ(evaluation.chance, (std::map<std::string, double>{{"acc", 0.5}, {"acc_norm", 0.5}}));
  EXPECT_EQ(evaluation.convention,
            "multiple choice (lm-eval), zero-shot, prompt \"{question}\", continuation \"{choice}\", BOS, context 8");
  EXPECT_EQ(evaluation.split, "fake's own questions");
  EXPECT_EQ(evaluation.data_sha256, sha256_hex(choice_questions_text(dataset.questions())));
}

TEST(MultipleChoice, TheFirstOfEqualChoicesCounts) {
  const AskingDataset dataset({{"tie", "a", {"b", "b"}, 0}, {"lost", "a", {"b", "b"}, 1}});
  TableScorer scorer(8);
  const Evaluation evaluation = ask(choice_config(), dataset, scorer);
  EXPECT_EQ(evaluation.items[0].outcomes.at("acc"), 1);
  EXPECT_EQ(evaluation.items[1].outcomes.at("acc"), 0);
  EXPECT_EQ(evaluation.items[1].outcomes.at("acc_norm"), 0);
}

TEST(MultipleChoice, CountsCodePointsOfTheChoiceAlone) {
  const AskingDataset dataset({{"one", "a", {"\xc3\xa9\xe4\xb8\x96", "b"}, 0}});
  TableScorer scorer(16);
  EvaluatorConfig config = choice_config();
  config.prompt = "Question: {question}\nAnswer:";
  config.continuation = " {choice}.";
  TableScorer wide(64);
  const auto details = nlohmann::json::parse(ask(config, dataset, wide).items[0].details);
  EXPECT_EQ(details.at("choices")[0].at("code_points"), 2);
  EXPECT_EQ(details.at("choices")[0].at("tokens"), 7);  // the bytes, the space and the point
  EXPECT_EQ(details.at("choices")[1].at("code_points"), 1);
}

TEST(MultipleChoice, CountsTruncatedChoices) {
  const AskingDataset dataset({{"one", "abcd", {"ef", "e"}, 0}});
  TableScorer scorer(5);
  const auto details = nlohmann::json::parse(ask(choice_config(), dataset, scorer).items[0].details);
  EXPECT_EQ(details.at("truncated_choices"), 1);  // BOS abcd ef are six inputs, BOS abcd e five
}

TEST(MultipleChoice, ChanceIsTheMeanOverTheQuestions) {
  const AskingDataset dataset({{"two", "a", {"b", "c"}, 0}, {"four", "a", {"b", "c", "d", "e"}, 0}});
  TableScorer scorer(8);
  EXPECT_DOUBLE_EQ(ask(choice_config(), dataset, scorer).chance.at("acc"), 0.375);
}

TEST(MultipleChoice, ReadsItsFileAndNamesItsDigest) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "questions.jsonl").string();
  const std::string text = R"({"q": "a", "c": [{"text": "b", "label": "1"}, {"text": "c", "label": "2"}], "g": "2"})";
  std::ofstream(file) << text;
  EvaluatorConfig config = choice_config();
  config.data = file;
  config.question_key = "q";
  config.choices_key = "c";
  config.gold_key = "g";
  TableScorer scorer(8);
  const Evaluation evaluation = ask(config, FakeDataset({"x"}), scorer);
  EXPECT_EQ(evaluation.items[0].id, "line-1");
  EXPECT_EQ(evaluation.split, file);
  EXPECT_EQ(evaluation.data_sha256, sha256_hex(text));
  config.data = "absent.jsonl";
  try {
    ask(config, FakeDataset({"x"}), scorer);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("evaluator 'choices': data: the file must be a catalog entry ("));
  }
  config.data = "";
  EXPECT_THROW(ask(config, FakeDataset({"x"}), scorer), DataError);  // it asks nothing
}

TEST(MultipleChoice, ScoresEveryQuestionOfArcEasy) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  EvaluatorConfig config = choice_config();
  config.data = (std::filesystem::path(mirror) / "arc/arc_easy/test.jsonl").string();
  config.prompt = "Question: {question}\nAnswer:";
  config.continuation = " {choice}";
  TableScorer scorer(2048);
  const Evaluation evaluation = ask(config, FakeDataset({"x"}), scorer);
  EXPECT_EQ(evaluation.items.size(), 2376u);
  // 2,365 questions of four choices (2,268 + 97), 7 of three and 4 of five.
  EXPECT_EQ(scorer.requests().size(), 4u * 2365 + 3 * 7 + 5 * 4);
  EXPECT_NEAR(evaluation.chance.at("acc"), (2365 / 4.0 + 7 / 3.0 + 4 / 5.0) / 2376, 1e-12);
}

}  // namespace
}  // namespace bitnet
