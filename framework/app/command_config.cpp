#include <boost/program_options.hpp>
#include <iostream>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/config/resolve.h"

namespace bitnet {

namespace po = boost::program_options;

int config_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet config EXPERIMENT.yaml [--set a.b=c]...";
  command.summary =
      "Prints the resolved configuration, every default written out, and the hash that identifies the run.";
  command.example = "bitnet config experiments/quickstart/experiment.yaml --set seeds=[1,2,3]";
  command.positional = {"EXPERIMENT.yaml"};
  command.options.add_options()("set", po::value<std::vector<std::string>>()->composing(),
                                "override one key, last of all; may be repeated");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  const auto overrides =
      values.count("set") > 0 ? values["set"].as<std::vector<std::string>>() : std::vector<std::string>{};
  const ResolvedExperiment experiment = resolve_experiment(values["EXPERIMENT.yaml"].as<std::string>(), overrides);
  std::cout << experiment.full_text << "# hash: " << experiment.hash << "\n";
  return 0;
}

}  // namespace bitnet
