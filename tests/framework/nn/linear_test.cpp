#include "framework/nn/linear.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

using at::Tensor;
using testing::same_bits;
using testing::uniform_tensor;

TEST(Linear, FactoryOfAKindMakesThatForm) {
  const Tensor weight = uniform_tensor({6, 5}, 1);
  const LinearShape shape{"layer", 5, 6};
  const Tensor x = uniform_tensor({3, 5}, 2);
  const auto float_linear = linear_factory(LinearKind::kFloat)(shape, weight);
  EXPECT_TRUE(same_bits(float_linear->forward(x), at::linear(x, weight)));
  const auto bit_linear = linear_factory(LinearKind::kBitnet)(shape, weight);
  EXPECT_FALSE(at::allclose(bit_linear->forward(x), at::linear(x, weight), 1e-3, 1e-3));
  for (const auto& linear : {float_linear, bit_linear}) {
    EXPECT_TRUE(linear->weight().requires_grad());
  }
}

TEST(Linear, OwnsACopyOfItsInitialWeight) {
  const Tensor weight = uniform_tensor({4, 4}, 1);
  for (const LinearKind kind : {LinearKind::kFloat, LinearKind::kBitnet}) {
    const auto linear = linear_factory(kind)({"layer", 4, 4}, weight);
    EXPECT_TRUE(same_bits(linear->weight(), weight));
    EXPECT_NE(linear->weight().data_ptr(), weight.data_ptr());
  }
}

}  // namespace
}  // namespace bitnet
