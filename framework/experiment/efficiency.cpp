#include "framework/experiment/efficiency.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "framework/config/enum_names.h"
#include "framework/core/sha256.h"
#include "framework/experiment/bench_worker.h"

namespace bitnet {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kPromptItems = "pp";
constexpr const char* kGenerationItems = "tg";
constexpr const char* kMemoryItems = "memory/";
constexpr const char* kMachineStart = "; ";  // between the parts of a convention; last before the machine

std::string convention_of(const EvaluatorConfig& config, const BenchMachine& machine) {
  return fmt::format(
      "pp{} and tg{} as llama-bench, by turns of at least {} s, {} repetitions in {} processes; a BitNet packed with "
      "an {} head, others "
      "in float32; memory: peak resident set less the empty program's{}{} {}, kernel {}, BLAS core {}, {}",
      config.prompt_tokens, config.generate_tokens, kLeastTurnSeconds, config.repetitions, kEfficiencyProcesses,
      enum_name(config.head), kMachineStart, machine.threads, machine.threads == 1 ? "thread" : "threads",
      machine.kernel, machine.blas_core, machine.cpu);
}

/// What was read and by which models, for sentences that begin "on ...".
std::string split_of(const std::vector<EfficiencyModel>& models) {
  const auto trained = std::count_if(models.begin(), models.end(), [](const auto& model) { return model.trained; });
  if (trained == static_cast<std::ptrdiff_t>(models.size())) return "random tokens with trained weights";
  return trained == 0 ? "random tokens with random weights of the exact shapes, not trained ones"
                      : "random tokens with trained weights and, where there were none, random ones of the exact shape";
}

std::string digest_of(const std::vector<EfficiencyModel>& models) {
  std::string text;
  for (const EfficiencyModel& model : models) text += model.variant + "\n" + model.weights_sha256 + "\n";
  return sha256_hex(text);
}

/// The figures of one model from the rows of all rounds.
struct Samples {
  const BenchRow* last = nullptr;
  std::vector<std::pair<std::string, std::vector<double>>> speeds;  ///< test name -> tokens per second of every turn
  std::vector<int64_t> memory;                                      ///< bytes, of every process
};

void add_row(const BenchRow& row, Samples& samples) {
  auto speeds = std::find_if(samples.speeds.begin(), samples.speeds.end(),
                             [&](const auto& entry) { return entry.first == row.test; });
  if (speeds == samples.speeds.end()) speeds = samples.speeds.emplace(speeds, row.test, std::vector<double>());
  speeds->second.insert(speeds->second.end(), row.samples.begin(), row.samples.end());
  samples.last = &row;
}

void fill(const Samples& samples, const EvaluatorConfig& config, Evaluation& evaluation) {
  for (const auto& [test, speeds] : samples.speeds) {
    const int64_t tokens = test.starts_with(kPromptItems) ? config.prompt_tokens : config.generate_tokens;
    for (size_t turn = 0; turn < speeds.size(); ++turn) {
      EvaluationItem item;
      item.id = fmt::format("{}/{}", test, turn + 1);
      item.tokens = tokens;
      item.seconds = static_cast<double>(tokens) / speeds[turn];
      evaluation.items.push_back(item);
    }
  }
  for (size_t process = 0; process < samples.memory.size(); ++process) {
    EvaluationItem item;
    item.id = fmt::format("{}{}", kMemoryItems, process + 1);
    item.memory_bytes = samples.memory[process];
    evaluation.items.push_back(item);
  }
  const auto add = [&](const char* metric, const char* unit, bool lower_is_better) {
    const double value = efficiency_value(metric, efficiency_samples(evaluation, metric));
    evaluation.metrics.push_back({metric, value, unit, lower_is_better});
  };
  add(kGenerationSpeed, "tokens/s", false);
  add(kPromptSpeed, "tokens/s", false);
  add(kModelMemory, "bytes", true);
  evaluation.metrics.push_back({"weight_bytes", static_cast<double>(samples.last->weight_bytes), "bytes", true});
  evaluation.metrics.push_back({"cache_bytes", static_cast<double>(samples.last->cache_bytes), "bytes", true});
}

}  // namespace

