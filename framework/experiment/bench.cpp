#include "framework/experiment/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "framework/config/enum_names.h"
#include "framework/core/error.h"
#include "framework/experiment/bench_worker.h"
#include "framework/experiment/environment.h"
#include "framework/experiment/worker_process.h"

namespace bitnet {
namespace {

using Json = nlohmann::ordered_json;

/// Warm-up: rounds of so many tokens until two neighbors differ by less than the tolerance.
constexpr int64_t kWarmPrompt = 128;
constexpr int64_t kWarmGenerate = 16;
constexpr int kWarmRounds = 5;
constexpr double kWarmTolerance = 0.05;
/// The threads of a worker that has answered spin for some milliseconds more before they sleep; the next one must not
/// share its cores with them.
constexpr std::chrono::milliseconds kSettle{20};

/// Limits before and after that differ by more than this say that the machine was not ours alone.
constexpr double kSteadyShare = 0.85;

struct Test {
  bool generation;
  int64_t tokens;
  std::string name() const { return (generation ? "tg" : "pp") + std::to_string(tokens); }
};

/// One subject's process and what it said of its model.
class BenchWorker {
 public:
  BenchWorker(const std::string& name, const BenchWorkerOptions& options, const std::string& program)
      : process_(name, words_of(options, program)) {
    ready_ = answer();
  }

  double seconds(const Test& test, int64_t tokens) {
    process_.send(Json{{"test", test.generation ? "tg" : "pp"}, {"tokens", tokens}}.dump());
    const Json reply = answer();
    peak_rss_bytes_ = number<int64_t>(reply, "peak_rss_bytes");
    const auto seconds = number<double>(reply, "seconds");
    std::this_thread::sleep_for(kSettle);
    return seconds;
  }

  int64_t fact(const char* key) const { return number<int64_t>(ready_, key); }
  /// The head that its model has: an artifact has its own.
  HeadFormat head() const {
    const std::optional<HeadFormat> head = head_named(ready_.value("head", ""));
    if (!head) {
      throw Error(ExitCode::kInternal, fmt::format("worker '{}': the answer must name its head, but is {}.",
                                                   process_.name(), ready_.dump()));
    }
    return *head;
  }
  int64_t peak_rss_bytes() const { return peak_rss_bytes_; }

 private:
  static std::vector<std::string> words_of(const BenchWorkerOptions& options, const std::string& program) {
    std::vector<std::string> words = worker_words(options);
    words.insert(words.begin(), program);
    return words;
  }

  Json answer() {
    const std::string line = process_.receive();
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
      throw Error(ExitCode::kInternal,
                  fmt::format("worker '{}': the answer must be a JSON object, but is '{}'.", process_.name(), line));
    }
    if (json.contains("error")) {
      throw Error(static_cast<ExitCode>(number<int>(json, "exit_code")), json["error"].get<std::string>());
    }
    return json;
  }

  template <typename Number>
  Number number(const Json& json, const char* key) const {
    if (!json.contains(key) || !json[key].is_number()) {
      throw Error(ExitCode::kInternal, fmt::format("worker '{}': the answer must have the number '{}', but is {}.",
                                                   process_.name(), key, json.dump()));
    }
    return json[key].get<Number>();
  }

  WorkerProcess process_;
  Json ready_;
  int64_t peak_rss_bytes_ = 0;
};

void warm_up(BenchWorker& worker, const Test& test) {
  // A whole prompt touches all buffers; the rounds then may be shorter.
  if (!test.generation) worker.seconds(test, test.tokens);
  const int64_t tokens = std::min(test.tokens, test.generation ? kWarmGenerate : kWarmPrompt);
  double last = worker.seconds(test, tokens);
  for (int round = 1; round < kWarmRounds; ++round) {
    const double seconds = worker.seconds(test, tokens);
    if (std::abs(seconds - last) < kWarmTolerance * last) return;
    last = seconds;
  }
}

/// The whole measurement, with the progress in steps.
class Bench {
 public:
  Bench(const BenchOptions& options, const BenchMeans& means, ProgressReporter& progress)
      : options_(options), means_(means), progress_(progress) {
    if (options.prompt > 0) tests_.push_back({false, options.prompt});
    if (options.generate > 0) tests_.push_back({true, options.generate});
  }

