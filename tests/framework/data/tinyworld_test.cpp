#include "framework/data/tinyworld.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/framework/data/grammar_recognizer.h"

namespace bitnet {
namespace {

using testing::Reading;
using testing::Recognizer;

// Entropy of a rule by the chain rule: that of the choice itself and the expected one of what follows.
double expected_nats(const Grammar& grammar, Grammar::RuleId id, std::map<Grammar::RuleId, double>& known) {
  if (const auto found = known.find(id); found != known.end()) return found->second;
  const Grammar::Rule& rule = grammar.rule(id);
  double nats = 0;
  for (size_t i = 0; i < rule.children.size(); ++i) {
    const double child = expected_nats(grammar, rule.children[i], known);
    if (rule.kind == Grammar::RuleKind::kSequence) {
      nats += child;
    } else {
      const double probability = static_cast<double>(rule.weight(i)) / static_cast<double>(rule.bounds.back());
      nats += probability * (child - std::log(probability));
    }
  }
  return known[id] = nats;
}

// The value of a Python expression of the language's functions: + - * > max min and parentheses.
class Expression {
 public:
  Expression(std::string_view text, std::map<std::string, int> variables)
      : text_(text), variables_(std::move(variables)) {}

  std::string print() {
    const int left = sum();
    if (!accept(" > ")) return std::to_string(left);
    return left > sum() ? "True" : "False";
  }

