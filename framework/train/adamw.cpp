#include "framework/train/adamw.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace bitnet {
namespace {

using at::Tensor;

/// Elements of a parallel task, and of one partial sum of squares.
constexpr int64_t kChunk = 16384;

/// Sum of squares in double, by chunks in a fixed order: the same for every number of threads.
double sum_of_squares(const Tensor& tensor) {
  const float* data = tensor.data_ptr<float>();
  const int64_t count = tensor.numel();
  const int64_t chunks = (count + kChunk - 1) / kChunk;
  std::vector<double> partial(static_cast<size_t>(chunks));
  at::parallel_for(0, chunks, 1, [&](int64_t first, int64_t last) {
    for (int64_t chunk = first; chunk < last; ++chunk) {
      double sum = 0;
      const int64_t end = std::min(count, (chunk + 1) * kChunk);
#pragma omp simd reduction(+ : sum)
      for (int64_t i = chunk * kChunk; i < end; ++i) sum += static_cast<double>(data[i]) * static_cast<double>(data[i]);
      partial[static_cast<size_t>(chunk)] = sum;
    }
  });
  double total = 0;
  for (const double sum : partial) total += sum;
  return total;
}

}  // namespace

AdamW::AdamW(std::vector<NamedParameter> parameters, const OptimizerConfig& config)
    : parameters_(std::move(parameters)), config_(config) {
  for (const NamedParameter& parameter : parameters_) {
    decays_.push_back(parameter.value.dim() == 2 && parameter.name != "embedding.weight");
    first_moments_.push_back(at::zeros_like(parameter.value.detach()));
    second_moments_.push_back(at::zeros_like(parameter.value.detach()));
  }
}

double AdamW::update(const StepHyper& hyper, int64_t step) {
  double squares = 0;
  std::vector<Tensor> gradients;
  for (const NamedParameter& parameter : parameters_) {
    gradients.push_back(parameter.value.grad().contiguous());
    squares += sum_of_squares(gradients.back());
  }
  const double norm = std::sqrt(squares);
  // The 1e-6 is that of torch.nn.utils.clip_grad_norm_.
  const double clip = config_.gradient_clip;
  const auto gradient_scale = static_cast<float>(clip > 0 && norm > clip ? clip / (norm + 1e-6) : 1.0);

  const auto beta1 = static_cast<float>(config_.beta1), beta2 = static_cast<float>(config_.beta2);
  const auto epsilon = static_cast<float>(config_.epsilon);
  const double correction1 = 1.0 - std::pow(config_.beta1, static_cast<double>(step + 1));
  const double correction2 = 1.0 - std::pow(config_.beta2, static_cast<double>(step + 1));
  const auto step_size = static_cast<float>(hyper.learning_rate / correction1);
  const auto inverse_root2 = static_cast<float>(1.0 / std::sqrt(correction2));
  for (size_t index = 0; index < parameters_.size(); ++index) {
    const auto keep = static_cast<float>(1.0 - (decays_[index] ? hyper.learning_rate * hyper.weight_decay : 0.0));
    float* p = parameters_[index].value.data_ptr<float>();
    float* m = first_moments_[index].data_ptr<float>();
    float* v = second_moments_[index].data_ptr<float>();
    const float* g = gradients[index].data_ptr<float>();
    at::parallel_for(0, gradients[index].numel(), kChunk, [&](int64_t begin, int64_t end) {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) {
        const float gradient = g[i] * gradient_scale;
        m[i] = beta1 * m[i] + (1.0f - beta1) * gradient;
        v[i] = beta2 * v[i] + (1.0f - beta2) * gradient * gradient;
        p[i] = p[i] * keep - step_size * m[i] / (std::sqrt(v[i]) * inverse_root2 + epsilon);
      }
    });
    parameters_[index].value.mutable_grad() = Tensor();
  }
  return norm;
}

}  // namespace bitnet
