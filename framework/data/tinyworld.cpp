#include "framework/data/tinyworld.h"

#include <algorithm>
#include <optional>

#include "framework/core/random.h"
#include "framework/core/sha256.h"

namespace bitnet {
namespace {

// Purposes of the random streams of one world seed. Document streams add the split's number to theirs.
constexpr uint64_t kNameStream = 0x7477'0001;
constexpr uint64_t kSexStream = 0x7477'0002;
constexpr uint64_t kAttributeStream = 0x7477'0010;
constexpr uint64_t kParentStream = 0x7477'0020;
constexpr uint64_t kDocumentStream = 0x7477'0100;

// Generations of animals: the first have no parent here, each next one has its parents in the one before.
constexpr std::array<int, 4> kGenerationBegins = {0, 6, 15, kWorldAnimals};

constexpr std::array<std::string_view, 48> kNames = {
    "Abo",  "Bela", "Bimo", "Cori",  "Dalo", "Dumi", "Eska", "Fenu", "Fola", "Gim",  "Gora", "Hano",
    "Hebi", "Ilo",  "Imra", "Jano",  "Jubi", "Kelo", "Kiva", "Lomi", "Luna", "Mavo", "Mira", "Nelu",
    "Nuba", "Obi",  "Olan", "Pemo",  "Pila", "Quin", "Rabo", "Rulo", "Sami", "Selo", "Tavi", "Tobin",
    "Udo",  "Urla", "Vani", "Velmo", "Wila", "Wobo", "Xano", "Yemi", "Yoru", "Zabi", "Zelo", "Zuri"};

constexpr std::array<std::string_view, 6> kKinds = {"fox", "owl", "hare", "goat", "newt", "crow"};
constexpr std::array<std::string_view, 6> kColors = {"red", "blue", "green", "gray", "white", "black"};
constexpr std::array<std::string_view, 6> kHomes = {"in the barn",  "in the cave", "by the lake",
                                                    "by the river", "on the hill", "on the roof"};
constexpr std::array<std::string_view, 6> kFoods = {"plums", "nuts", "figs", "peas", "oats", "corn"};
constexpr std::array<std::string_view, 4> kSizes = {"tiny", "small", "big", "huge"};

class TinyworldDataset final : public Dataset {
 public:
  explicit TinyworldDataset(const DatasetConfig& config) {
    const World world = make_world(config.world_seed);
    const TinyLanguage language = make_tiny_language(world);
    questions_ = world_questions(language, world, config.world_seed);
    fill(language, config.world_seed, DataSplit::kTrain, config.train_bytes);
    fill(language, config.world_seed, DataSplit::kValidation, config.validation_bytes);
    fill(language, config.world_seed, DataSplit::kTest, config.test_bytes);
  }

  std::string_view text(DataSplit split) const override { return at(split).text; }
  std::vector<std::string_view> documents(DataSplit split) const override {
    const Split& stored = at(split);
    std::vector<std::string_view> documents;
    documents.reserve(stored.ends.size());
    size_t begin = 0;
    for (const size_t end : stored.ends) {
      documents.push_back(std::string_view(stored.text).substr(begin, end - begin));
      begin = end;
    }
    return documents;
  }
  std::string sha256(DataSplit split) const override { return at(split).sha256; }
  std::optional<EntropyFloor> floor(DataSplit split) const override { return EntropyFloor{at(split).nats}; }
  std::vector<ChoiceQuestion> questions() const override { return questions_; }
  std::vector<CodeProblem> code_problems() const override { return tinyworld_code_problems(); }
  std::string name() const override { return "tinyworld"; }

 private:
  struct Split {
    std::string text;
    std::vector<size_t> ends;  // of the documents, in bytes
    double nats = 0;
    std::string sha256;
  };

  const Split& at(DataSplit split) const { return splits_[static_cast<size_t>(split)]; }

  void fill(const TinyLanguage& language, int64_t world_seed, DataSplit split, int64_t bytes) {
    Split& stored = splits_[static_cast<size_t>(split)];
    for (int64_t index = 0; static_cast<int64_t>(stored.text.size()) < bytes; ++index) {
      const TinyDocument document = tiny_document(language, world_seed, split, index);
      stored.text += document.text;
      stored.ends.push_back(stored.text.size());
      stored.nats += document.nats;
    }
    stored.sha256 = sha256_hex(stored.text);
  }

  std::array<Split, 3> splits_;
  std::vector<ChoiceQuestion> questions_;
};

}  // namespace

std::span<const std::string_view> world_values(WorldAttribute attribute) {
  switch (attribute) {
    case WorldAttribute::kKind:
      return kKinds;
    case WorldAttribute::kColor:
      return kColors;
    case WorldAttribute::kHome:
      return kHomes;
    case WorldAttribute::kFood:
      return kFoods;
    case WorldAttribute::kSize:
      return kSizes;
  }
  return {};
}

std::string_view WorldAnimal::value(WorldAttribute attribute) const {
  return world_values(attribute)[static_cast<size_t>(index(attribute))];
}

World make_world(int64_t world_seed) {
  const auto seed = static_cast<uint64_t>(world_seed);
  World world;
  world.animals.resize(kWorldAnimals);
  const std::vector<int64_t> names = permutation(kNames.size(), random_stream(seed, kNameStream));
  const std::vector<int64_t> sexes = permutation(kWorldAnimals, random_stream(seed, kSexStream));
  for (size_t i = 0; i < world.animals.size(); ++i) {
    world.animals[i].name = kNames[static_cast<size_t>(names[i])];
    world.animals[i].female = sexes[i] % 2 == 0;
  }
  for (int attribute = 0; attribute < kWorldAttributes; ++attribute) {
    const auto value_count = static_cast<int64_t>(world_values(static_cast<WorldAttribute>(attribute)).size());
    const std::vector<int64_t> order =
        permutation(kWorldAnimals, random_stream(seed, kAttributeStream, static_cast<uint64_t>(attribute)));
    for (size_t i = 0; i < world.animals.size(); ++i) {
      world.animals[i].values[static_cast<size_t>(attribute)] = static_cast<int>(order[i] % value_count);
    }
  }
  Random random = random_stream(seed, kParentStream);
  for (size_t generation = 1; generation + 1 < kGenerationBegins.size(); ++generation) {
    const int begin = kGenerationBegins[generation - 1];
    const int size = kGenerationBegins[generation] - begin;
    for (int i = kGenerationBegins[generation]; i < kGenerationBegins[generation + 1]; ++i) {
      world.animals[static_cast<size_t>(i)].parent =
          begin + static_cast<int>(random.below(static_cast<uint64_t>(size)));
    }
  }
  return world;
}

TinyDocument tiny_document(const TinyLanguage& language, int64_t world_seed, DataSplit split, int64_t index) {
  Random random = random_stream(static_cast<uint64_t>(world_seed), kDocumentStream + static_cast<uint64_t>(split),
                                static_cast<uint64_t>(index));
  TinyDocument document;
  document.nats = language.grammar.sample(language.document, random, document.text);
  return document;
}

std::unique_ptr<Dataset> make_tinyworld(const DatasetConfig& config) {
  return std::make_unique<TinyworldDataset>(config);
}

}  // namespace bitnet
