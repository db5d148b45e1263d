#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/core/file.h"
#include "framework/experiment/gate.h"
#include "framework/experiment/results_file.h"
#include "framework/experiment/runner.h"

namespace bitnet {

namespace po = boost::program_options;

int report_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet report RESULTS [--out DIR] [--policy FILE]";
  command.summary =
      "Renders report.html, report.md and junit.xml from a results.json, or from a report.html, which holds one: the\n"
      "same results give the same bytes.";
  command.example = "bitnet report reports/wikitext2-small/results.json --out build/report";
  command.positional = {"RESULTS"};
  command.options.add_options()("out", po::value<std::string>(), "folder for the files; by default that of RESULTS")(
      "policy", po::value<std::string>(), "a policy of `bitnet gate`: its targets are drawn beside the deltas");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  const std::filesystem::path file = values["RESULTS"].as<std::string>();
  const std::filesystem::path folder =
      values.count("out") > 0 ? std::filesystem::path(values["out"].as<std::string>()) : file.parent_path();
  const Results results = published_results(read_file(file), file.string());
  std::vector<DeltaBound> bounds;
  if (values.count("policy") > 0) bounds = target_bounds(read_gate_policy(values["policy"].as<std::string>()), results);
  write_reports(results, folder, bounds);
  std::cout << (folder / "report.html").string() << "\n";
  return 0;
}

}  // namespace bitnet
