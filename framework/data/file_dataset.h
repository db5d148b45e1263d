#pragma once

#include <memory>

#include "framework/config/experiment_config.h"
#include "framework/core/progress.h"
#include "framework/data/dataset.h"

namespace bitnet {

/// The dataset of text files that the section names: catalog entries, which are fetched, or paths. A split whose name
/// is empty is absent, and using it is a ConfigError; at least one must be named. Errors: DataError where a file is
/// missing, empty or not UTF-8, and what to do.
std::unique_ptr<Dataset> open_file_dataset(const DatasetConfig& config, ProgressReporter& progress);

}  // namespace bitnet
