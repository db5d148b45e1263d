#include "framework/config/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/config/field.h"
#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "tests/framework/config/experiment_folder.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using testing::ExperimentFolder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kSmallExperiment;
using ::testing::Not;
using testing::replaced;

std::filesystem::path source_path(const std::string& name) { return std::filesystem::path(BITNET_SOURCE_DIR) / name; }

/// Compares a file of the source tree with `text`; BITNET_UPDATE_GOLDEN=1 writes it instead.
void expect_file_is(const std::string& name, const std::string& text) {
  const char* const update = std::getenv("BITNET_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") write_file_atomic(source_path(name), text);
  EXPECT_EQ(read_file(source_path(name)), text)
      << name << " differs. If the change is meant, run this test with BITNET_UPDATE_GOLDEN=1 and commit the file.";
}

TEST(Resolve, ComposesBlocksThenTheExperimentThenTheVariantThenOverrides) {
  ExperimentFolder folder(replaced(kSmallExperiment, "{linear: float}", "{linear: float, layers: 5}") +
                          "model: {layers: 3, norm_epsilon: 1e-6}\ntrainer: {max_steps: 7}\n");
  const ExperimentConfig config = folder.resolve().config;
  ASSERT_EQ(config.variants.size(), 2u);
  const ModelConfig& bitnet_model = config.variants[0].model;
  const ModelConfig& float_model = config.variants[1].model;
  EXPECT_EQ(config.variants[0].name, "bitnet");
  EXPECT_EQ(bitnet_model.width, 64);           // the block
  EXPECT_EQ(bitnet_model.layers, 3);           // the experiment over the block
  EXPECT_EQ(float_model.layers, 5);            // the variant over the experiment
  EXPECT_EQ(bitnet_model.norm_epsilon, 1e-6);  // the experiment over the default
  EXPECT_EQ(bitnet_model.linear, LinearKind::kBitnet);
  EXPECT_EQ(float_model.linear, LinearKind::kFloat);
  EXPECT_EQ(config.variants[0].optimizer.learning_rate, 2.4e-3);
  EXPECT_EQ(config.variants[1].optimizer.learning_rate, 1e-3);
  EXPECT_EQ(config.variants[1].optimizer.weight_decay, 0.1);
  EXPECT_EQ(config.trainer.epochs, 2);
  EXPECT_EQ(config.trainer.max_steps, 7);
  EXPECT_EQ(config.dataset.train_bytes, 1000);
  EXPECT_EQ(config.seeds, (std::vector<int64_t>{1, 2}));
  ASSERT_EQ(config.evaluators.size(), 2u);
  EXPECT_EQ(config.evaluators[0].name, "windows");
  EXPECT_EQ(config.evaluators[1].config.convention, PerplexityConvention::kWord);

  // An override of the common section holds for all variants; the last override wins.
  const ExperimentConfig common = folder.resolve({"variants.bitnet.model.layers=8", "model.layers=9"}).config;
  EXPECT_EQ(common.variants[0].model.layers, 9);
  EXPECT_EQ(common.variants[1].model.layers, 9);
  const ExperimentConfig own = folder.resolve({"model.layers=9", "variants.bitnet.model.layers=8"}).config;
  EXPECT_EQ(own.variants[0].model.layers, 8);
  EXPECT_EQ(own.variants[1].model.layers, 9);
}

TEST(Resolve, OverridesReachEverySection) {
  const ExperimentFolder folder;
  const ExperimentConfig config =
      folder
          .resolve({"name=other", "description=a = b", "seeds=[3]", "dataset.world_seed=9", "trainer={epochs: 5}",
                    "evaluators.word.split=validation", "optimizer.schedule.kind=linear", "compose.tokenizer=pieces"})
          .config;
  EXPECT_EQ(config.name, "other");
  EXPECT_EQ(config.description, "a = b");
  EXPECT_EQ(config.seeds, (std::vector<int64_t>{3}));
  EXPECT_EQ(config.dataset.world_seed, 9);
  EXPECT_EQ(config.trainer.epochs, 5);
  EXPECT_EQ(config.evaluators[1].config.split, DataSplit::kValidation);
  EXPECT_EQ(config.variants[1].optimizer.schedule.kind, ScheduleKind::kLinear);
  EXPECT_EQ(config.tokenizer.kind, TokenizerKind::kSentencepiece);
}

