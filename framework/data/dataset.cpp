#include "framework/data/dataset.h"

#include "framework/core/error.h"
#include "framework/data/file_dataset.h"
#include "framework/data/tinyworld.h"

namespace bitnet {

DatasetConfig with_split_alone(DatasetConfig config, DataSplit split) {
  if (split != DataSplit::kTrain) config.train.clear();
  if (split != DataSplit::kValidation) config.validation.clear();
  if (split != DataSplit::kTest) config.test.clear();
  return config;
}

std::unique_ptr<Dataset> open_dataset(const DatasetConfig& config, ProgressReporter& progress) {
  switch (config.source) {
    case DatasetSource::kTinyworld:
      return make_tinyworld(config);
    case DatasetSource::kFiles:
      return open_file_dataset(config, progress);
  }
  throw ConfigError("dataset.source: the value must be tinyworld or files, but is unknown. Choose one.");
}

}  // namespace bitnet
