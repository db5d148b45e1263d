// Speed of the integer product of every kernel that this CPU supports, one thread, with its result checked against the
// reference. Names: TernaryGemm/<kernel>/M:<rows>/N:<outputs>/K:<depth>; how to measure is in benchmarks/README.md.

#include "ops/kernels/ternary_gemm.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ops/kernels/packed_format.h"
#include "ops/kernels/quantize.h"

namespace {

namespace kernels = bitnet::kernels;

struct Shape {
  int64_t m, n, k;
};

// Random activations and weights of one product, and where its result goes.
struct Problem {
  explicit Problem(const Shape& shape) : shape(shape) {
    std::mt19937 random(1);
    std::vector<int8_t> codes(static_cast<size_t>(shape.n * shape.k));
    for (int8_t& code : codes) code = static_cast<int8_t>(static_cast<int>(random() % 3) - 1);
    packed.resize(static_cast<size_t>(kernels::packed_bytes(shape.n, shape.k)));
    kernels::pack(codes.data(), shape.n, shape.k, 1.0f, packed.data());
    const int64_t stride = kernels::padded_k(shape.k);
    acts.assign(static_cast<size_t>(shape.m * stride), 0);
    for (int64_t m = 0; m < shape.m; ++m) {
      int32_t sum = 0;
      for (int64_t k = 0; k < shape.k; ++k) {
        const int8_t act = static_cast<int8_t>(static_cast<int>(random() % 256) - 128);
        acts[static_cast<size_t>(m * stride + k)] = act;
        sum += act;
      }
      act_sums.push_back(sum);
    }
    out.resize(static_cast<size_t>(shape.m * shape.n));
  }

  // The first `rows` rows only.
  kernels::TernaryGemmArgs args(int64_t rows) {
    return {packed.data() + kernels::kHeaderBytes,
            acts.data(),
            act_sums.data(),
            out.data(),
            shape.n,
            rows,
            shape.n,
            shape.k};
  }

  Shape shape;
  std::vector<uint8_t> packed;
  std::vector<int8_t> acts;
  std::vector<int32_t> act_sums, out;
};

// The last rows against the reference: enough to catch a wrong kernel, and the reference is slow.
bool last_rows_are_right(Problem& problem) {
  const int64_t rows = std::min<int64_t>(problem.shape.m, 3);
  const int64_t first = problem.shape.m - rows;
  kernels::TernaryGemmArgs args = problem.args(rows);
  args.acts_MK += first * kernels::padded_k(problem.shape.k);
  args.act_sums_M += first;
  std::vector<int32_t> expected(static_cast<size_t>(rows * problem.shape.n));
  args.out_MN = expected.data();
  kernels::select_kernel("scalar").gemm(args);
  return std::equal(expected.begin(), expected.end(), problem.out.begin() + first * problem.shape.n);
}

void ternary_gemm(benchmark::State& state, const kernels::TernaryKernel* kernel, Shape shape) {
  Problem problem(shape);
  const kernels::TernaryGemmArgs args = problem.args(shape.m);
  kernel->gemm(args);
  if (!last_rows_are_right(problem)) {
    state.SkipWithError("the product differs from the reference");
    return;
  }
  for (auto iteration : state) {
    kernel->gemm(args);
    benchmark::ClobberMemory();
  }
  const double macs = static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
  const double weight_bytes = static_cast<double>(shape.n * kernels::packed_row_bytes(shape.k));
  state.counters["GMAC/s"] = benchmark::Counter(macs * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["weight_GB/s"] =
      benchmark::Counter(weight_bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void quantize_rows(benchmark::State& state, int64_t m, int64_t k) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<size_t>(m * k));
  for (float& value : x) value = normal(random);
  std::vector<int8_t> codes(static_cast<size_t>(m * kernels::padded_k(k)));
  std::vector<float> scales(static_cast<size_t>(m));
  std::vector<int32_t> sums(static_cast<size_t>(m));
  const auto quantize = [&] {
    kernels::quantize_rows(x.data(), m, k, kernels::padded_k(k), codes.data(), scales.data(), sums.data());
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

int register_all() {
  constexpr Shape kShapes[] = {{1, 2048, 2048},  {1, 4096, 4096},   {1, 5632, 2048},   {2, 2048, 2048},
                               {4, 2048, 2048},  {6, 2048, 2048},   {8, 2048, 2048},   {12, 2048, 2048},
                               {32, 2048, 2048}, {512, 2048, 2048}, {512, 2048, 5632}, {2048, 256, 256},
                               {2048, 1024, 256}};
  for (const kernels::TernaryKernel* kernel : kernels::all_kernels()) {
    if (!kernel->supported()) continue;
    for (const Shape& shape : kShapes) {
      if (kernel->isa == kernels::Isa::kScalar && shape.m > 32) continue;  // seconds a product
      const std::string name = std::string("TernaryGemm/") + kernel->name + "/M:" + std::to_string(shape.m) +
                               "/N:" + std::to_string(shape.n) + "/K:" + std::to_string(shape.k);
      benchmark::RegisterBenchmark(name.c_str(), ternary_gemm, kernel, shape);
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
