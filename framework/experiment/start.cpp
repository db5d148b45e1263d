#include "framework/experiment/start.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "framework/config/resolve.h"
#include "framework/config/write.h"
#include "framework/core/error.h"
#include "framework/data/catalog.h"
#include "framework/experiment/open_model.h"

namespace bitnet {
namespace {

/// Keys of the shape in which a variant and its checkpoint differ. What they may differ in is the variant's own choice.
std::vector<std::string> differing_keys(const ModelConfig& checkpoint, const ModelConfig& variant) {
  ModelConfig wanted = checkpoint;
  wanted.linear = variant.linear;
  wanted.head = variant.head;
  wanted.context = variant.context;
  wanted.init_std = variant.init_std;
  std::vector<std::string> paths;
  add_differences(wanted, variant, "model", &paths);
  return paths;
}

}  // namespace

FoundCheckpoint find_checkpoint(const VariantConfig& variant, ProgressReporter& progress) {
  const StartConfig& start = variant.start;
  if (start.checkpoint.empty()) return {};
  const std::string where = "variants." + variant.name + ".start.checkpoint";
  try {
    return {find_data(start.checkpoint, where, progress), ""};
  } catch (const DataError& error) {
    if (start.missing == MissingCheckpoint::kError) throw;
    progress.warning(error.what());
    return {std::nullopt,
            fmt::format("RANDOM WEIGHTS: the checkpoint '{}' was not to be had, so {} has random weights of its exact "
                        "shape. Speed and memory are those of the shape; quality was not measured.",
                        start.checkpoint, variant.name)};
  }
}

ModelSource start_weights(const VariantConfig& variant, const FoundCheckpoint& found, int64_t vocab_size,
                          int64_t seed) {
  if (!found.path) {
    return source_of(DecoderLM(variant.model, vocab_size, seed, linear_factory(variant.model.linear)));
  }
  ModelSource source = open_source(*found.path, variant.model.linear);
  const std::string where = found.path->string();
  if (const std::vector<std::string> keys = differing_keys(source.config, variant.model); !keys.empty()) {
    throw DataError(fmt::format(
        "{}: the checkpoint must have the shape of the variant {}, but differs in {}. Give the variant its shape:\n{}",
        where, variant.name, fmt::join(keys, ", "), model_text(source.config)));
  }
  if (variant.model.context > source.config.context) {
    throw ConfigError(
        fmt::format("variants.{}.model.context must be at most that of the checkpoint {}, {}, but is {}. "
                    "Lower it.",
                    variant.name, where, source.config.context, variant.model.context));
  }
  if (source.vocab_size < vocab_size) {
    throw DataError(
        fmt::format("{}: the checkpoint must have at least the tokenizer's {} pieces, but has {}. Set the "
                    "experiment's tokenizer to the checkpoint's.",
                    where, vocab_size, source.vocab_size));
  }
  source.config = variant.model;
  return source;
}

}  // namespace bitnet
