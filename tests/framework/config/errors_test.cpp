// Every kind of mistake, with its exact message and position.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "framework/config/resolve.h"
#include "framework/core/error.h"
#include "tests/framework/config/experiment_folder.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using testing::errors_of;
using testing::errors_where;
using testing::errors_with;
using testing::ExperimentFolder;
using ::testing::HasSubstr;
using testing::kSmallExperiment;
using testing::replaced;
using ::testing::StartsWith;

TEST(ConfigErrors, TheSmallExperimentHasNone) { EXPECT_THAT(errors_with(""), ElementsAre("no error")); }

TEST(ConfigErrors, UnknownKeyWithASuggestion) {
  EXPECT_THAT(errors_with("trainer:\n  epoch: 3\n"),
              ElementsAre("experiment.yaml:15:3: trainer.epoch must be a known key, but is unknown. "
                          "Did you mean 'epochs'?"));
  EXPECT_THAT(errors_with("tariner: {epochs: 3}\n"),
              ElementsAre("experiment.yaml:14:1: tariner must be a known key, but is unknown. "
                          "Did you mean 'trainer'?"));
}

TEST(ConfigErrors, UnknownKeyWithTheListWhereNoneIsNear) {
  EXPECT_THAT(errors_with("tokenizer: {flavor: 3}\n"),
              ElementsAre("experiment.yaml:14:13: tokenizer.flavor must be a known key, but is unknown. "
                          "Known here: kind, model, vocab_size, character_coverage."));
}

TEST(ConfigErrors, DuplicateKey) {
  EXPECT_THAT(errors_with("trainer:\n  epochs: 3\n  epochs: 4\n"),
              ElementsAre("experiment.yaml:16:3: trainer.epochs must be given once, but is given again "
                          "(first in line 15)."));
}

TEST(ConfigErrors, NumbersAreReadAsWritten) {
  for (const std::string text : {"010", "0x10", "+3", "1_000", "3.0", "1e2", "'3'", "yes", "three", "-0x1", "3 4"}) {
    const std::string shown = text == "'3'" ? "the text '3'" : "'" + text + "'";
    EXPECT_THAT(
        errors_with("trainer: {epochs: " + text + "}\n"),
        ElementsAre("experiment.yaml:14:19: trainer.epochs must be an integer in [0, 100000], but is " + shown + "."));
  }
  for (const std::string text : {"nan", ".inf", "inf", "1e999", "1.", ".5", "0x1p3", "01.5", "1e", "+1", "1,5e"}) {
    EXPECT_THAT(errors_with("", {"optimizer.weight_decay='" + text + "'"}), ElementsAre(HasSubstr("a number in")));
    EXPECT_THAT(errors_with("optimizer:\n  weight_decay: " + text + "\n"),
                ElementsAre("experiment.yaml:15:17: optimizer.weight_decay must be a number in [0, 10], but is '" +
                            text + "'."));
  }
}

TEST(ConfigErrors, OutOfRange) {
  EXPECT_THAT(errors_with("trainer: {epochs: -1}\n"), ElementsAre(HasSubstr("in [0, 100000], but is '-1'.")));
  EXPECT_THAT(errors_with("trainer: {epochs: 99999999999999999999}\n"),
              ElementsAre(HasSubstr("in [0, 100000], but is")));
  EXPECT_THAT(errors_with("optimizer: {beta1: 1}\n"), ElementsAre(HasSubstr("a number in [0, 1), but is '1'.")));
  EXPECT_THAT(errors_with("optimizer: {epsilon: 0}\n"), ElementsAre(HasSubstr("a number in (0, 1], but is '0'.")));
  EXPECT_THAT(errors_with("optimizer: {schedule: {final_fraction: 1.5}}\n"),
              ElementsAre(HasSubstr("optimizer.schedule.final_fraction must be a number in [0, 1], but is '1.5'.")));
  EXPECT_THAT(errors_with("model: {ffn_width: 0}\n"),
              ElementsAre(HasSubstr("model.ffn_width must be an integer in [1,")));
}

