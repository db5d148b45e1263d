// Speed of the integer products of every kernel that this CPU supports, beside the limits of the machine, which are
// measured in turn with them. Each case checks its result first. How to measure: benchmarks/README.md.
//
//   TernaryGemm/<kernel>/M:<rows>/N:<outputs>/K:<depth>/threads:<count>        weights in the caches, as far as they
//   fit TernaryGemm/.../cold                                                       weights from a GiB of matrices in
//   turn Int8Gemm/<kernel>/M:<rows>/N:<outputs>/K:<depth>/threads:<count>           an output head of 65 MB
//   QuantizeRows/M:<rows>/K:<depth>

#include "ops/kernels/ternary_gemm.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/kernel_cases.h"
#include "ops/kernels/int8_format.h"
#include "ops/kernels/packed_format.h"
#include "ops/kernels/quantize.h"

namespace {

namespace kernels = bitnet::kernels;
using bitnet::benchmarks::Activations;
using bitnet::benchmarks::AlignedBytes;
using bitnet::benchmarks::median;
using bitnet::benchmarks::outputs_of;
using bitnet::benchmarks::part_of;
using bitnet::benchmarks::read_loop;
using bitnet::benchmarks::Shape;
using bitnet::benchmarks::Team;

double macs(const Shape& shape) {
  return static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
}

// Whether the last rows of a product equal the reference: enough to catch a wrong kernel, and the reference is slow.
bool last_rows_are_right(kernels::GemmArgs args, const int32_t* found,
                         void (*reference)(const kernels::GemmArgs&) noexcept) {
  const int64_t rows = std::min<int64_t>(args.m, 3);
  const int64_t first = args.m - rows;
  args.acts_MK += first * args.act_stride;
  args.act_sums_M += first;
  args.m = rows;
  std::vector<int32_t> expected(static_cast<size_t>(rows * args.n));
  args.out_MN = expected.data();
  reference(args);
  return std::equal(expected.begin(), expected.end(), found + first * args.n);
}

// Times `product` and, in turn with it, the peak of the kernel's instructions for about as long.
template <class Product>
void measure_beside_peak(benchmark::State& state, const kernels::TernaryKernel& kernel, const Shape& shape, Team& team,
                         const Product& product) {
  const double once = team.run(product);
  const int64_t rounds = bitnet::benchmarks::peak_rounds(kernel, std::clamp(once, 2e-5, 1e-3));
  const double peak_macs = static_cast<double>(kernel.int8_peak(rounds)) * team.size();
  std::vector<double> seconds, shares;
  for (auto iteration : state) {
    seconds.push_back(team.run(product));
    state.PauseTiming();
    const double peak_seconds = team.run([&](int) { kernel.int8_peak(rounds); });
    shares.push_back(macs(shape) / seconds.back() / (peak_macs / peak_seconds));
    state.ResumeTiming();
  }
  state.counters["GMAC/s"] = macs(shape) / median(seconds) * 1e-9;
  state.counters["share_of_peak"] = median(shares);
}

void ternary_gemm(benchmark::State& state, const kernels::TernaryKernel* kernel, Shape shape, int threads) {
  AlignedBytes rows(shape.n * kernels::packed_row_bytes(shape.k));
  bitnet::benchmarks::fill_packed_rows(rows.data(), rows.size());
  Activations acts(shape.m, shape.k, kernels::act_stride(shape.k));
  std::vector<int32_t> out(static_cast<size_t>(shape.m * shape.n));
  const kernels::GemmArgs args = {rows.data(), acts.rows(), acts.stride, acts.sums.data(), out.data(),
                                  shape.n,     shape.m,     shape.n,     shape.k};
  Team team(threads);
  const auto product = [&](int t) {
    kernel->gemm(part_of(args, kernels::packed_row_bytes(shape.k), outputs_of(t, threads, shape.n)));
  };
  team.run(product);
  if (!last_rows_are_right(args, out.data(), kernels::select_kernel("scalar").gemm)) {
    state.SkipWithError("the product differs from the reference");
    return;
  }
  measure_beside_peak(state, *kernel, shape, team, product);
}

// Far more than a last-level cache holds, so that every byte comes from memory.
constexpr int64_t kColdBytes = int64_t{1} << 30;
constexpr int64_t kColdBytesPerTurn = int64_t{1} << 26;

AlignedBytes& cold_rows() {
  static AlignedBytes rows = [] {
    AlignedBytes bytes(kColdBytes);
    bitnet::benchmarks::fill_packed_rows(bytes.data(), bytes.size());
    return bytes;
  }();
  return rows;
}

void ternary_gemm_cold(benchmark::State& state, const kernels::TernaryKernel* kernel, Shape shape, int threads) {
  const int64_t matrix_bytes = shape.n * kernels::packed_row_bytes(shape.k);
  const int64_t matrices_per_turn = kColdBytesPerTurn / matrix_bytes;
  const int64_t turn_bytes = matrices_per_turn * matrix_bytes;
  Activations acts(shape.m, shape.k, kernels::act_stride(shape.k));
  std::vector<int32_t> out(static_cast<size_t>(shape.m * shape.n));
  Team team(threads);
  uint8_t* const pool = cold_rows().data();
  const auto args_at = [&](const uint8_t* rows) {
    return kernels::GemmArgs{rows,    acts.rows(), acts.stride, acts.sums.data(), out.data(),
                             shape.n, shape.m,     shape.n,     shape.k};
  };
  const auto multiply = [&](const uint8_t* rows, int t) {
    kernel->gemm(part_of(args_at(rows), kernels::packed_row_bytes(shape.k), outputs_of(t, threads, shape.n)));
  };
  team.run([&](int t) { multiply(pool, t); });
  if (!last_rows_are_right(args_at(pool), out.data(), kernels::select_kernel("scalar").gemm)) {
    state.SkipWithError("the product differs from the reference");
    return;
  }
  int64_t at = 0;
  const auto next = [&] {
    at = at + 2 * turn_bytes > kColdBytes ? 0 : at + turn_bytes;
    return pool + at;
  };
  std::vector<double> seconds, shares;
  for (auto iteration : state) {
    const uint8_t* rows = next();
    seconds.push_back(team.run([&](int t) {
      for (int64_t i = 0; i < matrices_per_turn; ++i) multiply(rows + i * matrix_bytes, t);
    }));
    state.PauseTiming();
    rows = next();
    const double read_seconds = team.run([&](int t) {  // the same bytes in the same order, for each thread
      for (int64_t i = 0; i < matrices_per_turn; ++i) {
        const auto [first, last] = outputs_of(t, threads, shape.n);
        const int64_t row_bytes = kernels::packed_row_bytes(shape.k);
        read_loop(rows + i * matrix_bytes + first * row_bytes, (last - first) * row_bytes);
      }
    });
    shares.push_back(read_seconds / seconds.back());
    state.ResumeTiming();
  }
  state.counters["weight_GB/s"] = static_cast<double>(turn_bytes) / median(seconds) * 1e-9;
  state.counters["share_of_read"] = median(shares);
}

// An output head, larger than most last-level caches.
constexpr int64_t kHeadN = 32000, kHeadK = 2048;

AlignedBytes int8_head() {
  AlignedBytes weights(kHeadN * kernels::int8_row_bytes(kHeadK));
  std::mt19937 random(3);
  for (int64_t i = 0; i < weights.size(); ++i) weights.data()[i] = static_cast<uint8_t>(1 + random() % 255);
  return weights;
}

void int8_gemm(benchmark::State& state, const kernels::TernaryKernel* kernel, Shape shape, int threads) {
  static AlignedBytes head = int8_head();
  Activations acts(shape.m, shape.k, kernels::act_stride(shape.k));
  std::vector<int32_t> out(static_cast<size_t>(shape.m * shape.n));
  const kernels::GemmArgs args = {head.data(), acts.rows(), acts.stride, acts.sums.data(), out.data(),
                                  shape.n,     shape.m,     shape.n,     shape.k};
  Team team(threads);
  const auto product = [&](int t) {
    kernel->int8_gemm(part_of(args, kernels::int8_row_bytes(shape.k), outputs_of(t, threads, shape.n)));
  };
  team.run(product);
  if (!last_rows_are_right(args, out.data(), kernels::select_kernel("scalar").int8_gemm)) {
    state.SkipWithError("the product differs from the reference");
    return;
  }
  if (shape.m > 1) return measure_beside_peak(state, *kernel, shape, team, product);
  std::vector<double> seconds, shares;
  for (auto iteration : state) {
    seconds.push_back(team.run(product));
    state.PauseTiming();
    const double read_seconds = team.run([&](int t) {
      const auto [first, last] = outputs_of(t, threads, shape.n);
      read_loop(head.data() + first * kernels::int8_row_bytes(kHeadK),
                (last - first) * kernels::int8_row_bytes(kHeadK));
    });
    shares.push_back(read_seconds / seconds.back());
    state.ResumeTiming();
  }
  state.counters["weight_GB/s"] = static_cast<double>(head.size()) / median(seconds) * 1e-9;
  state.counters["share_of_read"] = median(shares);
}

void quantize_rows(benchmark::State& state, int64_t m, int64_t k) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<size_t>(m * k));
  for (float& value : x) value = normal(random);
  std::vector<int8_t> codes(static_cast<size_t>(m * kernels::act_stride(k)));
  std::vector<float> scales(static_cast<size_t>(m));
  std::vector<int32_t> sums(static_cast<size_t>(m));
  const auto quantize = [&] {
    kernels::quantize_rows(x.data(), m, k, kernels::act_stride(k), codes.data(), scales.data(), sums.data());
  };
  quantize();
  const auto [least, largest] = std::minmax_element(codes.begin(), codes.end());
  if (std::max<int>(*largest, -*least) != 127) {
    state.SkipWithError("no activation has the largest code, 127");
    return;
  }
  for (auto iteration : state) {
    quantize();
    benchmark::ClobberMemory();
  }
  state.counters["GB/s"] =
      benchmark::Counter(static_cast<double>(m * k) * 4e-9, benchmark::Counter::kIsIterationInvariantRate);
}

