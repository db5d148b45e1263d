#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/app/progress_bar.h"
#include "framework/config/resolve.h"
#include "framework/core/error.h"
#include "framework/data/catalog.h"
#include "framework/data/dataset.h"
#include "framework/data/token_windows.h"

namespace bitnet {
namespace {

namespace po = boost::program_options;

std::string_view state_text(DataState state) {
  switch (state) {
    case DataState::kCached:
      return "cached";
    case DataState::kInMirror:
      return "in mirror";
    case DataState::kAbsent:
      return "absent";
  }
  return "absent";
}

int list_data() {
  constexpr const char* kRow = "{:<38} {:>11}  {:<10} {:<10} {:<24} {}\n";
  std::cout << fmt::format(kRow, "NAME", "BYTES", "STATE", "DIGEST", "LICENSE", "WHAT");
  bool has_first_use = false;
  for (const CatalogEntry& entry : catalog()) {
    const bool is_known = !entry.sha256.empty();
    has_first_use |= !is_known;
    std::cout << fmt::format(kRow, entry.name, entry.bytes > 0 ? std::to_string(entry.bytes) : "?",
                             state_text(data_state(entry)), is_known ? "known" : "first use", entry.license,
                             entry.description);
  }
  if (has_first_use) {
    std::cout << "\nDIGEST first use: the catalog knows no digest of the file. The first one that comes is trusted "
                 "unseen; its sha256 is\nrecorded in the cache beside it, and only a file of that digest is accepted "
                 "from then on.\n";
  }
  return 0;
}

int fetch(const std::vector<std::string>& names) {
  if (names.empty()) {
    throw ConfigError(
        "command line: `bitnet data fetch` must name at least one entry, but names none. See `bitnet data list`.");
  }
  ProgressBar progress;
  for (const std::string& name : names) std::cout << fetch_data(name, progress).string() << "\n";
  return 0;
}

int tokenize(const std::string& file, const std::vector<std::string>& overrides) {
  const ExperimentConfig config = resolve_experiment(file, overrides).config;
  ProgressBar progress;
  const auto dataset = open_dataset(config.dataset, progress);
  const auto tokenizer = open_tokenizer(config.tokenizer, *dataset, progress);
  for (const DataSplit split : {DataSplit::kTrain, DataSplit::kValidation}) {
    const TokenFile tokens = open_token_file(*dataset, split, *tokenizer, progress);
    const std::string_view text = dataset->text(split);
    std::cout << fmt::format("{}: {} bytes, {} tokens of {}, {:.3f} bytes per token\n", yaml_name(split), text.size(),
                             tokens.count(), tokenizer->name(),
                             static_cast<double>(text.size()) / static_cast<double>(tokens.count()));
  }
  return 0;
}

}  // namespace

int data_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet data (list | fetch NAME... | tokenize EXPERIMENT.yaml [--set a.b=c]...)";
  command.summary =
      "list: the data catalog and what is here. fetch: brings entries into the cache, from the folder that\n"
      "BITNET_DATA_MIRROR names or from their public address, checked by SHA-256; a broken download resumes.\n"
      "The name of a folder, such as tinyllama-1.1b-chat, brings all its files into one folder of the cache.\n"
      "tokenize: makes an experiment's tokenizer and token files.";
  command.example = "bitnet data fetch wikitext-2/validation wikitext-2/test";
  command.options.add_options()("set", po::value<std::vector<std::string>>()->composing(),
                                "tokenize: override one key; may be repeated");
  // `fetch` takes any number of names, so the words are taken apart here.
  std::vector<std::string> names, rest;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--set" && i + 1 < words.size()) {
      rest.push_back(words[i]);
      rest.push_back(words[++i]);
    } else if (words[i].rfind("-", 0) == 0) {
      rest.push_back(words[i]);
    } else {
      names.push_back(words[i]);
    }
  }
  po::variables_map values;
  if (!read_options(command, rest, &values)) return 0;
  const auto overrides =
      values.count("set") > 0 ? values["set"].as<std::vector<std::string>>() : std::vector<std::string>{};
  const std::string action = names.empty() ? "" : names.front();
  if (!names.empty()) names.erase(names.begin());
  if (action == "list" && names.empty()) return list_data();
  if (action == "fetch") return fetch(names);
  if (action == "tokenize" && names.size() == 1) return tokenize(names.front(), overrides);
  std::string found;
  for (const std::string& word : words) found += (found.empty() ? "'" : " ") + word;
  throw ConfigError(
      "command line: the words after `bitnet data` must be list, fetch NAME... or tokenize "
      "EXPERIMENT.yaml, but are " +
      (found.empty() ? "missing" : found + "'") + ". See `bitnet data --help`.");
}

}  // namespace bitnet