TEST(ConfigErrors, BooleansAreOnlyTrueAndFalse) {
  for (const std::string text : {"yes", "no", "on", "True", "TRUE", "1", "'true'", "[true]"}) {
    EXPECT_THAT(errors_with("model: {tied_head: " + text + "}\n"),
                ElementsAre(StartsWith("experiment.yaml:14:20: model.tied_head must be true or false, but is ")));
  }
}

TEST(ConfigErrors, WrongKindsOfValues) {
  EXPECT_THAT(errors_with("trainer: 3\n"),
              ElementsAre("experiment.yaml:14:10: trainer must be a map of keys and values, but is '3'."));
  EXPECT_THAT(errors_with("trainer:\n"),
              ElementsAre("experiment.yaml:14:1: trainer must be a map of keys and values, but is empty."));
  EXPECT_THAT(errors_with("model: [3]\n"),
              ElementsAre("experiment.yaml:14:8: model must be a map of keys and values, but is a list."));
  EXPECT_THAT(errors_with("trainer: {epochs: {a: 1}}\n"), ElementsAre(HasSubstr("[0, 100000], but is a map.")));
  EXPECT_THAT(errors_with("description: [a]\n"),
              ElementsAre("experiment.yaml:14:14: description must be text, but is a list."));
  EXPECT_THAT(errors_with("evaluators: [a]\n"),
              ElementsAre("experiment.yaml:14:13: evaluators must be a map by name, but is a list."));
  EXPECT_THAT(errors_where("seeds: [1, 2]", "seeds: 1"),
              ElementsAre("experiment.yaml:9:8: seeds must be a list of integers, for example [1, 2], but is '1'."));
  EXPECT_THAT(
      errors_where("{model: {linear: float}}", "float"),
      ElementsAre("experiment.yaml:13:16: variants.traditional must be a map of model, optimizer and start, but is "
                  "'float'."));
}

TEST(ConfigErrors, UnknownEnumValue) {
  EXPECT_THAT(errors_where("linear: bitnet", "linear: bitnett"),
              ElementsAre("experiment.yaml:12:28: variants.bitnet.model.linear must be one of float, bitnet, but is "
                          "'bitnett'. Did you mean 'bitnet'?"));
  EXPECT_THAT(errors_with("optimizer: {schedule: {kind: wave}}\n"),
              ElementsAre("experiment.yaml:14:30: optimizer.schedule.kind must be one of constant, linear, cosine, "
                          "two_stage, but is 'wave'."));
}

TEST(ConfigErrors, UnknownBlock) {
  EXPECT_THAT(errors_where("model: base", "model: bsae"),
              ElementsAre("experiment.yaml:5:10: compose.model must be a block of configs/model, but is 'bsae'. "
                          "Did you mean 'base'?"));
  EXPECT_THAT(errors_where("dataset: tiny", "dataset: ../model/base"),
              ElementsAre("experiment.yaml:3:12: compose.dataset must be a block of configs/dataset, but is "
                          "'../model/base'. Blocks there: text, tiny."));
  EXPECT_THAT(errors_where("[windows, word]", "[windows, words]"),
              ElementsAre("experiment.yaml:8:25: compose.evaluators[1] must be a block of configs/evaluator, but is "
                          "'words'. Did you mean 'word'?"));
}

TEST(ConfigErrors, MissingFields) {
  EXPECT_THAT(errors_where("name: small\n", ""),
              ElementsAre("experiment.yaml:1:1: name must be given, but is missing."));
  EXPECT_THAT(errors_where("baseline: traditional\n", ""),
              ElementsAre("experiment.yaml:1:1: baseline must be given, but is missing."));
  EXPECT_THAT(errors_where("  dataset: tiny\n", ""),
              ElementsAre("experiment.yaml:2:1: compose.dataset must be given, but is missing."));
  EXPECT_THAT(errors_where("  model: base\n", ""), ElementsAre("no error"));  // each variant says something
  EXPECT_THAT(errors_where("  optimizer: adamw\n", ""),
              ElementsAre("experiment.yaml:2:1: compose.optimizer must be given, but is missing."));
  EXPECT_THAT(errors_where("  evaluators: [windows, word]\n", ""),
              ElementsAre("experiment.yaml:2:1: compose.evaluators must name at least one evaluator, but is missing or "
                          "empty."));
  EXPECT_THAT(errors_of("name: x\nbaseline: y\n"),
              ElementsAre("experiment.yaml:1:1: dataset must be given, but is missing.",
                          "experiment.yaml:1:1: tokenizer must be given, but is missing.",
                          "experiment.yaml:1:1: trainer must be given, but is missing.",
                          "experiment.yaml:1:1: evaluators must hold at least one evaluator, but is missing or empty.",
                          "experiment.yaml:1:1: variants must be a map of at least one variant by name, but is "
                          "missing."));
}

