// bit_linear beside at::linear in float32, forward and forward + backward, at the shapes of a training step.
// BitLinear/forward/M:2048/I:256/O:688 and so on; counters tokens/s and GFLOP/s (2 M I O each product, 3 with
// backward). Each benchmark checks its result first. Threads: OMP_NUM_THREADS, or half of the cores.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <string>
#include <tuple>

#include "ops/torch/bitnet_ops.h"

namespace {

enum class Layer { kFloat, kBitLinear, kTernaryLinear };

struct Case {
  at::Tensor x, w, packed, grad_y;
};

Case make_case(const benchmark::State& state) {
  at::manual_seed(1);
  const int64_t m = state.range(0), in = state.range(1), out = state.range(2);
  Case c;
  c.x = at::randn({m, in});
  c.w = at::randn({out, in}) * 0.02;
  const auto [codes, gamma] = bitnet::ops::quantize_weight(c.w);
  c.packed = bitnet::ops::pack_ternary(codes, gamma);
  c.grad_y = at::randn({m, out});
  return c;
}

at::Tensor forward(Layer layer, const Case& c) {
  switch (layer) {
    case Layer::kFloat:
      return at::linear(c.x, c.w);
    case Layer::kBitLinear:
      return bitnet::ops::bit_linear(c.x, c.w);
    case Layer::kTernaryLinear:
      return bitnet::ops::ternary_linear(c.x, c.packed);
  }
  return {};
}

// The quantized product by plain ATen functions; its whole numbers are exact in any order of summation.
at::Tensor expected_forward(Layer layer, const Case& c) {
  if (layer == Layer::kFloat) return at::linear(c.x, c.w);
  const auto [x_codes, scale] = bitnet::ops::quantize_activation(c.x);
  const auto [w_codes, gamma] = bitnet::ops::quantize_weight(c.w);
  return at::linear(x_codes.to(at::kFloat), w_codes.to(at::kFloat)) * (gamma * scale);
}

bool gradients_are_right(Layer layer, const Case& c, const torch::autograd::variable_list& grads) {
  at::Tensor x = c.x.detach(), w = c.w.detach();
  if (layer == Layer::kBitLinear) {
    const auto [x_codes, scale] = bitnet::ops::quantize_activation(x);
    const auto [w_codes, gamma] = bitnet::ops::quantize_weight(w);
    x = x_codes.to(at::kFloat) * scale;
    w = w_codes.to(at::kFloat) * gamma;
  }
  // Relative to the largest: float sums of up to 2048 terms in another order.
  return at::allclose(grads[0], at::mm(c.grad_y, w), 1e-4, 1e-4) &&
         at::allclose(grads[1], at::mm(c.grad_y.t(), x), 1e-4, 1e-3);
}

void count(benchmark::State& state, int products) {
  const double tokens = static_cast<double>(state.iterations() * state.range(0));
  const double operations = 2.0 * products * static_cast<double>(state.range(1) * state.range(2)) * tokens;
  state.counters["tokens/s"] = benchmark::Counter(tokens, benchmark::Counter::kIsRate);
  state.counters["GFLOP/s"] = benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsRate);
  state.counters["threads"] = at::get_num_threads();
}

void run_forward(benchmark::State& state, Layer layer) {
  const c10::NoGradGuard no_grad;
  const Case c = make_case(state);
  if (!at::equal(forward(layer, c), expected_forward(layer, c))) return state.SkipWithError("the result is wrong");
  for (auto _ : state) benchmark::DoNotOptimize(forward(layer, c).data_ptr());
  count(state, 1);
}

void run_training(benchmark::State& state, Layer layer) {
  const Case c = make_case(state);
  c.x.requires_grad_();
  c.w.requires_grad_();
  const auto step = [&] { return torch::autograd::grad({forward(layer, c)}, {c.x, c.w}, {c.grad_y}); };
  if (!gradients_are_right(layer, c, step())) return state.SkipWithError("a gradient is wrong");
  for (auto _ : state) benchmark::DoNotOptimize(step().front().data_ptr());
  count(state, 3);
}

void training_shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"M", "I", "O"})->UseRealTime()->Unit(benchmark::kMicrosecond);
  for (const auto& [in, out] : {std::pair{256, 256}, {256, 688}, {688, 256}, {2048, 2048}}) {
    benchmark->Args({2048, in, out});
  }
}

// A prompt of 512 tokens through the layers of TinyLlama-1.1B.
void prompt_shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"M", "I", "O"})->UseRealTime()->Unit(benchmark::kMicrosecond);
  for (const auto& [in, out] : {std::pair{2048, 2048}, {2048, 5632}, {5632, 2048}}) benchmark->Args({512, in, out});
}

BENCHMARK_CAPTURE(run_forward, float, Layer::kFloat)->Name("Linear/forward")->Apply(training_shapes);
BENCHMARK_CAPTURE(run_forward, bitnet, Layer::kBitLinear)->Name("BitLinear/forward")->Apply(training_shapes);
BENCHMARK_CAPTURE(run_forward, ternary, Layer::kTernaryLinear)->Name("TernaryLinear/forward")->Apply(training_shapes);
BENCHMARK_CAPTURE(run_forward, float, Layer::kFloat)->Name("Linear/forward")->Apply(prompt_shapes);
BENCHMARK_CAPTURE(run_forward, ternary, Layer::kTernaryLinear)->Name("TernaryLinear/forward")->Apply(prompt_shapes);
BENCHMARK_CAPTURE(run_training, float, Layer::kFloat)->Name("Linear/forward_backward")->Apply(training_shapes);
BENCHMARK_CAPTURE(run_training, bitnet, Layer::kBitLinear)->Name("BitLinear/forward_backward")->Apply(training_shapes);

}  // namespace
