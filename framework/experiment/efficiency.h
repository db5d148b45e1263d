#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/core/progress.h"
#include "framework/evaluate/evaluator.h"
#include "framework/experiment/bench.h"

// The evaluator `efficiency`: speed and memory of inference. It compares, so it measures the models of all variants
// together and by turns (bench.h), where other evaluators look at one model.

namespace bitnet {

/// Raised when the same model on the same machine would get other figures.
inline constexpr int64_t kEfficiencyVersion = 2;

/// Each model is measured in so many processes, one after the other, each with its part of the repetitions: what
/// differs between processes (where the system put its pages) then shows, and the memory has more than one measurement.
inline constexpr int64_t kEfficiencyProcesses = 2;

/// The metrics, and the ids that the items of each begin with.
inline constexpr const char* kGenerationSpeed = "generation_tokens_per_second";
inline constexpr const char* kPromptSpeed = "prompt_tokens_per_second";
inline constexpr const char* kModelMemory = "model_memory_bytes";

/// One variant's model.
struct EfficiencyModel {
  std::string variant;
  std::string model;  ///< as BenchSubject::model
  LinearKind linear = LinearKind::kFloat;
  std::string weights_sha256;
  bool trained = true;  ///< false: random weights of the model's shape, which the figures do not depend on
};

/// How such a model is measured: a BitNet packed with an output head in the format `packed_head`, any other in float32.
BenchSubject efficiency_subject(const EfficiencyModel& model, HeadFormat packed_head);

/// An evaluation of each model without its figures: name, version, convention (with the machine's facts), data digest
/// (of the weights of all of `models`, which were measured together) and the model's own weights.
std::vector<Evaluation> describe_efficiency(const NamedEvaluator& evaluator, const std::vector<EfficiencyModel>& models,
                                            const BenchMachine& machine);

/// A convention of such an evaluation in two: the test, and the machine with its threads, kernel and BLAS core.
std::pair<std::string, std::string> split_efficiency_convention(const std::string& convention);

/// Whether `before` is of the measurement that `described` describes: the same version, convention, models and machine.
bool same_efficiency(const Evaluation& before, const Evaluation& described);

struct EfficiencyOptions {
  int64_t threads = 0;                       ///< as BenchOptions
  int64_t vocab_size = 32000;                ///< of models that are blocks
  std::function<void()> stop_if_asked = {};  ///< as BenchOptions
};

/// Measures. The evaluations are in the order of `models`; each repetition of a test is an item ("pp512/3"), and so is
/// each process's memory ("memory/1"). Errors: as run_bench.
std::vector<Evaluation> measure_efficiency(const NamedEvaluator& evaluator, const std::vector<EfficiencyModel>& models,
                                           const EfficiencyOptions& options, ProgressReporter& progress,
                                           const BenchMeans& means = {});

/// The figures of the items that stand for a metric, in order: tokens per second of each turn, or bytes of each
/// process; none for other metrics.
std::vector<double> efficiency_samples(const Evaluation& evaluation, const std::string& metric);

/// What such a metric is of its samples, of which there is at least one: the median of speeds, the most of memory.
double efficiency_value(const std::string& metric, const std::vector<double>& samples);

}  // namespace bitnet
