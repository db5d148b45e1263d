#pragma once

#include <string>

#include "framework/config/document.h"
#include "framework/config/experiment_config.h"

// Rules that span several fields. Each is reported at the key that was written last, because that one broke it.

namespace bitnet {

void check_dataset(const DatasetConfig& config, const Node& node, const std::string& path, Problems* problems);
void check_model(const ModelConfig& config, const Node& node, const std::string& path, Problems* problems);
void check_optimizer(const OptimizerConfig& config, const Node& node, const std::string& path, Problems* problems);
void check_evaluator(const EvaluatorConfig& config, const Node& node, const std::string& path, Problems* problems);

/// A window must fit into `context` tokens, the context of the variants.
void check_window(const EvaluatorConfig& config, int64_t context, const Node& node, const std::string& path,
                  Problems* problems);

}  // namespace bitnet
