#include "framework/nn/functions.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

using at::Tensor;
using testing::relative_difference;
using testing::same_bits;
using testing::Threads;
using testing::uniform_tensor;

using Call = std::function<Tensor(const std::vector<Tensor>&)>;

// Float32 keeps 6e-8 of each value; the sums here have at most 2,000 terms of mixed sign, whose errors add up to a few
// times the square root of that many roundings. Ten times less than the smallest mistake these tests should find.
constexpr double kTolerance = 5e-6;

/// Fresh leaves with the values of `inputs`.
std::vector<Tensor> leaves_of(const std::vector<Tensor>& inputs, at::ScalarType type) {
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs)
    leaves.push_back(input.detach().to(type, false, /*copy=*/true).set_requires_grad(true));
  return leaves;
}

/// The result and the gradients of sum(result * g), where g is one fixed tensor.
std::vector<Tensor> result_and_gradients(const Call& call, const std::vector<Tensor>& inputs, at::ScalarType type) {
  const std::vector<Tensor> leaves = leaves_of(inputs, type);
  const Tensor result = call(leaves);
  result.backward(uniform_tensor(result.sizes(), 99).to(type));
  std::vector<Tensor> all = {result.detach()};
  for (const Tensor& leaf : leaves) all.push_back(leaf.grad());
  return all;
}

/// `function` in float32 against `reference`, plain library operators under autograd in float64. `least_scale`: what
/// differences are compared with where the reference is all smaller, for gradients that cancel to nothing.
void expect_equals_reference(const Call& function, const Call& reference, const std::vector<Tensor>& inputs,
                             double least_scale = 0.0) {
  const std::vector<Tensor> found = result_and_gradients(function, inputs, at::kFloat);
  const std::vector<Tensor> expected = result_and_gradients(reference, inputs, at::kDouble);
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].sizes(), expected[i].sizes()) << "output " << i;
    const double scale = std::max(expected[i].abs().max().item<double>(), least_scale);
    EXPECT_LE((found[i].to(at::kDouble) - expected[i]).abs().max().item<double>(), kTolerance * scale)
        << "output " << i;
  }
}

void expect_same_bits_for_all_threads(const Call& function, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> one;
  {
    const Threads threads(1);
    one = result_and_gradients(function, inputs, at::kFloat);
  }
  const Threads threads(2);
  const std::vector<Tensor> two = result_and_gradients(function, inputs, at::kFloat);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(same_bits(one[i], two[i])) << "output " << i;
}

constexpr double kEpsilon = 1e-5;

Tensor call_rms_norm(const std::vector<Tensor>& in) { return rms_norm(in[0], in[1], kEpsilon); }

Tensor plain_rms_norm(const std::vector<Tensor>& in) {
  return in[0] / (in[0].square().mean(-1, /*keepdim=*/true) + kEpsilon).sqrt() * in[1];
}

std::vector<Tensor> norm_inputs(int64_t rows, int64_t width) {
  return {uniform_tensor({rows, width}, 1, -2, 2), uniform_tensor({width}, 2, 0.5, 1.5)};
}

TEST(RmsNorm, EqualsThePlainCompositionWithGradients) {
  for (const auto& [rows, width] : {std::pair<int64_t, int64_t>{1, 1}, {3, 5}, {64, 16}, {65, 33}, {300, 24}}) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(width));
    expect_equals_reference(call_rms_norm, plain_rms_norm, norm_inputs(rows, width), width == 1 ? 1.0 : 0.0);
  }
}

TEST(RmsNorm, KeepsLeadingDimensionsAndTakesStridedInput) {
  const Tensor strided = uniform_tensor({4, 6, 3}, 1).transpose(1, 2);  // [4, 3, 6], not contiguous
  expect_equals_reference(call_rms_norm, plain_rms_norm, {strided, uniform_tensor({6}, 2)});
}

TEST(RmsNorm, EpsilonKeepsARowOfZerosFinite) {
  const Tensor y = rms_norm(at::zeros({2, 8}), at::ones({8}), kEpsilon);
  EXPECT_TRUE(same_bits(y, at::zeros({2, 8})));
}

TEST(RmsNorm, SameBitsForAllThreads) {
  // Large enough that the library itself would split the reduction over the rows.
  expect_same_bits_for_all_threads(call_rms_norm, norm_inputs(64 * 96, 704));
}

