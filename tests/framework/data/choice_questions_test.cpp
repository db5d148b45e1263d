#include "framework/data/choice_questions.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/random.h"

namespace bitnet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ChoiceKeys kArcKeys = {"question.stem", "question.choices", "answerKey"};

const std::string kLine = R"({"id": "one", "question": {"stem": "Why?", "choices": [{"text": "No", "label": "A"}, )"
                          R"({"text": "Yes", "label": "B", "para": "ignored"}]}, "answerKey": "B"})";

std::vector<ChoiceQuestion> read(const std::string& jsonl, const ChoiceKeys& keys = kArcKeys) {
  return read_choice_questions(jsonl, keys, "data.jsonl");
}

std::string error_of(const std::string& jsonl, const ChoiceKeys& keys = kArcKeys) {
  try {
    read(jsonl, keys);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

/// The error of the line with one change, which stands in the file's second line.
std::string error_with(const std::string& from, const std::string& to) {
  std::string line = kLine;
  const size_t at = line.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  line.replace(at, from.size(), to);
  std::string first = kLine;
  first.replace(first.find("one"), 3, "first");
  return error_of(first + "\n" + line + "\n");
}

TEST(ChoiceQuestions, ReadsALineOfTheArcFormat) {
  const auto questions = read(kLine);
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(questions[0].id, "one");
  EXPECT_EQ(questions[0].question, "Why?");
  EXPECT_THAT(questions[0].choices, ElementsAre("No", "Yes"));
  EXPECT_EQ(questions[0].gold, 1u);
}

TEST(ChoiceQuestions, TakesOtherKeysAndCountsLinesWithoutAnId) {
  const std::string line =
      R"({"q": "2 + 2?", "options": [{"text": "4", "label": "x"}, {"text": "5", "label": "y"}], "right": "x"})";
  const auto questions = read(line + "\n" + line + "\r\n", {"q", "options", "right"});
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0].id, "line-1");
  EXPECT_EQ(questions[1].id, "line-2");
  EXPECT_EQ(questions[1].gold, 0u);
  EXPECT_THAT(error_of(line), HasSubstr("\"question.stem\" must be there, but is missing"));
}

TEST(ChoiceQuestions, ErrorsNameFileLineAndThing) {
  const std::string at = "data.jsonl:2: ";
  EXPECT_THAT(error_with(", \"answerKey\": \"B\"", ""), HasSubstr(at + "\"answerKey\" must be there, but is missing."));
  EXPECT_THAT(error_with("\"answerKey\": \"B\"", "\"answerKey\": \"C\""),
              HasSubstr(at + "\"answerKey\" must be the label of one of the choices, but is 'C'"));
  EXPECT_THAT(error_with("\"answerKey\": \"B\"", "\"answerKey\": 2"),
              HasSubstr(at + "\"answerKey\" must be a text, but is a number"));
  EXPECT_THAT(error_with("\"answerKey\": \"B\"", "\"answerKey\": \"\""), HasSubstr("but is empty"));
  EXPECT_THAT(error_with("\"label\": \"A\"", "\"label\": \"B\""),
              HasSubstr(at + "\"question.choices[1].label\" must be unlike the others, but is 'B' again"));
  EXPECT_THAT(error_with("\"label\": \"A\"", "\"lable\": \"A\""), HasSubstr(at + "\"label\" must be there"));
  EXPECT_THAT(error_with("\"text\": \"No\"", "\"text\": null"),
              HasSubstr(at + "\"question.choices[0].text\" must be a text, but is a null"));
  EXPECT_THAT(error_with("\"text\": \"No\"", "\"text\": \"\""), HasSubstr("at least one character, but is empty"));
  EXPECT_THAT(error_with("\"stem\": \"Why?\"", "\"stem\": [\"Why?\"]"), HasSubstr("must be a text, but is an array"));
  EXPECT_THAT(error_with("{\"text\": \"No\", \"label\": \"A\"}", "\"No\""),
              HasSubstr("\"question.choices[0]\" must be an object with \"text\" and \"label\""));
  EXPECT_THAT(error_with("{\"text\": \"No\", \"label\": \"A\"}, ", ""),
              HasSubstr("at least two choices, but is one of 1"));
  EXPECT_THAT(error_with("\"id\": \"one\"", "\"id\": \"first\""),
              HasSubstr(at + "\"id\" must be unlike the others, but is 'first' again"));
  EXPECT_THAT(error_with("\"id\": \"one\"", "\"id\": 7"), HasSubstr("\"id\" must be a text"));
  EXPECT_THAT(error_with("Why?", "Why\xff"), HasSubstr(at + "the line must be UTF-8, but is not at its byte "));
  EXPECT_THAT(error_with("Why?", "\\ud800"), HasSubstr(at + "the line must be JSON"));
  EXPECT_THAT(error_with("\"answerKey\": \"B\"", "\"answerKey\": \"B\", \"answerKey\": \"A\""), HasSubstr("twice"));
}

