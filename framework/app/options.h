#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <string>
#include <vector>

namespace bitnet {

/// One subcommand's options and help text.
struct CommandOptions {
  std::string usage;                    ///< for example "bitnet run EXPERIMENT.yaml [options]"
  std::string summary;                  ///< one or two sentences
  std::string example;                  ///< one line that works
  std::vector<std::string> positional;  ///< names of the required words, in order
  boost::program_options::options_description options{"Options"};
};

/// Reads the words. Returns false after printing the help, when it was asked for.
/// Errors: ConfigError for an unknown option, a missing or surplus word, a value of the wrong type.
bool read_options(CommandOptions& command, const std::vector<std::string>& words,
                  boost::program_options::variables_map* values);

/// A word as a shell reads it back.
std::string shell_quoted(const std::string& word);

/// " --set a.b=c" for each of `overrides`, quoted for a shell.
std::string set_options(const std::vector<std::string>& overrides);

}  // namespace bitnet
