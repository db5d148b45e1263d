#include "framework/evaluate/execute_samples.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/utf8.h"
#include "framework/evaluate/code_evaluator.h"
#include "framework/evaluate/code_program.h"

namespace bitnet {

ExecutedSamples execute_samples(CodeExecutor& executor, const std::vector<CodeSample>& samples,
                                const std::vector<int64_t>& pass_at, const std::string& where,
                                ProgressReporter& progress) {
  const std::vector<CodeProblem>& problems = executor.problems();
  std::map<std::string, size_t> index_of;
  for (size_t i = 0; i < problems.size(); ++i) index_of[problems[i].id] = i;
  std::vector<std::vector<size_t>> samples_of(problems.size());
  std::vector<std::string> programs;
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto problem = index_of.find(samples[i].id);
    if (problem == index_of.end()) {
      throw DataError(where + ": every sample must be of a known problem, but one is of '" + samples[i].id +
                      "'. Name the problems that the samples were written for with --problems.");
    }
    samples_of[problem->second].push_back(i);
    programs.push_back(code_program(problems[problem->second], samples[i].completion));
  }
  size_t fewest = samples.size();
  for (size_t i = 0; i < problems.size(); ++i) {
    if (samples_of[i].empty()) {
      throw DataError(where + ": every problem must have a sample, but " + problems[i].id +
                      " has none. Add one: a problem that nobody tried is not solved.");
    }
    fewest = std::min(fewest, samples_of[i].size());
  }

  executor.check_solutions(progress);
  std::vector<ExecutedCompletion> executed(samples.size());
  int64_t done = 0;
  progress.start("executing samples", static_cast<int64_t>(programs.size()), "programs");
  executor.run(programs, [&](size_t i, const SandboxOutcome& outcome) {
    executed[i] = {samples[i].completion, repaired_utf8(result_text(outcome)), outcome.verdict == Verdict::kPassed};
    progress.update(++done);
  });
  progress.finish();

  ExecutedSamples found;
  for (size_t i = 0; i < samples.size(); ++i) {
    found.results += nlohmann::ordered_json{{"task_id", samples[i].id},
                                            {"completion", executed[i].completion},
                                            {"result", executed[i].result},
                                            {"passed", executed[i].passed}}
                         .dump() +
                     "\n";
  }
  std::vector<int64_t> possible;
  std::copy_if(pass_at.begin(), pass_at.end(), std::back_inserter(possible),
               [&](int64_t k) { return k <= static_cast<int64_t>(fewest); });
  std::vector<std::vector<ExecutedCompletion>> of_problems(problems.size());
  for (size_t i = 0; i < problems.size(); ++i) {
    for (const size_t sample : samples_of[i]) of_problems[i].push_back(executed[sample]);
  }
  Evaluation evaluation;
  add_code_scores(problems, of_problems, possible, evaluation);
  found.metrics = std::move(evaluation.metrics);
  found.items = std::move(evaluation.items);
  return found;
}

}  // namespace bitnet
