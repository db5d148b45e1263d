#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "framework/config/experiment_config.h"

namespace bitnet {

/// What a linear layer is asked for. No biases, as in LLaMA.
struct LinearShape {
  std::string name;  ///< for example "layers.0.attention.q"
  int64_t in = 0;
  int64_t out = 0;
};

/// y = x W^T, in one of the forms of LinearKind. The models differ in the form of this layer alone.
class Linear {
 public:
  virtual ~Linear() = default;
  /// Shapes: x [.., in] float32 -> [.., out].
  virtual at::Tensor forward(const at::Tensor& x) const = 0;
  /// The master weight [out, in] float32, a trainable leaf.
  virtual at::Tensor weight() const = 0;
};

/// Makes each linear layer of a model; `weight` holds its initial values [out, in].
using LinearFactory = std::function<std::shared_ptr<Linear>(const LinearShape& shape, const at::Tensor& weight)>;

LinearFactory float_linear_factory();   ///< at::linear in float32
LinearFactory bitnet_linear_factory();  ///< ops::bit_linear: fake quantization with straight-through gradients

/// The factory of a config value.
LinearFactory linear_factory(LinearKind kind);

}  // namespace bitnet
