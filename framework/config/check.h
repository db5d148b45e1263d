#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/document.h"
#include "framework/config/experiment_config.h"

// Rules that span several fields. Each is reported at the key that was written last, because that one broke it. A rule
// over a key of `unknown` is not checked.

namespace bitnet {

/// `list` is the sequence that `seeds` was read from; `unknown` has its items as "seeds[1]".
void check_seeds(const std::vector<int64_t>& seeds, const Node& list, const UnknownKeys& unknown, Problems* problems);
/// `trains`: all splits must be named; else those alone that somebody uses, who says so where one is missing.
void check_dataset(const DatasetConfig& config, bool trains, const Node& node, const UnknownKeys& unknown,
                   const std::string& path, Problems* problems);
void check_tokenizer(const TokenizerConfig& config, const Node& node, const UnknownKeys& unknown,
                     const std::string& path, Problems* problems);
void check_model(const ModelConfig& config, const Node& node, const UnknownKeys& unknown, const std::string& path,
                 Problems* problems);
void check_optimizer(const OptimizerConfig& config, const Node& node, const UnknownKeys& unknown,
                     const std::string& path, Problems* problems);
void check_evaluator(const EvaluatorConfig& config, const Node& node, const UnknownKeys& unknown,
                     const std::string& path, Problems* problems);

/// A window, and what an efficiency evaluator reads and generates, must fit into `context` tokens, the context of the
/// variants.
void check_window(const EvaluatorConfig& config, int64_t context, const Node& node, const UnknownKeys& unknown,
                  const std::string& path, Problems* problems);

}  // namespace bitnet