TEST(ConfigErrors, AnEmptyBlockNameIsNoBlock) {
  EXPECT_THAT(errors_where("dataset: tiny", "dataset: \"\""),
              ElementsAre("experiment.yaml:3:12: compose.dataset must be a block of configs/dataset, but is ''. "
                          "Blocks there: text, tiny."));
  EXPECT_THAT(errors_where("tokenizer: byte", "tokenizer: \"\""), ElementsAre(HasSubstr("compose.tokenizer must be")));
  EXPECT_THAT(errors_where("model: base", "model: \"\""), ElementsAre(HasSubstr("compose.model must be a block of")));
  EXPECT_THAT(errors_where("optimizer: adamw", "optimizer: \"\""), ElementsAre(HasSubstr("compose.optimizer must be")));
  EXPECT_THAT(errors_where("trainer: short", "trainer: \"\""), ElementsAre(HasSubstr("compose.trainer must be")));
  EXPECT_THAT(errors_where("trainer: short", "trainer:"),
              ElementsAre("experiment.yaml:7:3: compose.trainer must be text, but is empty."));
}

TEST(ConfigErrors, NamesMustBeSafeFolderNames) {
  for (const char* const name : {"../up", "Small", "a b", "-x", "a_b", "\"\"", "a/b",
                                 "a2345678901234567890123456789012345678901234567890123456789012345"}) {
    EXPECT_THAT(errors_where("name: small", "name: " + std::string(name)),
                ElementsAre(StartsWith("experiment.yaml:1:7: name must be a name of lowercase letters, digits, "
                                       "hyphens and dots inside, at most 64, but is ")));
  }
  EXPECT_THAT(errors_where("  bitnet: {", "  Bit.net: {"),
              ElementsAre("experiment.yaml:12:3: variants.Bit.net must be a name of lowercase letters, digits and "
                          "hyphens, but is 'Bit.net'."));
}

TEST(ConfigErrors, VariantsSeedsAndBaseline) {
  EXPECT_THAT(errors_where("baseline: traditional", "baseline: traditionel"),
              ElementsAre("experiment.yaml:10:11: baseline must be one of the variants bitnet, traditional, but is "
                          "'traditionel'. Did you mean 'traditional'?"));
  EXPECT_THAT(errors_where("[1, 2]", "[1, 2, 1]"),
              ElementsAre("experiment.yaml:9:15: seeds[2] must be unlike the others, but is 1 again."));
  EXPECT_THAT(errors_where("[1, 2]", "[]"),
              ElementsAre("experiment.yaml:9:8: seeds must hold at least one seed, but is "
                          "empty."));
  EXPECT_THAT(errors_where("[1, 2]", "[1, -2]"),
              ElementsAre("experiment.yaml:9:12: seeds[1] must be an integer in [0, 4294967295], but is '-2'."));
  EXPECT_THAT(
      errors_where("[windows, word]", "[word, windows, word]"),
      ElementsAre("experiment.yaml:8:31: compose.evaluators[2] must be unlike the others, but is 'word' again."));
  EXPECT_THAT(errors_where("{model: {linear: float}}", "{modle: {linear: float}}"),
              ElementsAre("experiment.yaml:13:17: variants.traditional.modle must be a known key, but is unknown. "
                          "Did you mean 'model'?"));
  EXPECT_THAT(errors_with("evaluators: {wrod: {split: train}}\n"),
              ElementsAre("experiment.yaml:14:14: evaluators.wrod must be one of compose.evaluators, but is not. "
                          "Did you mean 'word'?"));
}

