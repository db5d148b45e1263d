#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/config/enum_names.h"
#include "framework/core/error.h"
#include "framework/experiment/open_model.h"
#include "framework/nn/model_file.h"

namespace bitnet {
namespace {

namespace po = boost::program_options;

std::optional<LinearKind> linear_named(const std::string& name) {
  if (name.empty()) return std::nullopt;
  for (const auto& [known, kind] : EnumNames<LinearKind>::kNames) {
    if (name == known) return kind;
  }
  throw ConfigError("import: --linear must be float or bitnet, but is '" + name + "'. See `bitnet import --help`.");
}

}  // namespace

int import_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet import SOURCE --out model.safetensors [options]";
  command.summary =
      "Writes the checkpoint of another program as a model file of this one. SOURCE is a Hugging Face folder of a\n"
      "LLaMA-architecture model (config.json and safetensors), a llama2.c .bin file, or, to change the form of its\n"
      "linear layers, a model.safetensors of this program. With --linear bitnet the same weights are the master\n"
      "weights of a BitNet, whose ternary codes are made of them. The other commands take SOURCE itself, too, in\n"
      "place of a model.";
  command.example = "bitnet import TinyLlama-1.1B --out tinyllama-bitnet.safetensors --linear bitnet";
  command.positional = {"SOURCE"};
  command.options.add_options()("out", po::value<std::string>()->default_value(""),
                                "file to write; ends in .safetensors")(
      "linear", po::value<std::string>()->default_value(""),
      "float or bitnet, for the linear layers; default: the source's own")(
      "tokenizer", po::value<std::string>()->default_value(""),
      "its tokenizer's file; default: the one in the folder, or beside a .bin");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  const std::filesystem::path out = values["out"].as<std::string>();
  if (out.extension() != ".safetensors") {
    throw ConfigError("import: --out must be a file that ends in .safetensors, but is '" + out.string() +
                      "'. See `bitnet import --help`.");
  }
  const std::filesystem::path from = values["SOURCE"].as<std::string>();
  ModelSource source = open_source_to_write(from, values["tokenizer"].as<std::string>(),
                                            linear_named(values["linear"].as<std::string>()));
  source.metadata.emplace("source", std::filesystem::weakly_canonical(from).string());
  save_model(out, load_model(source), source.metadata);
  std::cout << out.string() << "\n";
  return 0;
}

}  // namespace bitnet
