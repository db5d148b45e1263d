#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/app/progress_bar.h"
#include "framework/app/until_stopped.h"
#include "framework/config/resolve.h"
#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/experiment/open_model.h"
#include "framework/experiment/reproduce.h"
#include "framework/experiment/results_file.h"
#include "framework/experiment/runner.h"

namespace bitnet {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

constexpr const char* kComparison = "reproduction.txt";

/// A run that is there already would be compared as it lies, whoever made it.
void require_unfinished(const fs::path& folder) {
  for (const char* name : {"results.json", kComparison}) {
    if (!fs::exists(folder / name)) continue;
    throw DataError(folder.string() +
                    ": the folder must hold no finished run, so that everything is computed anew, but holds " + name +
                    ". Remove the folder or name another with --out.");
  }
}

}  // namespace

int reproduce_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage =
      "bitnet reproduce REPORT [--stop-after-steps N] [--set a.b=c]... [--out DIR] [--allow-code-execution]";
  command.summary =
      "Runs the configuration of a published run again (a report.html or a results.json) and prints what differs:\n"
      "initial and final weights, curves, figures, build and machine. Exit code 0 where all bits are the same, else "
      "1.\n"
      "The same command resumes one that was stopped or killed.";
  command.example = "bitnet reproduce reports/wikitext2-small/results.json --stop-after-steps 200";
  command.positional = {"REPORT"};
  command.options.add_options()("stop-after-steps", po::value<int64_t>()->default_value(0),
                                "only the first N steps of each training, of their full schedule, without evaluations")(
      "set", po::value<std::vector<std::string>>()->composing(),
      "override one key; what then has no counterpart is not compared; may be repeated")(
      "out", po::value<std::string>()->default_value("runs/reproduced"), "folder of the run folders")(
      "allow-code-execution", po::bool_switch(), "run programs that the models write, each in a sandbox");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  RunOptions options;
  options.stop_after_steps = values["stop-after-steps"].as<int64_t>();
  if (options.stop_after_steps < 0) {
    throw ConfigError(
        fmt::format("command line: --stop-after-steps must be at least 0, but is {}.", options.stop_after_steps));
  }
  const std::string file = values["REPORT"].as<std::string>();
  const auto overrides =
      values.count("set") > 0 ? values["set"].as<std::vector<std::string>>() : std::vector<std::string>{};
  const Results published = published_results(read_file(file), file);
  const std::string published_hash =
      resolve_stored(published.config_text, file, "Take a file that the program wrote.").hash;
  ResolvedExperiment experiment = resolve_text(published.config_text, file, overrides);
  experiment.overridden = published.overridden;  // of blocks that a stored configuration does not name
  options.out = values["out"].as<std::string>();
  options.command =
      overrides.empty() ? published.command : "bitnet reproduce " + shell_quoted(file) + set_options(overrides);
  for (const std::string& override : overrides) {
    const std::string path = override.substr(0, override.find('='));
    const bool known =
        std::find(experiment.overridden.begin(), experiment.overridden.end(), path) != experiment.overridden.end();
    if (!known) experiment.overridden.push_back(path);
  }
  options.evaluators.allow_code_execution = values["allow-code-execution"].as<bool>();
  require_unfinished(run_folder(options.out, experiment));
  ProgressBar progress;
  return until_stopped(progress, [&](const std::function<bool()>& should_stop) {
    options.should_stop = should_stop;
    const RunOutcome outcome = run_experiment(experiment, options, progress);
    const Reproduction reproduction = compare_reproduction(
        published, outcome.results, experiment.hash == published_hash, options.stop_after_steps == 0);
    const std::string text = render_reproduction(reproduction);
    write_file_atomic(outcome.folder / kComparison, text);
    std::cout << text;
    return reproduction.identical ? 0 : 1;
  });
}

}  // namespace bitnet
