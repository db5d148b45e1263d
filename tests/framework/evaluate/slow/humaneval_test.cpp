// HumanEval's own problems and samples, from the mirror.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/sha256.h"
#include "framework/evaluate/code_executor.h"
#include "framework/evaluate/code_program.h"
#include "framework/evaluate/execute_samples.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;

fs::path human_eval_folder() {
  const char* const mirror = std::getenv("BITNET_DATA_MIRROR");
  return mirror == nullptr ? fs::path() : fs::path(mirror) / "human-eval";
}

std::vector<CodeProblem> human_eval() {
  const fs::path file = human_eval_folder() / "HumanEval.jsonl.gz";
  EXPECT_EQ(sha256_file(file), "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef");
  return read_code_problems(read_jsonl_file(file), file.string());
}

/// An executor, or none where no sandbox can be made.
std::unique_ptr<CodeExecutor> executor_of(std::vector<CodeProblem> problems) {
  try {
    return std::make_unique<CodeExecutor>("problems", std::move(problems), 3.0);
  } catch (const DataError& error) {
    std::cout << error.what() << "\n";
    return nullptr;
  }
}

TEST(HumanEval, AllSolutionsPass) {
  if (human_eval_folder().empty()) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const auto executor = executor_of(human_eval());
  if (executor == nullptr) GTEST_SKIP() << "no sandbox can be made here";
  ASSERT_EQ(executor->problems().size(), 164u);
  EXPECT_EQ(executor->problems().front().id, "HumanEval/0");
  EXPECT_EQ(executor->problems().back().id, "HumanEval/163");
  ProgressReporter silent;
  EXPECT_NO_THROW(executor->check_solutions(silent));
}

TEST(HumanEval, AllWrongCompletionsFail) {
  if (human_eval_folder().empty()) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const auto executor = executor_of(human_eval());
  if (executor == nullptr) GTEST_SKIP() << "no sandbox can be made here";
  std::vector<std::string> programs;
  for (const CodeProblem& problem : executor->problems())
    programs.push_back(code_program(problem, "    return None\n"));
  std::map<std::string, std::string> others;
  executor->run(programs, [&](size_t i, const SandboxOutcome& outcome) {
    if (outcome.verdict != Verdict::kFailed) others[executor->problems()[i].id] = verdict_name(outcome.verdict);
  });
  EXPECT_EQ(others, (std::map<std::string, std::string>{}));
}

TEST(HumanEval, TheExampleSamplesScoreAsWithItsOwnTool) {
  const fs::path folder = human_eval_folder();
  if (folder.empty()) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const auto executor =
      executor_of(read_code_problems(read_jsonl_file(folder / "example_problem.jsonl"), "example_problem.jsonl"));
  if (executor == nullptr) GTEST_SKIP() << "no sandbox can be made here";
  const std::vector<CodeSample> samples =
      read_code_samples(read_jsonl_file(folder / "example_samples.jsonl"), "example_samples.jsonl");
  ASSERT_EQ(samples.size(), 6u);
  ProgressReporter silent;
  const ExecutedSamples executed = execute_samples(*executor, samples, {1, 10, 100}, "example_samples.jsonl", silent);
  ASSERT_EQ(executed.metrics.size(), 1u);  // there are fewer than ten samples
  EXPECT_EQ(executed.metrics[0].name, "pass@1");
  EXPECT_EQ(executed.metrics[0].value, 0.4999999999999999);
}

}  // namespace
}  // namespace bitnet
