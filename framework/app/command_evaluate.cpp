#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/app/progress_bar.h"
#include "framework/config/resolve.h"
#include "framework/core/error.h"
#include "framework/data/dataset.h"
#include "framework/experiment/runner.h"

namespace bitnet {

namespace po = boost::program_options;

int evaluate_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet evaluate MODEL --evaluator NAME [options]";
  command.summary =
      "Evaluates a model with one evaluator block of configs/evaluator/. MODEL is the model.safetensors of a run or "
      "an\n"
      "import, a packed model (.bnet), a Hugging Face folder or a llama2.c .bin. The text is that of its experiment, "
      "or\n"
      "of --dataset. --out keeps evaluation_NAME.json and the per-item samples_NAME.jsonl, and while it works what is\n"
      "done so far: the same command goes on after a kill.";
  command.example =
      "bitnet evaluate runs/quickstart/0123456789abcdef/bitnet/seed-1/model.safetensors --evaluator "
      "perplexity-word-stored";
  command.positional = {"MODEL"};
  command.options.add_options()("evaluator", po::value<std::string>(), "name of the evaluator block")(
      "dataset", po::value<std::string>()->default_value(""), "block of configs/dataset/; default: its experiment's")(
      "tokenizer", po::value<std::string>()->default_value(""),
      "the model's tokenizer; default: where it says or lies")("out", po::value<std::string>()->default_value(""),
                                                               "folder for the records")(
      "allow-code-execution", po::bool_switch(), "run programs that the model writes, each in a sandbox");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  if (values.count("evaluator") == 0) {
    throw ConfigError(
        "command line: --evaluator must name a block of configs/evaluator/, but is missing. See `bitnet evaluate "
        "--help`.");
  }
  const std::string name = values["evaluator"].as<std::string>();
  const NamedEvaluator evaluator{name, resolve_evaluator(name)};
  ModelOptions options;
  options.tokenizer = values["tokenizer"].as<std::string>();
  if (const auto dataset = values["dataset"].as<std::string>(); !dataset.empty()) {
    options.dataset = with_split_alone(resolve_dataset(dataset), evaluator.config.split);
  }
  ProgressBar progress;
  EvaluatorOptions evaluator_options;
  evaluator_options.allow_code_execution = values["allow-code-execution"].as<bool>();
  const OpenModel model = open_model(values["MODEL"].as<std::string>(), options, progress);
  const Evaluation evaluation =
      evaluate_model(model, evaluator, evaluator_options, values["out"].as<std::string>(), progress);
  std::cout << fmt::format("{} on {}: {}\n", evaluation.evaluator, evaluation.split, evaluation.convention);
  for (const Metric& metric : evaluation.metrics) {
    const auto floor = evaluation.floor.find(metric.name);
    const auto chance = evaluation.chance.find(metric.name);
    std::cout << fmt::format("  {:<18} {:>12.5f} {}{}{}\n", metric.name, metric.value, metric.unit,
                             floor == evaluation.floor.end() ? "" : fmt::format("  (floor {:.5f})", floor->second),
                             chance == evaluation.chance.end() ? "" : fmt::format("  (chance {:.5f})", chance->second));
  }
  return 0;
}

}  // namespace bitnet