 private:
  bool accept(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  int sum() {
    int value = product();
    while (true) {
      if (accept(" + ")) {
        value += product();
      } else if (accept(" - ")) {
        value -= product();
      } else {
        return value;
      }
    }
  }
  int product() {
    int value = atom();
    while (accept(" * ")) value *= atom();
    return value;
  }
  int atom() {
    const bool is_max = accept("max(");
    if (is_max || accept("min(")) {
      const int first = sum();
      EXPECT_TRUE(accept(", "));
      const int second = sum();
      EXPECT_TRUE(accept(")"));
      return is_max == (first > second) ? first : second;
    }
    if (accept("(")) {
      const int value = sum();
      EXPECT_TRUE(accept(")"));
      return value;
    }
    const std::string word(1, text_.front());
    text_.remove_prefix(1);
    const auto variable = variables_.find(word);
    return variable != variables_.end() ? variable->second : std::stoi(word);
  }

  std::string_view text_;
  std::map<std::string, int> variables_;
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

DatasetConfig small_tinyworld() {
  DatasetConfig config;
  config.train_bytes = 40000;
  config.validation_bytes = 5000;
  config.test_bytes = 5000;
  return config;
}

TEST(TinyWorld, EveryTextHasOneDerivationWithTheGeneratorsProbability) {
  for (const int64_t seed : {1, 7}) {
    const TinyLanguage language = make_tiny_language(make_world(seed));
    for (int64_t index = 0; index < 150; ++index) {
      const TinyDocument document = tiny_document(language, seed, DataSplit::kTest, index);
      const Reading reading = Recognizer(language.grammar, document.text).whole(language.document);
      ASSERT_EQ(reading.derivations, 1.0) << document.text;
      ASSERT_NEAR(-std::log(reading.probability), document.nats, 1e-9) << document.text;
    }
  }
}

TEST(TinyWorld, TextOutsideTheLanguageHasNoDerivation) {
  const TinyLanguage language = make_tiny_language(make_world(1));
  std::string text = tiny_document(language, 1, DataSplit::kTest, 0).text;
  text.insert(text.size() / 2, "?");
  EXPECT_EQ(Recognizer(language.grammar, text).whole(language.document).derivations, 0.0);
}

TEST(TinyWorld, AnalyticEntropyEqualsTheMeanOverDocuments) {
  constexpr int64_t kDocuments = 20000;
  const TinyLanguage language = make_tiny_language(make_world(1));
  double sum = 0;
  double square_sum = 0;
  for (int64_t index = 0; index < kDocuments; ++index) {
    const double nats = tiny_document(language, 1, DataSplit::kTrain, index).nats;
    sum += nats;
    square_sum += nats * nats;
  }
  const double mean = sum / kDocuments;
  const double standard_error = std::sqrt((square_sum / kDocuments - mean * mean) / kDocuments);
  std::map<Grammar::RuleId, double> known;
  EXPECT_NEAR(expected_nats(language.grammar, language.document, known), mean, 4 * standard_error);
  EXPECT_LT(standard_error / mean, 0.01);  // or the test could not fail
}

TEST(TinyWorld, FloorOfTheDefaultSizesLiesBetweenAQuarterAndNineTwentiethsOfANatAByte) {
  const auto dataset = make_tinyworld(DatasetConfig{});
  for (const DataSplit split : {DataSplit::kTrain, DataSplit::kValidation, DataSplit::kTest}) {
    const double floor = dataset->floor(split)->nats / static_cast<double>(dataset->text(split).size());
    EXPECT_GT(floor, 0.25);
    EXPECT_LT(floor, 0.45);
  }
}

TEST(TinyWorld, SplitIsWholeDocumentsUpToTheBytesAskedForAndItsFloorIsTheirSum) {
  const DatasetConfig config = small_tinyworld();
  const auto dataset = make_tinyworld(config);
  const TinyLanguage language = make_tiny_language(make_world(config.world_seed));
  const std::map<DataSplit, int64_t> sizes = {{DataSplit::kTrain, config.train_bytes},
                                              {DataSplit::kValidation, config.validation_bytes},
                                              {DataSplit::kTest, config.test_bytes}};
  for (const auto& [split, bytes] : sizes) {
    const auto documents = dataset->documents(split);
    std::string text;
    double nats = 0;
    for (size_t i = 0; i < documents.size(); ++i) {
      EXPECT_LT(static_cast<int64_t>(text.size()), bytes);
      const TinyDocument document = tiny_document(language, config.world_seed, split, static_cast<int64_t>(i));
      ASSERT_EQ(documents[i], document.text);
      EXPECT_TRUE(document.text.ends_with("\n\n"));
      EXPECT_EQ(document.text.find("\n\n"), document.text.size() - 2);
      text += document.text;
      nats += document.nats;
    }
    EXPECT_GE(static_cast<int64_t>(text.size()), bytes);
    EXPECT_EQ(dataset->text(split), text);
    EXPECT_DOUBLE_EQ(dataset->floor(split)->nats, nats);
  }
}

TEST(TinyWorld, SplitsAndSeedsDifferAndTheSameSeedGivesTheSameText) {
  DatasetConfig config = small_tinyworld();
  const auto one = make_tinyworld(config);
  const auto again = make_tinyworld(config);
  EXPECT_EQ(one->sha256(DataSplit::kTrain), again->sha256(DataSplit::kTrain));
  EXPECT_NE(one->documents(DataSplit::kValidation).front(), one->documents(DataSplit::kTest).front());
  EXPECT_NE(one->documents(DataSplit::kTrain).front(), one->documents(DataSplit::kTest).front());
  config.world_seed = 2;
  EXPECT_NE(make_tinyworld(config)->sha256(DataSplit::kTrain), one->sha256(DataSplit::kTrain));
}

TEST(TinyWorld, EveryValueIsHeldByEquallyManyAnimalsAndParentsAreOneGenerationOlder) {
  for (const int64_t seed : {1, 2, 3}) {
    const World world = make_world(seed);
    ASSERT_EQ(world.animals.size(), static_cast<size_t>(kWorldAnimals));
    std::set<std::string> names;
    int female = 0;
    for (size_t i = 0; i < world.animals.size(); ++i) {
      const WorldAnimal& animal = world.animals[i];
      names.insert(animal.name);
      female += animal.female ? 1 : 0;
      const int begin = i < 6 ? -1 : i < 15 ? 0 : 6;
      const int end = i < 6 ? 0 : i < 15 ? 6 : 15;
      EXPECT_TRUE(animal.parent >= begin && animal.parent < end);
    }
    EXPECT_EQ(names.size(), world.animals.size());
    EXPECT_EQ(female, kWorldAnimals / 2);
    for (int a = 0; a < kWorldAttributes; ++a) {
      const auto attribute = static_cast<WorldAttribute>(a);
      std::map<std::string_view, size_t> counts;
      for (const WorldAnimal& animal : world.animals) ++counts[animal.value(attribute)];
      EXPECT_EQ(counts.size(), world_values(attribute).size());
      for (const auto& [value, count] : counts) EXPECT_EQ(count * counts.size(), world.animals.size()) << value;
    }
  }
}

TEST(TinyWorld, SentencesAgreeWithTheWorld) {
  const World world = make_world(1);
  std::map<std::string, const WorldAnimal*> by_name;
  for (const WorldAnimal& animal : world.animals) by_name[animal.name] = &animal;
  const auto dataset = make_tinyworld(DatasetConfig{});
  int eats = 0;
  int denials = 0;
  int bigger = 0;
  int plurals = 0;
  for (const std::string& line : lines_of(dataset->text(DataSplit::kTrain))) {
    const auto animal = by_name.find(line.substr(0, line.find(' ')));
    EXPECT_EQ(line.find(" a owl"), std::string::npos) << line;
    EXPECT_EQ(line.find("one eggs"), std::string::npos) << line;
    EXPECT_EQ(line.find("foxs"), std::string::npos) << line;
    plurals += line.find(" are foxes.") != std::string::npos ? 1 : 0;
    if (animal == by_name.end()) continue;
    const std::string& name = animal->first;
    const std::string food(animal->second->value(WorldAttribute::kFood));
    if (line.starts_with(name + " eats ")) {
      EXPECT_EQ(line, name + " eats " + food + ".");
      ++eats;
    } else if (line.starts_with(name + " does not eat ")) {
      EXPECT_NE(line, name + " does not eat " + food + ".");
      ++denials;
    } else if (constexpr std::string_view kBigger = " is bigger than "; line.starts_with(name + std::string(kBigger))) {
      const size_t begin = name.size() + kBigger.size();
      const WorldAnimal& other = *by_name.at(line.substr(begin, line.find_first_of(" .", begin) - begin));
      EXPECT_GT(animal->second->index(WorldAttribute::kSize), other.index(WorldAttribute::kSize)) << line;
      ++bigger;
    }
  }
  EXPECT_GT(eats, 50);
  EXPECT_GT(denials, 50);
  EXPECT_GT(bigger, 50);
  EXPECT_GT(plurals, 5);
}

TEST(TinyWorld, WorkedExamplesOfEveryFunctionAreRight) {
  const std::vector<CodeFunction> functions = code_functions();
  std::set<std::string> prompts;
  for (const CodeFunction& function : functions) {
    EXPECT_TRUE(prompts.insert(function.prompt).second) << function.prompt;
    ASSERT_TRUE(function.prompt.starts_with("def " + function.name + "("));
    const std::string parameters = function.prompt.substr(function.name.size() + 5);
    constexpr std::string_view kReturn = "    return ";
    ASSERT_TRUE(function.body.starts_with(kReturn) && function.body.ends_with("\n"));
    const std::string expression = function.body.substr(kReturn.size(), function.body.size() - kReturn.size() - 1);
    for (const CodeExample& example : function.examples) {
      std::map<std::string, int> variables = {{parameters.substr(0, 1), std::stoi(example.arguments)}};
      if (const size_t comma = example.arguments.find(", "); comma != std::string::npos) {
        variables[parameters.substr(3, 1)] = std::stoi(example.arguments.substr(comma + 2));
      }
      EXPECT_EQ(Expression(expression, variables).print(), example.value)
          << function.name << "(" << example.arguments << ")";
    }
  }
  EXPECT_EQ(functions.size(), 264U);
}

}  // namespace
}  // namespace bitnet
