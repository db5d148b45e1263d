#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "framework/config/resolve.h"
#include "framework/core/progress.h"
#include "framework/data/dataset.h"
#include "framework/infer/served_model.h"

namespace bitnet {

/// What a user may say about a model beside its path.
struct ModelOptions {
  std::filesystem::path tokenizer;       ///< its tokenizer's file; empty: where the model says or where it lies
  std::optional<DatasetConfig> dataset;  ///< the text to evaluate it on; none: that of its experiment
};

/// A model with its tokenizer and the text that it is evaluated on.
struct OpenModel {
  ServedModel model;  ///< a BitNet packed; the bits are those of the training-time model
  std::map<std::string, std::string> metadata;
  std::function<std::string()> weights_sha256;  ///< of the trained parameters; may read them all
  std::unique_ptr<Dataset> dataset;             ///< where neither experiment nor user names one: asking it for a text
                                                ///< is a ConfigError
  std::unique_ptr<Tokenizer> tokenizer;
};

/// Opens a model: the model.safetensors that `bitnet run` or `bitnet import` wrote, the artifact that `bitnet pack`
/// made of it, or another program's checkpoint (framework/interop/import.h). Errors: DataError for a damaged file, or
/// where the tokenizer found is not the model's.
OpenModel open_model(const std::filesystem::path& path, const ModelOptions& options, ProgressReporter& progress);

/// The float32 parameters of a model.safetensors of this project or of another program's checkpoint, whose linear
/// layers take the form `linear`, or their own. Errors: as open_model.
ModelSource open_source(const std::filesystem::path& path, std::optional<LinearKind> linear = std::nullopt);

/// The same, to be written to a file: the metadata then names the tokenizer, so that open_model finds it again.
ModelSource open_source_to_write(const std::filesystem::path& path, const std::filesystem::path& tokenizer,
                                 std::optional<LinearKind> linear = std::nullopt);

/// A configuration that an earlier run stored. Where it can not be read the file is damaged, which is no mistake of the
/// user's configuration. Errors: DataError.
ResolvedExperiment resolve_stored(std::string_view text, const std::string& where, std::string_view what_to_do);

}  // namespace bitnet