TEST(ChoiceQuestions, EmptyListsLinesAndFilesAreErrors) {
  const std::string none = R"({"question": {"stem": "Why?", "choices": []}, "answerKey": "B"})";
  EXPECT_THAT(error_of(none),
              HasSubstr("data.jsonl:1: \"question.choices\" must be a list of at least two choices, but is one of 0"));
  EXPECT_THAT(error_of(kLine + "\n\n" + kLine), HasSubstr("data.jsonl:2: "));
  EXPECT_THAT(error_of(""), HasSubstr("must hold at least one question, but is empty"));
  EXPECT_THAT(error_of("[]"), HasSubstr("must be a JSON object, but is an array"));
  EXPECT_THAT(error_of("7"), HasSubstr("must be a JSON object, but is a number"));
  EXPECT_THAT(error_of(kLine.substr(0, kLine.size() / 2)), HasSubstr("data.jsonl:1: "));
}

TEST(ChoiceQuestions, DeepNestingIsAnError) {
  for (const int depth : {100, 100000}) {
    const std::string deep(static_cast<size_t>(depth), '[');
    EXPECT_THAT(error_of("{\"para\": " + deep), HasSubstr("levels deep")) << depth;
  }
}

TEST(ChoiceQuestions, EveryCutAndEveryChangedByteGivesQuestionsOrADataError) {
  for (size_t size = 0; size < kLine.size(); ++size) EXPECT_NE(error_of(kLine.substr(0, size)), "") << size;
  Random random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string line = kLine;
    line[random.below(line.size())] = static_cast<char>(random.below(256));
    try {
      for (const ChoiceQuestion& question : read(line)) ASSERT_LT(question.gold, question.choices.size());
    } catch (const DataError&) {
    }
  }
}

TEST(ChoiceQuestions, TheTextOfQuestionsTellsThemApart) {
  const auto questions = read(kLine);
  auto other = questions;
  other[0].gold = 0;
  EXPECT_NE(choice_questions_text(questions), choice_questions_text(other));
  EXPECT_EQ(choice_questions_text(questions), choice_questions_text(read(kLine)));
}

class ArcFiles : public ::testing::TestWithParam<std::pair<std::string, size_t>> {};

TEST_P(ArcFiles, GoldIsThatOfThePublicAnswerKeysForEveryQuestion) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const auto& [name, count] = GetParam();
  const std::filesystem::path folder = std::filesystem::path(mirror) / "arc";
  const std::string text = read_file(folder / name / "test.jsonl");
  const auto questions = read(text);
  EXPECT_EQ(questions.size(), count);
  std::map<std::string, std::string> keys;
  std::istringstream lines(read_file(folder / "answer-keys" / (name + ".test.question-answers.jsonl")));
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    keys[json.at("id")] = json.at("answerKey");
  }
  std::istringstream stored(text);
  for (const ChoiceQuestion& question : questions) {
    std::string line;
    std::getline(stored, line);
    const auto choices = nlohmann::json::parse(line).at("question").at("choices");
    ASSERT_EQ(choices.size(), question.choices.size());
    EXPECT_EQ(choices[question.gold].at("label"), keys.at(question.id)) << question.id;
    EXPECT_EQ(choices[question.gold].at("text"), question.choices[question.gold]);
    EXPECT_THAT(question.choices.size(), AllOf(::testing::Ge(3u), ::testing::Le(5u)));
  }
}

INSTANTIATE_TEST_SUITE_P(ChoiceQuestions, ArcFiles,
                         ::testing::Values(std::pair(std::string("arc_easy"), size_t{2376}),
                                           std::pair(std::string("arc_challenge"), size_t{1170})),
                         [](const auto& test) { return test.param.first; });

}  // namespace
}  // namespace bitnet
