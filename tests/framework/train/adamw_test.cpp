#include "framework/train/adamw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

using at::Tensor;
using testing::same_bits;
using testing::Threads;
using testing::uniform_tensor;

/// A parameter of each group; one is larger than a task of the parallel loops (16,384).
std::vector<NamedParameter> make_parameters() {
  return {{"embedding.weight", uniform_tensor({30, 8}, 1).set_requires_grad(true)},
          {"layers.0.ffn.up.weight", uniform_tensor({150, 301}, 2).set_requires_grad(true)},
          {"layers.0.ffn_norm.weight", uniform_tensor({8}, 3).set_requires_grad(true)},
          {"head.weight", uniform_tensor({30, 8}, 4).set_requires_grad(true)}};
}

bool should_decay(const std::string& name) { return name == "layers.0.ffn.up.weight" || name == "head.weight"; }

/// Gradients of one step; their size falls from step to step, so that only the first ones are clipped.
void set_gradients(const std::vector<NamedParameter>& parameters, int64_t step) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    parameters[i].value.mutable_grad() =
        uniform_tensor(parameters[i].value.sizes(), static_cast<uint64_t>(1000 * step) + i) /
        static_cast<double>(step + 1);
  }
}

OptimizerConfig optimizer_config() {
  OptimizerConfig config;
  config.gradient_clip = 15.0;
  return config;
}

StepHyper hyper_of(int64_t step) {
  return {1e-2 / static_cast<double>(step + 1), 0.1 + 0.01 * static_cast<double>(step)};
}

/// Algorithm 2 of the paper, in double, with the whole formulas of each step.
class PlainAdamW {
 public:
  PlainAdamW(const std::vector<NamedParameter>& parameters, const OptimizerConfig& config) : config_(config) {
    for (const NamedParameter& parameter : parameters) {
      names_.push_back(parameter.name);
      values.push_back(parameter.value.detach().to(at::kDouble));
      first_.push_back(at::zeros_like(values.back()));
      second_.push_back(at::zeros_like(values.back()));
    }
  }

  double update(std::vector<Tensor> gradients, const StepHyper& hyper, int64_t step) {
    double squares = 0;
    for (Tensor& gradient : gradients) {
      gradient = gradient.to(at::kDouble);
      squares += gradient.square().sum().item<double>();
    }
    const double norm = std::sqrt(squares);
    for (size_t i = 0; i < values.size(); ++i) {
      const Tensor g = gradients[i] * (norm > config_.gradient_clip ? config_.gradient_clip / norm : 1.0);
      first_[i] = config_.beta1 * first_[i] + (1 - config_.beta1) * g;
      second_[i] = config_.beta2 * second_[i] + (1 - config_.beta2) * g * g;
      const Tensor m = first_[i] / (1 - std::pow(config_.beta1, step + 1));
      const Tensor v = second_[i] / (1 - std::pow(config_.beta2, step + 1));
      const double decay = should_decay(names_[i]) ? hyper.weight_decay : 0.0;
      values[i] = values[i] - hyper.learning_rate * (m / (v.sqrt() + config_.epsilon) + decay * values[i]);
    }
    return norm;
  }

  std::vector<Tensor> values;

 private:
  OptimizerConfig config_;
  std::vector<std::string> names_;
  std::vector<Tensor> first_, second_;
};

