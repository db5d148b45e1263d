#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/tinyworld.h"
#include "framework/data/tinyworld_words.h"

// The grammar of the language. Every sentence is one line, and the words of a sentence tell which rule made it, so that
// a text has one derivation (tests/framework/data/tinyworld_test.cpp sums over all derivations and finds no other).

namespace bitnet {
namespace {

using RuleId = Grammar::RuleId;
using A = WorldAttribute;

struct Noun {
  std::string_view one;
  std::string_view many;
};

// What events and sums are about; none of them is anybody's food, so that chance does not contradict facts.
constexpr std::array<Noun, 8> kThings = {{{"egg", "eggs"},
                                          {"leaf", "leaves"},
                                          {"stone", "stones"},
                                          {"cup", "cups"},
                                          {"box", "boxes"},
                                          {"shell", "shells"},
                                          {"key", "keys"},
                                          {"coin", "coins"}}};
constexpr std::array<std::string_view, 9> kNumbers = {"one", "two",   "three", "four", "five",
                                                      "six", "seven", "eight", "nine"};
constexpr int kLargestCount = 9;

std::string counted(int count, const Noun& noun) {
  return std::to_string(count) + " " + std::string(count == 1 ? noun.one : noun.many);
}

/// Builds the rules of one world.
class LanguageBuilder {
 public:
  explicit LanguageBuilder(const World& world) : animals_(world.animals) {}

  TinyLanguage build() {
    language_.document =
        grammar_.sequence({grammar_.choice({{27, profile()}, {56, tale()}, {17, code()}}), text("\n")});
    return std::move(language_);
  }

 private:
  RuleId text(const std::string& line) { return grammar_.text(line); }

  // ---- sentences about facts ----------------------------------------------------------------------------------------

  // A fact with `who` as subject ("Mira", "She") and `whose` as owner ("the home of Mira", "her home").
  RuleId fact(const WorldAnimal& animal, A attribute, const std::string& who) {
    const std::string value(animal.value(attribute));
    const bool named = who == animal.name;
    const std::string own = animal.female ? "Her" : "His";
    const auto owned = [&](const std::string& noun) { return named ? "The " + noun + " of " + who : own + " " + noun; };
    switch (attribute) {
      case A::kKind:
        return grammar_.uniform_texts(
            {who + " is " + with_article(value) + ".\n", who + " belongs to the " + plural_kind(value) + ".\n"});
      case A::kColor:
        return grammar_.uniform_texts({who + " is " + value + ".\n", who + " has a " + value + " coat.\n",
                                       owned("coat") + " is " + value + ".\n"});
      case A::kHome:
        return grammar_.uniform_texts({who + " lives " + value + ".\n", who + " sleeps " + value + ".\n",
                                       owned("home") + " is " + value + ".\n"});
      case A::kFood:
        return grammar_.uniform_texts({who + " eats " + value + ".\n", who + " likes to eat " + value + ".\n",
                                       who + " feeds on " + value + ".\n"});
      case A::kSize:
        return grammar_.uniform_texts({who + " is " + value + ".\n", who + " is a " + value + " animal.\n"});
    }
    return 0;
  }

  RuleId parent_fact(const WorldAnimal& animal) {
    const std::string& parent = animals_[static_cast<size_t>(animal.parent)].name;
    return grammar_.uniform_texts({parent + " is the parent of " + animal.name + ".\n",
                                   animal.name + " is a child of " + parent + ".\n",
                                   "The parent of " + animal.name + " is " + parent + ".\n"});
  }

  RuleId named_fact() {
    return for_each_animal([this](const WorldAnimal& animal) {
      std::vector<RuleId> facts;
      for (int a = 0; a < kWorldAttributes; ++a) facts.push_back(fact(animal, static_cast<A>(a), animal.name));
      if (animal.parent >= 0) facts.push_back(parent_fact(animal));
      return grammar_.uniform(facts);
    });
  }

  // The predicate of a question or denial: "eat plums", "live by the lake", "red", "a fox".
  static bool is_adjective(A attribute) { return attribute != A::kHome && attribute != A::kFood; }
  static std::string predicate(A attribute, std::string_view value) {
    switch (attribute) {
      case A::kKind:
        return with_article(value);
      case A::kHome:
        return "live " + std::string(value);
      case A::kFood:
        return "eat " + std::string(value);
      case A::kColor:
      case A::kSize:
        return std::string(value);
    }
    return {};
  }

