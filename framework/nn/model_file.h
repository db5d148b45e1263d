#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "framework/core/tensor_file.h"
#include "framework/nn/decoder_lm.h"

namespace bitnet {

/// A view of a contiguous CPU tensor's bytes, to write to a file. The tensor must outlive it.
TensorView view_of(const at::Tensor& tensor);

/// Copies a file's tensor into `target`. Errors: DataError where type or shape differ; `where` names the file.
void copy_into(const TensorFile& file, const std::string& name, const at::Tensor& target, const std::string& where);

/// SHA-256 over names, shapes and bytes of the parameters, in their order.
std::string weights_sha256(const DecoderLM& model);

/// The shape of a model as a file states it.
struct StoredModel {
  ModelConfig config;
  int64_t vocab_size = 0;
};

/// Reads the metadata entries `model` and `vocab_size`. Errors: DataError where one is missing or can not be read.
StoredModel stored_model(const TensorFile& file, const std::string& where);

/// A trained model read from a file.
struct LoadedModel {
  DecoderLM model;
  std::map<std::string, std::string> metadata;
};

/// Writes the parameters and, beside `metadata`, what is needed to build the model again (its config and vocabulary
/// size).
void save_model(const std::filesystem::path& path, const DecoderLM& model, std::map<std::string, std::string> metadata);

/// Errors: DataError for a damaged file or one that is no model of this project.
LoadedModel load_model(const std::filesystem::path& path);

}  // namespace bitnet