TEST(AdamW, EqualsThePaperInDouble) {
  const std::vector<NamedParameter> parameters = make_parameters();
  AdamW optimizer(parameters, optimizer_config());
  PlainAdamW plain(parameters, optimizer_config());
  int clipped = 0;
  for (int64_t step = 0; step < 20; ++step) {
    set_gradients(parameters, step);
    std::vector<Tensor> gradients;
    for (const NamedParameter& parameter : parameters) gradients.push_back(parameter.value.grad().clone());
    const double expected_norm = plain.update(gradients, hyper_of(step), step);
    const double norm = optimizer.update(hyper_of(step), step);
    EXPECT_NEAR(norm, expected_norm, 1e-9 * expected_norm) << step;
    clipped += norm > 15.0 ? 1 : 0;
    for (size_t i = 0; i < parameters.size(); ++i) {
      EXPECT_FALSE(parameters[i].value.grad().defined()) << parameters[i].name;
      // A float32 parameter near 1 rounds by 6e-8 in each step.
      const Tensor difference = parameters[i].value.detach().to(at::kDouble) - plain.values[i];
      EXPECT_LE(difference.abs().max().item<double>(), 6e-8 * static_cast<double>(2 * step + 4))
          << parameters[i].name << ", step " << step;
    }
  }
  EXPECT_GT(clipped, 0);
  EXPECT_LT(clipped, 20);
}

TEST(AdamW, OnlyMatricesBesideTheEmbeddingDecay) {
  const std::vector<NamedParameter> parameters = make_parameters();
  std::vector<Tensor> before;
  for (const NamedParameter& parameter : parameters) {
    before.push_back(parameter.value.detach().clone());
    parameter.value.mutable_grad() = at::zeros_like(parameter.value.detach());
  }
  AdamW optimizer(parameters, optimizer_config());
  EXPECT_EQ(optimizer.update({0.5, 0.2}, 0), 0.0);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Tensor expected = should_decay(parameters[i].name) ? before[i] * 0.9f : before[i];
    EXPECT_TRUE(same_bits(parameters[i].value, expected)) << parameters[i].name;
  }
}

TEST(AdamW, ClipOfZeroSwitchesClippingOff) {
  OptimizerConfig without = optimizer_config(), wide = optimizer_config();
  without.gradient_clip = 0.0;
  wide.gradient_clip = 1e9;
  std::vector<Tensor> results[2];
  for (const size_t which : {0, 1}) {
    const std::vector<NamedParameter> parameters = make_parameters();
    AdamW optimizer(parameters, which == 0 ? without : wide);
    set_gradients(parameters, 0);
    EXPECT_GT(optimizer.update(hyper_of(0), 0), 15.0);
    for (const Tensor& moment : optimizer.first_moments()) results[which].push_back(moment);
  }
  for (size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(same_bits(results[0][i], results[1][i]));
}

TEST(AdamW, TakesGradientsThatAreNotContiguous) {
  const NamedParameter plain{"a.weight", uniform_tensor({6, 4}, 5).set_requires_grad(true)};
  const NamedParameter turned{"a.weight", uniform_tensor({6, 4}, 5).set_requires_grad(true)};
  const Tensor gradient = uniform_tensor({4, 6}, 6);
  plain.value.mutable_grad() = gradient.t().contiguous();
  turned.value.mutable_grad() = gradient.t();
  AdamW({plain}, optimizer_config()).update(hyper_of(0), 0);
  AdamW({turned}, optimizer_config()).update(hyper_of(0), 0);
  EXPECT_TRUE(same_bits(plain.value, turned.value));
}

TEST(AdamW, SameBitsForAllThreads) {
  std::vector<Tensor> results[2];
  double norms[2];
  for (const int threads : {1, 2}) {
    const Threads set(threads);
    const std::vector<NamedParameter> parameters = make_parameters();
    AdamW optimizer(parameters, optimizer_config());
    for (int64_t step = 0; step < 5; ++step) {
      set_gradients(parameters, step);
      norms[threads - 1] = optimizer.update(hyper_of(step), step);
    }
    std::vector<Tensor>& all = results[threads - 1];
    for (const NamedParameter& parameter : parameters) all.push_back(parameter.value);
    all.insert(all.end(), optimizer.first_moments().begin(), optimizer.first_moments().end());
    all.insert(all.end(), optimizer.second_moments().begin(), optimizer.second_moments().end());
  }
  EXPECT_EQ(norms[0], norms[1]);
  ASSERT_EQ(results[0].size(), 12u);
  for (size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(same_bits(results[0][i], results[1][i])) << i;
}

}  // namespace
}  // namespace bitnet