  BenchResult run() {
    BenchResult result;
    result.machine = read_bench_machine(options_.threads);
    const auto subjects = static_cast<int64_t>(options_.subjects.size());
    const auto tests = static_cast<int64_t>(tests_.size());
    const int64_t limits = options_.limits ? 2 : 0;
    progress_.start(options_.label, subjects + limits + tests * subjects * (1 + options_.repetitions), "steps");
    for (const BenchSubject& subject : options_.subjects) start_worker(subject, result.machine.threads);
    const std::optional<MachineLimits> before = limits_of_machine(result.machine.threads);
    for (const Test& test : tests_) measure(test, result);
    const std::optional<MachineLimits> after = limits_of_machine(result.machine.threads);
    progress_.finish();
    finish_rows(result);
    if (before && after) add_limits(*before, *after, result);
    return result;
  }

 private:
  void step(const std::string& note) {
    progress_.update(++done_, note);
    if (options_.stop_if_asked) options_.stop_if_asked();
  }

  std::optional<MachineLimits> limits_of_machine(int64_t threads) {
    if (!options_.limits) return std::nullopt;
    const MachineLimits limits = means_.limits(threads);
    step("limits of the machine");
    return limits;
  }

  void start_worker(const BenchSubject& subject, int64_t threads) {
    progress_.update(done_, fmt::format("{}: making the model", subject.name));
    workers_.push_back(std::make_unique<BenchWorker>(subject.name,
                                                     BenchWorkerOptions{.model = subject.model,
                                                                        .linear = subject.linear,
                                                                        .head = subject.head,
                                                                        .vocab_size = options_.vocab_size,
                                                                        .prompt = options_.prompt,
                                                                        .generate = options_.generate,
                                                                        .threads = threads,
                                                                        .seed = options_.seed},
                                                     means_.program));
    step(fmt::format("{}: model ready", subject.name));
  }

  void measure(const Test& test, BenchResult& result) {
    const size_t first_row = result.rows.size();
    for (size_t i = 0; i < workers_.size(); ++i) {
      BenchRow row;
      row.model = options_.subjects[i].model;
      row.linear = options_.subjects[i].linear;
      row.head = workers_[i]->head();
      row.test = test.name();
      result.rows.push_back(row);
      warm_up(*workers_[i], test);
      step(fmt::format("{} {}: warm", options_.subjects[i].name, row.test));
    }
    for (int64_t repetition = 0; repetition < options_.repetitions; ++repetition) {
      for (const size_t i : turn_order(workers_.size(), repetition)) {
        BenchRow& row = result.rows[first_row + i];
        const double rate = static_cast<double>(test.tokens) / workers_[i]->seconds(test, test.tokens);
        row.samples.push_back(rate);
        step(fmt::format("{} {}: {:.1f} tokens/s", options_.subjects[i].name, row.test, rate));
      }
    }
  }

  void finish_rows(BenchResult& result) const {
    for (size_t r = 0; r < result.rows.size(); ++r) {
      BenchRow& row = result.rows[r];
      const BenchWorker& worker = *workers_[r % workers_.size()];
      row.median_tokens_per_second = median(row.samples);
      row.peak_rss_bytes = worker.peak_rss_bytes();
      row.base_rss_bytes = worker.fact("base_rss_bytes");
      row.weight_bytes = worker.fact("weight_bytes");
      row.cache_bytes = worker.fact("cache_bytes");
    }
  }

  void add_limits(const MachineLimits& before, const MachineLimits& after, BenchResult& result) const {
    for (size_t r = 0; r < result.rows.size(); ++r) {
      BenchRow& row = result.rows[r];
      const bool generation = tests_[r / workers_.size()].generation;
      row.limit = limit_of(row.linear, generation, before, after);
      if (row.limit) {
        const int64_t each = workers_[r % workers_.size()]->fact(generation ? "bytes_per_token" : "products_per_token");
        row.share_of_limit = row.median_tokens_per_second * static_cast<double>(each) / row.limit->value;
      }
    }
    warn_of_change("read bandwidth", before.read_bytes_per_second, after.read_bytes_per_second);
    warn_of_change("int8 rate", before.int8_macs_per_second, after.int8_macs_per_second);
  }

