#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/Allocator.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "ops/kernels/packed_format.h"
#include "ops/torch/bitnet_ops.h"
#include "tests/ops/torch/reference.h"

namespace bitnet::ops::test {
namespace {

struct LinearCase {
  std::vector<int64_t> rows;  // leading dimensions of x
  int64_t in;
  int64_t out;
};

// Whole and broken blocks of the packed format, few rows (split over outputs) and many (split over rows).
const LinearCase kCases[] = {{{}, 5, 3},          {{1}, 1, 1},          {{1}, 128, 64},   {{7}, 127, 65},
                             {{2, 3}, 129, 10},   {{4, 8, 2}, 256, 33}, {{130}, 300, 70}, {{2, 100}, 688, 256},
                             {{5, 41}, 64, 1000}, {{333}, 17, 2}};

at::Tensor rows_of(const std::vector<int64_t>& leading, int64_t last) {
  std::vector<int64_t> sizes = leading;
  sizes.push_back(last);
  return at::randn(sizes);
}

TEST(BitLinear, ForwardEqualsTheCompositionBitForBit) {
  at::manual_seed(11);
  for (const LinearCase& c : kCases) {
    const at::Tensor x = rows_of(c.rows, c.in);
    const at::Tensor w = at::randn({c.out, c.in}) * 0.02;
    const at::Tensor gamma = std::get<1>(quantize_weight(w));
    const auto [codes, scale] = reference_activation_codes(x);
    // Whole numbers below 2^24: the float sum is exact in any order.
    const at::Tensor sums = at::linear(codes, reference_weight_codes(w, gamma));
    const at::Tensor y = bit_linear(x, w);
    EXPECT_TRUE(same_bits(y, sums * (gamma * scale))) << y.sizes() << " of " << c.in << " inputs";
  }
}

// 1e-5 of the largest gradient: x + (Q(x) - x) is Q(x) only up to a rounding (6e-8 of |x|), and the float products of
// up to 1000 terms are summed in another order.
constexpr double kRoundings = 1e-5;

TEST(BitLinear, GradientsEqualTheStraightThroughReference) {
  at::manual_seed(12);
  for (const LinearCase& c : kCases) {
    const at::Tensor x = rows_of(c.rows, c.in).requires_grad_();
    const at::Tensor w = (at::randn({c.out, c.in}) * 0.02).requires_grad_();
    const at::Tensor expected_x = x.detach().clone().requires_grad_();
    const at::Tensor expected_w = w.detach().clone().requires_grad_();
    const at::Tensor grad_y = rows_of(c.rows, c.out);
    bit_linear(x, w).backward(grad_y);
    reference_bit_linear(expected_x, expected_w).backward(grad_y);
    ASSERT_EQ(x.grad().sizes(), x.sizes());
    ASSERT_EQ(w.grad().sizes(), w.sizes());
    EXPECT_LE(relative_difference(x.grad(), expected_x.grad()), kRoundings) << x.sizes() << w.sizes();
    EXPECT_LE(relative_difference(w.grad(), expected_w.grad()), kRoundings) << x.sizes() << w.sizes();
  }
}

TEST(BitLinear, GradientsFlowWhereRoundingAndClampingAreFlat) {
  // Large weights are clamped to 1 and small ones rounded to 0: the straight-through estimator passes both on.
  const at::Tensor x = at::tensor({1.0f, -0.5f, 0.25f, 0.0f}).view({1, 4}).requires_grad_();
  const at::Tensor w = at::tensor({9.0f, 0.01f, -1.0f, 0.02f}).view({1, 4}).requires_grad_();
  bit_linear(x, w).sum().backward();
  const float gamma = std::get<1>(quantize_weight(w.detach())).item<float>();
  EXPECT_TRUE(at::equal(x.grad(), at::tensor({gamma, 0.0f, 0.0f, 0.0f}).view({1, 4})));
  const auto [codes, scale] = quantize_activation(x.detach());
  EXPECT_TRUE(at::equal(w.grad(), codes.to(at::kFloat) * scale));
}

TEST(BitLinear, GivesOnlyTheGradientsThatAreAskedFor) {
  at::manual_seed(13);
  const at::Tensor grad_y = at::randn({6, 10});
  for (const bool for_x : {true, false}) {
    const at::Tensor x = at::randn({6, 20}).requires_grad_(for_x);
    const at::Tensor w = at::randn({10, 20}).requires_grad_(!for_x);
    bit_linear(x, w).backward(grad_y);
    EXPECT_EQ(x.grad().defined(), for_x);
    EXPECT_EQ(w.grad().defined(), !for_x);
  }
  const at::Tensor x = at::randn({6, 20}).requires_grad_();
  const at::Tensor w = at::randn({10, 20}).requires_grad_();
  const auto grads = torch::autograd::grad({bit_linear(x, w)}, {w}, {grad_y});
  EXPECT_EQ(grads[0].sizes(), w.sizes());
}

TEST(BitLinear, TakesAnExpandedGradientAndStridedInputs) {
  at::manual_seed(14);
  const at::Tensor x = at::randn({20, 3, 6}).transpose(0, 2).requires_grad_();
  const at::Tensor w = at::randn({20, 8}).t().requires_grad_();
  const at::Tensor expected_x = x.detach().contiguous().requires_grad_();
  const at::Tensor expected_w = w.detach().contiguous().requires_grad_();
  const at::Tensor y = bit_linear(x, w);
  const at::Tensor expected = bit_linear(expected_x, expected_w);
  EXPECT_TRUE(same_bits(y, expected));
  y.sum().backward();  // gives the gradient as one number, expanded
  expected.backward(at::ones_like(expected));
  EXPECT_LE(relative_difference(x.grad(), expected_x.grad()), kRoundings);
  EXPECT_LE(relative_difference(w.grad(), expected_w.grad()), kRoundings);
}

TEST(BitLinear, OfNoRowsHasZeroGradients) {
  const at::Tensor x = at::empty({2, 0, 20}).requires_grad_();
  const at::Tensor w = at::randn({10, 20}).requires_grad_();
  const at::Tensor y = bit_linear(x, w);
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 0, 10}));
  y.sum().backward();
  EXPECT_EQ(x.grad().sizes(), x.sizes());
  EXPECT_TRUE(at::equal(w.grad(), at::zeros({10, 20})));
}