  // One choice over the attributes, then over the values that differ from the animal's own.
  RuleId denial(const WorldAnimal& animal, const std::string& who) {
    std::vector<RuleId> attributes;
    for (int a = 0; a < kWorldAttributes; ++a) {
      const auto attribute = static_cast<A>(a);
      std::vector<std::string> denials;
      for (const std::string_view value : world_values(attribute)) {
        if (value == animal.value(attribute)) continue;
        denials.push_back(who + (is_adjective(attribute) ? " is not " : " does not ") + predicate(attribute, value) +
                          ".\n");
      }
      attributes.push_back(grammar_.uniform_texts(denials));
    }
    return grammar_.uniform(attributes);
  }

  // "Is Mira red? Yes." or "Does Mira eat figs? No.": the true value half of the time.
  RuleId yes_no_question(const WorldAnimal& animal) {
    std::vector<RuleId> attributes;
    for (int a = 0; a < kWorldAttributes; ++a) {
      const auto attribute = static_cast<A>(a);
      const auto values = world_values(attribute);
      std::vector<Grammar::Alternative> questions;
      for (const std::string_view value : values) {
        const bool is_true = value == animal.value(attribute);
        questions.push_back({is_true ? static_cast<int64_t>(values.size()) - 1 : 1,
                             text((is_adjective(attribute) ? "Is " : "Does ") + animal.name + " " +
                                  predicate(attribute, value) + (is_true ? "? Yes.\n" : "? No.\n"))});
      }
      attributes.push_back(grammar_.choice(questions));
    }
    return grammar_.uniform(attributes);
  }

  RuleId open_question(const WorldAnimal& animal) {
    const auto value = [&animal](A attribute) { return std::string(animal.value(attribute)); };
    std::vector<std::string> questions = {"What is " + animal.name + "? " + capital(with_article(value(A::kKind))),
                                          "What color is " + animal.name + "? " + capital(value(A::kColor)),
                                          "Where does " + animal.name + " live? " + capital(value(A::kHome)),
                                          "What does " + animal.name + " eat? " + capital(value(A::kFood)),
                                          "How big is " + animal.name + "? " + capital(value(A::kSize))};
    if (animal.parent >= 0) {
      questions.push_back("Who is the parent of " + animal.name + "? " +
                          animals_[static_cast<size_t>(animal.parent)].name);
    }
    for (std::string& question : questions) question += ".\n";
    return grammar_.uniform_texts(questions);
  }

  // ---- sentences about two or three animals -------------------------------------------------------------------------

  // "Mira and Tobin eat plums.": both orders of every pair that shares the value.
  RuleId shared_fact() {
    std::vector<RuleId> attributes;
    for (const A attribute : {A::kKind, A::kColor, A::kHome, A::kFood}) {
      std::vector<std::string> sentences;
      for (const WorldAnimal& one : animals_) {
        for (const WorldAnimal& other : animals_) {
          if (&one == &other || one.index(attribute) != other.index(attribute)) continue;
          const std::string value(one.value(attribute));
          const std::string rest = attribute == A::kKind    ? "are " + plural_kind(value)
                                   : attribute == A::kColor ? "are " + value
                                                            : predicate(attribute, value);
          sentences.push_back("Both " + one.name + " and " + other.name + " " + rest + ".\n");
        }
      }
      attributes.push_back(grammar_.uniform_texts(sentences));
    }
    return grammar_.uniform(attributes);
  }

  RuleId comparison() {
    std::vector<std::string> bigger;
    std::vector<std::string> smaller;
    std::vector<std::string> equal;
    for (const WorldAnimal& one : animals_) {
      for (const WorldAnimal& other : animals_) {
        const int difference = one.index(A::kSize) - other.index(A::kSize);
        if (difference > 0) bigger.push_back(one.name + " is bigger than " + other.name + ".\n");
        if (difference < 0) smaller.push_back(one.name + " is smaller than " + other.name + ".\n");
        if (difference == 0 && &one != &other) equal.push_back(one.name + " is as big as " + other.name + ".\n");
      }
    }
    return grammar_.uniform(
        {grammar_.uniform_texts(bigger), grammar_.uniform_texts(smaller), grammar_.uniform_texts(equal)});
  }

