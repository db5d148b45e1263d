#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "framework/core/safetensors.h"
#include "framework/interop/foreign_model.h"

namespace bitnet {

/// A checkpoint of llama2.c: its tensors under the names of DecoderLM::parameters, as views of the file's bytes. The
/// rows of q and k are in the order that turns adjacent pairs (rotary positions).
struct Llama2cFile {
  ForeignModel model;
  std::map<std::string, TensorView> tensors;
};

/// Reads the float32 forms of llama2.c's `.bin`: version 0, whose header is seven 32-bit numbers (a negative vocabulary
/// size means a head of its own), and version 1 ("ak42", 256 bytes). The file must be exactly as long as its header
/// says. Errors: DataError. Source: https://github.com/karpathy/llama2.c, export.py.
Llama2cFile parse_llama2c(std::span<const std::byte> bytes, const std::string& where);

}  // namespace bitnet
