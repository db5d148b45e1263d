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
    EXPECT_FALSE(linear->packed().defined());
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

TEST(Linear, PackedFormHasTheBitsOfTheTrainingForm) {
  // Inputs around the packed format's blocks, outputs odd, one row and many.
  for (const int64_t in : {1, 31, 127, 128, 129, 300}) {
    for (const int64_t rows : {1, 3, 70}) {
      const Tensor weight = uniform_tensor({17, in}, 3, -0.05, 0.05);
      const Tensor x = uniform_tensor({2, rows, in}, 4, -3, 3);
      const auto training = bitnet_linear_factory()({"layer", in, 17}, weight);
      const auto packed = packed_linear_factory()({"layer", in, 17}, weight);
      const Tensor y = training->forward(x);
      EXPECT_TRUE(y.requires_grad());
      const at::NoGradGuard no_grad;
      EXPECT_TRUE(same_bits(y, packed->forward(x))) << in << " inputs, " << rows << " rows";
      EXPECT_TRUE(same_bits(training->forward(x), packed->forward(x))) << in << " inputs, " << rows << " rows";
    }
  }
}

}  // namespace
}  // namespace bitnet
