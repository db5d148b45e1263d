#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/core/progress.h"
#include "framework/data/code_problems.h"
#include "framework/evaluate/code_executor.h"
#include "framework/evaluate/evaluator.h"

namespace bitnet {

/// What became of samples.
struct ExecutedSamples {
  std::vector<Metric> metrics;        ///< pass@k for each k asked for of which every problem has enough samples
  std::vector<EvaluationItem> items;  ///< one a problem
  std::string results;                ///< task_id, completion, result and passed of each sample, one JSON object a line
};

/// Runs samples from anywhere, as HumanEval's own tool does, and checks the problems' own solutions first. `where`
/// names the samples in errors. Errors: DataError for a sample of an unknown problem and a problem without a sample,
/// and as CodeExecutor's.
ExecutedSamples execute_samples(CodeExecutor& executor, const std::vector<CodeSample>& samples,
                                const std::vector<int64_t>& pass_at, const std::string& where,
                                ProgressReporter& progress);

}  // namespace bitnet