TEST(ConfigErrors, ShapesThatDoNotFit) {
  EXPECT_THAT(errors_with("model: {width: 66}\n"),
              ElementsAre("experiment.yaml:14:9: model.width must make width a multiple of heads, but width is 66 and "
                          "heads is 4."));
  EXPECT_THAT(
      errors_with("model: {heads: 64}\n"),
      ElementsAre("experiment.yaml:14:9: model.heads must make width / heads even (rotary positions turn pairs), "
                  "but it is 1."));
  EXPECT_THAT(errors_with("model: {kv_heads: 3}\n"),
              ElementsAre("experiment.yaml:14:9: model.kv_heads must make heads a multiple of kv_heads, but heads is 4 "
                          "and kv_heads is 3."));
  EXPECT_THAT(
      errors_where("{linear: float}", "{linear: float, context: 64}"),
      ElementsAre("experiment.yaml:13:40: variants.traditional.model.context must be that of the other variants, "
                  "32, but is 64."));
  EXPECT_THAT(
      errors_with("evaluators: {word: {window: 33}}\n"),
      ElementsAre("experiment.yaml:14:21: evaluators.word.window must be at most the models' context, 32 tokens, "
                  "but is 33."));
  EXPECT_THAT(errors_with("evaluators: {word: {window: 1}}\n"),
              ElementsAre(StartsWith("experiment.yaml:14:21: evaluators.word.window must be 0 or at least 2")));
}

TEST(ConfigErrors, TheWarmUpEndsBeforeTheSecondStage) {
  ExperimentFolder folder(replaced(kSmallExperiment, "optimizer: adamw", "optimizer: stages") +
                          "optimizer: {schedule: {warmup_fraction: 0.5}}\n");
  EXPECT_THAT(folder.errors(),
              ElementsAre("experiment.yaml:14:24: optimizer.schedule.warmup_fraction must make the warm-up end before "
                          "the second stage starts, but it does not."));
}

TEST(ConfigErrors, KeysThatAnotherKeyMakesUnused) {
  EXPECT_THAT(errors_with("dataset: {train: x.txt}\n"),
              ElementsAre("experiment.yaml:14:11: dataset.train must be left out where source is 'tinyworld', but is "
                          "given."));
  EXPECT_THAT(errors_with("optimizer: {schedule: {stage_two_at: 0.4}}\n"),
              ElementsAre("experiment.yaml:14:24: optimizer.schedule.stage_two_at must be left out where kind is its "
                          "default, but is given."));
  EXPECT_THAT(
      errors_with("tokenizer: {kind: sentencepiece, model: m.model, vocab_size: 512}\n"),
      ElementsAre("experiment.yaml:14:50: tokenizer.vocab_size must be left out where model is 'm.model', but is "
                  "given."));
  EXPECT_THAT(
      errors_with("evaluators: {word: {text: stored}}\n"),
      ElementsAre("experiment.yaml:14:21: evaluators.word.text must be left out where convention is 'word', but "
                  "is given."));
}

TEST(ConfigErrors, AHuggingFaceTokenizerMustBeNamed) {
  EXPECT_THAT(errors_with("tokenizer: {kind: huggingface}\n"),
              ElementsAre("experiment.yaml:14:13: tokenizer.model must be a catalog entry or a path where kind is "
                          "'huggingface', but is missing."));
  EXPECT_THAT(errors_with("tokenizer: {kind: huggingface, model: tokenizer.json}\n"), ElementsAre("no error"));
}

TEST(ConfigErrors, FilesMustBeNamed) {
  EXPECT_THAT(
      errors_with("dataset: {source: files, test: \"\"}\n"),
      ElementsAre("experiment.yaml:14:11: dataset.train must be a catalog entry or a path where source is 'files', "
                  "but is missing.",
                  "experiment.yaml:14:11: dataset.validation must be a catalog entry or a path where source is "
                  "'files', but is missing.",
                  "experiment.yaml:14:26: dataset.test must be a catalog entry or a path where source is "
                  "'files', but is empty."));
}

TEST(ConfigErrors, MistakesInBlocksAreReportedThereAndOnce) {
  ExperimentFolder folder;
  folder.write("configs/model/base.yaml", "# the base\nwidth: 64\nlayres: 2\n");
  EXPECT_THAT(folder.errors(),
              ElementsAre("configs/model/base.yaml:3:1: model.layres must be a known key, but is unknown. "
                          "Did you mean 'layers'?"));
  folder.write("configs/model/base.yaml", "");
  EXPECT_THAT(folder.errors(),
              ElementsAre("configs/model/base.yaml:1:1: model must be a map of keys and values, but is empty."));
}