using Case = void (*)(benchmark::State&, const kernels::TernaryKernel*, Shape, int);

void register_case(const char* family, Case run, const kernels::TernaryKernel* kernel, const Shape& shape,
                   const char* suffix = "") {
  for (int threads : {1, 2}) {
    const std::string name = std::string(family) + "/" + kernel->name + "/M:" + std::to_string(shape.m) +
                             "/N:" + std::to_string(shape.n) + "/K:" + std::to_string(shape.k) +
                             "/threads:" + std::to_string(threads) + suffix;
    benchmark::RegisterBenchmark(name.c_str(), run, kernel, shape, threads);
  }
}

int register_all() {
  constexpr std::pair<int64_t, int64_t> kMatrices[] = {{2048, 2048}, {5632, 2048}, {2048, 5632}};
  for (const kernels::TernaryKernel* kernel : kernels::all_kernels()) {
    if (!kernel->supported()) continue;
    const bool slow = kernel->isa == kernels::Isa::kScalar;  // seconds a product with more rows
    for (const auto& [n, k] : kMatrices) {
      for (int64_t m : {1, 2, 4, 8, 16, 32, 64, 128, 512}) {
        if (!slow || m == 1) register_case("TernaryGemm", ternary_gemm, kernel, {m, n, k});
      }
      if (!slow) register_case("TernaryGemm", ternary_gemm_cold, kernel, {1, n, k}, "/cold");
    }
    for (const auto& [n, k] : {std::pair<int64_t, int64_t>{256, 256}, {1024, 256}}) {  // small models in training
      if (!slow) register_case("TernaryGemm", ternary_gemm, kernel, {2048, n, k});
    }
    for (int64_t m : {1, 4, 16}) {
      if (!slow || m == 1) register_case("Int8Gemm", int8_gemm, kernel, {m, kHeadN, kHeadK});
    }
  }
  for (const auto& [m, k] : {std::pair<int64_t, int64_t>{1, 2048}, {2048, 256}, {2048, 1024}, {512, 2048}}) {
    const std::string name = "QuantizeRows/M:" + std::to_string(m) + "/K:" + std::to_string(k);
    benchmark::RegisterBenchmark(name.c_str(), quantize_rows, m, k);
  }
  return 0;
}

// benchmark_main's main reads the list of benchmarks after the static objects are made.
[[maybe_unused]] const int registered = register_all();

}  // namespace