TEST(Resolve, ListsWhatDiffersFromTheBlocks) {
  const ExperimentFolder folder(std::string(kSmallExperiment) + "trainer: {epochs: 2, max_steps: 7}\n");
  EXPECT_THAT(folder.resolve({"evaluators.word.split=train"}).overridden,
              ElementsAre("trainer.max_steps", "evaluators.word.split", "variants.bitnet.model.linear",
                          "variants.bitnet.optimizer.learning_rate"));
}

TEST(Resolve, AnOverriddenKindDropsTheKeysOfTheBlockThatItMakesUnused) {
  const ExperimentFolder folder(replaced(kSmallExperiment, "optimizer: adamw", "optimizer: stages"));
  EXPECT_THAT(folder.resolve().canonical_text, HasSubstr("stage_two_at: 0.4"));
  EXPECT_THAT(folder.resolve({"optimizer.schedule.kind=cosine"}).canonical_text, Not(HasSubstr("stage_two_at")));
}

// The hash names run folders: it must not change by accident. If it changes on purpose, old runs are no longer found.
TEST(Resolve, TheCanonicalTextAndItsHashAreTheRecordedOnes) {
  const ResolvedExperiment resolved = ExperimentFolder().resolve();
  expect_file_is("tests/golden/canonical_small.yaml", resolved.canonical_text);
  expect_file_is("tests/golden/canonical_small.sha256", resolved.hash + "\n");
  EXPECT_EQ(resolved.hash, sha256_hex(resolved.canonical_text));
}

TEST(Resolve, CanonicalAndFullTextReadBackToThemselves) {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"compose.optimizer=stages", "optimizer.learning_rate=0.1", "optimizer.epsilon=1.7976931348623157e-9"},
      {"compose.dataset=text", "dataset.train=\"a \\\"b\\\"\\\\ c.txt\"", "dataset.documents=blank_line"},
      {"compose.tokenizer=pieces", "tokenizer.character_coverage=0.99999999"},
      {"compose.tokenizer=pieces", "tokenizer.model=on"},
      {"description=\"two\\nlines: # 'x' é\"", "trainer.threads=3", "name=123"},
  };
  const ExperimentFolder folder;
  for (const auto& overrides : cases) {
    const ResolvedExperiment resolved = folder.resolve(overrides);
    for (const std::string& text : {resolved.canonical_text, resolved.full_text}) {
      const ResolvedExperiment again = resolve_text(text, "run");
      EXPECT_EQ(again.canonical_text, resolved.canonical_text);
      EXPECT_EQ(again.hash, resolved.hash);
      EXPECT_THAT(again.overridden, IsEmpty());
    }
    const ResolvedExperiment full = resolve_text(resolved.full_text, "run");
    EXPECT_EQ(full.full_text, resolved.full_text);
    EXPECT_EQ(full.config.description, resolved.config.description);
    EXPECT_EQ(full.config.tokenizer.model, resolved.config.tokenizer.model);
    EXPECT_EQ(full.config.dataset.train, resolved.config.dataset.train);
    EXPECT_EQ(full.config.variants[0].optimizer.epsilon, resolved.config.variants[0].optimizer.epsilon);
    EXPECT_EQ(full.config.trainer.threads, resolved.config.trainer.threads);
  }
}

TEST(Resolve, OverridesComeLastOverAStoredTextToo) {
  const ExperimentFolder folder;
  const ResolvedExperiment changed = folder.resolve({"trainer.epochs=5"});
  EXPECT_EQ(resolve_text(folder.resolve({}).full_text, "run", {"trainer.epochs=5"}).hash, changed.hash);
  EXPECT_THROW(resolve_text(changed.full_text, "run", {"trainer.epoch=5"}), ConfigError);
}

