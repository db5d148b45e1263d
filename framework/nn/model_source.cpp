#include "framework/nn/model_source.h"

#include <ATen/ATen.h>

#include <memory>
#include <utility>

#include "framework/core/sha256.h"

namespace bitnet {
namespace {

using at::Tensor;

/// A linear layer that is only asked for its weight.
class WeightAlone : public Linear {
 public:
  explicit WeightAlone(Tensor weight) : weight_(std::move(weight)) {}
  Tensor forward(const Tensor& x) const override { return at::linear(x, weight_); }
  Tensor weight() const override { return weight_; }

 private:
  Tensor weight_;
};

}  // namespace

ModelSource source_of(const DecoderLM& model) {
  auto tensors = std::make_shared<std::map<std::string, Tensor>>();
  for (const NamedParameter& parameter : model.parameters()) {
    tensors->emplace(parameter.name, parameter.value.detach());
  }
  return {model.config(), model.vocab_size(), {}, [tensors](const std::string& name, at::IntArrayRef) {
            return tensors->at(name);
          }};
}

DecoderLM load_model(const ModelSource& source) {
  return DecoderLM(source.config, source.vocab_size, source.parameter, linear_factory(source.config.linear));
}

std::vector<ParameterShape> parameter_shapes(const ModelConfig& config, int64_t vocab_size) {
  // A model of tensors that have a shape and no memory. Positions are no parameters: as few as there may be.
  ModelConfig shape = config;
  shape.context = 2;
  const auto without_memory = [](const std::string&, at::IntArrayRef sizes) {
    return at::empty(sizes, at::TensorOptions(at::kMeta).dtype(at::kFloat));
  };
  const DecoderLM model(shape, vocab_size, without_memory,
                        [](const LinearShape&, const Tensor& weight) { return std::make_shared<WeightAlone>(weight); });
  std::vector<ParameterShape> shapes;
  for (const NamedParameter& parameter : model.parameters()) {
    shapes.push_back({parameter.name, parameter.value.sizes().vec()});
  }
  return shapes;
}

std::string weights_sha256(const ModelSource& source) {
  Sha256 digest;
  for (const ParameterShape& parameter : parameter_shapes(source.config, source.vocab_size)) {
    const Tensor value = source.parameter(parameter.name, parameter.shape);
    digest.update(parameter.name + c10::str(value.sizes()) + "\n");
    digest.update(value.data_ptr(), value.nbytes());
  }
  return digest.hex();
}

std::string weights_sha256(const DecoderLM& model) { return weights_sha256(source_of(model)); }

}  // namespace bitnet
