// Mistakes in the sections of evaluators, with their exact message and position.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

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

TEST(ConfigErrors, StridesAndChunksFitTheirWindows) {
  const auto errors = [](const std::string& fields) {
    return errors_with("evaluators: {windows: {" + fields + "}}\n");
  };
  EXPECT_THAT(errors("convention: sliding, window: 16, stride: 16"), ElementsAre("no error"));
  EXPECT_THAT(errors("convention: sliding, window: 16, stride: 17"),
              ElementsAre("experiment.yaml:14:57: evaluators.windows.stride must make the stride at most the window, "
                          "but the stride is 17 and the window 16."));
  EXPECT_THAT(errors("convention: sliding, stride: 33"),
              ElementsAre("experiment.yaml:14:45: evaluators.windows.stride must be at most the models' context, 32 "
                          "tokens, but is 33."));
  EXPECT_THAT(errors("convention: sliding, stride: 1"), ElementsAre(HasSubstr("stride must be an integer in [2,")));
  EXPECT_THAT(errors("stride: 8"), ElementsAre(HasSubstr("windows.stride must be left out where convention is")));
  EXPECT_THAT(errors("convention: chunks, window: 3"), ElementsAre("no error"));
  EXPECT_THAT(errors("convention: chunks, window: 2"),
              ElementsAre(HasSubstr("window must be 0 or at least 3 where only the second half")));
  EXPECT_THAT(errors("convention: bitnet, bos: false"), ElementsAre(HasSubstr("bos must be left out where")));
}

TEST(ConfigErrors, TemplatesOfMultipleChoiceHaveTheirPlaces) {
  const auto errors = [](const std::string& fields) {
    ExperimentFolder folder;
    folder.write("configs/evaluator/word.yaml", "kind: multiple_choice\n");
    folder.write("experiment.yaml", kSmallExperiment + ("evaluators: {word: {" + fields + "}}\n"));
    return folder.errors();
  };
  EXPECT_THAT(errors("prompt: \"Q: {question}{{}}\\nA:\", continuation: \" {choice}\""), ElementsAre("no error"));
  EXPECT_THAT(errors("prompt: \"{qestion}\""),
              ElementsAre("experiment.yaml:14:21: evaluators.word.prompt must be text with the place {question}, but "
                          "has the unknown place {qestion}."));
  EXPECT_THAT(errors("prompt: \"{choice}\""), ElementsAre(HasSubstr("has the unknown place {choice}.")));
  EXPECT_THAT(errors("continuation: \" {{choice}}\""), ElementsAre(HasSubstr("but lacks it.")));
  EXPECT_THAT(errors("continuation: \"{choice\""), ElementsAre(HasSubstr("but has a brace that belongs to no place")));
  EXPECT_THAT(errors("window: 8"), ElementsAre(HasSubstr("word.window must be left out where kind is")));
  EXPECT_THAT(errors("gold_key: gold"), ElementsAre(HasSubstr("word.gold_key must be left out where data is")));
  EXPECT_THAT(errors("data: arc.jsonl, gold_key: gold"), ElementsAre("no error"));
}

/// The errors of the small experiment with one code evaluator, whose block is `block`.
std::vector<std::string> errors_of_code(const std::string& block) {
  ExperimentFolder folder(replaced(kSmallExperiment, "[windows, word]", "[code]"));
  folder.write("configs/evaluator/code.yaml", "kind: code\n" + block);
  return folder.errors();
}

TEST(ConfigErrors, SamplesOfACodeEvaluatorFitTogether) {
  const std::string drawn = "temperature: 0.8\n";
  EXPECT_THAT(errors_of_code(""), ElementsAre("no error"));
  EXPECT_THAT(errors_of_code(drawn + "samples: 10\npass_at: [1, 10]\ntop_p: 0.95\nsampling_seed: 3\n"),
              ElementsAre("no error"));
  EXPECT_THAT(errors_of_code("samples: 10\n"),
              ElementsAre(HasSubstr("evaluators.code.samples must draw where there is more than one sample")));
  EXPECT_THAT(errors_of_code(drawn + "samples: 5\npass_at: [1, 10]\n"),
              ElementsAre(HasSubstr("must make every k at most the number of samples, but k is 10 and samples is 5")));
  EXPECT_THAT(errors_of_code(drawn + "samples: 5\npass_at: [2, 1, 2]\n"),
              ElementsAre(HasSubstr("evaluators.code.pass_at must hold every k once, but holds 2 again")));
  EXPECT_THAT(errors_of_code("pass_at: []\n"),
              ElementsAre(HasSubstr("evaluators.code.pass_at must hold at least one k, but is empty")));
  EXPECT_THAT(errors_of_code("stop: [\"\"]\n"),
              ElementsAre(HasSubstr("evaluators.code.stop must hold texts of at least one character")));
  EXPECT_THAT(errors_of_code("top_p: 0.9\n"), ElementsAre(HasSubstr("top_p must be left out where temperature is its "
                                                                    "default")));
  EXPECT_THAT(errors_of_code("window: 8\n"), ElementsAre(HasSubstr("window must be left out where kind is 'code'")));
}

TEST(ConfigErrors, WhatAnEfficiencyEvaluatorReadsAndGeneratesFitsTheContext) {
  const auto errors = [](const std::string& fields) {
    ExperimentFolder folder(replaced(kSmallExperiment, "[windows, word]", "[speed]") + "evaluators: {speed: {" +
                            fields + "}}\n");
    folder.write("configs/evaluator/speed.yaml", "kind: efficiency\nprompt_tokens: 32\ngenerate_tokens: 8\n");
    return folder.errors();
  };
  EXPECT_THAT(errors(""), ElementsAre("no error"));
  EXPECT_THAT(errors("prompt_tokens: 33"),
              ElementsAre("experiment.yaml:14:22: evaluators.speed.prompt_tokens must be at most the models' context, "
                          "32 tokens, but is 33."));
  EXPECT_THAT(errors("generate_tokens: 33"),
              ElementsAre("experiment.yaml:14:22: evaluators.speed.generate_tokens must be at most the models' "
                          "context, 32 tokens, but is 33."));
  EXPECT_THAT(errors("repetitions: 1"), ElementsAre(HasSubstr("repetitions must be an integer in [2,")));
  EXPECT_THAT(errors("head: int4"), ElementsAre(HasSubstr("evaluators.speed.head must be one of")));
  for (const char* unused : {"bos: false", "split: test", "data: x.jsonl", "window: 8", "samples: 2"}) {
    EXPECT_THAT(errors(unused), ElementsAre(HasSubstr("must be left out where kind is 'efficiency'"))) << unused;
  }
  EXPECT_THAT(errors_with("evaluators: {word: {repetitions: 3}}\n"),
              ElementsAre(HasSubstr("repetitions must be left out where kind is")));
}

}  // namespace
}  // namespace bitnet