TEST(Resolve, AFlattenedFileIsAnExperimentToo) {
  ExperimentFolder folder;
  const ResolvedExperiment resolved = folder.resolve();
  folder.write("flat/run.yaml", resolved.full_text);
  EXPECT_EQ(resolve_experiment(folder.path() / "flat/run.yaml").hash, resolved.hash);
  EXPECT_NE(resolve_experiment(folder.path() / "flat/run.yaml", {"trainer.epochs=9"}).hash, resolved.hash);
}

TEST(Resolve, TheHashFollowsWhatChangesResultsAndNothingElse) {
  const ExperimentFolder folder;
  const std::string hash = folder.resolve().hash;
  for (const std::string same :
       {"trainer.log_every_steps=1", "trainer.checkpoint_every_steps=1", "trainer.threads=1", "description=x",
        "trainer.epochs=2", "optimizer.weight_decay=1e-1", "optimizer.weight_decay=0.10", "model.tied_head=true"}) {
    EXPECT_EQ(folder.resolve({same}).hash, hash) << same;
  }
  for (const std::string other :
       {"trainer.epochs=3", "trainer.batch_windows=9", "trainer.max_steps=1", "seeds=[2, 1]", "name=x",
        "dataset.world_seed=2", "model.tied_head=false", "variants.bitnet.model.activation=relu2",
        "variants.traditional.optimizer.schedule.final_fraction=0", "evaluators.word.detokenize=false",
        "baseline=bitnet"}) {
    EXPECT_NE(folder.resolve({other}).hash, hash) << other;
  }
}

TEST(Resolve, ReportsMistakesInATextUnderItsName) {
  const std::string text = ExperimentFolder().resolve().full_text;
  try {
    resolve_text(replaced(text, "epochs: 2", "epoch: 2"), "runs/x/config.resolved.yaml");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("runs/x/config.resolved.yaml:"));
    EXPECT_THAT(error.what(), HasSubstr("trainer.epoch must be a known key"));
  }
  try {
    resolve_text("compose: {model: base}\n" + text, "run");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("run:1:1: compose must be a known key, but is unknown."));
  }
}

TEST(Resolve, FindsTheConfigsFolderAboveTheExperiment) {
  ExperimentFolder folder;
  folder.write("experiments/deep/er/experiment.yaml", kSmallExperiment);
  EXPECT_EQ(resolve_experiment(folder.path() / "experiments/deep/er/experiment.yaml").hash, folder.resolve().hash);
}

TEST(Resolve, FindsTheConfigsFolderOfTheCurrentDirectoryElse) {
  const testing::TemporaryFolder elsewhere;
  write_file_atomic(elsewhere / "experiment.yaml", kSmallExperiment);
  ExperimentFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path() / "configs/model");
  const auto hash_from_here = [&] { return resolve_experiment(elsewhere / "experiment.yaml").hash; };
  EXPECT_EQ(hash_from_here(), folder.resolve().hash);
  std::filesystem::current_path(elsewhere.path());
  EXPECT_THROW(hash_from_here(), ConfigError);
  std::filesystem::current_path(before);
}

TEST(Resolve, ABareFileNameIsInTheCurrentDirectory) {
  ExperimentFolder folder;
  folder.write("experiments/deep/experiment.yaml", kSmallExperiment);
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path() / "experiments/deep");
  std::string hash;
  EXPECT_NO_THROW(hash = resolve_experiment("experiment.yaml").hash);
  std::filesystem::current_path(before);
  EXPECT_EQ(hash, folder.resolve().hash);
}

TEST(Resolve, AnEvaluatorByName) {
  const ExperimentFolder folder;
  const auto configs = folder.path() / "configs";
  EXPECT_EQ(resolve_evaluator("word", configs).convention, PerplexityConvention::kWord);
  try {
    resolve_evaluator("wrod", configs);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(folder.lines_without_folder(error.what()),
                ElementsAre("evaluator wrod: name must be a block of configs/evaluator, but is 'wrod'. Did you mean "
                            "'word'?"));
  }
}

TEST(Resolve, AModelByName) {
  const ExperimentFolder folder;
  const auto configs = folder.path() / "configs";
  EXPECT_EQ(resolve_model("base", configs).ffn_width, 96);
  EXPECT_THROW(resolve_model("bass", configs), ConfigError);
}

