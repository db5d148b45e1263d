#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/core/progress.h"
#include "framework/data/choice_questions.h"
#include "framework/data/code_problems.h"
#include "framework/data/tokenizer.h"

namespace bitnet {

/// True entropy of a generated split under its generator.
struct EntropyFloor {
  double nats = 0;  ///< -log p(text) of the whole split
};

/// The text of one experiment: three splits, each a sequence of documents.
class Dataset {
 public:
  virtual ~Dataset() = default;
  /// The split's whole text, as stored; valid as long as the dataset lives.
  virtual std::string_view text(DataSplit split) const = 0;
  /// The split's documents, in order; their concatenation is `text(split)`.
  virtual std::vector<std::string_view> documents(DataSplit split) const = 0;
  /// SHA-256 of the split's text.
  virtual std::string sha256(DataSplit split) const = 0;
  /// Known only for generated text.
  virtual std::optional<EntropyFloor> floor(DataSplit split) const = 0;
  /// Multiple-choice questions that the dataset itself can ask: those of a generator about its facts, else none.
  virtual std::vector<ChoiceQuestion> questions() const { return {}; }
  /// Programming problems of the dataset itself: those of a generator about its language, else none.
  virtual std::vector<CodeProblem> code_problems() const { return {}; }
  virtual std::string name() const = 0;
};

/// Opens the dataset that the section describes: generates tinyworld, or finds files in the cache, the mirror
/// (BITNET_DATA_MIRROR) or downloads them (catalog.h). Errors: DataError that says what to put where.
std::unique_ptr<Dataset> open_dataset(const DatasetConfig& config, ProgressReporter& progress);

/// The section without the files of the other splits, which may not be at hand.
DatasetConfig with_split_alone(DatasetConfig config, DataSplit split);

/// Opens the tokenizer of an experiment; trains a SentencePiece vocabulary on the training split with `spm_train` when
/// `model` is empty, once, kept in the cache under a name made of the text's digest and the options.
std::unique_ptr<Tokenizer> open_tokenizer(const TokenizerConfig& config, const Dataset& dataset,
                                          ProgressReporter& progress);

}  // namespace bitnet
