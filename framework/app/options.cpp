#include "framework/app/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/parsers.hpp>
#include <cctype>
#include <iostream>
#include <string_view>

#include "framework/core/error.h"

namespace bitnet {

namespace po = boost::program_options;

bool read_options(CommandOptions& command, const std::vector<std::string>& words, po::variables_map* values) {
  command.options.add_options()("help,h", "print this help");
  po::options_description all;
  all.add(command.options);
  po::positional_options_description positions;
  for (const std::string& name : command.positional) {
    all.add_options()(name.c_str(), po::value<std::string>());
    positions.add(name.c_str(), 1);
  }
  const std::string hint = fmt::format("Usage: {}. See `{} --help`.", command.usage,
                                       command.usage.substr(0, command.usage.find(' ', sizeof "bitnet")));
  try {
    // No guessing of abbreviated options: a script must not change its meaning when an option is added.
    const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(all).positional(positions).style(style).run(), *values);
    po::notify(*values);
  } catch (const po::error& error) {
    throw ConfigError(fmt::format("command line: {}. {}", error.what(), hint));
  }
  if (values->count("help") > 0) {
    std::cout << "Usage: " << command.usage << "\n\n"
              << command.summary << "\n\n"
              << command.options << "\nExample:\n  " << command.example << "\n";
    return false;
  }
  for (const std::string& name : command.positional) {
    if (values->count(name) == 0) {
      throw ConfigError(fmt::format("command line: {} must be given, but is missing. {}", name, hint));
    }
  }
  return true;
}

std::string shell_quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("_-./=:,+@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string set_options(const std::vector<std::string>& overrides) {
  std::string text;
  for (const std::string& override : overrides) text += " --set " + shell_quoted(override);
  return text;
}

}  // namespace bitnet