TEST(BitLinear, OfZeroRowsIsZero) {
  at::manual_seed(15);
  at::Tensor x = at::randn({3, 50});
  x[1].zero_();
  const at::Tensor y = bit_linear(x, at::randn({4, 50}));
  EXPECT_EQ(y[1].abs().max().item<float>(), 0.0f);
  EXPECT_GT(y[0].abs().max().item<float>(), 0.0f);
}

TEST(BitLinear, ShowsNotANumber) {
  at::Tensor x = at::ones({2, 8});
  const at::Tensor w = at::ones({3, 8});
  x[1][3] = std::numeric_limits<float>::infinity();
  const at::Tensor y = bit_linear(x, w);
  EXPECT_TRUE(y[0].isfinite().all().item<bool>());
  EXPECT_TRUE(y[1].isnan().all().item<bool>());
  w[0][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(bit_linear(x, w).isnan().all().item<bool>());
}

TEST(BitLinear, IsTheSameWithAndWithoutGradients) {
  at::manual_seed(16);
  const at::Tensor x = at::randn({150, 90});
  const at::Tensor w = at::randn({40, 90}).requires_grad_();
  const at::Tensor recorded = bit_linear(x, w);
  EXPECT_TRUE(recorded.requires_grad());
  {
    const at::NoGradGuard no_grad;
    const at::Tensor y = bit_linear(x, w);
    EXPECT_FALSE(y.requires_grad());
    EXPECT_TRUE(same_bits(y, recorded.detach()));
  }
  const c10::InferenceMode inference;
  EXPECT_TRUE(same_bits(bit_linear(x, w), recorded.detach()));
}

TEST(BitLinear, IsTheSameOnAnyNumberOfThreads) {
  at::manual_seed(17);
  const int threads_before = at::get_num_threads();
  for (const LinearCase& c : kCases) {
    const at::Tensor x = rows_of(c.rows, c.in);
    const at::Tensor w = at::randn({c.out, c.in});
    at::set_num_threads(1);
    const at::Tensor one = bit_linear(x, w);
    for (const int threads : {2, 3}) {
      at::set_num_threads(threads);
      EXPECT_TRUE(same_bits(bit_linear(x, w), one)) << threads << " threads, " << one.sizes();
    }
  }
  at::set_num_threads(threads_before);
}

// Counts the bytes that tensors take, allocated less freed. LibTorch 2 changed the type of two arguments: one of the
// two functions overrides the base's on each version.
class LiveBytes : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t bytes, int64_t, int64_t, c10::Device) { live_ += bytes; }
  void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device) { live_ += bytes; }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t live() const { return live_; }

 private:
  int64_t live_ = 0;
};

