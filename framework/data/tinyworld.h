#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/data/choice_questions.h"
#include "framework/data/code_problems.h"
#include "framework/data/dataset.h"
#include "framework/data/grammar.h"

// tinyworld: a small generated language. A world of 24 animals with fixed facts (kind, color, home, food, size, parent)
// is drawn from a seed; documents state those facts in several phrasings, deny false ones, ask and answer, compare,
// conclude in two steps, count, and tell events that are pure chance; other documents are short Python functions with
// worked examples. Every text has exactly one derivation, so -log p(text) is exactly the sum over the choices taken.

namespace bitnet {

/// What an animal of the world is described by, besides its parent.
enum class WorldAttribute { kKind, kColor, kHome, kFood, kSize };
inline constexpr int kWorldAttributes = 5;
inline constexpr int kWorldAnimals = 24;

/// All values of an attribute, as they stand in a sentence ("fox", "red", "by the lake", "plums", "tiny"). Sizes
/// ascend.
std::span<const std::string_view> world_values(WorldAttribute attribute);

struct WorldAnimal {
  std::string name;
  bool female = false;                            ///< "she" or "he"
  std::array<int, kWorldAttributes> values = {};  ///< indices into world_values
  int parent = -1;                                ///< index of an animal; -1 for the oldest generation

  /// The animal's value of an attribute, as it stands in a sentence.
  std::string_view value(WorldAttribute attribute) const;
  int index(WorldAttribute attribute) const { return values[static_cast<size_t>(attribute)]; }
};

/// The facts. Every value of an attribute is held by equally many animals, so that no value can be guessed from how
/// frequent it is; the 24 animals form three generations of 6, 9 and 9.
struct World {
  std::vector<WorldAnimal> animals;
};

/// The world of a seed.
World make_world(int64_t world_seed);

/// One worked example of a function, for example arguments "4", value "7".
struct CodeExample {
  std::string arguments;
  std::string value;  ///< as Python prints it
};

/// One Python function of the language: `prompt` + `body` is a complete definition.
struct CodeFunction {
  std::string operation;              ///< for example "add"
  std::string name;                   ///< for example "add_3"
  std::string prompt;                 ///< signature and docstring, ends with a newline
  std::string body;                   ///< the canonical solution, ends with a newline
  std::vector<CodeExample> examples;  ///< all worked examples the language knows
};

/// All functions of the language, those of one operation side by side.
std::vector<CodeFunction> code_functions();

/// The functions as programming problems: complete a definition after its docstring. The checks are all worked
/// examples; no document shows more than four of a function's.
std::vector<CodeProblem> tinyworld_code_problems();

/// The grammar of a world's language.
struct TinyLanguage {
  Grammar grammar;
  Grammar::RuleId document = 0;  ///< the rule of one whole document, which ends with one blank line
  Grammar::RuleId sentence = 0;  ///< the rule of one sentence of a tale, which ends with a newline
};
TinyLanguage make_tiny_language(const World& world);

/// Questions about every fact of the world, of four choices each: once as the language asks it and once as a statement
/// whose end is missing. The wrong choices are values of the same kind. Before each stand two sentences of the language
/// about others, so that the whole is in no training text though every part could be. A function of the world seed.
std::vector<ChoiceQuestion> world_questions(const TinyLanguage& language, const World& world, int64_t world_seed);

/// One document and its -log p.
struct TinyDocument {
  std::string text;
  double nats = 0;
};

/// Document `index` of a split: a function of its arguments alone. Splits are independent random streams over the same
/// world.
TinyDocument tiny_document(const TinyLanguage& language, int64_t world_seed, DataSplit split, int64_t index);

/// The dataset of the section's world seed and sizes: each split holds whole documents and ends with the first at which
/// it has at least the bytes asked for. Its floor is the sum of -log p over the split's documents: where the split ends
/// follows from the documents alone, and where a document ends from its blank line, so neither adds anything.
std::unique_ptr<Dataset> make_tinyworld(const DatasetConfig& config);

}  // namespace bitnet
