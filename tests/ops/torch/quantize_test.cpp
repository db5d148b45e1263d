#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ops/torch/bitnet_ops.h"
#include "tests/ops/torch/reference.h"

namespace bitnet::ops::test {
namespace {

TEST(QuantizeWeight, EqualsTheFormula) {
  at::manual_seed(1);
  for (const auto& [rows, columns] : {std::pair{1, 1}, {3, 5}, {64, 129}, {200, 300}}) {
    const at::Tensor w = at::randn({rows, columns}) * 0.02;
    const auto [codes, gamma] = quantize_weight(w);
    ASSERT_EQ(codes.scalar_type(), at::kChar);
    ASSERT_EQ(gamma.dim(), 0);
    // One unit in the last place: the two sums of the mean are in different orders, both in double.
    EXPECT_NEAR(gamma.item<float>() / w.to(at::kDouble).abs().mean().item<double>(), 1.0, 1e-7);
    EXPECT_TRUE(at::equal(codes.to(at::kFloat), reference_weight_codes(w, gamma)));
  }
}

TEST(QuantizeWeight, OfGaussianWeightsIs31PercentZeros) {
  at::manual_seed(2);
  const at::Tensor codes = std::get<0>(quantize_weight(at::randn({1000, 1000}) * 0.02));
  // P(|w| < gamma / 2) = erf(sqrt(1 / pi) / 2) = 0.3101 for gamma = sigma * sqrt(2 / pi).
  EXPECT_NEAR(codes.eq(0).to(at::kDouble).mean().item<double>(), 0.310, 0.005);
  EXPECT_NEAR(codes.to(at::kDouble).mean().item<double>(), 0.0, 0.005);
}

TEST(QuantizeWeight, OfZerosHasTheLeastGamma) {
  const auto [codes, gamma] = quantize_weight(at::zeros({4, 4}));
  EXPECT_EQ(gamma.item<float>(), 1e-5f);
  EXPECT_EQ(codes.abs().max().item<int>(), 0);
}

TEST(QuantizeActivation, EqualsTheFormula) {
  at::manual_seed(3);
  for (const auto& sizes : std::vector<std::vector<int64_t>>{{7}, {1, 1}, {5, 33}, {2, 3, 128}, {2, 1, 3, 1000}}) {
    const at::Tensor x = at::randn(sizes) * 3;
    const auto [codes, scale] = quantize_activation(x);
    const auto [expected_codes, expected_scale] = reference_activation_codes(x);
    EXPECT_TRUE(at::equal(codes.to(at::kFloat), expected_codes));
    EXPECT_TRUE(same_bits(scale, expected_scale));
    EXPECT_EQ(codes.abs().amax(-1).min().item<int>(), 127) << "the largest of a row must reach the largest code";
  }
}

TEST(QuantizeActivation, RoundsHalvesToEven) {
  // 127 / a = 1, so that codes are the rounded values themselves.
  const at::Tensor x = at::tensor({127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f});
  const at::Tensor expected = at::tensor({127, 0, 2, 2, 0, -2, -2}).to(at::kChar);
  EXPECT_TRUE(at::equal(std::get<0>(quantize_activation(x)), expected));
}

TEST(QuantizeActivation, OfZerosAndOfNothing) {
  const auto [codes, scale] = quantize_activation(at::zeros({2, 5}));
  EXPECT_EQ(codes.abs().max().item<int>(), 0);
  EXPECT_EQ(scale.max().item<float>(), 1e-5f / 127);
  const auto [no_codes, no_scale] = quantize_activation(at::empty({3, 0, 5}));
  EXPECT_EQ(no_codes.sizes(), (std::vector<int64_t>{3, 0, 5}));
  EXPECT_EQ(no_scale.sizes(), (std::vector<int64_t>{3, 0, 1}));
}

TEST(Quantizers, TakeTensorsThatAreNotContiguous) {
  at::manual_seed(4);
  const at::Tensor base = at::randn({40, 30});
  const at::Tensor turned = base.t();
  EXPECT_TRUE(at::equal(std::get<0>(quantize_weight(turned)), std::get<0>(quantize_weight(turned.contiguous()))));
  const at::Tensor strided = base.slice(1, 0, 30, 2);
  const auto [codes, scale] = quantize_activation(strided);
  const auto [expected_codes, expected_scale] = quantize_activation(strided.contiguous());
  EXPECT_TRUE(at::equal(codes, expected_codes));
  EXPECT_TRUE(same_bits(scale, expected_scale));
}

TEST(Dequantize, IsCodesTimesScale) {
  at::manual_seed(5);
  const at::Tensor codes = at::randint(-128, 128, {3, 4, 37}, at::kChar);
  const at::Tensor scale = at::rand({3, 4, 1});
  EXPECT_TRUE(same_bits(dequantize(codes, scale), codes.to(at::kFloat) * scale));
  const at::Tensor gamma = at::full({}, 0.3f);
  EXPECT_TRUE(same_bits(dequantize(codes, gamma), codes.to(at::kFloat) * gamma));
  const at::Tensor turned = codes.transpose(0, 2);
  EXPECT_TRUE(same_bits(dequantize(turned, gamma), turned.to(at::kFloat) * gamma));
  const at::Tensor part = codes.narrow(2, 1, 20);
  EXPECT_TRUE(same_bits(dequantize(part, scale), part.to(at::kFloat) * scale));
}

TEST(Dequantize, UndoesTheQuantizersWithinHalfAStep) {
  at::manual_seed(6);
  const at::Tensor x = at::randn({9, 100});
  const auto [codes, scale] = quantize_activation(x);
  const at::Tensor steps = (dequantize(codes, scale) - x).abs() / scale;
  EXPECT_LE(steps.max().item<float>(), 0.5001f);
}

TEST(QuantizeActivation, ShowsNotANumberInItsScale) {
  at::Tensor x = at::ones({2, 4});
  x[1][2] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor scale = std::get<1>(quantize_activation(x));
  EXPECT_EQ(scale[0].item<float>(), 1.0f / 127);
  EXPECT_TRUE(std::isnan(scale[1].item<float>()));
}

}  // namespace
}  // namespace bitnet::ops::test
