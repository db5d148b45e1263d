#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/framework/nn/model_support.h"

// Small checkpoints of other programs, written from a DecoderLM by code that shares nothing with the readers.

namespace bitnet::testing {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// The bytes of a tensor, row by row.
std::string bytes_of(const at::Tensor& tensor);

/// A number in 8 bytes, little-endian.
std::string length_prefix(uint64_t length);

/// Numbers in 4 bytes each, little-endian.
std::string int_bytes(const std::vector<int64_t>& numbers);

/// A safetensors file; without metadata where there is none. The header's length is odd on purpose, so that no tensor
/// is aligned to its elements.
std::string safetensors_bytes(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata = {});

/// The tensors of a model as the transformers library names them.
NamedTensors hugging_face_tensors(const DecoderLM& model);

/// The config.json of a model.
void write_config(const std::filesystem::path& folder, const DecoderLM& model);

/// A Hugging Face folder with one file.
void write_hugging_face(const std::filesystem::path& folder, const DecoderLM& model, const NamedTensors& tensors);
void write_hugging_face(const std::filesystem::path& folder, const DecoderLM& model);

/// A llama2.c file of version 0 or 1.
std::string llama2c_bytes(const DecoderLM& model, int version);

/// A float model that llama2.c can hold, or a BitNet, with weights that make every part matter.
DecoderLM foreign_model(bool tied_head, NormPlacement norm = NormPlacement::kLlama);

}  // namespace bitnet::testing
