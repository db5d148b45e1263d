// One whole optimizer step of the wikitext2-small shape (configs/model/llama-4m.yaml, vocabulary 4,096, 8 windows of
// 256 tokens) for both forms of the linear layer, beside the differentiable pieces on their own. Counter: tokens/s.

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <memory>

#include "framework/config/experiment_config.h"
#include "framework/nn/decoder_lm.h"
#include "framework/nn/functions.h"
#include "framework/train/adamw.h"

namespace {

constexpr int64_t kVocabulary = 4096;
constexpr int64_t kBatch = 8;

bitnet::ModelConfig model_config(bitnet::LinearKind kind) {
  bitnet::ModelConfig config;
  config.linear = kind;
  config.layers = 3;
  config.tied_head = false;
  return config;
}

void keep_large_blocks() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

void train_step(benchmark::State& state, bitnet::LinearKind kind) {
  keep_large_blocks();
  const bitnet::ModelConfig config = model_config(kind);
  const bitnet::DecoderLM model(config, kVocabulary, 1, bitnet::linear_factory(kind));
  bitnet::AdamW optimizer(model.parameters(), {});
  const at::Tensor tokens = at::randint(kVocabulary, {kBatch, config.context + 1}, at::kLong);
  const at::Tensor inputs = tokens.narrow(1, 0, config.context).contiguous();
  const at::Tensor targets = tokens.narrow(1, 1, config.context).contiguous();
  int64_t step = 0;
  float first = 0, last = 0;
  for (auto _ : state) {
    const at::Tensor loss = model.loss(inputs, targets);
    loss.backward();
    optimizer.update({1e-3, 0.1}, step);
    last = loss.item<float>();
    if (step++ == 0) first = last;
  }
  if (step > 3 && !(last < first)) state.SkipWithError("the loss of a repeated batch did not fall");
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(state.iterations() * kBatch * config.context),
                                                  benchmark::Counter::kIsRate);
}

void attention(benchmark::State& state) {
  keep_large_blocks();
  const bitnet::ModelConfig config = model_config(bitnet::LinearKind::kFloat);
  const auto random = [&] { return at::randn({kBatch, config.context, config.width}).set_requires_grad(true); };
  const at::Tensor q = random(), k = random(), v = random();
  // The first position attends to itself alone.
  const at::Tensor first = bitnet::causal_attention(q, k, v, config.heads, config.kv_heads).select(1, 0);
  if (!at::allclose(first, v.select(1, 0), 1e-5, 1e-6)) state.SkipWithError("the first position must give its value");
  for (auto _ : state) {
    const at::Tensor out = bitnet::causal_attention(q, k, v, config.heads, config.kv_heads);
    out.backward(at::ones_like(out));
    q.mutable_grad() = k.mutable_grad() = v.mutable_grad() = at::Tensor();
  }
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(state.iterations() * kBatch * config.context),
                                                  benchmark::Counter::kIsRate);
}

void cross_entropy(benchmark::State& state) {
  keep_large_blocks();
  const at::Tensor hidden = at::randn({kBatch * 256, 256}).set_requires_grad(true);
  const at::Tensor weight = at::randn({kVocabulary, 256}).set_requires_grad(true);
  const at::Tensor targets = at::randint(kVocabulary, {kBatch * 256}, at::kLong);
  const at::Tensor log_p = at::log_softmax(at::mm(hidden, weight.t()), -1);
  const at::Tensor expected = log_p.gather(1, targets.unsqueeze(1)).mean().neg();
  if (!at::allclose(bitnet::linear_cross_entropy(hidden, weight, targets), expected, 1e-5, 1e-5)) {
    state.SkipWithError("the loss must be the mean of -log softmax");
  }
  for (auto _ : state) {
    bitnet::linear_cross_entropy(hidden, weight, targets).backward();
    hidden.mutable_grad() = weight.mutable_grad() = at::Tensor();
  }
  state.counters["tokens/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kBatch * 256), benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(train_step, float, bitnet::LinearKind::kFloat)
    ->Name("TrainStep/float")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(train_step, bitnet, bitnet::LinearKind::kBitnet)
    ->Name("TrainStep/bitnet")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(attention)->Name("CausalAttention/forward_backward")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(cross_entropy)->Name("LinearCrossEntropy/forward_backward")->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
