#include "framework/interop/import.h"

#include <ATen/ATen.h>

#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "framework/core/error.h"
#include "framework/interop/checkpoint.h"

namespace bitnet {
namespace {

using at::Tensor;

/// Names in one message; more are counted.
constexpr size_t kMostNames = 8;

/// The type of LibTorch that a file's type is; none for a type that holds no weights.
std::optional<at::ScalarType> weight_type(const std::string& dtype) {
  if (dtype == "F32") return at::kFloat;
  if (dtype == "F16") return at::kHalf;
  if (dtype == "BF16") return at::kBFloat16;
  return std::nullopt;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kMostNames; ++i) text += (i == 0 ? "'" : ", '") + names[i] + "'";
  if (names.size() > kMostNames) text += " and " + std::to_string(names.size() - kMostNames) + " more";
  return text;
}

void require_none(const std::vector<std::string>& names, const std::string& where, const std::string& message) {
  if (names.empty()) return;
  throw DataError(where + ": tensors " + message + ": " + listed(names) +
                  ". The checkpoint is incomplete, or its model is another than its configuration says.");
}

/// Every parameter is there in a known type and in its shape, and nothing else is.
void check_tensors(const Checkpoint& checkpoint, const std::string& where) {
  std::vector<std::string> missing, unexpected;
  std::set<std::string> expected;
  for (const ParameterShape& parameter : parameter_shapes(checkpoint.model.config, checkpoint.model.vocab_size)) {
    const std::string& name = *expected.insert(checkpoint.name_of(parameter.name)).first;
    const auto found = checkpoint.tensors.find(name);
    if (found == checkpoint.tensors.end()) {
      missing.push_back(name);
    } else if (const TensorView& view = found->second; !weight_type(view.dtype) || view.shape != parameter.shape) {
      throw DataError(where + ": tensor '" + name + "' must be " + shown_type("F32, F16 or BF16", parameter.shape) +
                      ", but is " + shown_type(view.dtype, view.shape) + ". Use the files of one checkpoint.");
    }
  }
  for (const auto& [name, view] : checkpoint.tensors) {
    if (!expected.contains(name)) unexpected.push_back(name);
  }
  require_none(missing, where, "must be in the checkpoint, but are missing");
  require_none(unexpected, where, "must be those of the model, but there are others");
}

Tensor to_float(const TensorView& view) {
  // Copied first: the file need not have aligned it to its elements.
  Tensor values = at::empty(view.shape, at::TensorOptions(*weight_type(view.dtype)));
  if (!view.bytes.empty()) std::memcpy(values.data_ptr(), view.bytes.data(), view.bytes.size());
  return values.to(at::kFloat);
}

bool all_finite(const Tensor& values) {
  constexpr uint32_t kExponent = 0x7f800000;
  const float* const data = values.data_ptr<float>();
  bool finite = true;
  for (int64_t i = 0; i < values.numel(); ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, data + i, sizeof bits);
    finite &= (bits & kExponent) != kExponent;
  }
  return finite;
}

/// Rows of heads that turn adjacent pairs, brought into the order that turns the two halves. Shapes: [heads * K, in].
Tensor to_half_split(const Tensor& rows, int64_t head_width) {
  const int64_t in = rows.size(1);
  return rows.view({-1, head_width / 2, 2, in}).transpose(1, 2).reshape({-1, in});
}

bool is_rotated(const std::string& parameter) {
  return parameter.ends_with(".attention.q.weight") || parameter.ends_with(".attention.k.weight");
}

}  // namespace

ModelSource import_model(const std::filesystem::path& path, std::optional<LinearKind> linear) {
  const auto checkpoint = std::make_shared<Checkpoint>(open_checkpoint(path));
  const std::string where = path.string();
  ModelConfig config = checkpoint->model.config;
  config.linear = linear.value_or(config.linear);
  check_tensors(*checkpoint, where);
  const auto read = [checkpoint, where](const std::string& parameter, at::IntArrayRef) {
    const std::string name = checkpoint->name_of(parameter);
    Tensor values = to_float(checkpoint->tensors.at(name));
    for (const MappedFile& file : checkpoint->files) file.release_pages();
    if (!all_finite(values)) {
      throw DataError(where + ": tensor '" + name +
                      "' must hold finite numbers, but has one that is infinite or not a number. Fetch the checkpoint "
                      "again.");
    }
    const ModelConfig& shape = checkpoint->model.config;
    if (checkpoint->rope == RopeLayout::kAdjacentPairs && is_rotated(parameter)) {
      values = to_half_split(values, shape.width / shape.heads);
    }
    return values;
  };
  return {config,
          checkpoint->model.vocab_size,
          {{"source", std::filesystem::weakly_canonical(path).string()}, {"source_kind", checkpoint->model.kind}},
          read};
}

}  // namespace bitnet
