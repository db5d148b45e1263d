#pragma once

#include <filesystem>
#include <optional>

#include "framework/nn/model_source.h"

namespace bitnet {

/// Opens another program's checkpoint (checkpoint.h, docs/models.md) as a model of this project: names, layout of the
/// rotary positions and float32 as here. The files are mapped; each parameter is converted when it is asked for.
/// `linear` chooses the form of the linear layers, whose master weights are the checkpoint's in either case; none: the
/// checkpoint's own, `float` but for a BitNet. Metadata: `source` and `source_kind`.
/// Errors: DataError for a damaged file, an unsupported option, tensors that are missing or not expected (named
/// together) or of another shape or type; and where a parameter is read, for a weight that is not finite.
ModelSource import_model(const std::filesystem::path& path, std::optional<LinearKind> linear = std::nullopt);

}  // namespace bitnet
