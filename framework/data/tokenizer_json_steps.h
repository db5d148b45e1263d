#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "framework/data/tokenizer_json.h"

namespace bitnet {

/// The parts of a `tokenizer.json` that are lists of steps. `value` is nullptr where the file has none; `place` names
/// file and field in errors. Errors: DataError for a step or an order of steps that is not supported, named.
std::vector<NormalizerStep> read_normalizer(const nlohmann::json* value, const std::string& place);
std::vector<PreTokenizerStep> read_pre_tokenizer(const nlohmann::json* value, const std::string& place);
std::vector<DecoderStep> read_decoder(const nlohmann::json* value, const std::string& place);

}  // namespace bitnet
