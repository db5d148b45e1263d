#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "framework/core/tensor_file.h"
#include "framework/nn/model_source.h"

namespace bitnet {

/// A view of a contiguous CPU tensor's bytes, to write to a file. The tensor must outlive it.
TensorView view_of(const at::Tensor& tensor);

/// Copies a file's tensor into `target`. Errors: DataError where type or shape differ; `where` names the file.
void copy_into(const TensorFile& file, const std::string& name, const at::Tensor& target, const std::string& where);

/// The shape of a model as a file states it.
struct StoredModel {
  ModelConfig config;
  int64_t vocab_size = 0;
};

/// Reads the metadata entries `model` and `vocab_size`. Errors: DataError where one is missing or can not be read.
StoredModel stored_model(const TensorFile& file, const std::string& where);

/// Writes the parameters and, beside `metadata`, what is needed to build the model again (its config and vocabulary
/// size).
void save_model(const std::filesystem::path& path, const DecoderLM& model, std::map<std::string, std::string> metadata);

/// Maps such a file and checks it; its parameters are read when they are asked for. Errors: DataError for a damaged
/// file, one that is no model of this project, or, where a parameter is read, one that is missing or of another shape.
ModelSource open_model_file(const std::filesystem::path& path);

}  // namespace bitnet
