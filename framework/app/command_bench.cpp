#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string_view>

#include "framework/app/commands.h"
#include "framework/app/failure.h"
#include "framework/app/options.h"
#include "framework/app/progress_bar.h"
#include "framework/core/error.h"
#include "framework/experiment/bench.h"
#include "framework/experiment/bench_text.h"
#include "framework/experiment/bench_worker.h"
#include "framework/experiment/environment.h"
#include "framework/experiment/open_model.h"
#include "framework/infer/artifact.h"

namespace bitnet {
namespace {

namespace po = boost::program_options;

constexpr int64_t kMostThreads = 1024;
constexpr int64_t kMostTokens = int64_t{1} << 20;
constexpr int64_t kMostRepetitions = 100'000;
/// Ids are int32; a table of so many rows fills any memory anyway.
constexpr int64_t kMostPieces = int64_t{1} << 24;

[[noreturn]] void refuse(std::string_view option, std::string_view expected, std::string_view found) {
  throw ConfigError(
      fmt::format("command line: {} must be {}, but is '{}'. See `bitnet bench --help`.", option, expected, found));
}

int64_t whole_number(const po::variables_map& values, const char* name, int64_t least, int64_t most) {
  const auto value = values[name].as<int64_t>();
  if (value < least || value > most) {
    refuse(fmt::format("--{}", name), fmt::format("{} to {}", least, most), std::to_string(value));
  }
  return value;
}

LinearForm form_of(std::string_view name, std::string_view expected, std::string_view all) {
  for (const LinearForm form : kAllForms) {
    if (name == form_name(form)) return form;
  }
  refuse("--linear", expected, all);
}

std::vector<LinearForm> forms_of(const std::string& text) {
  constexpr std::string_view kExpected = "packed, float, bfloat16 or several of them with commas between, each once";
  std::vector<LinearForm> forms;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const LinearForm form = form_of(std::string_view(text).substr(begin, end - begin), kExpected, text);
    if (std::find(forms.begin(), forms.end(), form) != forms.end()) refuse("--linear", kExpected, text);
    forms.push_back(form);
    begin = end + 1;
  }
  return forms;
}

HeadFormat head_format(const std::string& text) {
  const std::optional<HeadFormat> format = head_named(text);
  if (!format) refuse("--head", "float32, bfloat16 or int8", text);
  return *format;
}

using Renderer = std::string (*)(const BenchResult&);

Renderer renderer_of(const std::string& format) {
  if (format == "markdown") return bench_markdown;
  if (format == "json") return bench_json;
  if (format == "csv") return bench_csv;
  refuse("--format", "json, markdown or csv", format);
}

/// The options that the parent and its workers share.
void add_shared_options(po::options_description& options, const BenchOptions& defaults) {
  options.add_options()("linear", po::value<std::string>()->default_value("packed"),
                        "forms of the linear layers: packed, float, bfloat16, with commas between")(
      "head", po::value<std::string>()->default_value("int8"), "of the packed model: float32, bfloat16 or int8")(
      "vocab-size", po::value<int64_t>()->default_value(defaults.vocab_size), "of a model made from a block")(
      "prompt", po::value<int64_t>()->default_value(defaults.prompt), "tokens of prompt processing (pp); 0: none")(
      "generate", po::value<int64_t>()->default_value(defaults.generate), "tokens of generation (tg); 0: none")(
      "threads", po::value<int64_t>()->default_value(defaults.threads), "0: OMP_NUM_THREADS, else all cores")(
      "seed", po::value<int64_t>()->default_value(defaults.seed), "of random weights and token ids");
}

BenchOptions read_shared_options(const po::variables_map& values) {
  BenchOptions options;
  options.subjects = forms_as_subjects(values["MODEL"].as<std::string>(), forms_of(values["linear"].as<std::string>()),
                                       head_format(values["head"].as<std::string>()));
  options.vocab_size = whole_number(values, "vocab-size", 1, kMostPieces);
  options.prompt = whole_number(values, "prompt", 0, kMostTokens);
  options.generate = whole_number(values, "generate", 0, kMostTokens);
  options.threads = whole_number(values, "threads", 0, kMostThreads);
  options.seed = values["seed"].as<int64_t>();
  if (options.prompt == 0 && options.generate == 0) {
    throw ConfigError(
        "command line: --prompt or --generate must be at least 1, but both are 0. See `bitnet bench --help`.");
  }
  return options;
}

/// A float model's packed form is another model than the one named.
void warn_of_conversion(const std::string& model, const BenchOptions& options, ProgressReporter& progress) {
  const bool packed = std::any_of(options.subjects.begin(), options.subjects.end(),
                                  [](const BenchSubject& subject) { return subject.linear == LinearForm::kPacked; });
  std::error_code error;
  if (!packed || !std::filesystem::exists(model, error) || model.ends_with(".yaml") || is_artifact(model)) return;
  if (open_source(model).config.linear != LinearKind::kFloat) return;
  progress.warning(model +
                   " has float linear layers: its packed form is a ternary conversion, as fast as a BitNet of this "
                   "shape but without this model's quality. For the model itself: --linear float.");
}

}  // namespace

