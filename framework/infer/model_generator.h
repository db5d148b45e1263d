#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/infer/served_model.h"
#include "framework/nn/generator.h"

namespace bitnet {

/// Generates with a served model, by the mechanism of `generate`. Each request goes through the model alone, on one
/// thread with a cache of its own, and the threads take requests in turn: results are the same ids in any company, in
/// any order and with any number of threads.
class ModelGenerator : public Generator {
 public:
  /// `model` must outlive the generator.
  explicit ModelGenerator(const ServedModel& model) : model_(model) {}
  int64_t context() const override { return model_.config.context; }
  /// Errors: as continue_tokens.
  std::vector<GenerateResult> generate(std::span<const GenerateRequest> requests,
                                       const OnGenerated& on_generated) override;

 private:
  const ServedModel& model_;
};

}  // namespace bitnet
