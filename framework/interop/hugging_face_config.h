#pragma once

#include <string>
#include <string_view>

#include "framework/interop/foreign_model.h"

namespace bitnet {

/// Reads the `config.json` of a Hugging Face checkpoint: LlamaForCausalLM, MistralForCausalLM without a sliding window,
/// and BitNetForCausalLM with master weights. What is left out has the default of the transformers library. Errors:
/// DataError that names the option and its value where this project computes something else (docs/models.md).
/// Source: https://github.com/huggingface/transformers, configuration_llama.py, configuration_mistral.py,
/// configuration_bitnet.py.
ForeignModel parse_hugging_face_config(std::string_view text, const std::string& where);

/// The name in a Hugging Face checkpoint of a parameter of DecoderLM, whose name ends in ".weight".
std::string hugging_face_name(const std::string& parameter);

}  // namespace bitnet