  // Conclusions in two steps: from two comparisons, from two parents, and about a parent.
  RuleId conclusion() {
    std::vector<std::string> sizes;
    for (const WorldAnimal& a : animals_) {
      for (const WorldAnimal& b : animals_) {
        for (const WorldAnimal& c : animals_) {
          if (a.index(A::kSize) <= b.index(A::kSize) || b.index(A::kSize) <= c.index(A::kSize)) continue;
          sizes.push_back(a.name + " is bigger than " + b.name + " and " + b.name + " is bigger than " + c.name +
                          ", so " + a.name + " is bigger than " + c.name + ".\n");
        }
      }
    }
    std::vector<std::string> grandparents;
    std::vector<std::string> parents;
    for (const WorldAnimal& child : animals_) {
      if (child.parent < 0) continue;
      const WorldAnimal& parent = animals_[static_cast<size_t>(child.parent)];
      parents.push_back(parent.name + " is the parent of " + child.name + ", so the parent of " + child.name +
                        " eats " + std::string(parent.value(A::kFood)) + ".\n");
      parents.push_back(parent.name + " is the parent of " + child.name + ", so the parent of " + child.name +
                        " lives " + std::string(parent.value(A::kHome)) + ".\n");
      if (parent.parent < 0) continue;
      const std::string& oldest = animals_[static_cast<size_t>(parent.parent)].name;
      grandparents.push_back(oldest + " is the parent of " + parent.name + " and " + parent.name +
                             " is the parent of " + child.name + ", so " + oldest + " is a grandparent of " +
                             child.name + ".\n");
    }
    return grammar_.uniform(
        {grammar_.uniform_texts(sizes), grammar_.uniform_texts(grandparents), grammar_.uniform_texts(parents)});
  }

  // ---- chance: events and sums --------------------------------------------------------------------------------------

  // "Today Mira found three red eggs by the lake.": nothing here follows from the world.
  RuleId event(RuleId who) {
    std::vector<RuleId> things;
    std::vector<RuleId> single;
    for (const Noun& thing : kThings) {
      things.push_back(text(std::string(thing.many)));
      single.push_back(text(std::string(thing.one)));
    }
    std::vector<std::string> many_numbers;
    for (size_t i = 1; i < kNumbers.size(); ++i) many_numbers.push_back(std::string(kNumbers[i]) + " ");
    const RuleId color = texts_of(world_values(A::kColor));
    const RuleId object = grammar_.choice(
        {{8, grammar_.sequence({grammar_.uniform_texts(many_numbers), color, text(" "), grammar_.uniform(things)})},
         {1, grammar_.sequence({text("one "), color, text(" "), grammar_.uniform(single)})}});
    const RuleId place =
        grammar_.choice({{1, text("")}, {1, grammar_.sequence({text(" "), texts_of(world_values(A::kHome))})}});
    return grammar_.sequence(
        {grammar_.uniform_texts({"Today ", "Once ", "Later ", "At noon ", "At night ", "One day "}), who,
         grammar_.uniform_texts({" saw ", " found ", " took ", " sold ", " lost ", " hid ", " kept ", " drew "}),
         object, place, text(".\n")});
  }

  RuleId any_name() {
    return for_each_animal([this](const WorldAnimal& animal) { return text(animal.name); });
  }

  // "Mira had 3 eggs and got 4 more, so now she has 7 eggs."
  RuleId sum() {
    std::array<RuleId, 2> by_sex = {};
    for (const bool female : {false, true}) {
      const std::string has = std::string(female ? "she" : "he") + " has ";
      std::vector<std::string> more;
      std::vector<std::string> less;
      for (const Noun& thing : kThings) {
        for (int first = 1; first <= kLargestCount; ++first) {
          for (int second = 1; second <= kLargestCount; ++second) {
            const std::string start = " had " + counted(first, thing) + " and ";
            more.push_back(start + "got " + std::to_string(second) + " more, so now " + has +
                           counted(first + second, thing) + ".\n");
            if (second >= first) continue;
            less.push_back(start + "gave " + std::to_string(second) + " away, so now " + has +
                           counted(first - second, thing) + ".\n");
          }
        }
      }
      by_sex[female ? 1 : 0] = grammar_.uniform({grammar_.uniform_texts(more), grammar_.uniform_texts(less)});
    }
    return for_each_animal([this, &by_sex](const WorldAnimal& animal) {
      return grammar_.sequence({text(animal.name), by_sex[animal.female ? 1 : 0]});
    });
  }

  // ---- documents ----------------------------------------------------------------------------------------------------

  // Three to six sentences, each about anyone.
  RuleId tale() {
    const RuleId sentence = language_.sentence = grammar_.choice(
        {{45, event(any_name())},
         {24, named_fact()},
         {7, for_each_animal([this](const WorldAnimal& animal) { return denial(animal, animal.name); })},
         {6, for_each_animal([this](const WorldAnimal& animal) { return yes_no_question(animal); })},
         {6, for_each_animal([this](const WorldAnimal& animal) { return open_question(animal); })},
         {5, shared_fact()},
         {5, comparison()},
         {4, conclusion()},
         {5, sum()}});
    std::vector<RuleId> lengths;
    for (size_t length = 3; length <= 6; ++length) {
      lengths.push_back(grammar_.sequence(std::vector<RuleId>(length, sentence)));
    }
    return grammar_.uniform(lengths);
  }