  /// A machine that other programs use too gives shares that say little.
  void warn_of_change(const char* what, double before, double after) const {
    if (std::min(before, after) > kSteadyShare * std::max(before, after)) return;
    progress_.warning(
        fmt::format("the machine's {} was {:.1f} G/s before and {:.1f} G/s after the measurement: other "
                    "programs use it. Compare ratios, not shares, or measure again.",
                    what, before / 1e9, after / 1e9));
  }

  const BenchOptions& options_;
  const BenchMeans& means_;
  ProgressReporter& progress_;
  std::vector<Test> tests_;
  std::vector<std::unique_ptr<BenchWorker>> workers_;
  int64_t done_ = 0;
};

}  // namespace

BenchMachine read_bench_machine(int64_t threads) {
  BenchMachine machine;
  machine.threads = use_threads(threads);
  const Json facts = Json::parse(read_environment({}, "", "").json);
  machine.kernel = facts.at("ternary_kernel");
  machine.cpu = facts.at("cpu");
  machine.blas_core = facts.at("blas").at("core");
  return machine;
}

std::vector<BenchSubject> forms_as_subjects(const std::string& model, const std::vector<LinearForm>& forms,
                                            HeadFormat packed_head) {
  std::vector<BenchSubject> subjects;
  for (const LinearForm form : forms) {
    subjects.push_back({std::string(form_name(form)), model, form, head_of(form, packed_head)});
  }
  return subjects;
}

BenchResult run_bench(const BenchOptions& options, ProgressReporter& progress, const BenchMeans& means) {
  return Bench(options, means, progress).run();
}

std::string_view form_name(LinearForm form) {
  switch (form) {
    case LinearForm::kPacked:
      return "packed";
    case LinearForm::kFloat32:
      return "float";
    case LinearForm::kBfloat16:
      return "bfloat16";
  }
  return "";
}

std::optional<HeadFormat> head_named(std::string_view name) {
  for (const auto& [known, format] : EnumNames<HeadFormat>::kNames) {
    if (known == name) return format;
  }
  return std::nullopt;
}

HeadFormat head_of(LinearForm form, HeadFormat packed_head) {
  switch (form) {
    case LinearForm::kPacked:
      return packed_head;
    case LinearForm::kFloat32:
      return HeadFormat::kFloat32;
    case LinearForm::kBfloat16:
      return HeadFormat::kBfloat16;
  }
  return packed_head;
}

std::vector<size_t> turn_order(size_t subjects, int64_t repetition) {
  std::vector<size_t> order(subjects);
  for (size_t i = 0; i < subjects; ++i) order[i] = repetition % 2 == 0 ? i : subjects - 1 - i;
  return order;
}

int64_t model_memory(const BenchRow& row) { return std::max<int64_t>(row.peak_rss_bytes - row.base_rss_bytes, 1); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> ratios_of(const std::vector<double>& numerators, const std::vector<double>& denominators) {
  std::vector<double> ratios(numerators.size());
  for (size_t i = 0; i < ratios.size(); ++i) ratios[i] = numerators[i] / denominators[i];
  return ratios;
}

std::optional<SpeedLimit> limit_of(LinearForm form, bool generation, const MachineLimits& before,
                                   const MachineLimits& after) {
  const auto limit = [&](const char* kind, double MachineLimits::* of, const char* unit) {
    return SpeedLimit{kind, std::max(before.*of, after.*of), unit, before.*of, after.*of};
  };
  if (generation) return limit("read_bandwidth", &MachineLimits::read_bytes_per_second, "bytes/s");
  switch (form) {
    case LinearForm::kPacked:
      return limit("int8_rate", &MachineLimits::int8_macs_per_second, "MAC/s");
    case LinearForm::kFloat32:
      return limit("float32_rate", &MachineLimits::float32_macs_per_second, "MAC/s");
    case LinearForm::kBfloat16:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace bitnet
