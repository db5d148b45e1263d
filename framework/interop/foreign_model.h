#pragma once

#include <cstdint>
#include <string>

#include "framework/config/experiment_config.h"

namespace bitnet {

/// What another program's checkpoint says about its model.
struct ForeignModel {
  std::string kind;  ///< "LlamaForCausalLM", "llama2.c"
  ModelConfig config;
  int64_t vocab_size = 0;
};

/// Checks that this project can build such a model: the ranges and rules of configs/REFERENCE.md, and ids that fit into
/// 31 bits. Errors: DataError that names each wrong value as this project calls it.
void check_foreign_model(const ForeignModel& model, const std::string& where);

}  // namespace bitnet
