#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/app/progress_bar.h"
#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/data/catalog.h"
#include "framework/data/code_problems.h"
#include "framework/evaluate/code_evaluator.h"
#include "framework/evaluate/execute_samples.h"

namespace bitnet {

namespace po = boost::program_options;

int execute_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage =
      "bitnet execute SAMPLES.jsonl --allow-code-execution [--problems NAME] [--k K]... [--timeout SECONDS]";
  command.summary =
      "Runs completions of programming problems, each in a sandbox with the problem's tests, and prints pass@k, as\n"
      "HumanEval's evaluate_functional_correctness does. A line of SAMPLES.jsonl (or .jsonl.gz) has task_id and\n"
      "completion. What became of each goes to SAMPLES.jsonl_results.jsonl.";
  command.example = "bitnet execute samples.jsonl --allow-code-execution";
  command.positional = {"SAMPLES.jsonl"};
  double timeout = 3;
  command.options.add_options()("problems", po::value<std::string>()->default_value("humaneval/HumanEval.jsonl.gz"),
                                "catalog entry or file of the problems")(
      "k", po::value<std::vector<int64_t>>()->composing(), "of pass@k; may be repeated (default 1, 10 and 100)")(
      "timeout", po::value(&timeout)->default_value(timeout), "seconds that one program may take")(
      "allow-code-execution", po::bool_switch(), "run the programs, each in a sandbox; required");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  if (!values["allow-code-execution"].as<bool>()) throw code_execution_error("execute");
  if (!(timeout > 0 && timeout <= 3600)) {
    throw ConfigError(
        fmt::format("execute: --timeout must be above 0 and at most 3600 seconds, but is {}. See "
                    "`bitnet execute --help`.",
                    timeout));
  }
  const auto pass_at =
      values.count("k") > 0 ? values["k"].as<std::vector<int64_t>>() : std::vector<int64_t>{1, 10, 100};
  for (const int64_t k : pass_at) {
    if (k < 1)
      throw ConfigError(fmt::format("execute: --k must be at least 1, but is {}. See `bitnet execute --help`.", k));
  }
  ProgressBar progress;
  const std::string file = values["SAMPLES.jsonl"].as<std::string>();
  const std::vector<CodeSample> samples = read_code_samples(read_jsonl_file(file), file);
  const std::string name = values["problems"].as<std::string>();
  CodeExecutor executor(name, read_code_problems(read_jsonl_file(find_data(name, "--problems", progress)), name),
                        timeout);
  const ExecutedSamples executed = execute_samples(executor, samples, pass_at, file, progress);
  write_file_atomic(file + "_results.jsonl", executed.results);
  for (const Metric& metric : executed.metrics) std::cout << fmt::format("{} {}\n", metric.name, metric.value);
  return 0;
}

}  // namespace bitnet
