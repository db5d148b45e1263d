#include "framework/infer/artifact.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <utility>

#include "framework/config/resolve.h"
#include "framework/core/error.h"
#include "framework/core/tensor_file.h"
#include "framework/infer/assemble.h"
#include "framework/nn/model_file.h"
#include "ops/kernels/int8_format.h"
#include "ops/kernels/packed_format.h"

namespace bitnet {
namespace {

using at::Tensor;

constexpr const char* kFormat = "bitnet-lab artifact 2";
constexpr const char* kRemedy = "Make the artifact again with `bitnet pack`.";

/// The parts of a served model as a file has them.
class FileParts : public ModelParts {
 public:
  FileParts(const TensorFile& file, std::string where, const ModelConfig& config, int64_t vocab_size)
      : file_(file), where_(std::move(where)), config_(config), vocab_size_(vocab_size) {}

  Tensor norm(const std::string& name, int64_t size) override {
    return tensor(name + ".weight", "F32", at::kFloat, {size}).clone();
  }

  Tensor linear(const std::string& name, const ServedLinear& shape) override {
    const int64_t bytes = kernels::packed_bytes(shape.out, shape.in);
    const Tensor packed = tensor(name + ".weight", "U8", at::kByte, {bytes});
    kernels::PackedInfo info;
    const char* fault = kernels::check_packed(packed.data_ptr<uint8_t>(), static_cast<size_t>(bytes), &info);
    if (fault != nullptr) throw DataError(fmt::format("{}: tensor '{}.weight': {}. {}", where_, name, fault, kRemedy));
    if (info.n != shape.out || info.k != shape.in) {
      throw DataError(fmt::format("{}: tensor '{}.weight' must be a packed weight [{}, {}], but is [{}, {}]. {}",
                                  where_, name, shape.out, shape.in, info.n, info.k, kRemedy));
    }
    return packed;
  }

  VocabularyTable table(const std::string& name) override {
    const int64_t width = config_.width;
    const std::string weight = name + ".weight";
    switch (config_.head) {
      case HeadFormat::kFloat32:
        return {config_.head, width, tensor(weight, "F32", at::kFloat, {vocab_size_, width}), {}};
      case HeadFormat::kBfloat16:
        return {config_.head, width, tensor(weight, "BF16", at::kBFloat16, {vocab_size_, width}), {}};
      case HeadFormat::kInt8:
        break;
    }
    return {HeadFormat::kInt8, width, tensor(weight, "U8", at::kByte, {vocab_size_, kernels::int8_row_bytes(width)}),
            tensor(name + ".scales", "F32", at::kFloat, {vocab_size_})};
  }

 private:
  /// The file's bytes, not copied. What was read before is copied by now: the file and its copy together would be twice
  /// the memory of the model.
  Tensor tensor(const std::string& name, const char* dtype, at::ScalarType type, std::vector<int64_t> shape) const {
    const TensorView& view = file_.at(name);
    file_.release_pages();
    if (view.dtype != dtype || view.shape != shape) {
      throw DataError(fmt::format("{}: tensor '{}' must be {} {}, but is {} {}. {}", where_, name, dtype,
                                  c10::str(at::IntArrayRef(shape)), view.dtype, c10::str(at::IntArrayRef(view.shape)),
                                  kRemedy));
    }
    return at::from_blob(const_cast<std::byte*>(view.bytes.data()), shape, at::TensorOptions(type));
  }

  const TensorFile& file_;
  std::string where_;
  ModelConfig config_;
  int64_t vocab_size_;
};

void add_table(const VocabularyTable& table, const std::string& name, std::map<std::string, TensorView>& tensors) {
  tensors[name + ".weight"] = view_of(table.data());
  if (table.format() != HeadFormat::kInt8) return;
  tensors[name + ".scales"] = view_of(table.scales());
}

}  // namespace

bool is_artifact(const std::filesystem::path& path) { return path.extension() == ".bnet"; }

void write_artifact(const std::filesystem::path& path, const ServedModel& model,
                    std::map<std::string, std::string> metadata) {
  if (model.form != LinearForm::kPacked) {
    throw std::invalid_argument("write_artifact: the model must be packed, but is not. Pack a BitNet.");
  }
  metadata["format"] = kFormat;
  metadata["model"] = model_text(model.config);
  metadata["vocab_size"] = std::to_string(model.vocab_size);
  std::map<std::string, TensorView> tensors;
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    if (tensor.defined()) tensors[name + ".weight"] = view_of(tensor);
  };
  add_table(model.embedding, "embedding", tensors);
  for (size_t index = 0; index < model.blocks.size(); ++index) {
    const std::string prefix = "layers." + std::to_string(index) + ".";
    ServedBlock block = model.blocks[index];
    add(prefix + "attention_norm", block.attention_norm);
    add(prefix + "attention_sub_norm", block.attention_sub_norm);
    add(prefix + "ffn_norm", block.ffn_norm);
    add(prefix + "ffn_sub_norm", block.ffn_sub_norm);
    for_each_linear(block, [&](const char* name, ServedLinear& linear) {
      add(prefix + name, linear.weight);
      add(prefix + name + "_norm", linear.norm);
    });
  }
  add("final_norm", model.final_norm);
  if (!model.config.tied_head) add_table(model.head, "head", tensors);
  write_tensor_file(path, metadata, tensors);
}

LoadedArtifact read_artifact(const std::filesystem::path& path) {
  const TensorFile file(path);
  const std::string where = path.string();
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != kFormat) {
    throw DataError(fmt::format("{}: the metadata entry 'format' must be '{}', but is {}. {}", where, kFormat,
                                format == file.metadata().end() ? "missing" : "'" + format->second + "'", kRemedy));
  }
  const StoredModel stored = stored_model(file, where);
  FileParts parts(file, where, stored.config, stored.vocab_size);
  return {assemble(stored.config, stored.vocab_size, LinearForm::kPacked, stored.config.head, parts), file.metadata()};
}

}  // namespace bitnet
