#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "framework/config/resolve.h"
#include "framework/core/progress.h"
#include "framework/data/dataset.h"
#include "framework/evaluate/evaluator.h"
#include "framework/experiment/results.h"
#include "framework/infer/served_model.h"

namespace bitnet {

struct RunOptions {
  std::filesystem::path out = "runs";
  std::string command;                ///< that reproduces the run, for the report
  std::function<bool()> should_stop;  ///< asked after each training step, and within long evaluations
  EvaluatorOptions evaluators;
};

struct RunOutcome {
  std::filesystem::path folder;  ///< <out>/<experiment>/<first 16 digits of the hash>
  Results results;
};

/// Trains and evaluates every variant with every seed and writes the run folder: config.resolved.yaml,
/// environment.json, <variant>/seed-<n>/, results.json, report.html, report.md and junit.xml. What an earlier call
/// finished is not done again. Errors: DataError where the folder belongs to another configuration, is in use, can not
/// be written, or holds damaged files; Interrupted when `should_stop` said so.
RunOutcome run_experiment(const ResolvedExperiment& experiment, const RunOptions& options, ProgressReporter& progress);

/// Writes report.html, report.md and junit.xml for `results` into `folder`.
void write_reports(const Results& results, const std::filesystem::path& folder);

/// A trained model with the data and the tokenizer of its experiment.
struct OpenModel {
  ServedModel model;  ///< a BitNet packed; the bits are those of the training-time model
  std::map<std::string, std::string> metadata;
  std::string weights_sha256;  ///< of the trained parameters
  std::unique_ptr<Dataset> dataset;
  std::unique_ptr<Tokenizer> tokenizer;
};

/// Opens the model.safetensors of a run, or the artifact made of it, and what its metadata names.
/// Errors: DataError for a damaged file, or where the tokenizer found is not the model's.
OpenModel open_model(const std::filesystem::path& model_file, ProgressReporter& progress);

/// Evaluates one model file with one evaluator. Writes evaluation_<name>.json and samples_<name>.jsonl when `out` is
/// given.
Evaluation evaluate_model(const std::filesystem::path& model_file, const NamedEvaluator& evaluator,
                          const EvaluatorOptions& options, const std::filesystem::path& out,
                          ProgressReporter& progress);

}  // namespace bitnet
