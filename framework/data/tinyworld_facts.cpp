#include <algorithm>
#include <string>
#include <vector>

#include "framework/core/random.h"
#include "framework/data/tinyworld.h"
#include "framework/data/tinyworld_words.h"

// Multiple-choice questions about a world's facts. The phrasings are those of the grammar (tinyworld_grammar.cpp), cut
// where the value begins; tests/framework/data/tinyworld_facts_test.cpp finds every right answer in generated text and
// no wrong one.

namespace bitnet {
namespace {

using A = WorldAttribute;

constexpr uint64_t kQuestionStream = 0x7477'0200;
constexpr size_t kChoices = 4;
constexpr int kSentencesBefore = 2;

/// A fact with its end left open: `begin` + " " + `before_value` + value + `after_value`.
struct Phrasing {
  std::string begin;
  std::string before_value;
  std::string after_value;
};

std::vector<Phrasing> statements(A attribute, const std::string& name) {
  switch (attribute) {
    case A::kKind:
      return {{name + " is", "", "."}, {name + " belongs to the", "", "."}};
    case A::kColor:
      return {{name + " is", "", "."}, {name + " has a", "", " coat."}, {"The coat of " + name + " is", "", "."}};
    case A::kHome:
      return {{name + " lives", "", "."}, {name + " sleeps", "", "."}, {"The home of " + name + " is", "", "."}};
    case A::kFood:
      return {{name + " eats", "", "."}, {name + " likes to eat", "", "."}, {name + " feeds on", "", "."}};
    case A::kSize:
      return {{name + " is", "", "."}, {name + " is", "a ", " animal."}};
  }
  return {};
}

std::string open_question(A attribute, const std::string& name) {
  switch (attribute) {
    case A::kKind:
      return "What is " + name + "?";
    case A::kColor:
      return "What color is " + name + "?";
    case A::kHome:
      return "Where does " + name + " live?";
    case A::kFood:
      return "What does " + name + " eat?";
    case A::kSize:
      return "How big is " + name + "?";
  }
  return "";
}

constexpr const char* attribute_name(A attribute) {
  constexpr const char* kNames[kWorldAttributes] = {"kind", "color", "home", "food", "size"};
  return kNames[static_cast<size_t>(attribute)];
}

class QuestionWriter {
 public:
  QuestionWriter(const TinyLanguage& language, const World& world, int64_t world_seed)
      : language_(language), animals_(world.animals), seed_(static_cast<uint64_t>(world_seed)) {}

  std::vector<ChoiceQuestion> write() {
    for (const WorldAnimal& animal : animals_) {
      for (int a = 0; a < kWorldAttributes; ++a) write_attribute(animal, static_cast<A>(a));
      if (animal.parent >= 0) write_parent(animal);
    }
    return std::move(questions_);
  }

 private:
  void write_attribute(const WorldAnimal& animal, A attribute) {
    std::vector<std::string> others;
    for (const std::string_view value : world_values(attribute)) {
      if (value != animal.value(attribute)) others.emplace_back(value);
    }
    const std::string right(animal.value(attribute));
    const std::string id = animal.name + "-" + attribute_name(attribute);

    Random random = next_stream();
    const std::vector<Phrasing> phrasings = statements(attribute, animal.name);
    const size_t chosen = random.below(phrasings.size());
    const Phrasing& phrasing = phrasings[chosen];
    const auto state = [&](const std::string& value) {
      std::string word = value;
      if (attribute == A::kKind) word = chosen == 0 ? with_article(value) : plural_kind(value);
      return phrasing.before_value + word + phrasing.after_value;
    };
    add(id + "-statement", phrasing.begin, animal, right, others, state, random);

    const auto answer = [&](const std::string& value) {
      return capital(attribute == A::kKind ? with_article(value) : value) + ".";
    };
    random = next_stream();
    add(id + "-question", open_question(attribute, animal.name), animal, right, others, answer, random);
  }

  /// The wrong choices are of the parent's generation.
  void write_parent(const WorldAnimal& animal) {
    const WorldAnimal& parent = animals_[static_cast<size_t>(animal.parent)];
    std::vector<std::string> others;
    for (const WorldAnimal& other : animals_) {
      if (generation(other) == generation(parent) && other.name != parent.name) others.push_back(other.name);
    }
    const auto answer = [](const std::string& name) { return name + "."; };
    Random random = next_stream();
    const bool child = random.below(2) == 0;
    add(animal.name + "-parent-statement",
        child ? animal.name + " is a child of" : "The parent of " + animal.name + " is", animal, parent.name, others,
        answer, random);
    random = next_stream();
    add(animal.name + "-parent-question", "Who is the parent of " + animal.name + "?", animal, parent.name, others,
        answer, random);
  }

  int generation(const WorldAnimal& animal) const {
    return animal.parent < 0 ? 0 : 1 + generation(animals_[static_cast<size_t>(animal.parent)]);
  }

  template <typename Say>
  void add(const std::string& id, const std::string& ask, const WorldAnimal& about, const std::string& right,
           std::vector<std::string> others, const Say& say, Random& random) {
    ChoiceQuestion question;
    question.id = id;
    for (int i = 0; i < kSentencesBefore; ++i) question.question += sentence_without(about.name, random);
    question.question += ask;
    const std::vector<int64_t> order = permutation(static_cast<int64_t>(others.size()), random);
    for (size_t i = 0; i + 1 < kChoices; ++i) question.choices.push_back(say(others[static_cast<size_t>(order[i])]));
    question.gold = Random(random.next()).below(kChoices);
    question.choices.insert(question.choices.begin() + static_cast<std::ptrdiff_t>(question.gold), say(right));
    questions_.push_back(std::move(question));
  }

  /// A sentence of the language, with its newline, that does not name the animal.
  std::string sentence_without(const std::string& name, Random& random) const {
    while (true) {
      std::string sentence;
      language_.grammar.sample(language_.sentence, random, sentence);
      if (sentence.find(name) == std::string::npos) return sentence;
    }
  }

  Random next_stream() { return random_stream(seed_, kQuestionStream, ++streams_); }

  const TinyLanguage& language_;
  const std::vector<WorldAnimal>& animals_;
  uint64_t seed_;
  uint64_t streams_ = 0;
  std::vector<ChoiceQuestion> questions_;
};

}  // namespace

std::vector<ChoiceQuestion> world_questions(const TinyLanguage& language, const World& world, int64_t world_seed) {
  return QuestionWriter(language, world, world_seed).write();
}

}  // namespace bitnet
