#include <filesystem>
#include <memory>

#include "framework/core/error.h"
#include "framework/data/catalog.h"
#include "framework/data/dataset.h"
#include "framework/data/sentencepiece_train.h"

namespace bitnet {
namespace {

std::filesystem::path find_model(const std::string& model, ProgressReporter& progress) {
  if (catalog_has(model)) return fetch_data(model, progress);
  if (std::filesystem::exists(model)) return model;
  throw DataError("tokenizer.model: the value must be an entry of the data catalog or a file that exists, but is '" +
                  model + "'. List the entries with `bitnet data list`.");
}

}  // namespace

std::unique_ptr<Tokenizer> open_tokenizer(const TokenizerConfig& config, const Dataset& dataset,
                                          ProgressReporter& progress) {
  switch (config.kind) {
    case TokenizerKind::kByte:
      return make_byte_tokenizer();
    case TokenizerKind::kSentencepiece:
      if (!config.model.empty()) return read_sentencepiece(find_model(config.model, progress));
      return read_sentencepiece(
          trained_sentencepiece(dataset.text(DataSplit::kTrain), dataset.sha256(DataSplit::kTrain), config, progress));
    case TokenizerKind::kHuggingface:
      return read_tokenizer_json(find_model(config.model, progress));
  }
  throw ConfigError("tokenizer.kind: the value must be a known one, but is not. See configs/REFERENCE.md.");
}

}  // namespace bitnet