TEST(BitLinear, KeepsCodesAndNoFloatsForTheBackward) {
  constexpr int64_t kRows = 200;
  constexpr int64_t kIn = 512;
  constexpr int64_t kOut = 96;
  const at::Tensor x = at::randn({kRows, kIn});
  const at::Tensor w = at::randn({kOut, kIn});
  constexpr int64_t kResult = kRows * kOut * 4;
  constexpr int64_t kRowCodes = kRows * kIn + kRows * 4;  // and a scale a row
  constexpr int64_t kWeightCodes = kOut * kIn + 4;        // and gamma
  struct Case {
    bool for_x, for_w;
    int64_t saved;
  };
  for (const Case& c : {Case{true, true, kRowCodes + kWeightCodes}, Case{true, false, kWeightCodes},
                        Case{false, true, kRowCodes}, Case{false, false, 0}}) {
    x.requires_grad_(c.for_x);
    w.requires_grad_(c.for_w);
    const auto bytes = std::make_shared<LiveBytes>();
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, bytes);
    const at::Tensor y = bit_linear(x, w);
    EXPECT_EQ(bytes->live(), kResult + c.saved) << "x: " << c.for_x << ", w: " << c.for_w;
  }
}

TEST(BitLinear, DoesNotKeepItsInputAlive) {
  const at::Tensor leaf = at::randn({10, 32}).requires_grad_();
  const at::Tensor w = at::randn({4, 32}).requires_grad_();
  at::Tensor x = leaf.neg();
  const c10::weak_intrusive_ptr<c10::StorageImpl> storage(
      c10::intrusive_ptr<c10::StorageImpl>::reclaim_copy(x.storage().unsafeGetStorageImpl()));
  const at::Tensor y = bit_linear(x, w);
  x.reset();
  EXPECT_TRUE(storage.expired());
  y.sum().backward();
  EXPECT_TRUE(leaf.grad().defined());
}

TEST(BitLinear, RefusesSecondDerivatives) {
  const at::Tensor x = at::randn({2, 8}).requires_grad_();
  const at::Tensor w = at::randn({3, 8}).requires_grad_();
  const std::string error = error_of(
      [&] { torch::autograd::grad({bit_linear(x, w).sum()}, {x}, {}, /*retain_graph=*/true, /*create_graph=*/true); });
  EXPECT_THAT(error, testing::HasSubstr("bit_linear: create_graph must be false, but is true."));
}

TEST(BitLinear, RunsOnTheMetaDevice) {
  const at::TensorOptions meta = at::device(at::kMeta).dtype(at::kFloat);
  const at::Tensor x = at::empty({2, 7, 30}, meta).requires_grad_();
  const at::Tensor w = at::empty({5, 30}, meta).requires_grad_();
  const at::Tensor y = bit_linear(x, w);
  EXPECT_TRUE(y.is_meta());
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 7, 5}));
  const auto grads = torch::autograd::grad({y}, {x, w}, {at::empty({2, 7, 5}, meta)});
  EXPECT_EQ(grads[0].sizes(), x.sizes());
  EXPECT_EQ(grads[1].sizes(), w.sizes());
}

}  // namespace
}  // namespace bitnet::ops::test