/// Rotates pairs as complex numbers: an own spelling with polar coordinates.
Tensor plain_rope(const Tensor& x, int64_t heads, double theta, int64_t first_position) {
  const int64_t time = x.size(1), width = x.size(2) / heads, half = width / 2;
  const Tensor split = x.view({x.size(0), time, heads, 2, half});
  const Tensor frequencies = at::pow(theta, at::arange(half, at::kDouble).mul(-2.0 / static_cast<double>(width)));
  const Tensor angles = at::outer(at::arange(first_position, first_position + time, at::kDouble), frequencies);
  const Tensor turned = at::complex(split.select(3, 0).contiguous(), split.select(3, 1).contiguous()) *
                        at::polar(at::ones_like(angles), angles).view({1, time, 1, half});
  return at::stack({at::real(turned), at::imag(turned)}, 3).view(x.sizes());
}

TEST(Rope, EqualsComplexRotationWithGradients) {
  struct Case {
    int64_t batch, time, heads, width, first;
  };
  for (const Case& c : {Case{1, 1, 1, 2, 0}, {2, 5, 3, 6, 0}, {3, 70, 2, 10, 0}, {2, 9, 4, 8, 17}}) {
    SCOPED_TRACE(std::to_string(c.time) + " positions from " + std::to_string(c.first));
    const double theta = 500.0;
    const Tensor table = rope_table(c.first + c.time, c.width, theta);
    expect_equals_reference([&](const auto& in) { return apply_rope(in[0], table, c.first); },
                            [&](const auto& in) { return plain_rope(in[0], c.heads, theta, c.first); },
                            {uniform_tensor({c.batch, c.time, c.heads * c.width}, 4)});
  }
}

TEST(Rope, PositionZeroIsLeftAsItIs) {
  const Tensor x = uniform_tensor({3, 1, 12}, 5);
  EXPECT_TRUE(same_bits(apply_rope(x, rope_table(1, 6, 10000.0)), x));
}

TEST(Rope, ProductsDependOnTheDistanceAlone) {
  const Tensor table = rope_table(40, 8, 100.0);
  const Tensor q = uniform_tensor({1, 1, 8}, 6), k = uniform_tensor({1, 1, 8}, 7);
  const auto product = [&](int64_t query_at, int64_t key_at) {
    return apply_rope(q, table, query_at).mul(apply_rope(k, table, key_at)).sum().item<double>();
  };
  EXPECT_NEAR(product(9, 4), product(35, 30), 1e-5);
  EXPECT_GT(std::abs(product(9, 4) - product(9, 8)), 1e-2);
}

TEST(Rope, SameBitsForAllThreads) {
  const Tensor table = rope_table(130, 10, 10000.0);
  expect_same_bits_for_all_threads([&](const auto& in) { return apply_rope(in[0], table); },
                                   {uniform_tensor({3, 130, 30}, 8)});
}

struct AttentionCase {
  int64_t batch, time, heads, kv_heads, width;
};

std::vector<Tensor> attention_inputs(const AttentionCase& c) {
  // Wide enough that some rows put nearly all weight on one key.
  return {uniform_tensor({c.batch, c.time, c.heads * c.width}, 11, -3, 3),
          uniform_tensor({c.batch, c.time, c.kv_heads * c.width}, 12, -3, 3),
          uniform_tensor({c.batch, c.time, c.kv_heads * c.width}, 13)};
}

/// The definition: all scores at once, key and value heads repeated for their group.
Tensor plain_attention(const std::vector<Tensor>& in, const AttentionCase& c) {
  const auto by_head = [&](const Tensor& x, int64_t heads) {
    return x.view({c.batch, c.time, heads, c.width}).transpose(1, 2).repeat_interleave(c.heads / heads, 1);
  };
  const Tensor q = by_head(in[0], c.heads), k = by_head(in[1], c.kv_heads), v = by_head(in[2], c.kv_heads);
  const Tensor future = at::ones({c.time, c.time}, at::kBool).triu(1);
  const Tensor scores = at::matmul(q, k.transpose(2, 3)) / std::sqrt(static_cast<double>(c.width));
  const Tensor weights = at::softmax(scores.masked_fill(future, -std::numeric_limits<double>::infinity()), -1);
  return at::matmul(weights, v).transpose(1, 2).reshape(in[0].sizes());
}

// 128 query rows are taken at once: the times lie at, below and beyond one and two such blocks.
constexpr AttentionCase kAttentionCases[] = {{1, 1, 1, 1, 4},   {2, 1, 4, 2, 3},   {2, 5, 3, 3, 5},
                                             {3, 5, 6, 2, 7},   {1, 128, 2, 1, 9}, {1, 129, 2, 2, 3},
                                             {2, 129, 4, 1, 5}, {1, 300, 4, 2, 11}};

TEST(CausalAttention, EqualsThePlainCompositionWithGradients) {
  for (const AttentionCase& c : kAttentionCases) {
    SCOPED_TRACE(std::to_string(c.time) + " positions, " + std::to_string(c.heads) + " heads on " +
                 std::to_string(c.kv_heads) + " of width " + std::to_string(c.width));
    expect_equals_reference([&](const auto& in) { return causal_attention(in[0], in[1], in[2], c.heads, c.kv_heads); },
                            [&](const auto& in) { return plain_attention(in, c); }, attention_inputs(c),
                            c.time == 1 ? 1.0 : 0.0);
  }
}

