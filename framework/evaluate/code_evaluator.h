#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/core/error.h"
#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"
#include "framework/evaluate/code_executor.h"
#include "framework/evaluate/evaluator.h"
#include "framework/evaluate/work_log.h"

namespace bitnet {

/// Problems and where they come from.
struct CodeData {
  std::vector<CodeProblem> problems;
  std::string name;  ///< for example "humaneval/HumanEval.jsonl.gz"
  std::string sha256;
};

/// Finds and reads what `config.data` names: a catalog entry or a path; empty: the dataset's own problems. `where`
/// names the evaluator in errors. Errors: DataError where there are none, or they are damaged.
CodeData open_code_data(const std::string& data, const Dataset& dataset, const std::string& where,
                        ProgressReporter& progress);

/// One completion and what became of it.
struct ExecutedCompletion {
  std::string completion;
  std::string result;  ///< "passed", or for example "failed: raised AssertionError: "
  bool passed = false;
};

/// Adds what was found: one item a problem, with pass@k among its outcomes, and the metrics, their means. `executed`
/// holds the completions of each problem, at least as many as the largest k.
void add_code_scores(const std::vector<CodeProblem>& problems,
                     const std::vector<std::vector<ExecutedCompletion>>& executed, const std::vector<int64_t>& pass_at,
                     Evaluation& evaluation);

/// Of who runs programs without being allowed to. `who` is for example "evaluator 'humaneval'".
ConfigError code_execution_error(const std::string& who);

/// The result of a program, as it stands in records.
std::string result_text(const SandboxOutcome& outcome);

/// Whether the programs that a model writes are right: it completes the prompts of programming problems, and each
/// program runs in a sandbox with the problem's own tests. Two stages, generating and executing, each of which goes on
/// where a kill ended it: the model's folder gets completions_<name>.jsonl, which HumanEval's own tool reads, and
/// executed_<name>.jsonl.
class CodeEvaluator : public Evaluator {
 public:
  /// Errors: ConfigError where running programs is not allowed; DataError where no sandbox can be made.
  CodeEvaluator(std::string name, EvaluatorConfig config, CodeData data, const Tokenizer& tokenizer,
                const EvaluatorOptions& options);
  std::string name() const override { return name_; }
  int64_t version() const override { return 1; }
  std::string data_sha256() const override { return data_.sha256; }
  /// Errors: DataError where a solution that comes with the problems does not pass.
  Evaluation evaluate(const EvaluatedModel& model, ProgressReporter& progress) override;

 private:
  using Completions = std::vector<std::vector<std::string>>;  // of each problem
  using Executed = std::vector<std::vector<ExecutedCompletion>>;

  GenerateRequest request(size_t problem, int64_t sample) const;
  std::string completion(const GenerateRequest& request, std::span<const int32_t> generated) const;
  Completions generate(const EvaluatedModel& model, ProgressReporter& progress) const;
  Executed execute(const EvaluatedModel& model, const Completions& completions, ProgressReporter& progress) const;
  WorkLog open_log(const EvaluatedModel& model, const std::string& stage, const std::string& more_identity) const;
  std::pair<size_t, size_t> place_of(const nlohmann::json& line) const;
  std::string convention(int64_t context) const;

  std::string name_;
  EvaluatorConfig config_;
  CodeData data_;
  const Tokenizer& tokenizer_;
  std::map<std::string, size_t> index_of_;  // of the problem with an id
  std::unique_ptr<CodeExecutor> executor_;
};

}  // namespace bitnet
