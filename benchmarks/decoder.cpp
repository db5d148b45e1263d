// Speed of what a decoder layer does besides its products, and of a whole model token by token. Names:
// RmsNormQuantize/K:<width>, GateSilu/N:<width>, Attend/T:<keys>, Decode/<part>/threads:<threads>; how to measure is in
// benchmarks/README.md.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/kernel_cases.h"
#include "framework/core/random.h"
#include "framework/infer/session.h"
#include "framework/infer/team.h"
#include "ops/kernels/decoder_math.h"
#include "ops/kernels/int8_format.h"
#include "ops/kernels/packed_format.h"
#include "ops/kernels/quantize.h"
#include "ops/kernels/ternary_gemm.h"

namespace {

namespace kernels = bitnet::kernels;
using bitnet::benchmarks::median;
using bitnet::benchmarks::read_loop;

std::vector<float> uniform(int64_t count, uint64_t seed) {
  bitnet::Random random(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(2 * random.uniform() - 1);
  return values;
}

void rms_norm_quantize(benchmark::State& state, int64_t k) {
  const std::vector<float> x = uniform(k, 1), weight(static_cast<size_t>(k), 1.0f);
  std::vector<float> normed(x.size());
  std::vector<int8_t> codes(static_cast<size_t>(kernels::act_stride(k)));
  float scale = 0;
  int32_t sum = 0;
  for (auto iteration : state) {
    kernels::rms_norm_rows(x.data(), 1, k, weight.data(), 1e-5f, normed.data(), nullptr);
    kernels::quantize_rows(normed.data(), 1, k, kernels::act_stride(k), codes.data(), &scale, &sum);
    benchmark::ClobberMemory();
  }
  double squares = 0;
  for (const float value : normed) squares += static_cast<double>(value) * value;
  if (std::abs(squares / static_cast<double>(k) - 1.0) > 1e-3) state.SkipWithError("the norm's rows have another size");
}

void gate_silu(benchmark::State& state, int64_t n) {
  const std::vector<float> gate = uniform(n, 1), up = uniform(n, 2);
  std::vector<float> out(gate.size());
  for (auto iteration : state) {
    kernels::gate_silu(gate.data(), up.data(), n, out.data());
    benchmark::ClobberMemory();
  }
  for (size_t i = 0; i < out.size(); ++i) {
    if (std::abs(out[i] - gate[i] / (1 + std::exp(-gate[i])) * up[i]) > 1e-5) state.SkipWithError("wrong gate");
  }
}

// One token of TinyLlama's attention in one layer: 32 heads on 4 key/value heads of width 64.
void attend(benchmark::State& state, int64_t keys_seen) {
  constexpr int64_t kHeadWidth = 64, kGroup = 8, kKvHeads = 4;
  const int64_t key_size = kernels::key_floats(keys_seen, kHeadWidth);
  const int64_t value_size = kernels::value_floats(keys_seen, kHeadWidth);
  // Equal values: every weighted mean of them is that value.
  std::vector<float> keys = uniform(kKvHeads * key_size, 1);
  std::vector<float> values(static_cast<size_t>(kKvHeads * value_size), 0.5f);
  std::vector<float> q = uniform(kKvHeads * kGroup * kHeadWidth, 2), out(q.size());
  std::vector<float> scratch(static_cast<size_t>(kernels::attention_scratch(keys_seen)));
  for (auto iteration : state) {
    for (int64_t head = 0; head < kKvHeads; ++head) {
      kernels::attend({.q = q.data() + head * kGroup * kHeadWidth,
                       .out = out.data() + head * kGroup * kHeadWidth,
                       .position_stride = kGroup * kHeadWidth,
                       .positions = 1,
                       .first_position = keys_seen - 1,
                       .group = kGroup,
                       .keys = keys.data() + head * key_size,
                       .values = values.data() + head * value_size,
                       .head_width = kHeadWidth,
                       .scale = 0.125f,
                       .scratch = scratch.data(),
                       .log_sums = nullptr,
                       .log_stride = 0});
    }
    benchmark::ClobberMemory();
  }
  for (const float value : out) {
    if (std::abs(value - 0.5f) > 1e-4f) state.SkipWithError("a mean of equal values differs from them");
  }
  const double macs = 2.0 * kKvHeads * kGroup * kHeadWidth * static_cast<double>(keys_seen);
  state.counters["GMAC/s"] = benchmark::Counter(macs * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

const bitnet::ServedModel& tinyllama() {
  static const bitnet::ServedModel model = [] {
    bitnet::ModelConfig config;
    config.linear = bitnet::LinearKind::kBitnet;
    config.width = 2048;
    config.layers = 22;
    config.heads = 32;
    config.kv_heads = 4;
    config.ffn_width = 5632;
    config.context = 2048;
    config.tied_head = false;
    return bitnet::random_served_model(config, 32000, bitnet::LinearForm::kPacked, bitnet::HeadFormat::kInt8, 1);
  }();
  return model;
}

// One token of the shape of TinyLlama-1.1B after `before` others, with its logits.
void decode(benchmark::State& state, int threads, int64_t before) {
  const bitnet::ServedModel& model = tinyllama();
  at::set_num_threads(threads);
  bitnet::Session session(model, before + 64);
  std::vector<int32_t> ids(static_cast<size_t>(before + 1));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 7919 % 32000);
  const at::Tensor together = session.next_logits(ids);
  session.rewind(before);
  const std::span<const int32_t> last = std::span(ids).last(1);
  if (!at::equal(session.next_logits(last), together)) {
    state.SkipWithError("a token alone and in its prompt differ");
    return;
  }
  for (auto iteration : state) {
    session.rewind(before);
    session.next_logits(last);
  }
  state.counters["weight_GB/s"] = benchmark::Counter(static_cast<double>(model.bytes_per_token()) * 1e-9,
                                                     benchmark::Counter::kIsIterationInvariantRate);
}

// What the shares of one thread in the weights of a token do: `ternary(linear, share)` in every block, then
// `head(share)`.
template <class Ternary, class Head>
void over_weights(const bitnet::ServedModel& model, const bitnet::Team& team, const Ternary& ternary,
                  const Head& head) {
  for (bitnet::ServedBlock block : model.blocks) {
    bitnet::for_each_linear(block, [&](const char*, bitnet::ServedLinear& linear) {
      const bitnet::Team::Share share = team.share(linear.out, 64);
      if (share.begin < share.end) ternary(linear, share);
    });
  }
  head(team.share(model.vocab_size, 64));
}

const uint8_t* ternary_rows(const bitnet::ServedLinear& linear, const bitnet::Team::Share& share) {
  return linear.weight.data_ptr<uint8_t>() + kernels::kHeaderBytes + share.begin * kernels::packed_row_bytes(linear.in);
}

const uint8_t* head_rows(const bitnet::ServedModel& model, const bitnet::Team::Share& share) {
  return model.head.data().data_ptr<uint8_t>() + share.begin * kernels::int8_row_bytes(model.config.width);
}

// The products of one token alone, divided among the threads as in a token: what `decode` would cost with nothing else.
// In turn with them, a loop that only reads the same bytes in the same order.
void decode_products(benchmark::State& state, int threads) {
  const bitnet::ServedModel& model = tinyllama();
  at::set_num_threads(threads);
  const std::vector<int8_t> acts(static_cast<size_t>(kernels::act_stride(model.config.ffn_width)), 1);
  std::vector<int32_t> sums(static_cast<size_t>(model.vocab_size));
  const kernels::TernaryKernel& kernel = kernels::active_kernel();
  const auto args_of = [&](const uint8_t* weights, const int32_t* act_sum, const bitnet::Team::Share& share,
                           int64_t k) {
    const int64_t outputs = share.end - share.begin;
    return kernels::GemmArgs{
        weights, acts.data(), kernels::act_stride(k), act_sum, sums.data() + share.begin, outputs, 1, outputs, k};
  };
  const auto multiply = [&](bitnet::Team& team) {
    over_weights(
        model, team,
        [&](const bitnet::ServedLinear& linear, const bitnet::Team::Share& share) {
          const auto act_sum = static_cast<int32_t>(linear.in);
          kernel.gemm(args_of(ternary_rows(linear, share), &act_sum, share, linear.in));
        },
        [&](const bitnet::Team::Share& share) {
          const auto act_sum = static_cast<int32_t>(model.config.width);
          kernel.int8_gemm(args_of(head_rows(model, share), &act_sum, share, model.config.width));
        });
  };
  const auto read = [&](bitnet::Team& team) {
    over_weights(
        model, team,
        [&](const bitnet::ServedLinear& linear, const bitnet::Team::Share& share) {
          read_loop(ternary_rows(linear, share), (share.end - share.begin) * kernels::packed_row_bytes(linear.in));
        },
        [&](const bitnet::Team::Share& share) {
          read_loop(head_rows(model, share), (share.end - share.begin) * kernels::int8_row_bytes(model.config.width));
        });
  };
  const auto seconds_of = [&](const std::function<void(bitnet::Team&)>& work) {
    const auto start = std::chrono::steady_clock::now();
    bitnet::run_team(threads, work);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::vector<double> seconds, shares;
  for (auto iteration : state) {
    seconds.push_back(seconds_of(multiply));
    state.PauseTiming();
    shares.push_back(seconds_of(read) / seconds.back());
    state.ResumeTiming();
  }
  int64_t total = 0;
  std::vector<int8_t> row(static_cast<size_t>(model.config.width));
  kernels::unpack_int8_row(model.head.data().data_ptr<uint8_t>(), model.vocab_size, model.config.width, 0, row.data());
  for (const int8_t weight : row) total += weight;
  if (sums[0] != total) state.SkipWithError("a product of ones differs from the sum of the weights");
  state.counters["weight_GB/s"] = static_cast<double>(model.bytes_per_token()) / median(seconds) * 1e-9;
  state.counters["share_of_read"] = median(shares);
}

int register_all() {
  for (const int64_t k : {2048, 5632}) {
    benchmark::RegisterBenchmark(("RmsNormQuantize/K:" + std::to_string(k)).c_str(), rms_norm_quantize, k);
  }
  benchmark::RegisterBenchmark("GateSilu/N:5632", gate_silu, 5632);
  for (const int64_t keys : {128, 512, 2048}) {
    benchmark::RegisterBenchmark(("Attend/T:" + std::to_string(keys)).c_str(), attend, keys);
  }
  for (const int threads : {1, 2}) {
    const std::string end = "/threads:" + std::to_string(threads);
    benchmark::RegisterBenchmark(("Decode/products" + end).c_str(), decode_products, threads)->UseRealTime();
    for (const int64_t before : {0, 128, 512, 1920}) {
      benchmark::RegisterBenchmark(("Decode/after:" + std::to_string(before) + end).c_str(), decode, threads, before)
          ->UseRealTime();
    }
  }
  return 0;
}

// benchmark_main's main reads the list of benchmarks after the static objects are made.
[[maybe_unused]] const int registered = register_all();

}  // namespace