TEST(ConfigErrors, AllAtOnceSortedByFileAndPositionThenOverrides) {
  ExperimentFolder folder(replaced(kSmallExperiment, "baseline: traditional", "baseline: none") +
                          "trainer: {epochs: 010, epoch: 3}\nextra: 1\n");
  folder.write("configs/trainer/short.yaml", "batch_windows: no\n");
  folder.write("configs/dataset/tiny.yaml", "source: tinywrold\n");
  EXPECT_THAT(
      folder.errors({"trainer.thread=1", "model.width=0", "broken"}),
      ElementsAre(StartsWith("configs/dataset/tiny.yaml:1:9: dataset.source must be one of tinyworld, files"),
                  StartsWith("configs/trainer/short.yaml:1:16: trainer.batch_windows must be an integer"),
                  StartsWith("experiment.yaml:10:11: baseline must be one of the variants"),
                  StartsWith("experiment.yaml:14:19: trainer.epochs must be an integer"),
                  StartsWith("experiment.yaml:14:24: trainer.epoch must be a known key"),
                  StartsWith("experiment.yaml:15:1: extra must be a known key"),
                  StartsWith("--set trainer.thread=1: trainer.thread must be a known key, but is unknown. Did you "
                             "mean 'threads'?"),
                  StartsWith("--set model.width=0: model.width must be an integer in [2, 65536], but is '0'."),
                  StartsWith("--set broken: argument must be a path, '=' and a value")));
}

TEST(ConfigErrors, AMistakeHidesOnlyTheRulesThatNeedWhatItLeavesUnknown) {
  // One mistake each in a shared section, in the seeds and between the variants.
  EXPECT_THAT(errors_with("", {"trainer.epochs=-1", "seeds=[1,1]", "variants.bitnet.model.context=64"}),
              ElementsAre(StartsWith("--set trainer.epochs=-1: trainer.epochs must be an integer in"),
                          "--set seeds=[1,1]: seeds[1] must be unlike the others, but is 1 again.",
                          "--set variants.bitnet.model.context=64: variants.bitnet.model.context must be that of the "
                          "other variants, 32, but is 64."));
  EXPECT_THAT(errors_with("", {"seeds=[0, -1, 0, x]"}),
              ElementsAre(StartsWith("--set seeds=[0, -1, 0, x]: seeds[1] must be an integer"),
                          StartsWith("--set seeds=[0, -1, 0, x]: seeds[3] must be an integer"),
                          "--set seeds=[0, -1, 0, x]: seeds[2] must be unlike the others, but is 0 again."));
  EXPECT_THAT(errors_with("", {"dataset.source=files", "dataset.train=[a]", "dataset.validation=v.txt"}),
              ElementsAre("--set dataset.source=files: dataset.test must be a catalog entry or a path where source is "
                          "'files', but is missing.",
                          "--set dataset.train=[a]: dataset.train must be text, but is a list."));
  EXPECT_THAT(errors_with("", {"model.kv_heads=3", "model.width=x", "model.norm=tip"}),
              ElementsAre(HasSubstr("model.kv_heads must make heads a multiple of kv_heads"),
                          HasSubstr("model.width must be an integer"), HasSubstr("Did you mean 'tips'?")));
  EXPECT_THAT(
      errors_with("tokenizer: {vocab_size: 512, flavor: 3}\n"),
      ElementsAre(StartsWith("experiment.yaml:14:13: tokenizer.vocab_size must be left out where kind is 'byte'"),
                  StartsWith("experiment.yaml:14:30: tokenizer.flavor must be a known key")));
  EXPECT_THAT(errors_with("evaluators: {word: {window: 33}, windows: {split: tset}}\n", {"trainer.epochs=-1"}),
              ElementsAre(StartsWith("experiment.yaml:14:21: evaluators.word.window must be at most the models'"),
                          HasSubstr("evaluators.windows.split must be one of"), HasSubstr("trainer.epochs must be")));
  EXPECT_THAT(errors_with("", {"variants={bitnt: {}, tradtional: {}, bitnet: {model: {width: 0}}}"}),
              ElementsAre(HasSubstr("Did you mean 'bitnet'?"), HasSubstr("Did you mean 'traditional'?"),
                          HasSubstr("model.width must be an integer in [2, 65536], but is '0'.")));
  EXPECT_THAT(
      errors_of("name: small\ncompose: {dataset: tiny, tokenizer: byte, model: bsae, optimizer: adamw, trainer: "
                "short, evaluators: [word]}\nbaseline: b\nmodel: {width: 0}\noptimizer: {beta1: 1}\n"),
      ElementsAre(StartsWith("experiment.yaml:1:1: variants must be a map of at least one variant"),
                  HasSubstr("compose.model must be a block of configs/model, but is 'bsae'"),
                  HasSubstr("model.width must be an integer"), HasSubstr("optimizer.beta1 must be a number")));
}

