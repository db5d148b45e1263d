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
  Tensor packed() const override { return {}; }

 private:
  Tensor weight_;
};

class BitNetLinear : public Linear {
 public:
  explicit BitNetLinear(const Tensor& weight) : weight_(weight.clone().set_requires_grad(true)) {}
  Tensor forward(const Tensor& x) const override { return ops::bit_linear(x, weight_); }
  Tensor weight() const override { return weight_; }
  Tensor packed() const override { return {}; }

 private:
  Tensor weight_;
};

class PackedLinear : public Linear {
 public:
  explicit PackedLinear(const Tensor& weight) {
    const auto [codes, gamma] = ops::quantize_weight(weight.detach());
    packed_ = ops::pack_ternary(codes, gamma);
  }
  Tensor forward(const Tensor& x) const override { return ops::ternary_linear(x, packed_); }
  Tensor weight() const override { return {}; }
  Tensor packed() const override { return packed_; }

 private:
  Tensor packed_;
};

}  // namespace

LinearFactory float_linear_factory() {
  return [](const LinearShape&, const Tensor& weight) { return std::make_shared<FloatLinear>(weight); };
}

LinearFactory bitnet_linear_factory() {
  return [](const LinearShape&, const Tensor& weight) { return std::make_shared<BitNetLinear>(weight); };
}

LinearFactory packed_linear_factory() {
  return [](const LinearShape&, const Tensor& weight) { return std::make_shared<PackedLinear>(weight); };
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
