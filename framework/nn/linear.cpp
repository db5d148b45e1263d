#include "framework/nn/linear.h"

#include <ATen/ATen.h>

#include "ops/torch/bitnet_ops.h"

namespace bitnet {
namespace {

using at::Tensor;

class FloatLinear : public Linear {
 public:
  explicit FloatLinear(const Tensor& weight) : weight_(weight.clone().set_requires_grad(true)) {}
  Tensor forward(const Tensor& x) const override { return at::linear(x, weight_); }
  Tensor weight() const override { return weight_; }

 private:
  Tensor weight_;
};

class BitNetLinear : public Linear {
 public:
  explicit BitNetLinear(const Tensor& weight) : weight_(weight.clone().set_requires_grad(true)) {}
  Tensor forward(const Tensor& x) const override { return ops::bit_linear(x, weight_); }
  Tensor weight() const override { return weight_; }

 private:
  Tensor weight_;
};

}  // namespace

LinearFactory float_linear_factory() {
  return [](const LinearShape&, const Tensor& weight) { return std::make_shared<FloatLinear>(weight); };
}

LinearFactory bitnet_linear_factory() {
  return [](const LinearShape&, const Tensor& weight) { return std::make_shared<BitNetLinear>(weight); };
}

LinearFactory linear_factory(LinearKind kind) {
  switch (kind) {
    case LinearKind::kFloat:
      return float_linear_factory();
    case LinearKind::kBitnet:
      return bitnet_linear_factory();
  }
  return float_linear_factory();
}

}  // namespace bitnet
