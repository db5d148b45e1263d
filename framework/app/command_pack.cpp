#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/config/enum_names.h"
#include "framework/core/error.h"
#include "framework/experiment/open_model.h"
#include "framework/infer/artifact.h"

namespace bitnet {

namespace po = boost::program_options;

int pack_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet pack MODEL --out FILE.bnet [options]";
  command.summary =
      "Packs a BitNet into one file to serve: ternary layers in 2 bits, embedding and head in the format of --head.\n"
      "MODEL is the model.safetensors of a run or an import, or a Hugging Face folder of a BitNet. `generate`,\n"
      "`evaluate` and `bench` take the file in place of the model.";
  command.example =
      "bitnet pack runs/quickstart/0123456789abcdef/bitnet/seed-1/model.safetensors --out quickstart.bnet --head int8";
  command.positional = {"MODEL"};
  command.options.add_options()("out", po::value<std::string>()->default_value(""), "file to write; ends in .bnet")(
      "head", po::value<std::string>()->default_value(""),
      "float32, bfloat16 or int8, for embedding and head; default: the model's own")(
      "tokenizer", po::value<std::string>()->default_value(""),
      "the model's tokenizer; default: where it says or lies");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  const std::filesystem::path out = values["out"].as<std::string>();
  if (!is_artifact(out)) {
    throw ConfigError("pack: --out must be a file that ends in .bnet, but is '" + out.string() +
                      "'. See `bitnet pack --help`.");
  }
  const std::string model_file = values["MODEL"].as<std::string>();
  ModelSource source = open_source_to_write(model_file, values["tokenizer"].as<std::string>());
  if (source.config.linear != LinearKind::kBitnet) {
    throw ConfigError("pack: " + model_file +
                      ": the model's linear layers must be bitnet, but are float. Name the BitNet variant, or import "
                      "it with --linear bitnet.");
  }
  HeadFormat head = source.config.head;
  const std::string name = values["head"].as<std::string>();
  if (!name.empty()) {
    const auto& names = EnumNames<HeadFormat>::kNames;
    const auto found = std::find_if(names.begin(), names.end(), [&](const auto& pair) { return pair.first == name; });
    if (found == names.end()) {
      throw ConfigError("pack: --head must be float32, bfloat16 or int8, but is '" + name +
                        "'. See `bitnet pack --help`.");
    }
    head = found->second;
  }
  source.metadata["weights_sha256"] = weights_sha256(source);
  write_artifact(out, serve(source, LinearForm::kPacked, head), source.metadata);
  std::cout << out.string() << "\n";
  return 0;
}

}  // namespace bitnet
