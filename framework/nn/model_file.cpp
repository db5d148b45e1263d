#include "framework/nn/model_file.h"

#include <ATen/ATen.h>

#include <charconv>
#include <cstring>
#include <memory>

#include "framework/config/resolve.h"
#include "framework/core/error.h"

namespace bitnet {
namespace {

using at::Tensor;

std::string dtype_name(const Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return "F32";
    case at::kChar:
      return "I8";
    case at::kByte:
      return "U8";
    case at::kInt:
      return "I32";
    case at::kBFloat16:
      return "BF16";
    case at::kLong:
      return "I64";
    default:
      throw std::invalid_argument(
          "tensor file: the type must be float32, bfloat16, int8, uint8, int32 or int64, but is " +
          std::string(c10::toString(tensor.scalar_type())) + ".");
  }
}

/// The model's shape as the file states it; where it can not be read, the file is unusable, not the user's
/// configuration.
ModelConfig stored_config(const std::string& text, const std::string& where) {
  try {
    return read_model_text(text, where);
  } catch (const ConfigError& error) {
    throw DataError(where +
                    ": the metadata entry 'model' must describe a model, but does not. Train the model again.\n" +
                    error.what());
  }
}

}  // namespace

TensorView view_of(const Tensor& tensor) {
  TensorView view;
  view.dtype = dtype_name(tensor);
  view.shape.assign(tensor.sizes().begin(), tensor.sizes().end());
  view.bytes = {static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()};
  return view;
}

void copy_into(const TensorFile& file, const std::string& name, const Tensor& target, const std::string& where) {
  const TensorView& view = file.at(name);
  if (view.dtype != dtype_name(target) || at::IntArrayRef(view.shape) != target.sizes()) {
    throw DataError(where + ": tensor '" + name + "' must be " + dtype_name(target) + " " + c10::str(target.sizes()) +
                    ", but is " + view.dtype + " " + c10::str(at::IntArrayRef(view.shape)) +
                    ". Use a file of the same model.");
  }
  std::memcpy(target.data_ptr(), view.bytes.data(), view.bytes.size());
}

void save_model(const std::filesystem::path& path, const DecoderLM& model,
                std::map<std::string, std::string> metadata) {
  metadata["format"] = "bitnet-lab model 1";
  metadata["model"] = model_text(model.config());
  metadata["vocab_size"] = std::to_string(model.vocab_size());
  std::map<std::string, TensorView> tensors;
  for (const NamedParameter& parameter : model.parameters()) tensors[parameter.name] = view_of(parameter.value);
  write_tensor_file(path, metadata, tensors);
}

StoredModel stored_model(const TensorFile& file, const std::string& where) {
  const std::string& vocab_text = file.metadata_at("vocab_size");
  int64_t vocab_size = 0;
  const char* const vocab_end = vocab_text.data() + vocab_text.size();
  const auto parsed = std::from_chars(vocab_text.data(), vocab_end, vocab_size);
  if (parsed.ec != std::errc() || parsed.ptr != vocab_end || vocab_size < 1) {
    throw DataError(where + ": the metadata entry 'vocab_size' must be a positive integer, but is '" + vocab_text +
                    "'. Train the model again.");
  }
  return {stored_config(file.metadata_at("model"), where), vocab_size};
}

ModelSource open_model_file(const std::filesystem::path& path) {
  const auto file = std::make_shared<TensorFile>(path);
  const std::string where = path.string();
  const auto format = file->metadata().find("format");
  if (format == file->metadata().end() || format->second != "bitnet-lab model 1") {
    throw DataError(where + ": the metadata entry 'format' must be 'bitnet-lab model 1', but is " +
                    (format == file->metadata().end() ? "missing" : "'" + format->second + "'") +
                    ". Name a model.safetensors that `bitnet run` or `bitnet import` wrote.");
  }
  const auto [config, vocab_size] = stored_model(*file, where);
  const auto read = [file, where](const std::string& name, at::IntArrayRef shape) {
    Tensor value = at::empty(shape, at::kFloat);
    copy_into(*file, name, value, where);
    file->release_pages();
    return value;
  };
  return {config, vocab_size, file->metadata(), read};
}

}  // namespace bitnet
