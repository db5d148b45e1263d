#include <gmock/gmock.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "framework/data/tinyworld.h"
#include "tests/framework/data/grammar_recognizer.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Recognizer;

std::vector<ChoiceQuestion> questions_of(int64_t seed) {
  const World world = make_world(seed);
  return world_questions(make_tiny_language(world), world, seed);
}

/// The last line of a question: what is asked, after the sentences before it.
std::string asked(const ChoiceQuestion& question) {
  return question.question.substr(question.question.rfind('\n') + 1);
}

TEST(WorldQuestions, AskForEveryFactInTwoWays) {
  const World world = make_world(1);
  const std::vector<ChoiceQuestion> questions = questions_of(1);
  size_t parents = 0;
  for (const WorldAnimal& animal : world.animals) parents += animal.parent >= 0 ? 1 : 0;
  EXPECT_EQ(questions.size(), 2 * (kWorldAnimals * kWorldAttributes + parents));
  std::set<std::string> ids;
  for (const ChoiceQuestion& question : questions) {
    EXPECT_TRUE(ids.insert(question.id).second) << question.id;
    EXPECT_EQ(question.choices.size(), 4u);
    EXPECT_LT(question.gold, 4u);
    EXPECT_EQ(std::set<std::string>(question.choices.begin(), question.choices.end()).size(), 4u) << question.id;
  }
}

TEST(WorldQuestions, TheRightAnswerIsASentenceOfTheLanguageAndNoOtherIs) {
  for (const int64_t seed : {1, 77}) {
    const World world = make_world(seed);
    const TinyLanguage language = make_tiny_language(world);
    for (const ChoiceQuestion& question : world_questions(language, world, seed)) {
      for (size_t i = 0; i < question.choices.size(); ++i) {
        const std::string sentence = asked(question) + " " + question.choices[i] + "\n";
        const double derivations = Recognizer(language.grammar, sentence).whole(language.sentence).derivations;
        EXPECT_EQ(derivations > 0, i == question.gold) << sentence;
      }
    }
  }
}

TEST(WorldQuestions, StandAfterSentencesAboutOthersThatAreInNoTrainingText) {
  DatasetConfig config;
  config.train_bytes = 400000;
  const auto dataset = make_tinyworld(config);
  const std::string_view train = dataset->text(DataSplit::kTrain);
  for (const ChoiceQuestion& question : dataset->questions()) {
    const std::string before = question.question.substr(0, question.question.rfind('\n') + 1);
    EXPECT_THAT(before, Not(HasSubstr(question.id.substr(0, question.id.find('-')))));
    EXPECT_EQ(std::count(before.begin(), before.end(), '\n'), 2);
    EXPECT_EQ(train.find(question.question), std::string_view::npos) << question.question;
  }
}

TEST(WorldQuestions, DependOnTheSeedAloneAndNotOnThePlaceOfTheRightChoice) {
  const std::string text = choice_questions_text(questions_of(1));
  EXPECT_EQ(choice_questions_text(questions_of(1)), text);
  EXPECT_NE(choice_questions_text(questions_of(2)), text);
  std::map<size_t, int> places;
  for (const ChoiceQuestion& question : questions_of(1)) ++places[question.gold];
  ASSERT_EQ(places.size(), 4u);
  for (const auto& [place, count] : places) EXPECT_NEAR(count, 69, 25) << place;  // 276 / 4, 3.5 standard deviations
}

}  // namespace
}  // namespace bitnet
