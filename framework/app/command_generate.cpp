#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "framework/app/commands.h"
#include "framework/app/options.h"
#include "framework/app/progress_bar.h"
#include "framework/core/error.h"
#include "framework/experiment/open_model.h"
#include "framework/infer/generate.h"

namespace bitnet {

namespace po = boost::program_options;

int generate_command(const std::vector<std::string>& words) {
  CommandOptions command;
  command.usage = "bitnet generate MODEL --prompt TEXT [options]";
  command.summary =
      "Continues a text with a model and prints it as it comes. MODEL is the model.safetensors of a run or an import, "
      "a\n"
      "packed model (.bnet), a Hugging Face folder or a llama2.c .bin. A BitNet runs packed. Greedy unless "
      "--temperature\n"
      "is given.";
  command.example =
      "bitnet generate runs/quickstart/0123456789abcdef/bitnet/seed-1/model.safetensors --prompt 'The ' "
      "--max-new-tokens 80";
  command.positional = {"MODEL"};
  GenerateOptions options;
  command.options.add_options()("prompt", po::value<std::string>()->default_value(""), "text to continue")(
      "max-new-tokens", po::value(&options.max_new_tokens)->default_value(options.max_new_tokens), "most tokens")(
      "temperature", po::value(&options.temperature)->default_value(options.temperature), "0 is greedy")(
      "top-k", po::value(&options.top_k)->default_value(options.top_k), "most likely tokens to draw from; 0: all")(
      "top-p", po::value(&options.top_p)->default_value(options.top_p), "least probability mass to draw from")(
      "seed", po::value(&options.seed)->default_value(options.seed), "of the draws")(
      "tokenizer", po::value<std::string>()->default_value(""),
      "the model's tokenizer; default: where it says or lies");
  po::variables_map values;
  if (!read_options(command, words, &values)) return 0;
  ProgressBar progress;
  const OpenModel opened =
      open_model(values["MODEL"].as<std::string>(), {values["tokenizer"].as<std::string>(), {}}, progress);
  const std::string prompt = values["prompt"].as<std::string>();
  const auto prompt_tokens = static_cast<int64_t>(opened.tokenizer->encode(prompt).size()) + 1;
  if (const int64_t context = opened.model.config.context; prompt_tokens + options.max_new_tokens > context) {
    progress.warning(fmt::format(
        "prompt and --max-new-tokens are {} tokens, but the model's context is {}: beyond it each token is computed "
        "from the last {} alone, anew and more slowly.",
        prompt_tokens + options.max_new_tokens, context, context));
  }
  // The prompt stands before the first new text, not before an error.
  std::string_view before = prompt;
  generate(opened.model, *opened.tokenizer, prompt, options, [&before](std::string_view text) {
    std::cout << before << text << std::flush;
    before = {};
  });
  std::cout << before << "\n";
  return 0;
}

}  // namespace bitnet