TEST(ConfigErrors, NoMistakeIsReportedThatAnotherOneMakes) {
  EXPECT_THAT(errors_where("[windows, word]", "[windows, [word], {a: b}]"),
              ElementsAre("experiment.yaml:8:25: compose.evaluators[1] must be text, but is a list.",
                          "experiment.yaml:8:33: compose.evaluators[2] must be text, but is a map."));
  EXPECT_THAT(errors_with("evaluators: {word: {window: 3, splt: test}}\n", {"compose.evaluators=[windows, [word]]"}),
              ElementsAre(StartsWith("experiment.yaml:14:32: evaluators.word.splt must be a known key"),
                          HasSubstr("compose.evaluators[1] must be text, but is a list.")));
  EXPECT_THAT(errors_with("evaluators: {word: {window: 3}}\n", {"compose.evaluators=[words]"}),
              ElementsAre(HasSubstr("compose.evaluators[0] must be a block of")));
  EXPECT_THAT(errors_with("", {"compose.evaluators=word"}),
              ElementsAre("--set compose.evaluators=word: compose.evaluators must be a list of names, for example "
                          "[a, b], but is 'word'."));
  EXPECT_THAT(errors_with("evaluators: {word: {detokenize: true}}\ndataset: {world_seed: 3}\n", {"compose=3"}),
              ElementsAre("--set compose=3: compose must be a map of keys and values, but is '3'."));
  EXPECT_THAT(errors_where("  evaluators: [windows, word]", "  evaluator: [windows, word]"),
              ElementsAre(HasSubstr("compose.evaluator must be a known key, but is unknown. Did you mean")));
  EXPECT_THAT(
      errors_where("baseline: ", "baselin: "),
      ElementsAre("experiment.yaml:10:1: baselin must be a known key, but is unknown. Did you mean 'baseline'?"));
  EXPECT_THAT(errors_where("  trainer: short", "  trainr: short"),
              ElementsAre(HasSubstr("compose.trainr must be a known key, but is unknown. Did you mean 'trainer'?")));
  EXPECT_THAT(errors_where("dataset: tiny", "dataset: txt"), ElementsAre(HasSubstr("compose.dataset must be a block")));
  EXPECT_THAT(errors_of(replaced(kSmallExperiment, "dataset: tiny", "dataset: txt") + "dataset: {train: x.txt}\n"),
              ElementsAre(HasSubstr("compose.dataset must be a block of")));
  for (const std::string wrong : {"model.context=[", "model.context=x", "model.contxt=64", "modle.context=64",
                                  "variants.bitnet.modle.context=64", "variants.bitnt.model.context=64"}) {
    EXPECT_THAT(errors_with("", {"variants.traditional.model.context=64", "evaluators.word.window=64", wrong}),
                ElementsAre(StartsWith("--set " + wrong + ": ")))
        << wrong;
  }
  for (const std::string broken : {"variants=[", "variants.bitnet=[", "evaluators=[", "evaluators.word=[", "model=[",
                                   "trainer=[", "compose=[", "compose.model=[", "seeds=[", "baseline=["}) {
    EXPECT_THAT(errors_with("", {broken}), ElementsAre(StartsWith("--set " + broken + ": text must be YAML")));
  }
  EXPECT_THAT(
      errors_with("trainer:\n  epochs: 3\n  epochs: 0\n", {"evaluators.word.window=1"}),
      ElementsAre(HasSubstr("trainer.epochs must be given once"), HasSubstr("evaluators.word.window must be 0")));
}