BenchSubject efficiency_subject(const EfficiencyModel& model, HeadFormat packed_head) {
  const LinearForm form = model.linear == LinearKind::kBitnet ? LinearForm::kPacked : LinearForm::kFloat32;
  return {model.variant, model.model, form, head_of(form, packed_head)};
}

std::vector<Evaluation> describe_efficiency(const NamedEvaluator& evaluator, const std::vector<EfficiencyModel>& models,
                                            const BenchMachine& machine) {
  std::vector<Evaluation> evaluations;
  for (const EfficiencyModel& model : models) {
    Evaluation& evaluation = evaluations.emplace_back();
    evaluation.evaluator = evaluator.name;
    evaluation.version = kEfficiencyVersion;
    evaluation.convention = convention_of(evaluator.config, machine);
    evaluation.data_sha256 = digest_of(models);
    evaluation.split = split_of(models);
    evaluation.weights_sha256 = model.weights_sha256;
  }
  return evaluations;
}

std::pair<std::string, std::string> split_efficiency_convention(const std::string& convention) {
  const size_t at = convention.rfind(kMachineStart);
  if (at == std::string::npos) return {convention, ""};
  return {convention.substr(0, at), convention.substr(at + std::string_view(kMachineStart).size())};
}

bool same_efficiency(const Evaluation& before, const Evaluation& described) {
  return before.version == described.version && before.convention == described.convention &&
         before.split == described.split && before.data_sha256 == described.data_sha256 &&
         before.weights_sha256 == described.weights_sha256;
}

std::vector<Evaluation> measure_efficiency(const NamedEvaluator& evaluator, const std::vector<EfficiencyModel>& models,
                                           const EfficiencyOptions& options, ProgressReporter& progress,
                                           const BenchMeans& means) {
  const EvaluatorConfig& config = evaluator.config;
  BenchOptions bench;
  for (const EfficiencyModel& model : models) bench.subjects.push_back(efficiency_subject(model, config.head));
  bench.vocab_size = options.vocab_size;
  bench.prompt = config.prompt_tokens;
  bench.generate = config.generate_tokens;
  bench.threads = options.threads;
  bench.limits = false;
  bench.stop_if_asked = options.stop_if_asked;

  const Clock::time_point start = Clock::now();
  std::vector<BenchResult> rounds;
  for (int64_t round = 0; round < kEfficiencyProcesses; ++round) {
    bench.label = fmt::format("{}, processes {} of {}", evaluator.name, round + 1, kEfficiencyProcesses);
    bench.repetitions =
        config.repetitions * (round + 1) / kEfficiencyProcesses - config.repetitions * round / kEfficiencyProcesses;
    rounds.push_back(run_bench(bench, progress, means));
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();

  std::vector<Evaluation> evaluations = describe_efficiency(evaluator, models, rounds.back().machine);
  for (size_t m = 0; m < models.size(); ++m) {
    Samples samples;
    for (const BenchResult& round : rounds) {
      for (size_t r = m; r < round.rows.size(); r += models.size()) add_row(round.rows[r], samples);
      samples.memory.push_back(model_memory(*samples.last));
    }
    fill(samples, config, evaluations[m]);
    evaluations[m].seconds = seconds / static_cast<double>(models.size());  // so that the sum is the time it took
  }
  return evaluations;
}

std::vector<double> efficiency_samples(const Evaluation& evaluation, const std::string& metric) {
  const char* const start = metric == kGenerationSpeed ? kGenerationItems
                            : metric == kPromptSpeed   ? kPromptItems
                            : metric == kModelMemory   ? kMemoryItems
                                                       : nullptr;
  std::vector<double> samples;
  if (start == nullptr) return samples;
  for (const EvaluationItem& item : evaluation.items) {
    if (!item.id.starts_with(start)) continue;
    if (item.seconds > 0) samples.push_back(static_cast<double>(item.tokens) / item.seconds);
    if (item.memory_bytes > 0) samples.push_back(static_cast<double>(item.memory_bytes));
  }
  return samples;
}

double efficiency_value(const std::string& metric, const std::vector<double>& samples) {
  return metric == kModelMemory ? *std::max_element(samples.begin(), samples.end()) : median(samples);
}

}  // namespace bitnet
