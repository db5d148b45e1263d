#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <torch/csrc/api/include/torch/version.h>

#include <iostream>
#include <memory>

#include "framework/app/commands.h"
#include "framework/app/failure.h"
#include "framework/core/error.h"
#include "framework/experiment/environment.h"

namespace bitnet {
namespace {

constexpr const char* kUsage =
    "Usage: bitnet COMMAND [options]\n"
    "\n"
    "Trains a BitNet b1.58 and its traditional twin, measures both, and reports the difference.\n"
    "\n"
    "Commands:\n"
    "  run EXPERIMENT.yaml       train and evaluate every variant, write a report; resumes\n"
    "  config EXPERIMENT.yaml    print the resolved configuration and its hash\n"
    "  data list|fetch|tokenize  the data catalog\n"
    "  import CHECKPOINT         write another program's model as one of this one\n"
    "  evaluate MODEL            one evaluator on one trained model\n"
    "  execute SAMPLES.jsonl     score completions of programming problems, from anywhere\n"
    "  generate MODEL            continue a text\n"
    "  pack MODEL                write a BitNet as one file to serve\n"
    "  bench MODEL               measure the speed and memory of inference\n"
    "  report RESULTS.json       render the report again\n"
    "  gate RESULTS.json         hold a run against a policy: an earlier run and targets\n"
    "  reproduce REPORT          run a published run again and compare\n"
    "\n"
    "`bitnet COMMAND --help` says more; `bitnet --version` names the commit. Exit codes: 0 done, 1 gate failed or not "
    "reproduced,\n"
    "2 usage or configuration error, 3 gate inconclusive, 4 data or artifact unusable, 5 internal error.\n"
    "\n"
    "Example:\n"
    "  bitnet run experiments/quickstart/experiment.yaml\n";

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) throw ConfigError("command line: a command must be given, but is missing. See `bitnet --help`.");
  const std::string& name = words.front();
  if (name == "--help" || name == "-h" || name == "help") {
    std::cout << kUsage;
    return 0;
  }
  if (name == "--version") {
    std::cout << program_version() << "\n";
    return 0;
  }
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (name == "run") return run_command(rest);
  if (name == "config") return config_command(rest);
  if (name == "data") return data_command(rest);
  if (name == "import") return import_command(rest);
  if (name == "evaluate") return evaluate_command(rest);
  if (name == "execute") return execute_command(rest);
  if (name == "generate") return generate_command(rest);
  if (name == "pack") return pack_command(rest);
  if (name == "bench") return bench_command(rest);
  if (name == "bench-worker") return bench_worker_command(rest);
  if (name == "report") return report_command(rest);
  if (name == "gate") return gate_command(rest);
  if (name == "reproduce") return reproduce_command(rest);
  throw ConfigError(fmt::format(
      "command line: the command must be run, config, data, import, evaluate, execute, generate, pack, bench, "
      "report, gate or reproduce, but is '{}'. See `bitnet --help`.",
      name));
}

/// LibTorch's warnings belong on standard error in this program's form.
class WarningsToLog : public c10::WarningHandler {
 public:
#if TORCH_VERSION_MAJOR >= 2
  void process(const c10::Warning& warning) override { spdlog::warn("LibTorch: {}", warning.msg()); }
#else
  void process(const c10::SourceLocation&, const std::string& text, bool) override {
    spdlog::warn("LibTorch: {}", text);
  }
#endif
};

void send_warnings_to_log() {
  static WarningsToLog handler;
#if TORCH_VERSION_MAJOR >= 2
  c10::WarningUtils::set_warning_handler(&handler);
#else
  c10::Warning::set_warning_handler(&handler);
#endif
}

}  // namespace

int run_program(const std::vector<std::string>& words) {
  // Training allocates and frees the same large tensors in every step. By default each costs an mmap, page faults and
  // an munmap, up to 20 % of a step; kept in the heap they cost nothing.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("bitnet", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()));
  spdlog::set_pattern("%^%l%$: %v");
  send_warnings_to_log();
  try {
    const int exit_code = dispatch(words);
    if (!std::cout.flush()) {
      throw DataError(
          "standard output: all that is printed must be written, but some is not. Check the free space and the file "
          "that takes it.");
    }
    return exit_code;
  } catch (...) {
    const Failure failure = describe_failure(std::current_exception());
    spdlog::error("{}", failure.message);
    return static_cast<int>(failure.exit_code);
  }
}

}  // namespace bitnet
