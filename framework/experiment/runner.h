#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "framework/config/resolve.h"
#include "framework/core/progress.h"
#include "framework/evaluate/evaluator.h"
#include "framework/experiment/open_model.h"
#include "framework/experiment/report.h"
#include "framework/experiment/results.h"

namespace bitnet {

struct RunOptions {
  std::filesystem::path out = "runs";
  std::string command;                ///< that reproduces the run, for the report
  std::function<bool()> should_stop;  ///< asked after each training step, and within long evaluations
  EvaluatorOptions evaluators;
  /// Trains no more than the first so many steps of each training, of their full schedule, and does nothing else:
  /// nothing is evaluated or reported. 0: a whole run.
  int64_t stop_after_steps = 0;
};

struct RunOutcome {
  std::filesystem::path folder;  ///< run_folder
  Results results;
};

/// Where run_experiment puts a run: <out>/<experiment>/<first 16 digits of the hash>.
std::filesystem::path run_folder(const std::filesystem::path& out, const ResolvedExperiment& experiment);

/// Trains and evaluates every variant with every seed and writes the run folder: config.resolved.yaml,
/// environment.json, <variant>/seed-<n>/, results.json, report.html, report.md and junit.xml. What an earlier call
/// finished is not done again. Errors: DataError where the folder belongs to another configuration, is in use, can not
/// be written, or holds damaged files; Interrupted when `should_stop` said so.
RunOutcome run_experiment(const ResolvedExperiment& experiment, const RunOptions& options, ProgressReporter& progress);

/// Writes report.html, report.md and junit.xml for `results` into `folder`; `bounds` as in render_report_html.
void write_reports(const Results& results, const std::filesystem::path& folder,
                   const std::vector<DeltaBound>& bounds = {});

/// Evaluates one model with one evaluator. Writes evaluation_<name>.json and samples_<name>.jsonl when `out` is given.
Evaluation evaluate_model(const OpenModel& model, const NamedEvaluator& evaluator, const EvaluatorOptions& options,
                          const std::filesystem::path& out, ProgressReporter& progress);

}  // namespace bitnet
