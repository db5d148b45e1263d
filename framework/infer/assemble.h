#pragma once

#include <cstdint>
#include <string>

#include "framework/infer/served_model.h"

namespace bitnet {

/// Where the parts of a served model come from. Names are those of DecoderLM::parameters, without ".weight".
class ModelParts {
 public:
  virtual ~ModelParts() = default;
  /// A norm's weight [size] float32; asked for where the configuration has one.
  virtual at::Tensor norm(const std::string& name, int64_t size) = 0;
  /// The weight of a linear layer in the model's form.
  virtual at::Tensor linear(const std::string& name, const ServedLinear& shape) = 0;
  /// "embedding" or "head" in the model's format.
  virtual VocabularyTable table(const std::string& name) = 0;
};

/// Builds the model part by part in an arena of its own, so that no more than one part stands in memory twice.
ServedModel assemble(const ModelConfig& config, int64_t vocab_size, LinearForm form, HeadFormat head,
                     ModelParts& parts);

}  // namespace bitnet
