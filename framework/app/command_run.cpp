#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/app/progress_bar.h"
#include "framework/app/until_stopped.h"
#include "framework/config/resolve.h"
#include "framework/experiment/runner.h"

namespace bitnet {

namespace po = boost::program_options;

int run_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet run EXPERIMENT.yaml [--set a.b=c]... [--out DIR] [--allow-code-execution]";
  command.summary =
      "Trains and evaluates every variant of an experiment and writes a run folder with results.json, report.html,\n"
      "report.md and junit.xml. The same command resumes a run that was stopped or killed.";
  command.example = "bitnet run experiments/quickstart/experiment.yaml --set trainer.epochs=1";
  command.positional = {"EXPERIMENT.yaml"};
  command.options.add_options()("set", po::value<std::vector<std::string>>()->composing(),
                                "override one key, last of all; may be repeated")(
      "out", po::value<std::string>()->default_value("runs"), "folder of the run folders")(
      "allow-code-execution", po::bool_switch(), "run programs that the models write, each in a sandbox");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;

  const auto overrides =
      values.count("set") > 0 ? values["set"].as<std::vector<std::string>>() : std::vector<std::string>{};
  const std::string file = values["EXPERIMENT.yaml"].as<std::string>();
  const ResolvedExperiment experiment = resolve_experiment(file, overrides);
  RunOptions options;
  options.out = values["out"].as<std::string>();
  options.command = "scripts/run " + shell_quoted(file) + set_options(overrides);
  options.evaluators.allow_code_execution = values["allow-code-execution"].as<bool>();
  if (options.evaluators.allow_code_execution) options.command += " --allow-code-execution";
  ProgressBar progress;
  return until_stopped(progress, [&](const std::function<bool()>& should_stop) {
    options.should_stop = should_stop;
    const RunOutcome outcome = run_experiment(experiment, options, progress);
    progress.message(fmt::format("report: {}", (outcome.folder / "report.html").string()));
    std::cout << (outcome.folder / "report.md").string() << "\n";
    return 0;
  });
}

}  // namespace bitnet