TEST(ConfigErrors, Overrides) {
  const ExperimentFolder folder;
  EXPECT_THAT(
      folder.errors({"variants.bitnt.model.width=32"}),
      ElementsAre("--set variants.bitnt.model.width=32: variants.bitnt must be one of the experiment's variants "
                  "bitnet, traditional, but is not. Did you mean 'bitnet'?"));
  EXPECT_THAT(folder.errors({"trainer.epochs="}),
              ElementsAre("--set trainer.epochs=: trainer.epochs must be an integer in [0, 100000], but is empty."));
  EXPECT_THAT(folder.errors({"seeds=[1"}), ElementsAre(StartsWith("--set seeds=[1: text must be YAML, but is not")));
  EXPECT_THAT(folder.errors({"seeds=[1, 1]"}),
              ElementsAre("--set seeds=[1, 1]: seeds[1] must be unlike the others, but is 1 again."));
  for (const std::string argument : {"", "=", "=3", "a..b=3", ".a=3", "a.=3", "trainer"}) {
    EXPECT_THAT(folder.errors({argument}), ElementsAre(StartsWith("--set " + argument + ": argument must be a path")));
  }
}

TEST(ConfigErrors, TextThatIsNotPlainYaml) {
  EXPECT_THAT(errors_with("trainer: [1\n"), ElementsAre(HasSubstr("text must be YAML, but is not (")));
  EXPECT_THAT(errors_with("trainer: &t {epochs: 1}\n"),
              ElementsAre("experiment.yaml:14:10: value must be without an anchor, but has one. Write it out."));
  EXPECT_THAT(errors_with("optimizer: {beta1: &b 0.8, beta2: *b}\n"),
              ElementsAre(HasSubstr("14:20: value must be without an anchor"), HasSubstr("but is an alias.")));
  EXPECT_THAT(errors_with("a: *b\n"), ElementsAre(HasSubstr("text must be YAML, but is not")));
  EXPECT_THAT(errors_with("trainer: {epochs: !!int 3}\n"),
              ElementsAre(HasSubstr("value must be without a tag, but has")));
  EXPECT_THAT(errors_with("? [a]\n: 3\n"), ElementsAre(HasSubstr("a key is empty, a list or a map")));
  EXPECT_THAT(errors_with("---\nname: second\n"),
              ElementsAre(HasSubstr("file must hold one YAML document, but holds")));
  EXPECT_THAT(errors_with("description: \"\xff\"\n"),
              ElementsAre("experiment.yaml:14:15: text must be UTF-8 without control characters, but is not from this "
                          "byte on."));
  for (const std::string escape : {"\\x04", "\\N", "\\r", "\\0", "\\x7f"}) {
    EXPECT_THAT(errors_with("description: \"a" + escape + "\"\n"),
                ElementsAre("experiment.yaml:14:14: description must be UTF-8 text without control characters, but is "
                            "not."));
  }
  EXPECT_THAT(errors_with("description: a\x04\n"), ElementsAre(HasSubstr("UTF-8 without control characters")));
  EXPECT_THAT(errors_of(""), ElementsAre("experiment.yaml:1:1: file must be a map of keys and values, but is empty."));
  EXPECT_THAT(errors_of(std::string(2 << 20, '#')), ElementsAre(HasSubstr("text must be at most 1 MiB long")));
  EXPECT_THAT(errors_of(std::string(100000, '[')), ElementsAre(HasSubstr("text must be YAML, but is not")));
}

TEST(ConfigErrors, FilesThatAreNotThere) {
  const ExperimentFolder folder;
  const auto error_of = [&](const std::filesystem::path& path) {
    try {
      resolve_experiment(path);
    } catch (const ConfigError& error) {
      return folder.lines_without_folder(error.what()).front();
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_of(folder.path() / "none.yaml"),
            "none.yaml: experiment must be a YAML file, but is not there. Check the path.");
  EXPECT_EQ(error_of(folder.path() / "configs"),
            "configs: experiment must be a YAML file, but is a folder. Name the file in it.");
}

}  // namespace
}  // namespace bitnet