int bench_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet bench MODEL [options]";
  command.summary =
      "Measures the speed of inference and the memory it takes: prompt processing (pp) and generation (tg), as\n"
      "llama-bench does. MODEL is a block of configs/model/ (random ternary weights of that shape), the\n"
      "model.safetensors of a run or an import, a packed model (.bnet), a Hugging Face folder or a llama2.c .bin. "
      "Each\n"
      "form of the linear layers runs in a process of its own; several are measured by turns, and every figure also\n"
      "stands as a share of what this machine can do at most.";
  command.example = "bitnet bench tinyllama-1.1b --linear packed,float --threads 2";
  command.positional = {"MODEL"};
  const BenchOptions defaults;
  add_shared_options(command.options, defaults);
  command.options.add_options()("repetitions", po::value<int64_t>()->default_value(defaults.repetitions),
                                "samples of each test and form")(
      "format", po::value<std::string>()->default_value("markdown"), "json, markdown or csv");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  BenchOptions options = read_shared_options(values);
  options.repetitions = whole_number(values, "repetitions", 1, kMostRepetitions);
  const Renderer render = renderer_of(values["format"].as<std::string>());
  ProgressBar progress;
  for (const std::string& warning : read_environment({}, "", "").warnings) progress.warning(warning);
  warn_of_conversion(values["MODEL"].as<std::string>(), options, progress);
  const BenchResult result = run_bench(options, progress);
  std::cout << render(result);
  return 0;
}

int bench_worker_command(const std::vector<std::string>& words) {
  try {
    CommandOptions command;
    command.usage = "bitnet bench-worker MODEL [options]";
    command.summary = "Started by `bitnet bench` alone: answers its requests for one form of the linear layers.";
    command.example = "bitnet bench-worker llama-1m";
    command.positional = {"MODEL"};
    add_shared_options(command.options, {});
    po::variables_map values;
    if (!read_options(command, words, &values)) return 0;
    const BenchOptions options = read_shared_options(values);
    const BenchSubject& subject = options.subjects.front();
    run_bench_worker({.model = subject.model,
                      .linear = subject.linear,
                      .head = subject.head,
                      .vocab_size = options.vocab_size,
                      .prompt = options.prompt,
                      .generate = options.generate,
                      .threads = options.threads,
                      .seed = options.seed},
                     STDIN_FILENO, STDOUT_FILENO);
    return 0;
  } catch (...) {
    const Failure failure = describe_failure(std::current_exception());
    send_worker_failure(static_cast<int>(failure.exit_code), failure.message, STDOUT_FILENO);
    return static_cast<int>(failure.exit_code);
  }
}

}  // namespace bitnet