TEST(CausalAttention, LargeScoresStayFinite) {
  // Scores near 4,000: exp of them would be infinite without the row's largest taken off.
  const Tensor q = at::full({1, 130, 4}, 45.0f), v = uniform_tensor({1, 130, 4}, 14);
  const Tensor mixed = causal_attention(q, q, v, 1, 1);
  EXPECT_TRUE(at::isfinite(mixed).all().item<bool>());
  const Tensor mean_of_past = v.cumsum(1).div(at::arange(1, 131, at::kFloat).view({1, 130, 1}));
  EXPECT_LE(relative_difference(mixed, mean_of_past), kTolerance);
}

TEST(CausalAttention, SameBitsForAllThreads) {
  for (const AttentionCase& c : {AttentionCase{1, 300, 1, 1, 32}, {1, 129, 4, 2, 16}, {3, 140, 4, 4, 24}}) {
    SCOPED_TRACE(std::to_string(c.heads) + " heads");
    expect_same_bits_for_all_threads(
        [&](const auto& in) { return causal_attention(in[0], in[1], in[2], c.heads, c.kv_heads); },
        attention_inputs(c));
  }
}

std::vector<Tensor> classifier_inputs(int64_t rows, int64_t width, int64_t vocabulary) {
  return {uniform_tensor({rows, width}, 21, -2, 2), uniform_tensor({vocabulary, width}, 22)};
}

Tensor plain_cross_entropy(const std::vector<Tensor>& in, const Tensor& targets) {
  const Tensor log_p = at::log_softmax(at::linear(in[0], in[1]), -1);
  return log_p.gather(1, targets.unsqueeze(1)).neg().mean();
}

TEST(LinearCrossEntropy, EqualsThePlainCompositionWithGradients) {
  for (const int64_t rows : {1, 7, 511, 512, 513, 1100}) {  // 512 rows of logits exist at once
    SCOPED_TRACE(rows);
    const Tensor targets = testing::random_tokens(1, rows, 37).squeeze(0);
    expect_equals_reference([&](const auto& in) { return linear_cross_entropy(in[0], in[1], targets); },
                            [&](const auto& in) { return plain_cross_entropy(in, targets); },
                            classifier_inputs(rows, 9, 37));
  }
}

TEST(LinearCrossEntropy, ALaterFactorReachesTheGradients) {
  const Tensor targets = testing::random_tokens(1, 20, 5).squeeze(0);
  expect_equals_reference([&](const auto& in) { return linear_cross_entropy(in[0], in[1], targets) * -2.5; },
                          [&](const auto& in) { return plain_cross_entropy(in, targets) * -2.5; },
                          classifier_inputs(20, 4, 5));
}

TEST(LinearCrossEntropy, TakesStridedRowsAndTargets) {
  const Tensor windows = testing::random_tokens(4, 8, 5);
  const Tensor targets = windows.narrow(1, 1, 7).reshape({-1});
  const Tensor every_second = testing::random_tokens(1, 56, 5).squeeze(0).slice(0, 0, 56, 2);
  const std::vector<Tensor> inputs = {uniform_tensor({6, 28}, 23).t(), uniform_tensor({5, 6}, 24)};
  for (const Tensor& chosen : {targets, every_second}) {
    expect_equals_reference([&](const auto& in) { return linear_cross_entropy(in[0], in[1], chosen); },
                            [&](const auto& in) { return plain_cross_entropy(in, chosen); }, inputs);
  }
}

TEST(LinearCrossEntropy, GivesTheSameLossWithoutGradients) {
  const std::vector<Tensor> inputs = leaves_of(classifier_inputs(600, 9, 37), at::kFloat);
  const Tensor targets = testing::random_tokens(1, 600, 37).squeeze(0);
  const Tensor with = linear_cross_entropy(inputs[0], inputs[1], targets);
  EXPECT_TRUE(with.requires_grad());
  const at::NoGradGuard no_grad;
  const Tensor without = linear_cross_entropy(inputs[0], inputs[1], targets);
  EXPECT_FALSE(without.requires_grad());
  EXPECT_TRUE(same_bits(with, without));
}

TEST(LinearCrossEntropy, SameBitsForAllThreads) {
  const Tensor targets = testing::random_tokens(1, 700, 259).squeeze(0);
  expect_same_bits_for_all_threads([&](const auto& in) { return linear_cross_entropy(in[0], in[1], targets); },
                                   classifier_inputs(700, 64, 259));
}

}  // namespace
}  // namespace bitnet