TEST(Resolve, ADatasetByName) {
  const ExperimentFolder folder;
  const auto configs = folder.path() / "configs";
  EXPECT_EQ(resolve_dataset("text", configs).validation, "b.txt");
  EXPECT_THROW(resolve_dataset("texts", configs), ConfigError);
}

TEST(Resolve, AModelReadsBackFromItsText) {
  const ModelConfig model = ExperimentFolder().resolve({"model.rope_theta=500000"}).config.variants[0].model;
  const ModelConfig again = read_model_text(model_text(model), "checkpoint");
  EXPECT_EQ(model_text(again), model_text(model));
  EXPECT_EQ(again.linear, LinearKind::kBitnet);
  EXPECT_EQ(again.rope_theta, 500000);
  EXPECT_THROW(read_model_text("width: 63\n", "checkpoint"), ConfigError);
  EXPECT_THROW(read_model_text("width: [\n", "checkpoint"), ConfigError);
}

TEST(Resolve, EnumeratorsHaveTheirYamlNames) {
  EXPECT_EQ(yaml_name(LinearKind::kBitnet), "bitnet");
  EXPECT_EQ(yaml_name(NormPlacement::kTips), "tips");
  EXPECT_EQ(yaml_name(Activation::kRelu2), "relu2");
  EXPECT_EQ(yaml_name(DataSplit::kValidation), "validation");
}

TEST(Configs, TheReferencePageIsTheGeneratedOne) { expect_file_is("configs/REFERENCE.md", reference_page()); }

TEST(Configs, EveryBlockResolves) {
  const ExperimentFolder folder;
  const std::filesystem::path configs = source_path("configs");
  const std::string base =
      replaced(replaced(replaced(replaced(replaced(replaced(kSmallExperiment, "dataset: tiny", "dataset: tinyworld"),
                                                   "model: base", "model: llama-1m"),
                                          "trainer: short", "trainer: cpu-small"),
                                 "[windows, word]", "[perplexity-word]"),
                        "seeds: [1, 2]", "seeds: [1]"),
               "baseline: traditional", "baseline: bitnet");
  write_file_atomic(folder.path() / "base.yaml", base);
  int blocks = 0;
  for (const auto& family : {"dataset", "tokenizer", "model", "optimizer", "trainer", "evaluator"}) {
    for (const auto& file : std::filesystem::directory_iterator(configs / family)) {
      const std::string name = file.path().stem().string();
      // Some evaluators need windows that only the models of public checkpoints take.
      const std::vector<std::string> overrides =
          family == std::string("evaluator")
              ? std::vector<std::string>{"compose.evaluators=[" + name + "]", "compose.model=tinyllama-1.1b"}
              : std::vector<std::string>{"compose." + std::string(family) + "=" + name};
      EXPECT_EQ(file.path().extension(), ".yaml");
      EXPECT_NO_THROW(resolve_experiment(folder.path() / "base.yaml", overrides, configs)) << file.path();
      ++blocks;
    }
  }
  EXPECT_GE(blocks, 16);
}

TEST(ResolveExperiment, IsNamedAsAFolderMayBe) {
  for (const char* name : {"a", "wikitext2-small", "tinyllama-1.1b", "0.5"}) EXPECT_TRUE(is_folder_name(name)) << name;
  for (const char* name : {"", ".", "..", ".a", "a.", "a..b", "-a", "A", "a/b", "a b"}) {
    EXPECT_FALSE(is_folder_name(name)) << name;
  }
}

TEST(Configs, EveryExperimentResolvesAndIsNamedAsItsFolder) {
  int experiments = 0;
  for (const auto& folder : std::filesystem::directory_iterator(source_path("experiments"))) {
    if (!folder.is_directory()) continue;
    const ResolvedExperiment resolved = resolve_experiment(folder.path() / "experiment.yaml");
    EXPECT_EQ(resolved.config.name, folder.path().filename().string());
    EXPECT_EQ(resolve_text(resolved.canonical_text, "canonical").hash, resolved.hash);
    ++experiments;
  }
  EXPECT_GE(experiments, 2);
}

}  // namespace
}  // namespace bitnet
