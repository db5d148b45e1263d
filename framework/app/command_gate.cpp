#include <boost/program_options.hpp>
#include <iostream>
#include <optional>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/experiment/gate.h"
#include "framework/experiment/results_file.h"

namespace bitnet {
namespace {

namespace po = boost::program_options;

ExitCode exit_code_of(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::kPass:
      return ExitCode::kDone;
    case GateVerdict::kInconclusive:
      return ExitCode::kGateInconclusive;
    case GateVerdict::kFail:
      return ExitCode::kGateFailed;
  }
  return ExitCode::kInternal;
}

Results read_results(const std::string& file) { return published_results(read_file(file), file); }

}  // namespace

int gate_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet gate RESULTS --policy FILE [--baseline FILE] [--junit FILE] [--markdown FILE]";
  command.summary =
      "Holds a run against a policy: no figure may be worse than in the run BASELINE by more than its margin, and\n"
      "targets must be reached. RESULTS and BASELINE are a results.json or the report.html of it. Exit code 0 where\n"
      "all pass, 1 where one fails, 3 where the data can not tell, 4 where the runs are not comparable, a figure is\n"
      "missing or a file was edited.";
  command.example =
      "bitnet gate runs/quickstart/HASH/results.json --policy configs/gate/default.yaml \\\n"
      "    --baseline reports/baselines/quickstart.json";
  command.positional = {"RESULTS"};
  command.options.add_options()("policy", po::value<std::string>(), "what is asked of the run; see configs/gate")(
      "baseline", po::value<std::string>(), "the run to compare with")(
      "junit", po::value<std::string>(), "file for the checks as JUnit XML")("markdown", po::value<std::string>(),
                                                                             "file for the table as Markdown");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  if (values.count("policy") == 0) {
    throw ConfigError("command line: --policy must be given, but is missing. Usage: " + command.usage +
                      ". See `bitnet gate --help`.");
  }
  const GatePolicy policy = read_gate_policy(values["policy"].as<std::string>());
  const Results candidate = read_results(values["RESULTS"].as<std::string>());
  std::optional<Results> baseline;
  if (values.count("baseline") > 0) baseline = read_results(values["baseline"].as<std::string>());
  const GateOutcome outcome = check_gate(candidate, baseline ? &*baseline : nullptr, policy);
  if (values.count("junit") > 0) write_file_atomic(values["junit"].as<std::string>(), render_gate_junit(outcome));
  if (values.count("markdown") > 0) {
    write_file_atomic(values["markdown"].as<std::string>(), render_gate_markdown(outcome));
  }
  std::cout << render_gate_text(outcome);
  return static_cast<int>(exit_code_of(outcome.verdict));
}

}  // namespace bitnet