  // "Mira is a tiny red fox.", then facts about her in any order and none twice, between things that happened to her.
  RuleId profile() {
    const RuleId she_event = event(text("she"));
    const RuleId he_event = event(text("he"));
    return for_each_animal([&](const WorldAnimal& animal) {
      const std::string who = animal.female ? "She" : "He";
      std::vector<RuleId> facts = {fact(animal, A::kHome, who), fact(animal, A::kFood, who)};
      if (animal.parent >= 0) {
        const std::string own = animal.female ? "Her" : "His";
        facts.push_back(text(own + " parent is " + animals_[static_cast<size_t>(animal.parent)].name + ".\n"));
      }
      const RuleId denied = denial(animal, who);
      const RuleId chance = grammar_.choice({{3, animal.female ? she_event : he_event}, {1, denied}});
      return grammar_.sequence(
          {text(animal.name + " is a " + std::string(animal.value(A::kSize)) + " " +
                std::string(animal.value(A::kColor)) + " " + std::string(animal.value(A::kKind)) + ".\n"),
           facts_in_any_order(facts, chance)});
    });
  }

  // The rest of a profile once the facts outside `left` are told, from the smallest sets to the whole.
  RuleId facts_in_any_order(const std::vector<RuleId>& facts, RuleId chance) {
    std::vector<RuleId> rest(size_t{1} << facts.size());
    for (unsigned left = 0; left < rest.size(); ++left) {
      std::vector<RuleId> next;
      for (unsigned i = 0; i < facts.size(); ++i) {
        if ((left >> i & 1U) == 0) continue;
        next.push_back(grammar_.sequence({facts[i], rest[left & ~(1U << i)]}));
      }
      const RuleId told = next.empty() ? text("") : grammar_.uniform(next);
      // At most one chance sentence before each fact, and one at the end, keeps the rules free of recursion.
      rest[left] = grammar_.uniform({told, grammar_.sequence({chance, told})});
    }
    return rest.back();
  }

  // One or two functions, each with one to four worked examples.
  RuleId code() {
    std::map<std::string, std::vector<RuleId>> operations;
    for (const CodeFunction& function : code_functions()) {
      std::vector<std::string> comments;
      std::vector<std::string> prints;
      for (const CodeExample& example : function.examples) {
        const std::string call = function.name + "(" + example.arguments + ")";
        comments.push_back("# " + call + " == " + example.value + "\n");
        prints.push_back("print(" + call + ")  # " + example.value + "\n");
      }
      // A function keeps to one of the two spellings.
      const RuleId examples = grammar_.uniform(
          {one_to_four(grammar_.uniform_texts(comments)), one_to_four(grammar_.uniform_texts(prints))});
      operations[function.operation].push_back(grammar_.sequence({text(function.prompt + function.body), examples}));
    }
    std::vector<RuleId> alternatives;
    for (const auto& [operation, functions] : operations) alternatives.push_back(grammar_.uniform(functions));
    const RuleId function = grammar_.uniform(alternatives);
    return grammar_.uniform({function, grammar_.sequence({function, function})});
  }

  RuleId one_to_four(RuleId line) {
    std::vector<RuleId> lengths;
    for (size_t length = 1; length <= 4; ++length) {
      lengths.push_back(grammar_.sequence(std::vector<RuleId>(length, line)));
    }
    return grammar_.uniform(lengths);
  }

  // ---- helpers ------------------------------------------------------------------------------------------------------

  template <typename MakeRule>
  RuleId for_each_animal(const MakeRule& make_rule) {
    std::vector<RuleId> alternatives;
    for (const WorldAnimal& animal : animals_) alternatives.push_back(make_rule(animal));
    return grammar_.uniform(alternatives);
  }

  RuleId texts_of(std::span<const std::string_view> texts) {
    return grammar_.uniform_texts(std::vector<std::string>(texts.begin(), texts.end()));
  }

  const std::vector<WorldAnimal>& animals_;
  TinyLanguage language_;
  Grammar& grammar_ = language_.grammar;
};

}  // namespace

TinyLanguage make_tiny_language(const World& world) { return LanguageBuilder(world).build(); }

}  // namespace bitnet
