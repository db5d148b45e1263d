#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/core/progress.h"
#include "framework/infer/machine_limits.h"
#include "framework/infer/served_model.h"

// Inference speed and resident memory of several subjects, measured side by side: models, or one model in several
// linear forms. Every subject lives in a worker process of its own (bench_worker.h), and the subjects take turns, so
// that all see the same moments of the machine.

namespace bitnet {

/// One model in one form.
struct BenchSubject {
  std::string name;  ///< in progress and errors
  /// A model block's name or the YAML file of a model's section (random ternary weights of its shape), a
  /// model.safetensors of a run or an import, another program's checkpoint, or a .bnet artifact.
  std::string model;
  LinearForm linear = LinearForm::kPacked;
  HeadFormat head = HeadFormat::kInt8;  ///< an artifact has its own
};

struct BenchOptions {
  std::vector<BenchSubject> subjects;
  int64_t vocab_size = 32000;  ///< of a model block; a run's model brings its own
  int64_t prompt = 512;        ///< tokens of the test `pp`; 0 leaves it out
  int64_t generate = 128;      ///< tokens of the test `tg`; 0 leaves it out
  int64_t threads = 0;         ///< 0: OMP_NUM_THREADS, else the cores that this process may use
  int64_t repetitions = 5;
  int64_t seed = 1;                          ///< of random weights and of token ids
  bool limits = true;                        ///< whether the machine's limits are measured too, before and after
  std::string label = "bench";               ///< of the progress
  std::function<void()> stop_if_asked = {};  ///< called between two measurements; throws where the program is to stop
};

/// What bounds a test on this machine.
struct SpeedLimit {
  std::string kind;  ///< "read_bandwidth", "int8_rate" or "float32_rate"
  double value = 0;  ///< the larger of the two measurements
  std::string unit;  ///< "bytes/s" or "MAC/s"
  double before = 0, after = 0;
};

/// One subject in one test.
struct BenchRow {
  std::string model;
  LinearForm linear = LinearForm::kPacked;
  HeadFormat head = HeadFormat::kInt8;
  std::string test;             ///< "pp512", "tg128"
  std::vector<double> samples;  ///< tokens per second of every repetition, in order
  double median_tokens_per_second = 0;
  int64_t peak_rss_bytes = 0;  ///< of the subject's process, from its start, loading included
  int64_t base_rss_bytes = 0;  ///< of that process before the model: the program and its libraries
  int64_t weight_bytes = 0;
  int64_t cache_bytes = 0;
  std::optional<SpeedLimit> limit;  ///< none where it was not measured (bfloat16 products, no `limits`)
  std::optional<double> share_of_limit;
};

/// What figures of speed depend on beside the model.
struct BenchMachine {
  int64_t threads = 0;
  std::string kernel, cpu, blas_core;
};

/// Sets the threads of this process, as use_threads, and reads what it has.
BenchMachine read_bench_machine(int64_t threads);

struct BenchResult {
  BenchMachine machine;
  std::vector<BenchRow> rows;  ///< test by test, the subjects in the order asked for
};

/// What a test of the program replaces.
struct BenchMeans {
  std::string program = "/proc/self/exe";  ///< whose command `bench-worker` is a worker
  std::function<MachineLimits(int64_t threads)> limits = measure_limits;
};

/// One model in several forms, named by them. `packed_head` is that of the packed form.
std::vector<BenchSubject> forms_as_subjects(const std::string& model, const std::vector<LinearForm>& forms,
                                            HeadFormat packed_head);

/// Measures. Errors: ConfigError and DataError as the worker found them; Error with ExitCode::kInternal where a worker
/// dies.
BenchResult run_bench(const BenchOptions& options, ProgressReporter& progress, const BenchMeans& means = {});

/// "packed", "float", "bfloat16".
std::string_view form_name(LinearForm form);
inline constexpr LinearForm kAllForms[] = {LinearForm::kPacked, LinearForm::kFloat32, LinearForm::kBfloat16};

/// The format that a name like "int8" means, or none.
std::optional<HeadFormat> head_named(std::string_view name);

/// The head that a form is measured with.
HeadFormat head_of(LinearForm form, HeadFormat packed_head);

/// Who is measured in which order in one repetition: forward, next time backward. Two subjects: A B B A A B B A ...
std::vector<size_t> turn_order(size_t subjects, int64_t repetition);

/// What the model, its cache and its buffers took at most: a row's peak less what its process had before.
int64_t model_memory(const BenchRow& row);

/// The middle value, of an even number the mean of the two. `values` holds at least one.
double median(std::vector<double> values);

/// Ratios of samples of the same repetition, which stood beside each other in time.
std::vector<double> ratios_of(const std::vector<double>& numerators, const std::vector<double>& denominators);

/// What bounds a form in prompt processing or generation, from the limits measured before and after it; none for
/// bfloat16 products.
std::optional<SpeedLimit> limit_of(LinearForm form, bool generation, const MachineLimits& before,
                                   const MachineLimits& after);

}  // namespace bitnet
